"""A woodcut: a breaking wave under a red sun, cut in lines and printed in five inks.

Waves are families of curves between the back of the wave and its hollow; the cutter's lines are
members of the family, swelling and tapering. Inks: pale blue, mid blue, indigo, vermilion, grey.
"""

import numpy as np
from PIL import Image, ImageDraw

from noise import Noise, blur, colour, grid, mix, smoothstep
from strokes import outline

GRAIN = Noise(41)
PAPER, INDIGO, MIDDLE, PALE = "#f1e6cb", "#16294f", "#3a6a97", "#9dbccb"
VERMILION, GREY = "#c8402b", "#8f948f"

# The great wave: its back from the lower left up to the tip, and its hollow from the trough to
# the tip, in heights of the picture from the upper left.
BACK = [(-0.16, 0.80), (-0.04, 0.58), (0.10, 0.38), (0.25, 0.22), (0.42, 0.125), (0.60, 0.10),
        (0.75, 0.15), (0.85, 0.25), (0.875, 0.37)]
HOLLOW = [(1.02, 0.90), (0.78, 0.845), (0.60, 0.75), (0.505, 0.62), (0.50, 0.48), (0.575, 0.365),
          (0.69, 0.315), (0.80, 0.325), (0.875, 0.37)]


def spline(points, count):
    """A smooth curve through the points (Catmull-Rom), `count` points along it."""
    p = np.array(points, np.float64)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, len(p) - 3 - 1e-6, count)
    k, u = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u ** 2
                  + (3 * b - a - 3 * c + d) * u ** 3)


class Block:
    """The picture being cut, at three times its size; coordinates in heights of the picture."""

    def __init__(self, width, height):
        self.scale = 3 * height
        self.image = Image.new("RGB", (3 * width, 3 * height), PAPER)
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, points, ink):
        self.pen.polygon([tuple(p) for p in np.asarray(points) * self.scale], fill=ink)

    def line(self, points, half_widths, ink):
        """A line cut along points that swells and tapers."""
        self.fill(outline(points, half_widths), ink)

    def dot(self, x, y, radius, ink):
        box = np.array([x - radius, y - radius, x + radius, y + radius]) * self.scale
        self.pen.ellipse(tuple(box), fill=ink)


def claw(block, draw, x, y, angle, size, level=0):
    """A finger of foam that hooks over and ends in smaller fingers."""
    t = np.linspace(0, 1, 12)
    turn = angle + draw.uniform(0.7, 1.5) * t
    step = size / 11
    path = np.stack([x + np.cumsum(np.cos(turn)) * step, y + np.cumsum(np.sin(turn)) * step], 1)
    half = 0.30 * size * (1 - t) ** 0.7 + 0.0012
    block.line(path, half + 0.0026, INDIGO)
    if level < 2:
        for share in (0.35, 0.62, 0.85):
            at = path[int(share * 11)]
            claw(block, draw, at[0], at[1], turn[int(share * 11)] - draw.uniform(0.1, 0.9),
                 size * draw.uniform(0.38, 0.55), level + 1)
    block.line(path, half, PAPER)


def foam(block, draw, path, size, turn):
    """Foam along a curve: round lumps with an indigo outline, then claws that hang from it."""
    for k in draw.permutation(len(path)):
        x, y = path[k] + draw.normal(0, 0.25 * size, 2)
        radius = size * draw.uniform(0.35, 0.8)
        block.dot(x, y, radius + 0.0028, INDIGO)
        block.dot(x, y, radius, PAPER)
    for k in draw.permutation(len(path)):
        x, y = path[k] + draw.normal(0, 0.3 * size, 2)
        block.dot(x, y, size * draw.uniform(0.3, 0.6), PAPER)
        if draw.random() < 0.35:
            block.dot(x, y, size * 0.12, PALE)
    for k in range(0, len(path), 2):
        claw(block, draw, path[k, 0], path[k, 1], turn + draw.uniform(-0.5, 0.5) - 0.5,
             size * draw.uniform(1.6, 2.7))


