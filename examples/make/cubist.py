"""A cubist still life: guitar, bottle, glass and fruit dish taken apart into planes.

The canvas is cut by long lines and arcs that run through the things and past them. Every facet is a
plane of its own: light at one edge and dark at the other, painted in short strokes that follow it,
and it shows the things a little shifted and from another side. A few facets are pasted paper.
Its palette is ochre, umber, slate and grey-green, with one rust and one blue.
"""

import numpy as np

from noise import Noise, blur, colour, grid, mix, smoothstep
from strokes import Canvas, paint_after

PLAN = Noise(61)
OCHRES = ["#b98d4e", "#8a6236", "#d8bd86", "#5d4127", "#a3764a"]
SLATES = ["#5a6468", "#8b938f", "#c3c1b2", "#3c454b", "#6f7c74"]
LIGHTS = ["#e4d9bd", "#cfc4a6", "#efe6cf"]

# The lines that cut the canvas: a point, an angle, how far they bend; heights of the picture.
CUTS = [(0.40, 0.50, 1.22, 0.00), (0.74, 0.50, 1.92, 0.00), (0.60, 0.42, 0.32, 0.00),
        (0.60, 0.70, -0.22, 0.10), (0.96, 0.55, 1.35, -0.12), (0.22, 0.55, 1.80, 0.08),
        (0.66, 0.20, -0.50, 0.00), (0.52, 0.86, 0.12, 0.00), (0.56, 0.50, 0.86, 0.00),
        (0.82, 0.34, 2.45, 0.00), (0.30, 0.28, 0.55, 0.06), (1.10, 0.74, 0.62, 0.00)]


def cut_side(x, y, cut):
    """Signed distance from a line that may bend."""
    px, py, angle, bend = cut
    u = (x - px) * np.cos(angle) + (y - py) * np.sin(angle)
    v = (y - py) * np.cos(angle) - (x - px) * np.sin(angle)
    return v - bend * u * u * 2


def facets(x, y):
    """A number for each facet, the signed distance to the nearest cut, and which cut that is."""
    key, near, which = np.zeros(x.shape, np.int64), np.full(x.shape, 9.0), np.zeros(x.shape, int)
    draw = np.random.default_rng(62)
    for k, cut in enumerate(CUTS):
        # Far from the middle the cuts fade out one by one: the rim has larger facets.
        reach = draw.uniform(0.42, 0.75)
        side = cut_side(x, y, cut)
        counts = np.hypot(x - 0.66, y - 0.50) < reach + 0.30 * (k % 3 == 0)
        key = key * 2 + ((side > 0) & counts)
        closer = counts & (np.abs(side) < np.abs(near))
        near, which = np.where(closer, side, near), np.where(closer, k, which)
    _, number = np.unique(key, return_inverse=True)
    return number.reshape(x.shape), near, which


def shifted(x, y, number, draw):
    """Where each facet looks: a little aside, a little turned, a little nearer or farther."""
    count = number.max() + 1
    dx, dy = draw.normal(0, 0.024, (2, count))
    turn, scale = draw.normal(0, 0.075, count), np.exp(draw.normal(0, 0.05, count))
    cx, cy = x - 0.66, y - 0.5
    cosine, sine = np.cos(turn)[number], np.sin(turn)[number]
    return (0.66 + scale[number] * (cosine * cx - sine * cy) + dx[number],
            0.50 + scale[number] * (sine * cx + cosine * cy) + dy[number])


def laid(base, lines, inside, tone, edge, weight=0.0032):
    """A form laid over the base; its outline goes among the lines. `edge`: distance inside."""
    base = mix(base, tone, inside)
    lines = lines * (1 - 0.85 * inside)
    return base, np.maximum(lines, np.exp(-((edge / weight) ** 2)))


