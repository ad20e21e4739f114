"""A kaleidoscope: coloured glass between two mirrors, lit from behind.

Loose pieces of cut glass lie one upon another in the box at the tube's end. Two mirrors at thirty
degrees show a wedge of the box twelve times, so the picture is its own mirror image left to right
and top to bottom. The mirrors are not perfect: the images differ a little in light and place.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, grid, sample, smoothstep
from relief import shrunk

GLASS = Noise(281)
COLOURS = ["#b3202c", "#c8602e", "#d9a63c", "#2f8454", "#2a8790", "#2353a5", "#4f3490", "#96305f",
           "#d8d2c0", "#4a8fb5", "#b02a34", "#1f4288", "#d8b46a", "#7a2030"]


def gem(draw, radius, reach):
    """One cut stone on a square patch: where it is, how much of each colour it lets through
    (1: all), and the light that its facets mirror."""
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1].astype(np.float32) / radius
    sides, turn = draw.integers(4, 9), draw.uniform(0, 2 * np.pi)
    angles = turn + (np.arange(sides) + draw.uniform(-0.18, 0.18, sides)) * 2 * np.pi / sides
    if draw.random() < 0.30:  # a long chip
        x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        x, y = 0.62 * x, 1.9 * y
    away = np.stack([x * np.cos(a) + y * np.sin(a) for a in angles])
    outside = away.max(0) - 0.80
    facet = away.argmax(0)
    table = away.max(0) < draw.uniform(0.36, 0.52)
    inside = smoothstep(1.0 / radius, -1.0 / radius, outside)
    bright = draw.uniform(0.12, 1.0, sides)[facet]
    bright = np.where(table, draw.uniform(0.85, 1.1), bright)
    tone = camera.linear(COLOURS[draw.integers(len(COLOURS))])
    tone = np.clip(tone / tone.max(), 0.02, 1) ** 1.15
    # Light is bent on its way: streaks and clouds that differ from facet to facet.
    bent = GLASS.fractal(x * 1.6 + 13 * facet + draw.uniform(0, 99), y * 1.6 + 29 * table, 4)
    swirl = GLASS.smooth(x * 5 + 7 * facet, y * 1.2 + 3 * bent + draw.uniform(0, 99))
    through = tone ** (1.0 + 0.55 * (1 - bright))[..., None] * np.clip(
        0.30 + 0.95 * bright + 0.45 * bent + 0.20 * swirl, 0.05, 1.9)[..., None]
    ridge = np.sort(away, 0)
    cut = np.exp(-((ridge[-1] - ridge[-2]) / (2.2 / radius)) ** 2) * ~table
    rim = np.exp(-((outside + 1.8 / radius) / (1.6 / radius)) ** 2)
    flash = (draw.random(sides) < 0.22)[facet] * ~table
    shine = 0.16 * cut + 0.20 * rim * (facet % 2 == 0) + 0.34 * flash * (0.5 + 0.5 * swirl)
    through = through * (1 - 0.70 * np.exp(-(outside / (2.0 / radius)) ** 2))[..., None]
    return inside, through, shine


def box(rows, columns, draw):
    """The pieces in the box, lit from behind (linear light)."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / rows
    light = mix(np.array([1.5, 1.42, 1.25]), np.array([1.1, 1.2, 1.4]),
                0.5 + 0.5 * GLASS.fractal(x * 3, y * 3, 3))
    light = 0.8 * light.astype(np.float32)
    sizes = np.concatenate([draw.uniform(0.10, 0.17, 150), draw.uniform(0.045, 0.10, 190),
                            draw.uniform(0.016, 0.040, 170)]) * rows
    for number, radius in enumerate(sizes):
        reach = int(1.6 * radius) + 2
        cx, cy = int(draw.uniform(0, columns)), int(draw.uniform(0, rows))
        inside, through, shine = gem(draw, radius, reach)
        top, bottom = max(0, cy - reach), min(rows, cy + reach + 1)
        left, right = max(0, cx - reach), min(columns, cx + reach + 1)
        here = (slice(top, bottom), slice(left, right))
        part = (slice(top - cy + reach, bottom - cy + reach),
                slice(left - cx + reach, right - cx + reach))
        a, t, s = inside[part], through[part], shine[part][..., None]
        # Glass over glass darkens; a new piece also brings light from its own side of the box.
        fresh = t * np.array([1.20, 1.15, 1.08])
        seen = 0.34 * fresh + 0.50 * light[here] * t + 0.8 * s
        light[here] = mix(light[here], seen, a)
    return light


def make(width, height):
    draw = np.random.default_rng(282)
    tall = int(1.24 * height)
    pieces = box(tall, 2 * tall, draw)
    x, y = grid(2 * width, 2 * height)
    x, y = x - 0.5 * width / height, y - 0.5
    far, angle = np.hypot(x, y), np.arctan2(y, x)
    wedge = np.pi / 6
    number = np.floor(angle / wedge).astype(np.int32)
    within = angle - number * wedge
    folded = np.where(number % 2 == 0, within, wedge - within)
    # Mirrors bend the images a little, the more often they are mirrored the more.
    often = np.minimum(number % 12, (-number - 1) % 12)
    off = 0.0012 * GLASS.smooth(far * 4 + 9 * number, folded * 4)
    u = (far * np.cos(folded) + off) * 1.62 + 0.10
    v = (far * np.sin(folded) + off) * 1.62 + 0.06
    light = sample(pieces, u * tall, v * tall)
    light = light * (1.02 - 0.012 * often)[..., None]
    seam = np.minimum(folded, wedge - folded) * far
    light = light * (1 - 0.45 * np.exp(-(seam / 0.0016) ** 2))[..., None]
    # The tube darkens towards its edge; dust on the mirrors catches light.
    light = light * (1.15 - 0.85 * smoothstep(0.15, 0.75, far))[..., None]
    dust = GLASS.cells(x * 60, y * 60)
    light = light + (0.10 * (dust[2] > 0.9) * smoothstep(0.10, 0.03, dust[0]))[..., None]
    return camera.develop(shrunk(light), 283, exposure=0.68, glow=0.12, grain=0.012)
