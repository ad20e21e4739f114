"""A still life by a window: bottle, bowl of fruit, grapes and linen, by marching distance fields.

A distance field says how far the nearest surface is, so a ray may step that far at once. Lengths
are decimetres or so; y is up, the table's top at 0, the window to the left behind the camera.
"""

import numpy as np

import camera
import rays
from camera import linear, mix
from noise import Noise, smoothstep

SOLID = Noise(21)
EYE, LOOK, FOCAL = np.array([0.15, 1.42, -4.3]), np.array([0.10, 0.50, 0.0]), 1.92
WINDOW = np.array([-0.76, 0.52, -0.38]) / np.linalg.norm([-0.76, 0.52, -0.38])
DAYLIGHT = np.array([1.0, 0.90, 0.74]) * 2.7
WALL, TABLE, CLOTH, BOTTLE, BOWL, ORANGE, APPLE, LEMON, GRAPES, STALK, PEAR = range(11)
ORANGES = [(0.22, 0.385, 0.13, 0.205), (0.66, 0.385, 0.20, 0.20), (0.40, 0.40, 0.52, 0.20)]
APPLES = [(0.45, 0.685, 0.24, 0.205), (-0.36, 0.205, -0.52, 0.215), (1.22, 0.205, 0.42, 0.21)]
BOWL_AT, BOTTLE_AT, LEMON_AT, PEAR_AT = ((0.43, 0.27), (-0.74, 0.42), (0.10, 0.155, -0.80),
                                         (-0.16, 0.62))


def bunch():
    """Centres of grapes: a heap that thins out to the left front."""
    draw = np.random.default_rng(22)
    found = []
    while len(found) < 26:
        along = draw.random() ** 1.2
        x, z = 1.16 - 0.46 * along + draw.normal(
            0, 0.10 * (1.1 - along)), -0.42 - 0.30 * along + draw.normal(0, 0.085 * (1.1 - along))
        layers = [g for g in found if np.hypot(g[0] - x, g[2] - z) < 0.10]
        y = 0.075 + 0.088 * len(layers)
        if y < 0.30 and all((g[0] - x) ** 2 + (g[1] - y) ** 2 + (g[2] - z) ** 2 > 0.0115
                            for g in found):
            found.append((x, y, z, draw.uniform(0.066, 0.078)))
    return found


BUNCH = bunch()


def folds(x, z):
    """Height of the linen, and where it lies: its edge runs aslant across the table."""
    edge = 0.62 - 0.42 * x - 0.55 * np.sin(0.9 * x) - z + 0.05 * SOLID.smooth(x * 2, z * 2)
    lies = np.minimum(edge, 1.1 - x + 0.5 * z + 0.06 * SOLID.smooth(x * 1.5 + 9, z * 2))
    bend = 0.5 * SOLID.smooth(x * 0.8 + 3, z * 0.8)
    across = 0.85 * x + 0.75 * z + bend
    wave = np.abs(SOLID.smooth(across * 2.3, (x - z) * 0.35 + 7))
    height = 0.018 + 0.060 * np.clip(1 - 1.6 * wave, 0, 1) ** 2 + 0.016 * SOLID.smooth(x * 4, z * 4)
    # Things press it flat where they stand.
    for fx, fz, reach in ((-0.36, -0.52, 0.28), (0.10, -0.80, 0.30), (0.43, 0.27, 0.30),
                          (-0.74, 0.42, 0.36), (0.95, -0.58, 0.34), (-0.16, 0.62, 0.26)):
        height = 0.014 + (height - 0.014) * smoothstep(0.5 * reach, 1.5 * reach,
                                                       np.hypot(x - fx, z - fz))
    return height, lies


def fruit(x, y, z, radius):
    """An apple about the origin: a ball with a dimple above and below."""
    out = np.hypot(x, z)
    dent = 0.30 * radius * np.exp(-((out / (0.33 * radius)) ** 2)) * np.sign(y)
    taper = 1 - 0.10 * smoothstep(0.3 * radius, -radius, y)
    return (np.sqrt((out / taper) ** 2 + ((y + dent) * 1.06) ** 2) - radius) * 0.80


