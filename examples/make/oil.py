"""An oil painting: evening wind over wheat, cypresses and a farm, in strokes that show the wind.

Its palette is ultramarine and turquoise against cadmium yellow and orange, with violet shadows.
The scene is first drawn smoothly, with a direction for every point; the strokes do the rest.
"""

import numpy as np

from noise import Noise, colour, grid, mix, smoothstep
from strokes import Canvas, paint_after

WIND = Noise(31)
SUN = (0.93, 0.30)  # heights of the picture from the left and the top
WHIRLS = [
    (0.36, 0.20, 0.15, 1.0),
    (0.66, 0.10, 0.08, -1.0),
    (1.22, 0.16, 0.10, 1.0),
    (0.62, 0.37, 0.07, 1.0),
]  # x, y, radius, sense


def sky(x, y):
    """Colours and directions of the sky: a wind from the left that curls into whirls."""
    flow_x = 1.0 + 0.4 * WIND.fractal(x * 2, y * 2, 2)
    flow_y = 0.55 * WIND.fractal(x * 2.4 + 9, y * 2.4, 3) + 0.25 * np.sin(5 * x)
    phase = 9 * y + 2.2 * WIND.fractal(x * 1.5 + 3, y * 3, 3) + 0.8 * np.sin(4.2 * x)
    for centre_x, centre_y, radius, sense in WHIRLS + [SUN + (0.17, -1.0)]:
        away_x, away_y = x - centre_x, y - centre_y
        far = np.hypot(away_x, away_y) + 1e-4
        pull = np.exp(-((far / radius) ** 2) * 0.9) * 5
        flow_x = flow_x - sense * pull * away_y / far
        flow_y = flow_y + sense * pull * away_x / far
        spiral = far / radius * 8 + sense * np.arctan2(away_y, away_x)
        share = np.clip(pull / 3, 0, 1)
        phase = phase * (1 - share) + spiral * share
    base = mix("#173a86", "#3f9cc0", smoothstep(0.0, 0.46, y + 0.05 * np.sin(3 * x)))
    base = mix(base, "#f2c873", smoothstep(0.36, 0.60, y) * 0.85)
    band = 0.5 + 0.5 * np.sin(phase)
    base = mix(base, "#e9eede", 0.75 * smoothstep(0.55, 0.98, band))
    base = mix(base, "#0e2160", 0.6 * smoothstep(0.55, 0.98, 1 - band) * (y < 0.42))
    for centre_x, centre_y, radius, _ in WHIRLS:  # a warm heart in every whirl
        far = np.hypot(x - centre_x, y - centre_y)
        base = mix(base, "#f3dc8c", np.exp(-((far / (0.24 * radius)) ** 2)))
    glow = np.hypot(x - SUN[0], y - SUN[1])
    rings = 0.5 + 0.5 * np.sin(glow * 75)
    base = mix(base, "#f6a628", np.exp(-((glow / 0.17) ** 2)) * (0.55 + 0.45 * rings))
    base = mix(base, "#fff2a0", smoothstep(0.068, 0.052, glow))
    return base, np.arctan2(flow_y, flow_x)


def ridge(x, height, size, offset):
    return height + size * WIND.fractal(x * 2.1 + offset, 0 * x + offset, 4)


def scene(x, y):
    """Colours, directions of strokes, and where fine strokes are wanted."""
    base, angle = sky(x, y)
    detail = 0.35 + 0 * x
    for height, size, offset, dark, pale in ((0.535, 0.10, 1.0, "#3d5a9c", "#7fa0c8"), (
        0.585, 0.08, 5.0, "#2b5a6e", "#6fa58d"), (0.625, 0.05, 9.0, "#3c6a34", "#9aae46")):
        top = ridge(x, height, size, offset)
        land = mix(colour(pale), colour(dark), smoothstep(0, 0.08, y - top)
                   + 0.35 * WIND.fractal(x * 9, y * 16 + offset, 3))
        inside = smoothstep(-0.003, 0.003, y - top)
        base = mix(base, land, inside)
        slope = np.gradient(top[0]) * x.shape[0]
        angle = np.where(inside > 0.5, np.arctan(slope)[None, :] + 0.35 * np.sin(x * 14 + offset),
                         angle)
    # The field: rows of wheat that run to a point on the skyline, cut by a path.
    edge = 0.655 + 0.02 * np.sin(3 * x + 0.6)
    field = smoothstep(-0.003, 0.003, y - edge)
    depth = np.maximum(y - 0.60, 0.01)
    ray = (x - 0.80) / depth
    wheat = mix("#d99a1e", "#f7dc6a",
                0.5 + 0.5 * np.sin(ray * 7 + 1.5 * WIND.fractal(x * 5, y * 9, 3)))
    wheat = mix(wheat, "#9a5a1c", smoothstep(0.1, 0.8, WIND.fractal(ray * 1.5, y * 6, 4)))
    wheat = mix(wheat, "#6f3d78", 0.7 * smoothstep(0.74, 1.05, y + 0.10 * np.sin(ray)))
    bend = 0.25 * np.sin(9 * depth)
    path = np.abs(ray + 0.15 + bend * 2) < 0.42
    wheat = mix(wheat, mix("#d8a78a", "#7d86b8", 0.5 + 0.5 * np.sin(ray * 9 + y * 40)), path * 1.0)
    poppies = WIND.smooth(x * 34 / (0.4 + 2 * depth), y * 60 / (0.4 + 2 * depth))
    wheat = mix(wheat, "#d8321c", smoothstep(0.45, 0.6, poppies) * (depth > 0.1) * ~path)
    base = mix(base, wheat, field)
    stalks = np.arctan2(depth, x - 0.80) + 0.5 * WIND.smooth(x * 6, y * 6)
    angle = np.where(field > 0.5, np.where(path, 0.2 * np.sin(9 * y), stalks), angle)
    base, angle, detail = farm(x, y, base, angle, detail)
    return cypresses(x, y, base, angle, detail)


