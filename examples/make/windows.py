"""The front of a town house: rows of sash windows in stone surrounds, in plastered brick.

A window with the wall around it is 128 pixels wide and 160 high where the picture is 768 high, so
the front repeats every 128 pixels across and every 160 down. Curtains, blinds, open sashes, what
the panes mirror and the weather on the plaster do not repeat.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, grid, smoothstep
from relief import chance, lit, shrunk

WALL = Noise(251)
FINE = Noise(252)
SKY = Noise(253)
WIDE, TALL = 128, 160  # pixels of a picture 768 high, as all lengths below


def box(x, y, left, top, right, bottom):
    """Distance in pixels outside a box, negative inside."""
    return np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))


def fill(outside, soft=0.5):
    return smoothstep(soft, -soft, outside)


def interior(x, y, own, drop):
    """Light from the room behind the panes: x, y in pixels from the window's upper middle."""
    fold = WALL.fractal(x * 0.16 + 40 * own[0], y * 0.006 + 9 * own[1], 3)
    room = mix("#0d0f12", "#2b2620", np.clip(y / 90 + 0.3 * own[2], 0, 1))
    lamp = np.exp(-((x - 30 * (own[3] - 0.5)) ** 2 + (y - 45) ** 2) / 500) * (own[4] > 0.86)
    room = room + lamp[..., None] * np.array([0.85, 0.50, 0.20])
    opened = 7 + 17 * own[0] * (own[5] > 0.30)  # curtains drawn to the sides, parted so far
    parted = np.abs(x + 3 * (own[1] - 0.5)) - opened - 3.0 * np.sin(y * 0.035) * own[2]
    cloth = mix("#8d8779", "#d2ccbe", np.clip(0.55 + 0.55 * fold, 0, 1))
    cloth = cloth * (0.45 + 0.4 * own[6])[..., None]
    drawn = fill(-parted, 0.7) * (own[7] > 0.25)
    light = mix(room, cloth, drawn)
    lace = FINE.cells(x * 0.22, y * 0.22)[0]
    half = (own[8] > 0.62) * (y > 52)  # a lace half-curtain
    net = mix("#7f7c76", "#c9c6be", np.clip(1.2 * lace + 0.25 * fold, 0, 1))
    light = mix(light, net, 0.7 * half)
    blind = mix("#b9ab8e", "#cfc4ab", 0.5 + 0.5 * np.sin(y * 2.1))
    down = (y < drop) * (own[9] > 0.55)
    light = mix(light, blind * (0.50 + 0.25 * own[3])[..., None], 0.9 * down)
    return light


def mirrored(x, y, own, pane):
    """What the panes mirror: sky, and roofs and trees across the street; no pane is quite plane."""
    tilt = 26 * (pane[0] - 0.5) + 9 * SKY.smooth(x * 0.03 + 9 * pane[1], y * 0.03)
    level = y + tilt + 18 * (own[10] - 0.5)
    sky = mix("#8ba4bf", "#d9e0e4", np.clip(0.45 + 0.55 * SKY.fractal(
        x * 0.018 + 5 * own[11], level * 0.028, 5), 0, 1))
    roofs = 66 + 20 * SKY.fractal(np.floor((x + tilt) / 19) * 0.7 + 9 * own[11], 0 * x, 2)
    trees = 74 + 26 * SKY.fractal((x + tilt) * 0.05 + 3 * own[10], level * 0.05, 4)
    sky = mix(sky, "#4d4845", fill(roofs - level, 1.5))
    return mix(sky, "#262b22", fill(trees - level, 2))


def flowers(x, y, own, gx, gy):
    """Boxes of flowers on some sills: colour, height, and where they are."""
    has = own[8] < 0.26
    trough = fill(box(x, y, -30, 87, 30, 97.5)) * has
    clay = mix("#7d4a35", "#91593f", np.clip(0.5 + WALL.fractal(gx / 9, gy / 9, 3), 0, 1))
    leaf = FINE.cells(gx / 3.2, gy / 3.2)
    top = 84 - 7 * FINE.fractal(gx / 7 + 9 * own[3], gy / 40, 3)
    bush = fill(np.maximum(np.maximum(top - y, y - 92 - 4 * WALL.smooth(gx / 4, gy / 9)),
                           np.abs(x) - 31), 1.0) * has
    green = mix("#24361a", "#5b7436", leaf[2])
    bloom = np.where((own[3] > 0.5)[..., None], camera.linear("#c03a34"), camera.linear("#d9d2cf"))
    green = np.where(((leaf[2] > 0.70) & (leaf[0] < 0.55))[..., None], bloom, green)
    tone = mix(clay, green, bush)
    height = np.where(bush > 0.5, 9.0 - 3.5 * leaf[0] + 2 * leaf[2], 7.0)
    return tone, height, np.maximum(trough, bush)