def wave(block, draw, back, hollow, stripes, foam_size):
    """One breaking wave: its body, the bands and lines along it, its hollow, its foam."""
    count = 160
    outer, inner = spline(back, count), spline(hollow, count)
    t = np.linspace(0, 1, count)
    block.fill(np.concatenate([outer, inner[::-1]]), INDIGO)
    for k in range(stripes):
        s = (k + 0.5) / stripes
        start = int(draw.uniform(0, 0.10) * count)
        stop = int(count * draw.uniform(0.90, 0.99))
        part = slice(start, stop)
        span = np.hypot(*(outer - inner).T)[part] / stripes
        u = np.linspace(0, 1, stop - start)
        swelling = np.sin(np.pi * u ** 0.8) ** 0.55
        wobble = 1 + 0.18 * GRAIN.smooth(u * 9, 0 * u + 7.3 * k)
        line = (outer * (1 - s) + inner * s)[part]
        block.line(line, 0.31 * span * swelling * wobble, (MIDDLE, PALE, MIDDLE, PAPER)[k % 4])
        if k % 4 == 1:  # a dark cut in the middle of each pale band
            block.line(line, 0.07 * span * swelling * wobble, INDIGO)
        if k % 4 in (0, 2):
            for _ in range(3):
                a = draw.integers(0, max(1, (stop - start) - 40))
                b = a + draw.integers(18, 38)
                v = np.linspace(0, 1, b - a)
                block.line(line[a:b], 0.06 * span[a:b] * np.sin(np.pi * v), PALE)
    block.line(outer, 0.0032 + 0 * t, INDIGO)
    block.line(inner, 0.0038 + 0 * t, INDIGO)
    lip = np.concatenate([outer[int(0.40 * count)::4], inner[:int(0.66 * count):-3]])
    foam(block, draw, lip, foam_size, np.pi / 2)


def swell(block, level, height, phase, pitch):
    """A long low wave across the whole picture with lines that echo its outline."""
    x = np.linspace(-0.05, 1.40, 300)
    form = lambda d: (level + d - height * np.abs(np.sin(pitch * x + phase)) ** 1.6 * np.exp(-9 * d)
                      + 0.006 * GRAIN.fractal(x * 9 + phase, 0 * x + 40 * d + phase, 3))
    block.fill(np.concatenate([np.stack([x, form(0)], 1), [(1.40, 1.1), (-0.05, 1.1)]]), INDIGO)
    block.line(np.stack([x, form(0.0)], 1), 0.005 + 0.004 * GRAIN.smooth(x * 13, 0 * x + phase),
               PAPER)
    for k in range(1, 16):
        ink = (MIDDLE, PALE, MIDDLE, MIDDLE)[k % 4]
        breaks = smoothstep(-0.45, 0.25, GRAIN.smooth(x * 5 + 31 * k, 0 * x + phase))
        weight = 0.0044 * breaks * (1 + 0.3 * GRAIN.smooth(x * 20, 0 * x + k))
        block.line(np.stack([x, form(0.0145 * k)], 1), np.maximum(weight, 0.0003), ink)


def sky(block, draw):
    """Sun, a far mountain with snow, and the flat clouds that a cutter makes of a few lines."""
    block.dot(0.985, 0.40, 0.150, VERMILION)
    for y in np.arange(0.44, 0.545, 0.014):  # haze: lines cut out of the sun
        half = np.sqrt(max(0.0, 0.150 ** 2 - (y - 0.40) ** 2))
        x = np.linspace(0.985 - half, 0.985 + half, 40)
        block.line(np.stack([x, y + 0 * x], 1), (0.0012 + 0.035 * (y - 0.43)) + 0 * x, PAPER)
    clouds = [(0.66, 0.075, 0.5), (0.88, 0.115, 0.5), (0.98, 0.205, 0.36), (-0.05, 0.10, 0.22),
              (-0.05, 0.16, 0.14), (1.10, 0.165, 0.3), (-0.04, 0.30, 0.1)]
    for k, (left, y, long) in enumerate(clouds):
        t = np.linspace(0, 1, 80)
        path = np.stack([left + long * t, y + 0.006 * np.sin(7 * t + k)], 1)
        lens = np.sin(np.pi * t) ** 0.6
        block.line(path, 0.013 * lens * (1 + 0.4 * GRAIN.smooth(t * 6, 0 * t + k)), GREY)
        block.line(path + [0.02, 0.005], 0.006 * lens, PAPER)
    mountain(block, draw)
    for x, y, size in ((1.13, 0.26, 0.026), (1.19, 0.225, 0.018), (1.06, 0.215, 0.014)):
        t = np.linspace(-1, 1, 21)
        rise = 0.55 * np.sin(np.pi * np.abs(t)) - 0.25 * t * t
        block.line(np.stack([x + size * t, y - size * rise], 1),
                   0.0030 * (1 - np.abs(t)) ** 0.6 + 0.0004, INDIGO)