def guitar(x, y, base, lines):
    """A guitar that stands aslant, its halves in different light."""
    lean = 0.34
    u = (x - 0.62) * np.cos(lean) + (y - 0.60) * np.sin(lean)
    v = (y - 0.60) * np.cos(lean) - (x - 0.62) * np.sin(lean)
    lower, upper = 0.205 - np.hypot(u / 1.05, v - 0.13), 0.158 - np.hypot(u / 1.02, v + 0.15)
    waist = 0.115 - np.maximum(np.abs(u), np.abs(v) - 0.10)
    body = np.maximum(np.maximum(lower, upper), waist)
    body = blur(body, x.shape[0] / 70)
    grain = PLAN.fractal(u * 60, v * 3, 3)
    ring = np.sin(70 * u + 3 * PLAN.smooth(u * 3, v * 1.2) + 8 * grain * 0.1)
    wood = mix("#c08a45", "#8c5526", 0.45 + 0.22 * ring + 0.2 * grain)
    wood = np.where((u > 0)[..., None], wood, mix(wood, "#ecd9a6", 0.55 + 0 * u))
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, body), wood, body)
    hole = 0.062 - np.hypot(u, v + 0.045)
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, hole), colour("#231a15") + 0 * base,
                       hole)
    for radius in (0.076, 0.086):
        lines = np.maximum(lines, 0.7 * np.exp(-(((hole - 0.062 + radius) / 0.0022) ** 2))
                           * (body > 0))
    neck = np.minimum(0.030 - np.abs(u), np.minimum(v + 0.70, -0.06 - v))
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, neck), mix(
        "#3a2a1e", "#5c4430", 0.5 + 0.5 * grain), neck)
    frets = np.abs(((v + 0.7) * 15) % 1 - 0.5) < 0.035
    base = mix(base, "#cbb583", (frets & (neck > 0)) * 0.8)
    head = np.minimum(0.046 - np.abs(u), np.minimum(v + 0.83, -0.69 - v))
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, head), colour("#7b4f2a") + 0 * base,
                       head)
    pegs = 0.012 - np.minimum.reduce(
        [np.hypot(np.abs(u) - 0.058, v + at) for at in (0.72, 0.76, 0.80)])
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, pegs), colour("#d9cba6") + 0 * base,
                       pegs)
    bridge = np.minimum(0.075 - np.abs(u), 0.011 - np.abs(v - 0.17))
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, bridge),
                       colour("#2c1f18") + 0 * base, bridge)
    strings = np.abs(np.abs(((u + 0.024) / 0.0096) % 1 - 0.5) - 0.5) < 0.075
    strings = strings & (np.abs(u) < 0.026) & (v < 0.17) & (v > -0.72)
    return mix(base, "#efe3c0", strings * 0.75), lines


def bottle(x, y, base, lines):
    """A bottle seen from the side, its mouth from above."""
    u = x - 0.985
    girth = 0.078 - 0.046 * smoothstep(0.50, 0.40, y)
    form = np.minimum(girth - np.abs(u), np.minimum(y - 0.19, 0.80 - y))
    glass = mix("#2d3f38", "#7f9482", smoothstep(-0.07, 0.075, u + 0.02 * np.sin(9 * y)))
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, form), glass, form)
    label = np.minimum(np.minimum(0.078 - np.abs(u), 0.095 - np.abs(y - 0.63)), form + 0.001)
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, label),
                       colour("#e2d5b0") + 0 * base, label)
    bar = (np.abs(u) < 0.055) & (np.abs(((y - 0.55) * 24) % 1 - 0.5) < 0.16) & (label > 0.012)
    base = mix(base, "#6b2c20", bar * 0.85)
    mouth = 0.040 - np.hypot(u, (y - 0.185) * 2.2)
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, mouth),
                       colour("#1f2825") + 0 * base, mouth)
    rim = 0.049 - np.hypot(u, (y - 0.185) * 2.2)
    return base, np.maximum(lines, np.exp(-((rim / 0.003) ** 2)))