def make(width, height):
    scale = 2 * height / 768
    gx, gy = grid(2 * width, 2 * height)
    gx, gy = gx * 768, gy * 768
    # The mason's line: nothing is straighter than a third of a pixel.
    px = gx + 0.5 * WALL.fractal(gx / 90, gy / 90, 3)
    py = gy + 0.5 * WALL.fractal(gx / 90 + 50, gy / 90, 3)
    column, row = np.floor(px / WIDE).astype(np.int32), np.floor(py / TALL).astype(np.int32)
    own = [chance(WALL, row, column, k) for k in range(14)]
    x = px - (column + 0.5) * WIDE + 0.8 * (own[12] - 0.5)
    y = py - row * TALL - 30 + 0.8 * (own[13] - 0.5)  # 0 at the top of the opening, 96 at its sill
    plaster = WALL.fractal(gx / 30, gy / 30, 5)
    grit = FINE.fractal(gx / 2.2, gy / 2.2, 3)
    # Wall.
    tone = mix("#b49f7c", "#c3b08d", np.clip(0.5 + 0.6 * plaster, 0, 1))
    relief = 0.25 * plaster + 0.22 * grit
    streaks = WALL.fractal(gx / 6, gy / 110, 4)
    under = np.exp(-np.maximum(y - 108, 0) / 26) * fill(np.abs(x) - 39, 5) * (y > 108)
    dirt = np.clip(0.30 * smoothstep(-0.1, 0.9, streaks) + 0.45 * under * (0.6 + streaks), 0, 0.7)
    tone = mix(tone, "#6a5f4e", dirt)
    patched = smoothstep(0.40, 0.50, WALL.fractal(gx / 90 + 9, gy / 70, 5))
    tone = mix(tone, "#c0b296", 0.55 * patched)
    # Surround of stone, and a keystone over it; joints between its blocks.
    stone = mix("#a89f90", "#c6beb0", np.clip(0.5 + 0.7 * WALL.fractal(gx / 16, gy / 16, 5), 0, 1))
    stone = mix(stone, "#5d564c", 0.5 * dirt) * (1 + 0.08 * grit)[..., None]
    joints = fill(np.abs((y % 21.4) - 10.7) - 0.4)
    key = np.maximum(np.abs(x) - 8 + 0.14 * (y + 14), np.maximum(-y - 18, y - 1))
    around = np.minimum(box(x, y, -38, -12, 38, 98), key)
    surround = fill(around)
    tone = mix(tone, stone, surround)
    relief = np.where(surround > 0.5, 3.2 + 1.8 * fill(key) + 0.15 * grit - 1.2 * joints * (
        np.abs(x) > 29), relief) - 1.2 * np.exp(-(((around - 0.4) / 0.8) ** 2))
    # Course of stone between the storeys, and the sill on two brackets.
    band = fill(box(x, y, -99, 119, 99, 127))
    tone = mix(tone, stone * 0.95, band)
    relief = np.where(band > 0.5, 4.5 - 0.35 * np.abs(y - 123) + 0.15 * grit, relief)
    bracket = fill(np.minimum(box(x, y, -36, 104, -27, 114), box(x, y, 27, 104, 36, 114)))
    sill = fill(box(x, y, -43, 97, 43, 104))
    tone = mix(tone, stone * 1.05, np.maximum(sill, bracket))
    relief = np.where(bracket > 0.5, 4.5, relief)
    relief = np.where(sill > 0.5, 8.5 - 0.2 * (y - 97), relief)
    # The opening: reveal, frame, two sashes of six panes, the lower one in front or pushed up.
    opening = fill(box(x, y, -29, 0, 29, 97))
    lift = np.where(own[4] < 0.16, 20 + 16 * own[5], 0)
    upper = y < 49
    open_gap = (y > 95 - lift) & (lift > 0)
    sx = np.abs(x)
    sy = np.where(upper, y, y + lift - 49)
    bars = np.minimum(np.abs(sx - 8.6) - 0.9, np.abs(sy - 24.5) - 0.9)
    panes = box(sx, sy, -99, 4.5, 25.2, 44.5)
    wood = np.maximum(fill(bars), fill(-panes))
    wood = np.where(open_gap, fill(25.2 - sx), wood)
    wood = np.maximum(wood, fill(26.0 - sx)) * opening
    pane_key = np.floor((x + 8.6) / 17.2) + 7 * np.floor(sy / 24.5) + 50 * upper
    pane = [chance(FINE, row * 40 + pane_key.astype(np.int32), column, k) for k in (1, 2)]
    drop = 18 + 60 * own[6]
    room = interior(x, y, own, drop)
    mirror = mirrored(x, y, own, pane)
    glass = room * 0.55 + mirror * (0.16 + 0.30 * own[11] * own[10] + 0.10 * pane[0])[..., None]
    glass = np.where(open_gap[..., None], room * 0.5, glass)
    paint = np.array([0.62, 0.61, 0.57]) * (1 + 0.06 * FINE.fractal(gx / 3, gy / 20, 3)
                                            - 0.10 * smoothstep(0.1, 0.8, streaks))[..., None]
    inside = mix(glass * 0.62, paint, wood)
    tone = mix(tone, inside, opening)
    depth = np.where(upper, -6.5, -9.0)
    relief = np.where(opening > 0.5, depth + 2.2 * wood - 3 * open_gap * (1 - wood), relief)
    pots = flowers(x, y, own, gx, gy)
    tone, relief = mix(tone, pots[0], pots[2]), np.where(pots[2] > 0.5, pots[1], relief)
    light = lit(tone, relief * scale, lamp=(-0.42, -0.62, 0.66), reach=26 * scale, softness=0.25,
                hollow=0.8)
    light = light * (1.06 - 0.10 * gy / 768)[..., None]
    return camera.develop(shrunk(light), 254, exposure=0.60, grain=0.010)
