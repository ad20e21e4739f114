"""Stained glass: a tree by a river under a low sun, in leaded pieces of uneven coloured glass.

The design divides the window into regions (rays, hills, water, leaves); scattered points divide a
region into pieces that never cross its border, so that the lead follows the drawing.
"""

import numpy as np

from noise import Noise, blur, colour, grid, halve, mix, smoothstep

GLASS = Noise(61)
SUN = (0.90, 0.40)
TREE = (0.40, 0.36)


def regions(x, y):
    """A number for the region of every point, and the palette of each region."""
    bend = 0.010 * GLASS.smooth(x * 5, y * 5)
    away = np.hypot(x - SUN[0], y - SUN[1])
    turn = np.arctan2(y - SUN[1], x - SUN[0])
    part = np.zeros(x.shape, np.int32)
    ray = np.floor((turn + np.pi) / (2 * np.pi) * 24).astype(np.int32) % 24
    ring = np.digitize(away, [0.30, 0.52, 0.78])
    part[...] = 100 + ring * 24 + ray
    part[away < 0.30] = 60 + np.floor((turn[away < 0.30] + np.pi) / (2 * np.pi) * 13).astype(int)
    part[away < 0.185] = 40 + np.floor((turn[away < 0.185] + np.pi) / (2 * np.pi) * 9).astype(int)
    part[away < 0.105] = 1
    for number, level, size, offset in ((2, 0.56, 0.060, 1), (3, 0.62, 0.055, 4),
                                        (4, 0.68, 0.05, 8)):
        part[y > level + bend + size * np.sin(4.3 * x + offset) * 0.9] = number
    # The river winds from the sun's side to the front.
    depth = np.clip((y - 0.64) / 0.36, 0, 1)
    centre = 0.86 - 0.30 * depth**1.3 + 0.16 * np.sin(5.2 * depth**0.8 + 0.4)
    half = 0.035 + 0.22 * depth**1.4
    river = (y > 0.655) & (np.abs(x - centre) < half)
    band = np.floor(depth * 9 + 1.1 * (x - centre) / half * np.sin(3 * depth)).astype(np.int32)
    part[river] = 10 + np.clip(band[river], 0, 9)
    # Trunk and crown: the crown is made of rings of leaf sprays.
    up = np.clip((0.93 - y) / 0.5, 0, 1)
    trunk = np.abs(x - TREE[0] - 0.035 * np.sin(6 * y)) < 0.030 + 0.055 * (1 - up) ** 3
    fork = (sum(((np.abs(x - TREE[0] - lean * (0.56 - y) - 0.02 * np.sin(9 * y)) < 0.015)
                 & (y < 0.58) & (y > 0.33)).astype(int) for lean in (-0.75, 0.0, 0.75)) > 0)
    crown_x, crown_y = x - TREE[0], (y - TREE[1] + 0.05) * 1.15
    reach = np.hypot(crown_x, crown_y)
    lobes = 0.285 + 0.026 * np.cos(11 * np.arctan2(crown_y, crown_x)) + 0.4 * bend
    crown = reach < lobes
    part[crown] = 200 + np.digitize(reach, [0.10, 0.19])[crown]
    part[(trunk & (y > 0.50) & (y < 0.95)) | (fork & crown & (reach > 0.03))] = 5
    border = np.minimum(np.minimum(x, x.max() - x), np.minimum(y, 1 - y))
    along = np.where(np.minimum(x, x.max() - x) < np.minimum(y, 1 - y), y, x)
    edge = border < 0.042
    part[edge] = 300 + np.floor(along * 15 + 0.5).astype(np.int32)[edge] % 40
    part[edge & (border < 0.010)] = 350
    return part, away


def palette(part):
    """The colours a region's pieces are chosen from."""
    if part == 1:
        return ["#fff3b0"]
    if part < 10:
        return {2: ["#5b4fa3", "#7a5fb5", "#4a5fae"], 3: ["#2a7f78", "#3c9a6a", "#1f6b74"], 4: [
            "#3f8f3a", "#77ab35", "#2c7a3e", "#9dbb3a"], 5: ["#6b3418", "#8a4a20", "#59280f"]}[part]
    if part < 30:
        return ["#1d7fb8", "#45b3d6", "#8fd6e0", "#155fa0", "#f2d98a"]
    if part < 60:
        return ["#ffd95a", "#ffc02e"]
    if part < 90:
        return ["#ff9d1f", "#f57a1a", "#ffb62e"]
    if part < 124:
        return ["#f58a3a", "#ec6a4a", "#f7b06a"]
    if part < 148:
        return ["#d95a7a", "#e8879a", "#b34d8f", "#f0a3a0"]
    if part < 172:
        return ["#6f6fd0", "#8f9fe6", "#5a86d8", "#a7c3f0"]
    if part < 200:
        return ["#2f5fc4", "#1f46a8", "#4a83dc", "#6fa6ea"]
    if part < 203:
        return [["#c9d84a", "#f0c838", "#8fc23f"], ["#5fae3a", "#a7cc3c", "#2f8f3f", "#e0a52e"],
                ["#1f7a3c", "#3f9a3a", "#14633a", "#c8542a"]][part - 200]
    return ["#a3182c", "#1f3f9c", "#c7862a"] if part < 350 else ["#3a0d16"]


