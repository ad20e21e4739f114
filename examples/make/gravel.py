"""Gravel: some thousands of pebbles poured one upon another; nothing repeats.

A pebble is where a handful of soft half-planes overlap, flattened above: worn edges between a few
facets. Each falls somewhere and rests at about the height of those below it.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, blur, smoothstep
from relief import lit, shrunk

STONE = Noise(221)
KINDS = [("#8b8781", "#a6a29b"), ("#6d6a68", "#8b8886"), ("#9c8c78", "#b8a78f"),
         ("#7b6a5c", "#94806d"), ("#b9b3a8", "#d0cbc1"), ("#6c6e6c", "#828481"),
         ("#8a6f60", "#a1836f"), ("#575452", "#6f6b68")]


def pebble(draw, radius, reach):
    """Shape 0 in the middle .. 1 at the edge over a square patch, and its coordinates in radii."""
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1].astype(np.float32) / radius
    turn, long = draw.uniform(0, np.pi), draw.uniform(0.78, 1.28)
    u = (x * np.cos(turn) + y * np.sin(turn)) / long
    v = (y * np.cos(turn) - x * np.sin(turn)) * long
    count, total = draw.integers(5, 9), 0.0
    for angle in draw.uniform(-0.35, 0.35, count) + np.arange(count) * 2 * np.pi / count:
        out = np.maximum(u * np.cos(angle) + v * np.sin(angle), 0) / draw.uniform(0.82, 1.05)
        total = total + out**7
    d = np.maximum(total ** (1 / 7), 0.25 * np.hypot(u, v))
    return d + 0.035 * STONE.smooth(u * 2.2 + draw.uniform(0, 99), v * 2.2), u, v


def colours(draw, u, v, radius):
    """The stone's own colour: speckled, banded or plain, sometimes with a vein."""
    dark, light = KINDS[draw.choice(len(KINDS), p=(.20, .14, .16, .12, .12, .11, .08, .07))]
    du, dv = draw.uniform(0, 200, 2)
    cloud = STONE.fractal(u * 1.3 + du, v * 1.3 + dv, 4)
    kind = draw.random()
    if kind < 0.25:  # layers, cut across
        cloud = STONE.fractal(u * 0.5 + du + 0.2 * cloud, v * 5 + dv, 4)
    tone = mix(dark, light, np.clip(0.5 + 0.6 * cloud, 0, 1))
    if kind > 0.55:  # grains of other minerals
        grain = STONE.smooth(u * radius / 3.5 + du, v * radius / 3.5)
        tone = tone * (1 + 0.45 * np.clip(grain, -0.8, 0.8))[..., None]
    if draw.random() < 0.12:
        vein = np.exp(-np.abs(v - 0.3 * STONE.fractal(u * 1.5 + du, v + dv, 3) + 0.1) / 0.035)
        tone = mix(tone, "#d6d1c7", 0.8 * vein)
    return tone * draw.uniform(0.82, 1.2)


def make(width, height):
    draw = np.random.default_rng(222)
    rows, columns = 2 * height, 2 * width
    yy, xx = np.mgrid[0:rows, 0:columns].astype(np.float32) / rows
    relief = -0.02 * rows + 4 * STONE.fractal(xx * 60, yy * 60, 4)
    sand = STONE.cells(xx * 190, yy * 190)[2]
    tone = mix("#4d463f", "#8d8375", sand)
    # Large and small fall mixed; the smallest last fill few of the gaps.
    sizes = np.concatenate([draw.uniform(0.010, 0.020, 900),
                            0.013 * draw.random(2400) ** -0.42]).clip(0.009, 0.055) * rows
    draw.shuffle(sizes)
    for radius in sizes:
        reach = int(radius * 1.45) + 2
        x = int(draw.uniform(-radius, columns + radius))
        y = int(draw.uniform(-radius, rows + radius))
        top, bottom = max(0, y - reach), min(rows, y + reach + 1)
        left, right = max(0, x - reach), min(columns, x + reach + 1)
        if top >= bottom or left >= right:
            continue
        here = (slice(top, bottom), slice(left, right))
        part = (slice(top - y + reach, bottom - y + reach),
                slice(left - x + reach, right - x + reach))
        d, u, v = (a[part] for a in pebble(draw, radius, reach))
        inside = d < 1
        if not inside.any():
            continue
        below = relief[here]
        rest = below[inside].mean()
        dome = np.sqrt(np.clip(1 - np.clip(d, 0, 1) ** 2.6, 0, 1))
        tilt = draw.normal(0, 0.13, 2)
        form = radius * (draw.uniform(0.42, 0.7) * dome + tilt[0] * u + tilt[1] * v)
        form = form + radius * 0.02 * STONE.fractal(u * 3 + x, v * 3 + y, 4)
        top_face = np.minimum(rest, 0.035 * rows) + form - 0.30 * radius
        above = inside & (top_face > below)
        relief[here] = np.where(above, top_face, below)
        tone[here] = np.where(above[..., None], colours(draw, u, v, radius), tone[here])
    relief = relief + 0.35 * STONE.fractal(xx * 420, yy * 420, 3)
    # Dust lies in the hollows.
    deep = smoothstep(0.0, -0.02 * rows, relief - blur(relief, 0.02 * rows))
    tone = mix(tone, "#6f655a", 0.35 * deep)
    light = lit(tone, relief, reach=0.06 * rows, softness=0.6, hollow=1.0, shine=0.05, gloss=14)
    return camera.develop(shrunk(light), 223, exposure=0.60, grain=0.011)
