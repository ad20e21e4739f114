"""Woollen cloth in plain weave: undyed threads up and down, blue ones across, over and under.

Threads are 16 pixels apart where the picture is 640 high; over and under take turns, so the cloth
repeats every 32 pixels across and down. Thickness, twist, colour and stray fibres do not repeat.
"""

import numpy as np
from PIL import Image, ImageDraw

import camera
from camera import mix
from noise import Noise, grid, smoothstep
from relief import chance, lit, shrunk

WOOL = Noise(231)
FIBRE = Noise(232)
STEP = 16 / 640  # between threads, in heights of the picture
UNDYED = ["#aba292", "#b8af9f", "#9d9383", "#afa592"]
DYED = ["#4f5a68", "#465060", "#5a6571", "#505866"]


def threads(across, along, start, palette):
    """Threads that run along one axis: height and colour at points `across` and `along` them,
    in steps; `start`: where the first one goes over (0 or 1)."""
    number = np.floor(across).astype(np.int32)
    slack = 0.09 * WOOL.smooth(number * 7.31 + start * 50, along * 0.35)
    thick = 0.50 + 0.05 * WOOL.fractal(number * 3.17 + 90 + start * 50, along * 0.22, 3)
    a = np.clip((across - number - 0.5 - slack) / thick, -1, 1)
    dip = np.cos(np.pi * (along - 0.5 + number + start))
    round_top = np.sqrt(np.clip(1 - a * a, 0, 1))
    # Yarn is two plies, twisted, and each ply is many fibres that lean the same way.
    turn = along * 1.15 + 0.42 * a + 0.25 * WOOL.smooth(number * 5.3, along * 0.6) + number * 0.37
    ply = np.abs(np.sin(np.pi * turn))
    hair = FIBRE.fractal(7.2 * (along + a) + 31 * number, 1.3 * (a - along) + 13 * number, 3)
    fuzz = FIBRE.fractal(across * 9, along * 9, 3)
    height = (0.40 * dip + 0.60 * round_top + 0.07 * ply * round_top + 0.055 * hair + 0.03 * fuzz)
    kind = np.minimum((chance(WOOL, number, start, 3) * 4).astype(np.int32), 3)
    tone = np.stack([camera.linear(code) for code in palette])[kind]
    heather = WOOL.fractal(turn * 1.6 + 11 * number, along * 0.5 + 7 * number, 4)
    tone = tone * (1 + 0.30 * heather + 0.30 * hair + 0.16 * fuzz)[..., None]
    fleck = smoothstep(0.45, 0.75, WOOL.fractal(turn * 2.3 + 17 * number, along * 0.9 + 40, 3))
    return height, mix(tone, "#7b6b5d", 0.6 * fleck)


def stray_fibres(width, height, draw):
    """Thin hairs that stand off the cloth: how much of each pixel they cover."""
    image = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(image)
    for _ in range(1500):
        x, y, angle = draw.uniform(0, width), draw.uniform(0, height), draw.uniform(0, 2 * np.pi)
        bend = draw.normal(0, 0.16)
        path = [(x, y)]
        for _ in range(draw.integers(6, 16)):
            angle += bend + draw.normal(0, 0.12)
            x, y = x + 4 * np.cos(angle), y + 4 * np.sin(angle)
            path.append((x, y))
        pen.line(path, fill=int(draw.uniform(50, 190)), width=1)
    return np.asarray(image, np.float32) / 255


def make(width, height):
    x, y = grid(2 * width, 2 * height)
    pixel = STEP * 2 * height  # between threads in pixels
    u = x / STEP + 0.22 * WOOL.fractal(x * 2.1, y * 2.1, 3)
    v = y / STEP + 0.22 * WOOL.fractal(x * 2.1 + 70, y * 2.1, 3)
    warp, pale = threads(u, v, 0, UNDYED)
    weft, blue = threads(v, u, 1, DYED)
    over = warp > weft
    relief = np.where(over, warp, weft)
    tone = np.where(over[..., None], pale, blue)
    hairs = stray_fibres(2 * width, 2 * height, np.random.default_rng(233))
    tone = mix(tone, "#a8a297", 0.55 * hairs)
    # The cloth does not lie quite flat.
    fold = 0.55 * WOOL.fractal(x * 1.4 + 0.5 * y, y * 1.4 - 0.5 * x, 2) * 2 * height * 0.05
    light = lit(tone, relief * 0.62 * pixel + 0.06 * hairs * pixel + fold, reach=1.2 * pixel,
                softness=0.8, hollow=1.5)
    return camera.develop(shrunk(light), 234, exposure=0.74, grain=0.010)
