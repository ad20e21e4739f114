"""Four pine boards side by side: year rings, rays, resin and a few knots.

A board is a cut through a tree: its lines are where the cut meets the year rings, which are nearly
cylinders around a pith that wanders. A branch pushes the rings aside, and its own rings show as a
knot. The boards lie across the picture; nothing repeats.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, grid, smoothstep
from relief import chance, lit, shrunk

TREE = Noise(241)
FIBRE = Noise(242)
BOARDS = [0.0, 0.235, 0.515, 0.745, 1.01]  # edges, in heights of the picture
PITHS = [0.42, 0.10, 0.86, 0.30]  # where each board's tree has its middle, across the board
DEPTHS = [0.085, 0.20, 0.11, 0.34]  # how far the cut is from the pith
RINGS = 92  # year rings in a height of the picture
KNOTS = [(0, 0.71, 0.115, 0.019), (1, 0.24, 0.40, 0.027), (2, 0.66, 0.60, 0.014),
         (3, 0.44, 0.90, 0.022), (1, 0.90, 0.34, 0.008)]  # board, x, y, radius


def rings_of(board, x, y):
    """Distance of each point from its tree's pith, what the knots have pushed aside included, and
    for the knots: how much of a point is knot, its own rings, and how near its rim is."""
    low, high = BOARDS[board], BOARDS[board + 1]
    drift = 0.05 * TREE.fractal(x * 0.9 + 9 * board, 0 * x + board, 3)
    across = y - low - PITHS[board] * (high - low) - drift
    across = across + 0.006 * TREE.fractal(x * 3 + 5 * board, y * 9, 3)
    deep = DEPTHS[board] + 0.10 * (x - 0.5) * (1, -1)[board % 2] + 0.02 * TREE.fractal(
        x * 1.6 + 31 * board, 0 * x, 3)
    knot, own, rim, wrap = (np.zeros_like(x) for _ in range(4))
    for number, (where, kx, ky, radius) in enumerate(KNOTS):
        if where != board:
            continue
        dx, dy = x - kx, y - ky
        angle = np.arctan2(dy, dx)
        lump = 1 + 0.16 * TREE.smooth(2 * np.cos(angle) + 9 * number, 2 * np.sin(angle))
        far = np.hypot(dx * 0.82, dy) / (radius * lump)
        # Lines flow round the knot as water does round a pile.
        side = np.tanh(dy / (0.5 * radius))
        push = radius * 1.7 * np.exp(-0.5 * (dx / (2.9 * radius)) ** 2)
        across = across - side * push * np.exp(-np.abs(dy) / (3.0 * radius))
        here = smoothstep(1.06, 0.94, far)
        knot, own = np.maximum(knot, here), np.where(far < 1.1, far * radius, own)
        rim = np.maximum(rim, np.exp(-(((far - 1.0) / 0.10) ** 2)))
        wrap = np.maximum(wrap, np.exp(-np.maximum(far - 1, 0) / 0.9))
    return np.hypot(across, deep), knot, own, rim, wrap


def make(width, height):
    x, y = grid(2 * width, 2 * height)
    wave = y + 0.0010 * TREE.fractal(x * 2, 0 * x, 2)
    board = np.clip(np.searchsorted(BOARDS, wave) - 1, 0, 3)
    ring, knot, own, rim, wrap = (np.zeros_like(x) for _ in range(5))
    for number in range(4):
        here = board == number
        for all_boards, values in zip((ring, knot, own, rim, wrap),
                                      rings_of(number, x[here], y[here])):
            all_boards[here] = values
    shift = board * 7.7
    # Good and bad years: rings differ in width.
    years = RINGS * (ring + 0.010 * TREE.fractal(ring * 9 + shift, 0 * ring, 4)) + 0.05 * (
        FIBRE.fractal(x * 5 + shift, y * 120, 3))
    phase = years - np.floor(years)
    weight = chance(TREE, np.floor(years), board)
    # Spring wood is pale and wide; it darkens slowly into summer wood, which ends at once.
    late = phase ** (2.0 + 2.5 * weight) * smoothstep(1.0, 0.93, phase)
    fibre = FIBRE.fractal(x * 9 + shift, y * 330, 4)
    pores = smoothstep(0.42, 0.75, FIBRE.fractal(x * 24 + shift, y * 420 + 60, 3))
    cloud = TREE.fractal(x * 1.7 + shift, y * 7, 4)
    own_tone = chance(TREE, board, 3)
    tone = mix("#ad8e6c", "#9b7a58", np.clip(0.5 + 0.5 * cloud + 2.0 * (own_tone - 0.5), 0, 1))
    tone = mix(tone, "#744e35", np.clip((0.66 + 0.25 * weight) * late, 0, 1))
    heart = smoothstep(0.17, 0.05, ring + 0.02 * cloud)
    tone = mix(tone, "#8a5a3c", 0.35 * heart)
    tone = tone * (1 + 0.13 * fibre)[..., None]
    tone = mix(tone, "#6d4c33", 0.16 * pores)
    # Figure: fibres that wave towards and away from the eye shine in bars across the board.
    bars = TREE.fractal(x * 16 + 0.6 * fibre + shift, y * 2.2, 3)
    tone = tone * (1 + 0.06 * bars)[..., None]
    # Knots: darker, with rings of their own, a bark rim, and cracks from the middle.
    cycle = own * 330 + 0.9 * TREE.fractal(x * 60, y * 60, 3)
    inner = mix("#775038", "#4e3525", np.clip(0.5 + 0.4 * np.sin(2 * np.pi * cycle)
                                              + 0.3 * TREE.fractal(x * 150, y * 150, 3), 0, 1))
    tone = mix(tone, "#84552f", 0.60 * wrap)
    tone = mix(tone, inner, knot)
    tone = mix(tone, "#2c1a10", 0.75 * rim * smoothstep(-0.5, 0.3, TREE.smooth(x * 90, y * 90)))
    cracks = np.zeros_like(x)
    for number, (_, kx, ky, radius) in enumerate(KNOTS):
        for k in range(1 + number % 3):
            angle = 2.3 * k + 1.7 * number + 0.5 * TREE.smooth(np.hypot(x - kx, y - ky) * 60,
                                                               0 * x + k)
            along = (x - kx) * np.cos(angle) + (y - ky) * np.sin(angle)
            aside = (y - ky) * np.cos(angle) - (x - kx) * np.sin(angle)
            wide = 0.0016 * np.clip(1 - along / (radius * (0.9 - 0.25 * k)), 0, 1) * (along > 0)
            cracks = np.maximum(cracks, smoothstep(0.3, -0.3, (np.abs(aside) - wide) * height * 2)
                                * (wide > 0))
    tone = mix(tone, "#150c07", 0.9 * cracks)
    # Dark dents, scratches, and a season of handling.
    worn = smoothstep(0.2, 0.9, TREE.fractal(x * 3 + 20, y * 3, 5))
    tone = mix(tone, "#80664a", 0.22 * worn)
    edge = np.min([np.abs(wave - e) for e in BOARDS[1:-1]], 0) + 0.0006 * FIBRE.fractal(
        x * 30, y * 90, 3)
    joint = smoothstep(0.0030, 0.0012, edge)
    tone = mix(tone, "#120b07", 0.9 * joint)
    scale = 2 * height / 768
    relief = scale * (0.55 * late + 0.22 * fibre - 0.35 * pores - 0.9 * knot * 0.3 - 2.5 * cracks
                      - 1.6 * smoothstep(0.009, 0.001, edge) - 7 * joint
                      + 2.0 * TREE.fractal(x * 2, y * 5 + shift, 2))
    light = lit(tone, relief, softness=0.8, shine=0.05 * (1 - joint) * (1 + 0.6 * bars), gloss=9)
    light = light * (1.12 - 0.22 * (0.5 * x + 0.5 * y))[..., None]
    return camera.develop(shrunk(light), 243, exposure=0.62, grain=0.010)