def distances(p):
    """Distance to every kind of surface at points p (count x 3), a row for each kind."""
    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    d = np.full((11, len(p)), 9, np.float32)
    d[WALL] = 1.75 - z
    d[TABLE] = y
    low = y < 0.25
    if low.any():
        height, lies = folds(x[low], z[low])
        drape = (y[low] - height * smoothstep(-0.01, 0.07, lies)) * 0.55
        d[CLOTH, low] = np.where(lies > 0, drape, np.maximum(drape, -lies * 0.7))
    out = np.hypot(x - BOTTLE_AT[0], z - BOTTLE_AT[1])
    girth = (0.285 - 0.205 * smoothstep(0.72, 1.10, y)
             + 0.022 * smoothstep(1.40, 1.43, y) * (y < 1.52))
    girth = girth - 0.03 * np.clip(0.05 - y, 0, 1) * 10
    d[BOTTLE] = np.maximum((out - girth) * 0.72, np.maximum(y - 1.50, -y))
    bx, bz = x - BOWL_AT[0], z - BOWL_AT[1]
    ball = np.sqrt(bx * bx + (y - 0.66) ** 2 + bz * bz)
    d[BOWL] = np.maximum(np.abs(ball - 0.61) - 0.022,
                         y - 0.42 - 0.004 * np.sin(9 * np.arctan2(bz, bx)))
    d[BOWL] = np.minimum(d[BOWL], np.maximum(np.hypot(bx, bz) - 0.23, y - 0.07))
    for ox, oy, oz, radius in ORANGES:
        d[ORANGE] = np.minimum(d[ORANGE], np.sqrt((x - ox) ** 2 + ((y - oy) * 1.05) ** 2
                                                  + (z - oz) ** 2) - radius)
    for ax, ay, az, radius in APPLES:
        lean = 0.25 * (y - ay)
        d[APPLE] = np.minimum(d[APPLE], fruit(x - ax + lean * np.sign(ax), y - ay, z - az, radius))
        up = np.clip((y - ay) / radius, 0.5, 1.35)
        d[STALK] = np.minimum(d[STALK], np.sqrt((x - ax + lean * np.sign(ax) - 0.05 * (
            up - 0.5) ** 2) ** 2 + (z - az) ** 2 + (y - ay - up * radius) ** 2) - 0.011)
    u = (x - LEMON_AT[0]) * 0.90 + (z - LEMON_AT[2]) * 0.43
    v = (z - LEMON_AT[2]) * 0.90 - (x - LEMON_AT[0]) * 0.43
    across = np.hypot(y - LEMON_AT[1], v)
    body = 0.152 * np.clip(1 - np.abs(u / 0.24) ** 2.3, 0,
                           1) ** 0.62 + 0.030 * np.exp(-(((np.abs(u) - 0.225) / 0.035) ** 2))
    d[LEMON] = np.maximum((across - body) * 0.6, np.abs(u) - 0.262)
    px, pz = x - PEAR_AT[0] + 0.10 * (y - 0.2), z - PEAR_AT[1]
    out = np.hypot(px, pz)
    low_part = np.sqrt(out**2 + (y - 0.22) ** 2) - 0.225
    high_part = np.sqrt(out**2 + ((y - 0.50) * 0.8) ** 2) - 0.115
    blend = np.clip(0.5 + 0.5 * (high_part - low_part) / 0.16, 0, 1)
    d[PEAR] = (high_part * (1 - blend) + low_part * blend - 0.16 * blend * (1 - blend)) * 0.85
    up = np.clip(y, 0.60, 0.75)
    d[STALK] = np.minimum(d[STALK], np.sqrt((px + 0.25 * (up - 0.6)) ** 2 + pz**2 + (y - up) ** 2)
                          - 0.012)
    bound = np.sqrt((x - 0.95) ** 2 + (y - 0.12) ** 2 + (z + 0.56) ** 2) - 0.52
    d[GRAPES] = bound + 0.1
    near = bound < 0
    if near.any():
        q, best = p[near], np.full(int(near.sum()), 9, np.float32)
        for gx, gy, gz, radius in BUNCH:
            best = np.minimum(best, np.sqrt((q[:, 0] - gx) ** 2 + ((q[:, 1] - gy) * 0.93) ** 2
                                            + (q[:, 2] - gz) ** 2) - radius)
        d[GRAPES, near] = best
    return d


def nearest(p):
    return distances(p).min(0)


def march(origin, ray):
    return rays.march(nearest, origin, ray, begin=2.2, far=9.0, close=0.0006, steps=90)


def window_light(p, normal):
    """How much of the window each point sees."""
    light = WINDOW.astype(np.float32)
    facing = np.flatnonzero(normal @ light > -0.05)
    return smoothstep(0, 1, rays.soft_light(
        nearest, p + 0.012 * normal, facing, light, begin=0.03, wide=0.085, pace=1,
        stride=(0.02, 0.30), far=3.2, steps=26))


