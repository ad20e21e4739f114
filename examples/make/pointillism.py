"""A pointillist picture: a Sunday on a river bank, in dots of divided colour.

No dot has the colour of its place: dots are drawn from a palette of pure colours so that their
mean is near it, and shadows get the complement of the light. The eye does the mixing.
"""

import numpy as np

from noise import Noise, blur, colour, grid, mix, sample, smoothstep
from strokes import Canvas

AIR = Noise(81)
PIGMENTS = np.array([colour(code) for code in (
    "#fbf6e3", "#fbe27a", "#f6b73c", "#ee7d35", "#d8452e", "#f3a6a0",
    "#c65a8c", "#7d4a9c", "#a99bd6", "#3b4aa0", "#4f86cc", "#9fcbe6", "#2f8f9a",
    "#1f6f5c", "#3f9347", "#8fbf4a", "#cfd95f", "#27305f", "#7a3b2a", "#e3c7a0", "#1c4034")])


def tree(base, x, y, left, foot, tall, wide, offset):
    """A tree with a crown of lobes, lit from the right."""
    trunk = (smoothstep(0.011, 0.008, np.abs(x - left - 0.03 * np.sin(4 * y + offset))) * (y < foot)
             * (y > foot - 0.6 * tall))
    base = mix(base, mix("#4b3266", "#b5764a", smoothstep(-0.008, 0.008, x - left)), trunk)
    crown_x, crown_y = (x - left) / wide, (y - foot + 0.72 * tall) / (0.40 * tall)
    lumps = 0.42 * AIR.fractal(x * 7 + offset, y * 7, 4)
    inside = smoothstep(0.03, -0.03, np.hypot(crown_x, crown_y) - 0.86 - lumps)
    light = 0.5 + 0.42 * crown_x - 0.36 * crown_y + 0.8 * AIR.fractal(x * 15 + offset, y * 15, 3)
    leaves = mix("#1d3f5f", "#3d8a45", smoothstep(-0.1, 0.5, light))
    leaves = mix(leaves, "#e8d552", smoothstep(0.5, 1.15, light))
    return mix(base, leaves, inside)


def boat(base, x, y, left, level, size, sail):
    """A sailing boat and its broken reflection."""
    u, v = (x - left) / size, (y - level) / size
    for mirror in (False, True):
        depth = v if not mirror else -v * 0.9
        shift = 0 if not mirror else 0.06 * np.sin(26 * v) + 0.05 * AIR.smooth(x * 30, y * 60)
        across = u + shift
        large = ((across > 0.02) & (across < 0.42 * (1 + np.clip(depth, -1, 0) * 0.98))
                 & (depth < -0.08) & (depth > -1.0))
        front = ((across < -0.01) & (across > -0.30 * (1 + depth / 0.86)) & (depth < -0.10)
                 & (depth > -0.86))
        hull = ((depth > -0.07) & (depth < 0.05) & (np.abs(across - 0.03) < 0.40
                                                    - 1.6 * np.clip(depth, 0, 1)))
        fade = 0.55 if mirror else 1.0
        base = mix(base, colour(sail), large * fade)
        base = mix(base, colour(sail) * 0.86, front * fade)
        base = mix(base, "#5a2a4c", hull * fade)
    return base


def figure(base, x, y, left, foot, tall, dress, parasol):
    """A walker in a long dress with a parasol, in the shade of it."""
    u, v = (x - left) / tall, (y - foot) / tall
    skirt = (v < 0) & (v > -0.56) & (np.abs(u) < 0.075 + 0.17 * np.clip(v + 0.56, 0, 1) ** 0.75)
    waist = (v <= -0.52) & (v > -0.80) & (np.abs(u) < 0.062 + 0.10 * np.abs(v + 0.60))
    arm = np.abs(u - 0.10 + 0.35 * (v + 0.66)) < 0.025
    arm &= (v > -0.80) & (v < -0.62)
    head = np.hypot(u, (v + 0.865) * 0.85) < 0.058
    hat = np.hypot(u, (v + 0.915) * 2.2) < 0.095
    lit = smoothstep(-0.10, 0.12, u + 0.03 * np.sin(30 * v))
    cloth = mix(colour(dress) * np.array([0.55, 0.5, 0.85]), colour(dress), lit)
    for part, paint in ((skirt, cloth), (waist, cloth * 0.95), (arm, cloth),
                        (head, colour("#e9b893")), (hat, colour("#6b2f55"))):
        base = mix(base, paint, part * 1.0)
    if parasol:
        stick = (np.abs(u - 0.16 - 0.02 * v) < 0.010) & (v > -1.22) & (v < -0.62)
        dome = (np.hypot((u - 0.13) / 0.34, (v + 1.08) / 0.24) < 1) & (
            v < -1.08 + 0.035 * np.cos((u - 0.13) * 28))
        base = mix(base, "#5a3a30", stick * 1.0)
        base = mix(base, mix("#b9486a", colour(parasol), smoothstep(-0.2, 0.3, u)), dome * 1.0)
    shadow = (np.abs(v - 0.02 - 0.06 * (-u)) < 0.035) & (u < 0.05) & (u > -0.85)
    return mix(base, "#2f3f8c", 0.75 * shadow * (v > 0))


