"""A brick wall: stretcher bond in soft light, mortar between, every brick another one.

A brick with its joint is 120 pixels long and 40 high where the picture is 768 high; courses are
laid half a brick apart, so the wall repeats every 120 pixels across and every 80 down. Edges,
colours, chips and stains do not repeat.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, grid, smoothstep
from relief import chance, lit, shrunk

CLAY = Noise(201)
FINE = Noise(202)
LONG, TALL = 120 / 768, 40 / 768  # of a brick with its joint, in heights of the picture
JOINT = 0.15  # width of a joint in heights of a brick
REDS = ["#8a5548", "#966050", "#7d4b42", "#a0755c", "#8d6150", "#6e4842", "#9a6c5a", "#94594a"]


def make(width, height):
    x, y = grid(2 * width, 2 * height)
    pixel = TALL * 2 * height  # height of a brick in pixels
    # The mason's hand: joints waver a little along their way.
    u = x / LONG + 0.010 * CLAY.fractal(x * 7, y * 7, 2)
    v = y / TALL + 0.022 * CLAY.fractal(x * 9 + 40, y * 9, 3)
    course = np.floor(v).astype(np.int32)
    u = u + 0.5 * (course % 2)
    place = np.floor(u).astype(np.int32)
    own = [chance(CLAY, course, place, k) for k in range(8)]
    ratio = LONG / TALL
    bx = (u - place - 0.5) * ratio + 0.05 * (own[0] - 0.5)
    by = v - course - 0.5 + 0.04 * (own[1] - 0.5) + 0.010 * (own[2] - 0.5) * bx
    rough = CLAY.fractal(x * 55, y * 55, 3)
    chip = np.maximum(CLAY.smooth(x * 38 + 9, y * 38) - 0.35, 0)
    corner = 0.07
    ex = np.abs(bx) - 0.5 * (ratio - JOINT) + corner
    ey = np.abs(by) - 0.5 * (1 - JOINT) + corner
    outside = np.hypot(np.maximum(ex, 0), np.maximum(ey, 0)) + np.minimum(np.maximum(ex, ey), 0)
    outside = outside - corner + 0.016 * rough + 0.16 * chip
    brick = smoothstep(0.025, -0.025, outside)
    crest = smoothstep(0.0, -0.10, outside)
    grit = FINE.fractal(x * 300, y * 300, 3)
    pits = np.maximum(FINE.smooth(x * 120, y * 120) - 0.50, 0)
    creases = CLAY.fractal(x * 12 + 8 * own[3], y * 60 + 9 * own[4], 4)
    face = (0.045 * (own[5] - 0.5) + 0.03 * (own[6] - 0.5) * bx + 0.018 * creases + 0.007 * grit
            - 0.10 * pits + 0.02 * rough)
    joint = -0.020 + 0.020 * FINE.fractal(x * 110, y * 110, 4) + 0.010 * grit
    relief = joint + brick * (face + 0.04 * crest + 0.05 - joint)
    tone = np.zeros(x.shape + (3,), np.float32)
    kind = np.minimum((own[7] * len(REDS)).astype(np.int32), len(REDS) - 1)
    for k, code in enumerate(REDS):
        tone[kind == k] = camera.linear(code)
    tone = tone * (0.86 + 0.34 * own[3])[..., None]
    # Fire: bricks are darker and bluer where they stood in the flame, paler where they touched.
    flame = np.clip(0.75 * CLAY.fractal(u * 0.9 + 5 * own[0], by * 1.3 + 7 * own[4], 4)
                    + 0.9 * (own[6] - 0.72), 0, 1)
    tone = mix(tone, "#3d2c2e", 0.75 * flame)
    kiss = smoothstep(0.15, 0.75, CLAY.fractal(x * 10 + 3, y * 14, 4))
    tone = mix(tone, "#b98f74", 0.42 * kiss)
    tone = tone * (1 + 0.16 * creases + 0.20 * grit - 0.55 * np.minimum(pits * 3, 1))[..., None]
    specks = FINE.cells(x * 130, y * 130)
    tone = mix(tone, "#2c2220", 0.55 * (specks[2] > 0.90) * smoothstep(0.35, 0.15, specks[0]))
    sand = FINE.cells(x * 260, y * 260)[2]
    mortar = mix("#958b80", "#c2b9ab", np.clip(0.45 + 0.35 * rough + 0.5 * (sand - 0.5), 0, 1))
    tone = mix(mortar, tone, brick)
    # Lime washed out of the joints, and soot and rain over all.
    lime = smoothstep(0.30, 0.9, CLAY.fractal(x * 3.3, y * 4.2, 5)) * (0.5 + 0.5 * rough)
    tone = mix(tone, "#cfc6ba", 0.38 * np.clip(lime, 0, 1))
    rain = CLAY.fractal(x * 5, y * 0.9, 4) + 0.6 * CLAY.fractal(x * 1.7, y * 1.7, 3)
    tone = tone * (1 - 0.20 * smoothstep(0.0, 0.9, rain))[..., None]
    light = lit(tone, relief * pixel, reach=0.5 * pixel, softness=0.7)
    light = light * (1.06 - 0.12 * (0.6 * x + 0.4 * y))[..., None]
    return camera.develop(shrunk(light), 203, exposure=0.60, grain=0.012)
