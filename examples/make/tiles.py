"""A roof of clay tiles: beaver tails, rounded below, each row laid half a tile aside of the last.

A tile shows 64 pixels across and a row 48 down where the picture is 768 high, so the roof repeats
every 64 pixels across and every 96 down. Each row lies on the one below it and shades it.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, grid, smoothstep
from relief import chance, lit, shrunk

CLAY = Noise(211)
FINE = Noise(212)
WIDE, TALL = 64 / 768, 48 / 768  # of a tile's visible part, in heights of the picture
CURVE = 0.62  # how far the rounded end rises at its sides, in rows
BURNT = ["#93604e", "#855848", "#9c6a56", "#785048", "#8f6655", "#6c4f4a", "#996f5f"]


def row_of(x, y, row):
    """The row's tiles: where a point lies above their lower edge (in rows), from a tile's middle
    (-0.5..0.5), and the number of its tile."""
    u = x / WIDE + 0.5 * (row % 2) + 0.012 * CLAY.fractal(x * 8 + 3 * row, y * 5, 2)
    tile = np.floor(u).astype(np.int32)
    a = u - tile - 0.5 + 0.03 * (chance(CLAY, row, tile, 1) - 0.5)
    round_end = 1 - np.sqrt(np.clip(1 - (1.9 * a) ** 2, 0, 1))
    slip = 0.09 * (chance(CLAY, row, tile, 2) - 0.5) + 0.06 * (chance(CLAY, row, tile, 3) - 0.5) * a
    worn = 0.012 * FINE.fractal(x * 60, y * 60, 3) + 0.10 * np.maximum(
        FINE.smooth(x * 30 + 5, y * 30) - 0.45, 0)
    return row + slip - worn - CURVE * round_end - y / TALL, a, tile


def make(width, height):
    x, y = grid(2 * width, 2 * height)
    pixel = TALL * 2 * height  # height of a row in pixels
    row = np.floor(y / TALL).astype(np.int32)
    above, a, tile = row_of(x, y, row)
    for below in (1, 2):  # where the row's end leaves a gap, the next row shows
        further = row_of(x, y, row + 1)
        uncovered = (above < 0) | (np.abs(a) > 0.488)
        row = np.where(uncovered, row + 1, row)
        above, a, tile = (np.where(uncovered, f, b) for f, b in zip(further, (above, a, tile)))
    own = [chance(CLAY, row, tile, k) for k in range(4, 12)]
    rough = CLAY.fractal(x * 40, y * 40, 4)
    grit = FINE.fractal(x * 280, y * 280, 3)
    pits = np.maximum(FINE.smooth(x * 110, y * 110) - 0.52, 0)
    streak = CLAY.fractal(x * 75 + 9 * own[0], y * 7 + 5 * own[1], 4)
    edge = smoothstep(0.10, 0.0, above)
    side = smoothstep(0.42, 0.49, np.abs(a))
    relief = (-0.20 * above - 0.10 * edge**2 - 0.10 * side + 0.05 * (own[2] - 0.5)
              + 0.10 * (own[3] - 0.5) * a - 0.10 * (own[4] - 0.2) * a * a
              + 0.010 * streak + 0.012 * rough + 0.006 * grit - 0.10 * pits)
    kind = np.minimum((own[5] * len(BURNT)).astype(np.int32), len(BURNT) - 1)
    tone = np.stack([camera.linear(code) for code in BURNT])[kind]
    tone = tone * (0.82 + 0.36 * own[6])[..., None]
    fire = CLAY.fractal(a * 1.3 + 9 * own[0], above * 1.2 + 9 * own[1], 4)
    tone = mix(tone, "#5b4340", 0.55 * np.clip(fire + 0.6 * (own[7] - 0.6), 0, 1))
    tone = tone * (1 + 0.14 * streak + 0.16 * grit + 0.10 * rough)[..., None]
    # Weather: soot runs down, moss keeps to the joints, lichen sits where it likes.
    soot = np.clip(0.35 + 0.5 * CLAY.fractal(x * 6, y * 1.6, 5) + 0.25 * streak, 0, 1)
    tone = mix(tone, "#4d4742", 0.38 * soot)
    damp = CLAY.fractal(x * 3.1 + 4, y * 3.1, 4)
    cushion = FINE.fractal(x * 50, y * 50, 4)
    moss = smoothstep(0.62, 0.95, 0.55 * damp + 0.5 * cushion + 0.45 * (side + edge) + 0.20)
    grain = FINE.cells(x * 330, y * 330)[2]
    tone = mix(tone, mix("#3f4426", "#7f7f48", grain), 0.9 * moss)
    relief = relief + 0.07 * moss * (0.6 + 0.6 * cushion) + 0.02 * moss * grain
    apart, _, size = FINE.cells(x * 17, y * 17)
    spot = smoothstep(0.03, -0.10, apart - 0.26 * size**4 + 0.16 * FINE.fractal(x * 70, y * 70, 4))
    lichen = mix("#99978a", "#9c905f", np.clip(3 * CLAY.smooth(x * 9, y * 9), 0, 1))
    tone = mix(tone, lichen, 0.55 * spot * (1 - moss))
    gap = np.abs(a) > 0.488
    relief = np.where(gap, relief - 0.12, relief)
    tone = np.where(gap[..., None], tone * 0.5, tone)
    light = lit(tone, relief * pixel, reach=0.5 * pixel, softness=0.6, hollow=1.0, shine=0.03,
                gloss=16)
    light = light * (1.10 - 0.16 * (0.5 * x + 0.5 * y))[..., None]
    return camera.develop(shrunk(light), 213, exposure=0.72, grain=0.011)