def scene(x, y):
    """The picture before it is divided into dots."""
    cloud = AIR.fractal(x * 2.4, y * 5, 5)
    base = mix("#5b93d3", "#bcd6ec", smoothstep(-0.02, 0.36, y))
    base = mix(base, "#fbe3b8", smoothstep(0.16, 0.42, y) * 0.75)
    base = mix(base, mix("#cbb8dc", "#fff3df", smoothstep(0.0, 0.5, cloud)),
               smoothstep(-0.05, 0.35, cloud) * 0.85)
    hills = 0.385 + 0.03 * AIR.fractal(x * 2.2, 0 * x, 5)
    far = mix("#8d86c4", "#a9b77e", smoothstep(0, 0.5, AIR.fractal(x * 9, y * 22, 3)))
    base = mix(base, far, smoothstep(-0.004, 0.004, y - hills))
    for k in range(13):  # a village on the far bank
        left, size = 0.62 + 0.058 * k + 0.02 * np.sin(7 * k), 0.030 + 0.012 * np.sin(3.1 * k)
        wall = (np.abs(x - left) < 0.5 * size) & (y > 0.425 - 0.8 * size) & (y < 0.432)
        roof = ((y <= 0.425 - 0.8 * size) & (y > 0.425 - 1.5 * size + 1.3 * np.abs(x - left))
                & (np.abs(x - left) < 0.56 * size))
        base = mix(base, mix("#b7a5d2", "#fdeccb",
                             smoothstep(-0.2, 0.2, (x - left) / size)), wall * 1.0)
        base = mix(base, "#d8603f", roof * 1.0)
    bushes = 0.428 - 0.016 * np.abs(AIR.fractal(x * 16, 0 * x + 3, 3))
    base = mix(base, mix("#1f5a5c", "#86ad47", smoothstep(
        -0.3, 0.5, AIR.fractal(x * 30, y * 40, 3))), smoothstep(-0.003, 0.003, y - bushes))
    # The river mirrors the sky, paler and warmer to the right where the sun stands.
    depth = np.clip((y - 0.445) / 0.4, 0, 1)
    wavelet = AIR.fractal(x * 5, y * 55 / (0.4 + 1.6 * depth), 4)
    river = mix("#b9d4e6", "#3f78bf", depth**0.7)
    river = mix(river, "#fbe6b0", 0.8 * smoothstep(0.05, 0.5,
                                                   wavelet) * np.exp(-(((x - 0.98) / 0.2) ** 2)))
    river = mix(river, "#2f5a9c", 0.45 * smoothstep(0.1, 0.5, -wavelet))
    river = mix(river, "#4f8a63", 0.6 * np.exp(-depth / 0.05) * (0.7 + wavelet))
    base = mix(base, river, smoothstep(-0.002, 0.002, y - 0.445))
    for left, level, size, sail in ((0.60, 0.470, 0.060, "#fff4dc"),
                                    (1.19, 0.485, 0.085, "#fbe0b6"), (0.80, 0.545, 0.19, "#fffaf0"),
                                    (1.02, 0.462, 0.045, "#f0a070")):
        base = boat(base, x, y, left, level, size, sail)
    # The near bank: sunlit grass, a path, and the blue shade of the trees.
    bank = (0.70 - 0.20 * smoothstep(0.75, -0.1, x) + 0.06 * smoothstep(0.8, 1.4, x)
            + 0.008 * np.sin(22 * x))
    grass = mix("#6aa83f", "#e6dc5a", smoothstep(-0.3, 0.5, AIR.fractal(x * 8, y * 24, 4)))
    shade = smoothstep(-0.12, 0.12, 0.30 + 0.28 * np.sin(5 * x + 1) * 0.4
                       - np.abs(y - 0.90 - 0.1 * x) * 2.6 - 0.5 * np.clip(x - 0.75, 0, 1)
                       + 0.35 * AIR.fractal(x * 6, y * 12, 4))
    grass = mix(grass, mix("#27407f", "#2f7a55",
                           smoothstep(-0.3, 0.4, AIR.fractal(x * 12, y * 30, 3))), shade * 0.9)
    path = np.abs(y - 0.80 + 0.13 * (x - 0.4)) < 0.035 + 0.05 * np.clip(1.0 - x, 0, 1)
    lane = mix("#f7d9a4", "#8c7fc0", np.clip(shade + 0.2 * AIR.fractal(x * 20, y * 50, 2), 0, 1))
    grass = mix(grass, lane, blur((path & (y > bank + 0.03)).astype(np.float32), x.shape[0] / 150))
    flowers = AIR.smooth(x * 46, y * 70)
    grass = mix(grass, "#ee6a4a", smoothstep(0.5, 0.65, flowers) * (1 - shade) * (y > 0.84))
    base = mix(base, grass, smoothstep(-0.004, 0.004, y - bank))
    for left, foot, tall, wide, offset in ((0.43, 0.62, 0.36, 0.105, 9), (
        0.27, 0.70, 0.60, 0.17, 3), (0.06, 0.80, 0.90, 0.25, 6)):
        base = tree(base, x, y, left, foot, tall, wide, offset)
    for left, foot, tall, dress, parasol in (
        (0.56, 0.745, 0.105, "#f6efe2", None), (0.615, 0.75, 0.115, "#d9688f", "#f6c04a"),
        (0.985, 0.89, 0.235, "#eef0fb", "#ee7d4a"), (1.11, 0.895, 0.215, "#5f6fc4", None)):
        base = figure(base, x, y, left, foot, tall, dress, parasol)
    return np.clip(base, 0, 1)