def goblet(x, y, base, lines):
    """A glass in front: bowl, stem and foot, half of it only drawn."""
    u = x - 0.315
    bowl = np.minimum(0.085 * np.clip(1 - ((y - 0.50) / 0.17) ** 2, 0, 1) ** 0.5 - np.abs(u) + 0.0,
                      np.minimum(y - 0.50, 0.67 - y))
    stem = np.minimum(0.010 - np.abs(u), np.minimum(y - 0.66, 0.80 - y))
    foot = 0.072 - np.hypot(u, (y - 0.81) * 3.4)
    clear = mix("#cfd2c6", "#7c8a8b", smoothstep(-0.06, 0.07, u))
    for form in (foot, stem, bowl):
        base, lines = laid(base, lines, smoothstep(-0.002, 0.002, form) * 0.85, clear, form)
    wine = np.minimum(bowl - 0.008, y - 0.565)
    base, lines = laid(base, lines, smoothstep(-0.002, 0.002, wine), mix(
        "#8f3427", "#5c1d1d", smoothstep(-0.05, 0.06, u)), wine)
    rim = np.abs(np.hypot(u, (y - 0.50) * 3.6) - 0.085)
    return base, np.maximum(lines, np.exp(-((rim / 0.0028) ** 2)))


def fruit(x, y, base, lines):
    """Two pears and an apple at the front, each half in shadow."""
    for cx, cy, size, light, dark in ((0.86, 0.855, 0.066, "#c9a13f", "#7d6a2c"), (
        1.13, 0.84, 0.074, "#b5482c", "#6a2a20"), (0.47, 0.885, 0.058, "#9aa05a", "#59613a")):
        u, v = (x - cx) / size, (y - cy) / size
        form = size * (1 - np.minimum(np.hypot(u, v),
                                      np.hypot(u * 1.5, (v + 0.95) * 1.15) + 0.12 * (cx > 1) * 9))
        tone = np.where((u + 0.35 * v > 0.1)[..., None], colour(dark), colour(light)) + 0 * base
        base, lines = laid(base, lines, smoothstep(-0.002, 0.002, form), tone, form)
    return base, lines


def pasted(x, y, base, lines):
    """Pasted paper: a strip of newsprint, wallpaper with a pattern, imitation wood, music."""
    def sheet(cx, cy, wide, high, turn):
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        return u, v, np.minimum(wide - np.abs(u), high - np.abs(v))

    u, v, form = sheet(0.30, 0.36, 0.115, 0.20, -0.20)
    row = np.floor(v / 0.0135)
    words = PLAN.smooth(u * 75 + row * 13.7, row * 5.3) > -0.25
    column = np.abs(u / 0.105 % 1 - 0.5) < 0.44
    ink = words & column & (np.abs(v / 0.0135 - row - 0.5) < 0.24) & (form > 0.012)
    head = (np.abs(v + 0.165) < 0.018) & (PLAN.smooth(u * 34, 0 * u + 3) > -0.3) & (form > 0.012)
    ink = (ink & (v > -0.135)) | head
    news = mix("#dcd0ae", "#4a443c", ink * 0.75)
    base, lines = laid(base, lines, smoothstep(-0.001, 0.001, form), news, form, 0.0018)
    u, v, form = sheet(1.16, 0.40, 0.12, 0.28, 0.16)
    diamond = np.abs((u * 16) % 1 - 0.5) + np.abs((v * 16) % 1 - 0.5)
    wall = mix("#3f5d73", "#93a7ab", ((diamond < 0.16) | (np.abs(diamond - 0.5) < 0.05)) * 0.85)
    base, lines = laid(base, lines, smoothstep(-0.001, 0.001, form), wall, form, 0.0018)
    u, v, form = sheet(0.78, 0.21, 0.115, 0.085, -0.33)
    five = np.abs(((v + 0.085) / 0.0605) % 1 - 0.5) < 0.42
    staff = (np.abs((v / 0.011) % 1 - 0.5) < 0.10) & five
    note_x, note_y, note = PLAN.cells(u * 30, v * 30)
    notes = (note_x < 0.17) & (note > 0.55) & (form > 0.012)
    music = mix("#e9dfc3", "#2f2a26", np.maximum(staff * 0.6, notes * 0.9))
    return laid(base, lines, smoothstep(-0.001, 0.001, form), music, form, 0.0018)