def mirrored(direction, rough):
    """What a shiny surface reflects: the window with its bars, and a dim warm room."""
    ahead = direction @ WINDOW
    side = np.cross(WINDOW, [0, 1, 0])
    side /= np.linalg.norm(side)
    a = direction @ side / np.maximum(ahead, 0.05)
    b = direction @ np.cross(side, WINDOW) / np.maximum(ahead, 0.05)
    pane = smoothstep(0.30 + rough, 0.30 - rough,
                      np.abs(a)) * smoothstep(0.42 + rough, 0.42 - rough, np.abs(b))
    bars = smoothstep(0.0, 0.03 + rough,
                      np.abs(a) - 0.012) * smoothstep(0.0, 0.03 + rough, np.abs(b - 0.05) - 0.012)
    room = np.clip(0.5 + 0.5 * direction[:, 1], 0, 1) * 0.10 + 0.04
    return (pane * bars * (ahead > 0.05))[:, None] * np.array(
        [7.0, 7.4, 8.0]) / (1 + 9 * rough) + room[:, None] * np.array([1.0, 0.85, 0.68])


# What each kind of surface looks like at points p: its colour, how shiny (0..1) and how rough it
# is, and its finest relief.

def spotted(p):
    """Noise of so many spots along a surface that faces any way."""
    x, y, z = p.T
    return lambda f, octaves=4: SOLID.fractal((x + 0.6 * z) * f, (y - 0.7 * z) * f, octaves)


def wall_look(p, normal):
    """Old plaster."""
    x, y, z = p.T
    tone = mix("#7d7668", "#a0937c", 0.5 + 0.55 * SOLID.fractal(x * 1.1, y * 1.1, 6))
    tone *= (1 + 0.05 * SOLID.fractal(x * 12, y * 12, 5))[:, None]
    cracks = SOLID.ridged(x * 1.3, y * 1.3, 5) - 0.22
    tone = mix(tone, "#574f48", 0.5 * smoothstep(0.25, 0.6, cracks))
    return tone, 0.0, 0.3, 0.045 * SOLID.fractal(x * 16, y * 16, 4)


def table_look(p, normal):
    """Planks."""
    x, y, z = p.T
    plank = np.floor(z * 1.9 + 0.3)
    grain = SOLID.fractal(x * 1.4 + plank * 5, z * 26
                          + SOLID.smooth(x * 1.1, z * 3 + plank) * 2.5, 5)
    tone = mix("#3b2312", "#8a5a30", 0.5 + 0.6 * grain)
    gap = np.abs((z * 1.9 + 0.3) - plank - 0.5) > 0.488
    tone = tone * np.where(gap, 0.25, 1)[:, None]
    tone = tone * (1 + 0.2 * SOLID.fractal(x * 60, z * 90, 2))[:, None]
    return tone, 0.05, 0.22, 0.06 * grain


def cloth_look(p, normal):
    """Linen with two stripes."""
    x, y, z = p.T
    weave = np.sin(x * 420 + 2 * SOLID.smooth(x * 9, z * 9)) * np.sin(
        z * 420 + 2 * SOLID.smooth(x * 8, z * 8))
    light = 1 + 0.06 * weave + 0.05 * SOLID.fractal(x * 40, z * 40, 3)
    tone = np.tile(linear("#e3dccb"), (len(p), 1)) * light[:, None]
    lies = folds(x, z)[1]
    stripe = (np.abs(lies - 0.16) < 0.028) | (np.abs(lies - 0.225) < 0.010)
    tone = mix(tone, "#3f5a86", stripe * 0.85)
    return tone, 0.0, 0.3, 0.05 * weave + 0.10 * SOLID.fractal(x * 13, z * 13, 4)


def bottle_look(p, normal):
    """Green glass, a label, sealing wax."""
    x, y, z = p.T
    spots = spotted(p)
    edge = np.clip(1 - np.abs(normal[:, 2] * 0.94 - normal[:, 1] * 0.3), 0, 1)
    tone = mix("#0c1a0e", "#5f7a2a", 0.75 * smoothstep(0.45, 0.95, edge) + 0.10 * spots(5))
    label = (y > 0.28) & (y < 0.62) & (normal[:, 0] < 0.70)
    paper = linear("#cbb98f") * (1 + 0.10 * spots(30))[:, None]
    angle = np.arctan2(normal[:, 0], -normal[:, 2])
    print_lines = ((np.abs((y * 26) % 1 - 0.5) < 0.2) & (np.abs(y - 0.40) < 0.06) & (np.abs(
        angle) < 0.6 + 0.15 * np.sin(40 * y))) | (np.abs(np.abs(y - 0.45) - 0.15) < 0.006)
    crest = np.hypot(angle * 0.30, y - 0.535) < 0.042
    paper = mix(paper, "#4a2a1c", print_lines * 0.8)
    paper = mix(paper, "#8f2a22", crest * 0.85)
    tone = mix(tone, paper, label * 1.0)
    tone = mix(tone, "#5a1a1a", smoothstep(1.28, 1.285, y))
    return tone, np.where(label, 0.015, 0.10), 0.03, 0.0