def divided(paint, draw):
    """A pure colour for each dot: the pigment nearest to the wanted colour pushed at random."""
    count = len(paint)
    push = draw.normal(0, 1, (count, 3)).astype(np.float32) * np.array([0.13, 0.10, 0.13])
    grey = paint.mean(1, keepdims=True)
    vivid = np.clip(grey + (paint - grey) * 1.25, 0, 1) + push
    # In the shadows some dots take the complement: violet and blue against yellow light.
    some = draw.random((count, 1)) < 0.22 * (1 - grey)
    vivid = np.where(some, vivid * 0.5 + 0.5 * np.array([0.36, 0.30, 0.75]), vivid)
    weigh = np.array([0.9, 1.2, 0.8])
    chosen = np.zeros((count, 3), np.float32)
    for part in range(0, count, 20_000):
        here = slice(part, part + 20_000)
        distance = (((vivid[here, None] - PIGMENTS) * weigh) ** 2).sum(-1)
        chosen[here] = PIGMENTS[distance.argmin(1)]
    return 0.62 * chosen + 0.38 * paint


def make(width, height):
    x, y = grid(width, height)
    target = scene(x, y)
    draw = np.random.default_rng(82)
    unit = height / 768
    canvas = Canvas(mix(blur(target, 3 * unit) * 0.9, "#ead9b5", 0.45 + 0 * x))
    edges = np.abs(target - blur(target, 5 * unit)).sum(-1)
    busy = np.clip(blur(edges, 3 * unit) * 5, 0, 1)
    for size, spacing, share, fine in ((10.5, 8.5, 0.85, 0.0), (7.2, 5.8, 0.95, 0.0),
                                       (4.6, 4.4, 0.75, 0.7)):
        gap = spacing * unit
        rows, columns = int(height / gap) + 1, int(width / gap) + 1
        py, px = np.mgrid[0:rows, 0:columns] * gap
        px = (px + draw.uniform(-0.55, 0.55, px.shape) * gap).ravel()
        py = (py + draw.uniform(-0.55, 0.55, py.shape) * gap).ravel()
        wanted = share * (1 - fine + fine * sample(busy, px, py))
        kept = draw.random(px.size) < wanted
        px, py = px[kept], py[kept]
        order = draw.permutation(px.size)
        px, py = px[order], py[order]
        paints = divided(sample(target, px, py), draw).astype(np.float32)
        angle, swell = draw.uniform(0, np.pi, px.size), draw.uniform(0.75, 1.2, px.size)
        for k in range(px.size):
            dab = size * unit * swell[k]
            canvas.stroke(px[k], py[k], angle[k], dab * 1.12, dab * 0.92, paints[k], load=1.4,
                          cover=0.93, seed=k % 991, streaks=0.05)
    return canvas.lit(relief=0.22, shine=0.10)