def pieces(x, y, part, draw):
    """For every point its piece (a number): the nearest seed among those of its own region."""
    rows, columns = x.shape
    piece = np.full(x.shape, -1, np.int32)
    colours = []
    for number in np.unique(part):
        here = np.flatnonzero(part.ravel() == number)
        area = here.size / rows**2
        size = 0.0030 if number < 10 or number >= 200 else 0.0062
        size = 0.0019 if 200 <= number < 300 else size
        size = 0.02 if number >= 300 or number == 1 else size
        count = max(1, int(round(area / size)))
        candidates = here[draw.integers(0, here.size, 24 * count)]
        px, py = x.ravel()[candidates], y.ravel()[candidates]
        chosen = [0]  # seeds far from each other give pieces of like size
        far = np.hypot(px - px[0], py - py[0])
        while len(chosen) < count:
            chosen.append(int(far.argmax()))
            far = np.minimum(far, np.hypot(px - px[chosen[-1]], py - py[chosen[-1]]))
        hx, hy = x.ravel()[here], y.ravel()[here]
        best, which = np.full(here.size, 9, np.float32), np.zeros(here.size, np.int32)
        for k, seed in enumerate(chosen):
            distance = np.hypot(hx - px[seed], (hy - py[seed]) * 1.1)
            nearer = distance < best
            best[nearer], which[nearer] = distance[nearer], k
        piece.ravel()[here] = which + len(colours)
        options = [colour(code) for code in palette(number)]
        for _ in range(count):
            tone = options[draw.integers(len(options))] * draw.uniform(0.78, 1.12)
            colours.append(tone * (1 + draw.normal(0, 0.05, 3)))
    return piece, np.clip(np.array(colours, np.float32), 0, 1)


def make(width, height):
    columns, rows = 2 * width, 2 * height
    x, y = grid(columns, rows)
    draw = np.random.default_rng(62)
    wobble_x = x + 0.004 * GLASS.fractal(x * 7, y * 7, 3)
    wobble_y = y + 0.004 * GLASS.fractal(x * 7 + 50, y * 7, 3)
    part, away = regions(wobble_x, wobble_y)
    piece, colours = pieces(wobble_x, wobble_y, part, draw)

    # Lead: everything near a place where the piece changes; thicker where the region does.
    def borders(field):
        edge = np.zeros(field.shape, np.float32)
        edge[:, 1:] += field[:, 1:] != field[:, :-1]
        edge[1:] += field[1:] != field[:-1]
        return np.minimum(edge, 1)

    unit = rows / 1536
    bead = lambda field, size: 1.3 * (2 * size + 1) * blur(borders(field), size)
    thin = bead(piece, max(4.0 * unit, 1.1))
    coarse = np.where(part < 100, part // 10 * 10 + (part < 10) * part, part // 100 * 100)
    thick = bead(coarse, max(6.5 * unit, 1.1))
    lead_height = np.minimum(np.maximum(thin, 1.15 * thick), 1.3)
    lead = smoothstep(0.42, 0.66, lead_height + 0.05 * GLASS.fractal(x * 60, y * 60, 2))
    # Glass: streaks drawn in a direction of its own per piece, seeds (bubbles), a hammered face.
    turn = (piece * 2.399) % (2 * np.pi)
    across = x * np.cos(turn) + y * np.sin(turn)
    along = -x * np.sin(turn) + y * np.cos(turn)
    streak = GLASS.fractal(across * 26 + piece * 3.7, along * 5, 5)
    hammered = GLASS.fractal(x * 85, y * 85, 3)
    slope_y, slope_x = np.gradient(blur(hammered + 1.5 * GLASS.fractal(x * 22, y * 22, 3),
                                        1.5 * unit))
    glint = np.clip((slope_x + slope_y) / unit, -0.5, 0.5)
    bubble, _, chance = GLASS.cells(x * 75, y * 75 * 0.7)
    bubbles = (chance > 0.86) * (np.exp(-(((bubble - 0.16) / 0.05) ** 2)) * -0.25
                                 + np.exp(-((bubble / 0.07) ** 2)) * 0.35)
    tone = colours[piece] ** 2.2
    light = 0.78 + 0.46 * streak + 0.35 * glint + bubbles + 0.10 * hammered
    # Daylight behind the window is uneven: brightest at the sun, dim towards the corners.
    behind = 0.60 + 1.25 * np.exp(-((away / 0.42) ** 2)) + 0.28 * GLASS.fractal(x * 1.6, y * 1.6, 4)
    behind = behind * (1 - 0.42 * np.hypot(x - 0.667, y - 0.5) ** 2)
    dirt = 1 - 0.55 * smoothstep(0.08, 0.45, lead_height)
    depth = np.clip(1.1 - 0.30 * streak, 0.5, 1.7)[..., None]
    glass = 0.80 * tone**depth * (np.clip(light, 0.1, 2) * behind * dirt)[..., None]
    slope_y, slope_x = np.gradient(blur(lead_height, 2 * unit))
    rise = np.clip(-(slope_x + slope_y) * 9 / unit * 0.1, -1, 1)
    metal = (0.007 + 0.04 * np.clip(rise, 0,
                                    1) + 0.012 * np.clip(GLASS.fractal(x * 120, y * 120, 3), -1, 1))
    window = mix(glass, metal[..., None] * np.array([0.9, 0.95, 1.1]), lead)
    window = halve(window.astype(np.float32))
    glow = blur(window, 0.011 * height) * 0.22 + blur(window, 0.045 * height) * 0.13
    window = window * 0.86 + glow
    return np.clip(1.06 * window / (0.13 + window), 0, 1) ** (1 / 1.35)