def mountain(block, draw):
    """The far mountain, its foot lost in mist."""
    x = np.linspace(0.90, 1.40, 320)
    top = 0.735 - 0.20 * np.exp(-np.abs((x - 1.13) / 0.10) ** 1.25) + 0.004 * GRAIN.fractal(
        x * 30, 0 * x, 4)
    ridge = np.stack([x, top], 1)
    block.fill(ridge[top < 0.7345], MIDDLE)
    snow = 0.622 + 0.034 * np.abs(((x - 1.13) * 34) % 2 - 1) + 0.02 * GRAIN.smooth(x * 40, 0 * x)
    here = top < snow
    block.fill(np.concatenate([ridge[here], np.stack([x, snow], 1)[here][::-1]]), PAPER)
    block.line(ridge[top < 0.72], 0.0020 + 0 * x[top < 0.72], INDIGO)
    for _ in range(26):
        a = draw.uniform(-0.9, 0.9)
        t = np.linspace(0, 1, 10)
        block.line(np.stack([1.13 + 0.11 * a + a * 0.07 * t, 0.662 + 0.028 * abs(a) + 0.04 * t], 1),
                   0.0016 * np.sin(np.pi * t), INDIGO)


def printed(flat, x, y):
    """What the press makes of flat inks: paper, wood grain, uneven ink, worn edges."""
    rings = GRAIN.fractal(x * 1.2, y * 5, 3)
    wood = np.sin(190 * y + 26 * rings + 5 * x) * 0.5 + GRAIN.fractal(x * 7, y * 230, 3) * 0.7
    patches = GRAIN.fractal(x * 5, y * 5, 4)
    tooth = GRAIN.fractal(x * 260, y * 260, 2)
    fibres = 0.02 * GRAIN.fractal(x * 40, y * 160, 3) + 0.025 * GRAIN.fractal(x * 2, y * 2, 3)
    paper = colour(PAPER) * (1 + fibres)[..., None]
    inked = np.clip(np.abs(flat - colour(PAPER)).sum(-1) * 4, 0, 1)
    dark = 1 - flat.mean(-1)
    thin = np.clip(0.10 + 0.13 * wood + 0.12 * patches, 0, 0.6) * (1.15 - 0.75 * dark)
    specks = smoothstep(0.50, 0.75, tooth + 0.25 * patches)
    share = inked * (1 - thin) * (1 - 0.75 * specks)
    # Ink gathers at the edge of a cut.
    rim = np.clip(inked - blur(inked, flat.shape[0] / 300), 0, 1)
    return np.clip(mix(paper, flat * (1 - 0.10 * rim)[..., None], share), 0, 1)


def wave_mask(width, height):
    """1 where the great wave and its foam lie, so that the sky's inks stay off them."""
    image = Image.new("L", (width, height), 0)
    body = np.concatenate([spline(BACK, 160), spline(HOLLOW, 160)[::-1]]) * height
    pen = ImageDraw.Draw(image)
    pen.polygon([tuple(p) for p in body], fill=255)
    reach = 0.022 * height
    for x, y in body[60:206:3]:
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return np.asarray(image, np.float32) / 255


def make(width, height):
    draw = np.random.default_rng(42)
    block = Block(width, height)
    sky(block, draw)
    swell(block, 0.80, 0.05, 0.9, 5.2)
    wave(block, draw, BACK, HOLLOW, 23, 0.030)
    for _ in range(230):  # spray, thrown from the tip
        angle, far = draw.uniform(-0.9, 1.5), draw.exponential(0.13) + 0.02
        x, y = 0.82 + far * np.cos(angle), 0.24 + far * np.sin(angle) * 0.9
        radius = draw.uniform(0.0012, 0.0042)
        block.dot(x, y, radius + 0.0013, INDIGO)
        block.dot(x, y, radius, PAPER)
    swell(block, 0.885, 0.07, 2.3, 3.6)
    small = lambda points: [(1.60 - 0.50 * px, 0.62 + 0.36 * py) for px, py in points]
    wave(block, draw, small(BACK), small(HOLLOW), 11, 0.015)
    swell(block, 0.985, 0.06, 0.4, 4.4)
    large = np.asarray(block.image, np.float32) / 255
    flat = large.reshape(height, 3, width, 3, 3).mean((1, 3))
    x, y = grid(width, height)
    # The printer wipes the sky block by hand: grey above, warm towards the horizon.
    bare = 1 - np.clip(np.abs(flat - colour(PAPER)).sum(-1) * 4, 0, 1)
    open_sky = bare * smoothstep(0.80, 0.66, y) * (1 - wave_mask(width, height))
    flat = mix(flat, "#a9aaa2", open_sky * smoothstep(0.20, -0.05, y) * 0.9)
    flat = mix(flat, "#e3b98a", open_sky * smoothstep(0.30, 0.66, y) * 0.75)
    return printed(flat, x, y)