def ground(x, y):
    """Wall above, table below, whose edge breaks."""
    wall = mix("#7f8a86", "#a89c80", smoothstep(0.2, 1.2, x + 0.2 * PLAN.smooth(x * 2, y * 2)))
    grain = np.sin(46 * (y + 0.25 * x) + 5 * PLAN.fractal(x * 1.4, y * 4, 3))
    table = mix("#7a522d", "#b07c43", 0.5 + 0.35 * grain)
    edge = y - 0.72 - 0.05 * np.sin(2.5 * x + 0.4)
    return mix(wall, table, smoothstep(-0.002, 0.002, edge)), np.exp(-((edge / 0.003) ** 2))


def scene(x, y):
    base, lines = ground(x, y)
    for thing in (pasted, bottle, guitar, goblet, fruit):
        base, lines = thing(x, y, base, lines)
    return base, lines


def planes(x, y, number, near, which, base, draw):
    """Each facet's own light: from one edge to the other, and its tint."""
    count = number.max() + 1
    tints = np.array([colour(code) for code in OCHRES + SLATES + LIGHTS])
    tint = tints[draw.integers(0, len(tints), count)][number]
    share = draw.uniform(0.08, 0.42, count)[number]
    angle = draw.uniform(0, 2 * np.pi, count)
    middle = np.array([[x[number == k].mean(), y[number == k].mean()] for k in range(count)])
    across = ((x - middle[number, 0]) * np.cos(angle)[number]
              + (y - middle[number, 1]) * np.sin(angle)[number])
    wide = np.array([np.abs(across[number == k]).max() + 1e-3 for k in range(count)])
    slope = across / wide[number]
    base = mix(base, tint, share)
    strength = draw.uniform(0.20, 0.42, count)[number]
    base = base * (1 + strength * slope)[..., None]
    # Along each cut one side is shaded, so that the planes stand before and behind each other.
    sense = np.where(which % 2 == 0, 1, -1) * np.sign(near)
    fold = np.exp(-np.abs(near) / 0.035)
    base = base * (1 + np.where(sense > 0, 0.20, -0.42) * fold)[..., None]
    return np.clip(base, 0, 1), angle[number] + np.pi / 2


def make(width, height):
    x, y = grid(width, height)
    draw = np.random.default_rng(63)
    number, near, which = facets(x, y)
    seen_x, seen_y = shifted(x, y, number, draw)
    base, lines = scene(seen_x, seen_y)
    target, angle = planes(x, y, number, near, which, base, draw)
    # Towards the rim the planes dissolve into a warm grey ground.
    rim = np.hypot((x - 0.66) / 0.80, (y - 0.50) / 0.58)
    target = mix(target, mix("#b5a685", "#77715f", y), 0.75 * smoothstep(0.72, 1.12, rim))
    cut_line = np.exp(-((near / 0.0026) ** 2)) * smoothstep(1.1, 0.8, rim)
    broken = np.clip(0.55 + 0.9 * PLAN.fractal(x * 6, y * 6, 3), 0, 1)
    lines = np.maximum(lines * np.clip(broken + 0.35, 0, 1), 0.9 * cut_line * broken)
    lines = lines * smoothstep(1.15, 0.85, rim)
    canvas = Canvas(mix(target, "#8d7350", 0.25 + 0 * x))
    unit = height / 768
    layers = [(w * unit, l * unit, max(2, round(s * unit)), load, share) for w, l, s, load,
              share in ((22, 46, 14, 0.9, 1.0), (11, 24, 8, 1.4, 0.95), (6, 14, 5, 1.7, 0.90))]
    detail = np.clip(blur(np.abs(lines), 3 * unit) * 3 + 0.4, 0, 1)
    paint_after(canvas, target, angle, layers, draw, detail, jitter=0.055)
    # What is drawn and pasted stays legible under a thin last coat.
    canvas.colour = mix(canvas.colour, target, 0.42 + 0 * x)
    canvas.colour = mix(canvas.colour, "#1d1915", np.clip(lines, 0, 1) * 0.88)
    painted = canvas.lit(relief=0.22, shine=0.06)
    return np.clip((painted - 0.5) * 1.18 + 0.49, 0, 1)