def bowl_look(p, normal):
    """Glazed, with painted petals."""
    x, y, z = p.T
    spots = spotted(p)
    angle = np.arctan2(z - BOWL_AT[1], x - BOWL_AT[0])
    glaze = mix("#dfe0d8", "#b9bdb4", 0.5 + 0.6 * spots(4, 5))
    petals = np.abs(np.sin(angle * 7)) * 0.09
    band = (smoothstep(0.012, 0.004, np.abs(y - 0.335 + 0.0)) + smoothstep(
        0.010, 0.004, np.abs(y - 0.14)) + smoothstep(0.012, 0.003, np.abs(y - 0.19 - petals))
            + smoothstep(0.009, 0.003, np.abs(y - 0.205 - petals * 0.7)))
    tone = mix(glaze, "#27406f", np.clip(band, 0, 1) * (0.75 + 0.3 * spots(30, 2)))
    tone = mix(tone, "#6b5238", smoothstep(0.409, 0.415, y) * 0.6)
    return tone, 0.07, 0.03, 0.012 * spots(6, 2)


def orange_look(p, normal):
    x, y, z = p.T
    spots = spotted(p)
    tone = mix("#cf5a0a", "#ee8a1a", 0.5 + 0.5 * spots(7)) * (1 + 0.10 * spots(50, 2))[:, None]
    pore, _, _ = SOLID.cells((x + 0.6 * z) * 42, (y - 0.7 * z) * 42)
    return tone, 0.04, 0.13, 0.16 * pore


def apple_look(p, normal):
    x, y, z = p.T
    spots = spotted(p)
    which = np.argmin([(x - a[0]) ** 2 + (y - a[1]) ** 2 + (z - a[2]) ** 2 for a in APPLES],
                      axis=0)
    middle = np.array(APPLES)[which]
    angle = np.arctan2(z - middle[:, 2], x - middle[:, 0])
    up = (y - middle[:, 1]) / middle[:, 3]
    streak = SOLID.fractal(angle * 9 + which * 9, up * 1.4, 4) * 0.5
    blush = smoothstep(-0.55, 0.35, SOLID.smooth(angle * 0.9 + which * 3, up) + 0.35 + streak
                       - 0.8 * smoothstep(0.6, 1, np.abs(up)))
    tone = mix("#c9b03c", "#9c1d1a", blush)
    tone = mix(tone, "#d8604a", 0.4 * smoothstep(0.0, 0.5, streak))
    dot, _, chance = SOLID.cells(angle * 11, up * 11)
    tone = mix(tone, "#e6cf8a", 0.4 * smoothstep(0.14, 0.06, dot) * (chance > 0.45))
    return tone, 0.05, 0.07, 0.02 * spots(9)


def lemon_look(p, normal):
    x, y, z = p.T
    spots = spotted(p)
    tone = mix("#d9b51c", "#f2d84a", 0.5 + 0.5 * spots(6)) * (1 + 0.06 * spots(40, 2))[:, None]
    pore, _, _ = SOLID.cells((x + 0.6 * z) * 36, (y - 0.7 * z) * 36)
    return tone, 0.04, 0.14, 0.10 * pore + 0.03 * spots(9)


def grapes_look(p, normal):
    x, y, z = p.T
    spots = spotted(p)
    which = np.argmin([(x - g[0]) ** 2 + (y - g[1]) ** 2 + (z - g[2]) ** 2 for g in BUNCH],
                      axis=0)
    tone = mix("#2a1230", "#5c2038", ((which * 37) % 11 / 11.0))
    rim = np.clip(1 + normal[:, 2] * 0.9, 0, 1)
    tone = mix(tone, "#8a3040", 0.5 * rim)
    bloom = smoothstep(-0.2, 0.6, spots(9)) * np.clip(normal[:, 1] + 0.4, 0, 1)
    tone = mix(tone, "#7f86a8", 0.38 * bloom)
    return tone, 0.05 * (1 - 0.6 * bloom), 0.09, 0.0


