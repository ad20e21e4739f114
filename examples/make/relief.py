"""Surfaces photographed straight on: soft light from the upper left on a relief.

A relief is an array of heights in pixels, towards the camera. Light comes from one wide lamp, which
casts soft shadows, and from all round, less into hollows. Pictures are made at twice their size.
"""

import numpy as np

from noise import blur, halve

LAMP = (-0.52, -0.58, 0.63)  # towards the light: x to the right, y down, z towards the camera
LAMPLIGHT = np.array([1.0, 0.95, 0.87]) * 2.0
ALL_ROUND = np.array([0.50, 0.55, 0.62])


def moved(image, right, down):
    """What lies so many pixels to the right and down of every pixel; edges are repeated."""
    rows, columns = image.shape[:2]
    i = np.clip(np.arange(rows) + int(round(down)), 0, rows - 1)
    j = np.clip(np.arange(columns) + int(round(right)), 0, columns - 1)
    return image[i[:, None], j[None, :]]


def chance(noise, i, j, which=0):
    """A random number 0..1 that belongs to a cell; `which` gives it another one."""
    i, j = np.asarray(i, np.int64), np.asarray(j, np.int64)
    return noise.random[(i * 7919 + j * 104729 + which * 1299709) % noise.random.size]


def shadow(height, lamp, reach, softness):
    """How much of the lamp each point sees, 0..1; reach: the longest shadow in pixels."""
    flat = np.hypot(lamp[0], lamp[1])
    rise = lamp[2] / flat
    seen = np.ones_like(height)
    for far in np.unique(np.geomspace(1.5, reach, 14).round(0)):
        there = moved(height, lamp[0] / flat * far, lamp[1] / flat * far)
        over = (there - height) / far - rise
        seen = np.minimum(seen, np.clip(0.5 - over / softness, 0, 1))
    return seen * seen * (3 - 2 * seen)


def openness(height, hollow):
    """Light from all round that is left in hollows, 0..1; hollow: how dark they are."""
    closed = sum(np.maximum(blur(height, r) - height, 0) / r for r in (2, 5, 12, 30))
    return 1 / (1 + hollow * closed)


def lit(tone, height, lamp=LAMP, reach=60, softness=0.5, hollow=1.2, shine=0.0, gloss=30):
    """Light from a surface of colour `tone` (linear); shine: how much of the lamp it mirrors, a
    number or an array; gloss: how sharply."""
    lamp = np.array(lamp) / np.linalg.norm(lamp)
    slope_y, slope_x = np.gradient(height)
    size = np.sqrt(1 + slope_x**2 + slope_y**2)
    facing = np.clip((lamp[2] - slope_x * lamp[0] - slope_y * lamp[1]) / size, 0, 1)
    seen = shadow(height, lamp, reach, softness)
    open_sky = openness(height, hollow) * (0.4 + 0.6 / size)
    light = tone * ((facing * seen)[..., None] * LAMPLIGHT + open_sky[..., None] * ALL_ROUND)
    half = (lamp + [0, 0, 1]) / np.linalg.norm(lamp + [0, 0, 1])
    gleam = np.clip((half[2] - slope_x * half[0] - slope_y * half[1]) / size, 0, 1) ** gloss
    return (light + (gleam * seen * shine)[..., None] * LAMPLIGHT).astype(np.float32)


def shrunk(light):
    """The picture at its own size."""
    return halve(np.minimum(light, 2.5))