def farm(x, y, base, angle, detail):
    """Two houses where the hills meet the field, with lit windows."""
    for left, ground, wide, wall, roof in ((0.86, 0.664, 0.085, "#f3e3c0", "#c8452a"),
                                           (0.955, 0.668, 0.06, "#d9c7c9", "#8f3b3a")):
        top = ground - 0.52 * wide
        body = (x > left) & (x < left + wide) & (y > top) & (y < ground)
        gable = (y <= top) & (y > top - 0.45 * wide + 0.7 * np.abs(x - left - 0.5 * wide))
        window = (body & (np.abs((x - left) / wide % 0.4 - 0.2) < 0.07)
                  & (np.abs(y - top - 0.22 * wide) < 0.08 * wide))
        for part, code in ((body, wall), (gable, roof), (window, "#2c2f6a")):
            base = mix(base, colour(code), part * 1.0)
        angle = np.where(body, np.pi / 2, np.where(gable, 0.5, angle))
        detail = np.where(body | gable, 1.0, detail)
    return base, angle, detail


def cypresses(x, y, base, angle, detail):
    """Flames of dark green at the left, in front of everything."""
    for centre, foot, tall, wide in ((0.235, 0.93, 0.86, 0.062), (0.125, 0.97, 0.62, 0.06),
                                     (0.34, 0.80, 0.34, 0.030)):
        up = np.clip((foot - y) / tall, 0, 1)
        lean = centre + 0.018 * np.sin(7 * up + centre * 30) * up
        half = wide * np.clip(up * 7, 0, 1) ** 0.6 * (1 - up) ** 0.62 * 1.25
        half = half * (1 + 0.28 * WIND.fractal(x * 9, y * 13 + centre * 50, 3))
        inside = smoothstep(0.004, -0.004, np.abs(x - lean) - half) * (up > 0)
        flame = 0.5 + 0.5 * np.sin(34 * (x - lean) / (wide * 6) * 3 + 9 * y
                                   + 3 * WIND.fractal(x * 7, y * 4, 3))
        green = mix("#0d2b2a", "#3f6b2c", smoothstep(0.3, 1.0, flame))
        green = mix(green, "#c79a3a", 0.55 * smoothstep(0.7, 1, flame) * (x > lean))
        base = mix(base, green, inside)
        angle = np.where(inside > 0.5, -np.pi / 2 + 0.5 * np.sin(flame * 3 + 8 * y)
                         - 2.0 * (x - lean), angle)
        detail = np.maximum(detail, 0.8 * inside)
    return base, angle, detail


def make(width, height):
    x, y = grid(width, height)
    target, angle, detail = scene(x, y)
    draw = np.random.default_rng(32)
    canvas = Canvas(mix(target, "#8a5a34", 0.3 + 0 * x))
    unit = height / 768
    layers = [(w * unit, l * unit, max(2, round(s * unit)), load, share) for w, l, s, load,
              share in ((26, 90, 15, 1.2, 1.0), (13, 58, 9, 1.8, 0.95), (7.5, 36, 6, 2.2, 0.85),
                        (4.2, 20, 5, 2.4, 0.45))]
    paint_after(canvas, target, angle, layers, draw, detail, jitter=0.06)
    painted = canvas.lit(relief=0.30, shine=0.16)
    return np.clip((painted - 0.5) * 1.05 + 0.51, 0, 1)