def pear_look(p, normal):
    x, y, z = p.T
    spots = spotted(p)
    tone = mix("#a8a032", "#c98f3a",
               smoothstep(-0.2, 0.5, SOLID.smooth(x * 3, y * 3) + normal[:, 0] * 0.6))
    dot, _, chance = SOLID.cells((x + 0.6 * z) * 45, (y - 0.7 * z) * 45)
    tone = mix(tone, "#6f4f22", 0.55 * smoothstep(0.25, 0.1, dot) * (chance > 0.35))
    tone = mix(tone, "#7a5426", 0.7 * smoothstep(0.1, 0.5, spots(7) + 1.5 * (y - 0.5)))
    return tone, 0.03, 0.18, 0.05 * spots(14)


def stalk_look(p, normal):
    return np.tile(linear("#3f2a18"), (len(p), 1)), 0.01, 0.3, 0.0


LOOKS = {WALL: wall_look, TABLE: table_look, CLOTH: cloth_look, BOTTLE: bottle_look,
         BOWL: bowl_look, ORANGE: orange_look, APPLE: apple_look, LEMON: lemon_look,
         GRAPES: grapes_look, PEAR: pear_look, STALK: stalk_look}


def surface(kind, p, normal):
    """Colour, how shiny (0..1), how rough, and a normal with the finest relief, for one kind."""
    tone, shiny, rough, bump = LOOKS[kind](p, normal)
    x, y, z = p.T
    u, v = x + 0.6 * z, y - 0.7 * z
    relief = np.zeros_like(normal)
    if np.ndim(bump):
        # The relief is known only at the points hit: its slope is taken from noise of like grain.
        grain = [SOLID.smooth(u * 31 + 5 * bump, v * 31),
                 SOLID.smooth(u * 31 + 60, v * 31 + 5 * bump), SOLID.smooth(u * 31, v * 31 + 90)]
        relief = np.stack(grain, -1) * 0.09 + bump[:, None] * np.array([0.9, -0.7, 0.4])
    bent = normal + relief
    bent /= np.sqrt((bent**2).sum(1, keepdims=True))
    return tone, shiny, rough, bent


def shade(p, ray):
    """Light that leaves the points p towards the camera, and the kind of surface there."""
    kind = distances(p).argmin(0)
    normal = rays.normals(nearest, p, 0.0015)
    seen = window_light(p, normal)
    space = rays.openness(nearest, p, normal, (0.03, 0.09, 0.20, 0.42), falloff=0.75, strength=0.42)
    light = np.zeros_like(p)
    for k in np.unique(kind):
        here = kind == k
        tone, shiny, rough, bent = surface(k, p[here], normal[here])
        wrap = 0.12 if k in (GRAPES, CLOTH, ORANGE, LEMON) else 0.03
        facing = np.clip((bent @ WINDOW + wrap) / (1 + wrap), 0, 1) * seen[here]
        sky = 0.5 - 0.35 * bent[:, 0] + 0.25 * bent[:, 1]
        ambient = space[here, None] * (np.clip(sky, 0.1, 1)[:, None] * np.array([0.30, 0.34, 0.42])
                                       + np.clip(0.45 - 0.55 * bent[:, 1],
                                                 0, 1)[:, None] * np.array([0.20, 0.16, 0.12]))
        part = tone * (facing[:, None] * DAYLIGHT + ambient)
        view = -ray[here]
        cosine = np.clip((bent * view).sum(1), 0, 1)
        fresnel = shiny + (0.55 if np.max(shiny) > 0
                           else 0) * (1 - cosine) ** 5 * (np.asarray(shiny) > 0)
        back = 2 * cosine[:, None] * bent - view
        gleam = mirrored(back, rough) * (0.25 + 0.75 * seen[here])[:, None] * space[here, None]
        light[here] = part + np.broadcast_to(fresnel, cosine.shape)[:, None] * gleam
    # The window's light falls off along the wall, away to the right.
    falloff = np.exp(-0.16 * np.clip(p[:, 0] + 1.2, 0,
                                     9)) * np.where(kind == WALL, 0.42 + 0.4 * np.exp(
        -(((p[:, 0] + 0.9) / 1.3) ** 2) - ((p[:, 1] - 0.9) / 1.1) ** 2), 1)
    return light * falloff[:, None], kind


def trace(x, y, aspect):
    return rays.shaded(EYE, rays.towards(x, y, aspect, EYE, LOOK, FOCAL), march, shade)


def make(width, height):
    light = rays.rendered(width, height, trace, contrast=0.12)
    return camera.develop(light, 23, exposure=0.80, grain=0.012, warmth=0.01)
