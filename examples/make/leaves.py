"""Fallen leaves, photographed from above: maple, oak and beech, one upon another; nothing repeats.

A leaf is an outline along its midrib, veins, a curl and the colours of its decay. Each falls in its
turn, lies on those before it, and shades them.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, smoothstep
from relief import lit, shrunk

LEAF = Noise(261)
MAPLE, OAK, BEECH = range(3)
PALETTES = {MAPLE: [("#bf9a45", "#a3623a"), ("#9f4a38", "#742f2a"), ("#c9822f", "#93402a"),
                    ("#b39a48", "#837446"), ("#9a4a32", "#5b2c27")],
            OAK: [("#8a5f3a", "#6a4429"), ("#9a6b3c", "#74502f"), ("#7b5335", "#56392a")],
            BEECH: [("#b98442", "#8f5a31"), ("#a96f3b", "#7b4a2d"), ("#c29a45", "#a07538")]}
LOBES = [(0.0, 1.0), (0.86, 0.86), (-0.86, 0.86), (1.78, 0.56), (-1.78, 0.56)]  # angle, length


def maple(x, y):
    """x along the leaf (the stalk joins at 0, the tip is near 1), y aside, in lengths of the leaf;
    returns distance outside the edge, and how near a vein is (0..1)."""
    far, angle = np.hypot(x, y), np.arctan2(y, x)
    reach, vein = 0.0, 0.0
    for turn, long in LOBES:
        off = np.abs((angle - turn + np.pi) % (2 * np.pi) - np.pi)
        # A lobe is a kite with teeth: widest half way, pointed at its end.
        along, aside = far * np.cos(off) / long, far * np.sin(off) / long
        teeth = 0.055 * np.abs((5.2 * along + 0.9 * aside) % 1 - 0.5) * smoothstep(0.3, 0.5, along)
        half = 0.30 * np.minimum(np.clip(along + 0.12, 0, 1) * 1.15,
                                 1.55 * np.clip(1 - along, 0, 1) ** 0.85) + teeth * (along < 0.97)
        inside = np.where((off < 1.5), half - aside, -1) * long
        reach = inside if turn == 0 else np.maximum(reach, inside)
        vein = np.maximum(vein, np.exp(-(aside / 0.012) ** 2) * (along > 0) * (along < 0.95))
        # Finer veins leave it on both sides.
        side = np.abs((along - 0.85 * aside) * 6.5 % 1 - 0.5) / 6.5
        vein = np.maximum(vein, 0.55 * np.exp(-(side / 0.006) ** 2) * (aside < 0.30 * long)
                          * (along > 0.15) * (off < 0.42))
    reach = np.maximum(reach, 0.20 - far)
    return -reach, vein


def oval(x, y, wide, lobes, depth, ribs):
    """A leaf about one axis, with rounded lobes or a nearly smooth edge; as maple()."""
    s = np.clip(x, 0, 1)
    body = wide * np.maximum(np.sin(np.pi * s**0.85), 0) ** 0.75
    wave = 1 - depth + depth * np.cos(2 * np.pi * (lobes * s + 0.25 * np.sign(y)))
    half = body * (1 - (1 - wave) * smoothstep(0.02, 0.2, s) * smoothstep(1.0, 0.8, s))
    outside = np.maximum(np.abs(y) - half, np.maximum(-x, x - 1))
    vein = np.exp(-(y / 0.010) ** 2)
    side = np.abs(((s - 0.75 * np.abs(y)) * ribs + 0.25 * np.sign(y)) % 1 - 0.5) / ribs
    return outside, np.maximum(vein, 0.6 * np.exp(-(side / 0.006) ** 2))


def leaf(draw, kind, size, reach):
    """One leaf on a square patch: where it is, its height in pixels, its colour."""
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1].astype(np.float32) / size
    turn, seed = draw.uniform(0, 2 * np.pi), draw.uniform(0, 200, 2)
    u = x * np.cos(turn) + y * np.sin(turn) + (0.40 if kind == MAPLE else 0.5)
    v = y * np.cos(turn) - x * np.sin(turn)
    v = v + draw.normal(0, 0.16) * (u - 0.5) ** 2 + 0.02 * LEAF.smooth(u * 3 + seed[0], v * 3)
    u = u + 0.02 * LEAF.smooth(u * 4 + seed[1], v * 4)
    v = v * draw.uniform(0.95, 1.30)  # seen a little from the side
    if kind == MAPLE:
        outside, vein = maple(u, v)
    elif kind == OAK:
        outside, vein = oval(u, v, 0.27, 4.5, 0.22, 9)
    else:
        outside, vein = oval(u, v, 0.25, 15, 0.03, 15)
    outside = outside + 0.008 * LEAF.fractal(u * 16 + seed[0], v * 16, 3)
    crumple = LEAF.fractal(u * 3.2 + seed[0], v * 3.2 + seed[1], 4)
    bites = LEAF.cells(u * 2.2 + seed[0], v * 2.2)[0] - 0.10 - 0.05 * crumple
    outside = np.maximum(outside, -bites * 0.5) if draw.random() < 0.14 else outside
    stalk = np.abs(v + 0.25 * draw.normal() * np.minimum(u, 0) ** 2) - 0.011
    stalk = np.maximum(stalk, np.maximum(u - 0.02, -0.42 - u))
    blade, stem = smoothstep(0.6, -0.6, outside * size), smoothstep(0.6, -0.6, stalk * size)
    cup = draw.normal(0.25, 0.30)
    height = size * (cup * (v * v + 0.35 * (u - 0.5) ** 2) + draw.normal(0, 0.07) * v
                     + draw.normal(0, 0.05) * u + 0.035 * crumple
                     + 0.030 * np.maximum(1 + outside * 14, 0) * LEAF.smooth(u * 6,
                                                                             v * 6 + seed[0]))
    height = np.maximum(height, -0.05 * size)
    height = height - 0.009 * size * vein + 0.02 * size * stem * (u < 0.03)
    first, second = PALETTES[kind][draw.integers(len(PALETTES[kind]))]
    patch = LEAF.fractal(u * 1.9 + seed[1], v * 1.9 + seed[0], 5)
    # Green and yellow stay longest along the veins; brown begins at the edge.
    edge = np.clip(0.13 + outside, -0.2, 0.13)
    dry = np.clip(0.42 + 0.65 * patch + 1.6 * edge - 0.25 * vein, 0, 1)
    tone = mix(first, second, dry)
    tone = mix(tone, "#4b3324", 0.75 * smoothstep(0.35, 0.8, patch + 3.0 * np.clip(
        outside + 0.06, -0.1, 0.06) + draw.uniform(-0.3, 0.3)))
    spot = LEAF.cells(u * 15 + seed[0], v * 15 + seed[1])
    tone = mix(tone, "#2e1f18", 0.7 * (spot[2] > 0.86) * smoothstep(0.34, 0.20, spot[0]))
    net = np.abs(LEAF.smooth(u * 34 + seed[1], v * 34))
    tone = tone * (1 + 0.10 * LEAF.fractal(u * 25 + seed[0], v * 25, 3)
                   + 0.10 * smoothstep(0.12, 0, net))[..., None]
    pale = tone * 0.8 + 0.2 * camera.linear("#d8c79a")
    tone = mix(tone, pale, 0.65 * vein)
    under = draw.random() < 0.22  # lies upside down: paler and greyer
    tone = tone * 0.55 + 0.16 * tone.mean(-1, keepdims=True) + 0.075 if under else tone
    tone = mix(tone, "#6e4a30", stem * (1 - blade))
    return np.maximum(blade, stem), height, tone * draw.uniform(0.75, 1.15)


def make(width, height):
    draw = np.random.default_rng(262)
    rows, columns = 2 * height, 2 * width
    yy, xx = np.mgrid[0:rows, 0:columns].astype(np.float32) / rows
    litter = LEAF.cells(xx * 70, yy * 70)
    relief = 5 * LEAF.fractal(xx * 20, yy * 20, 5) - 4 * litter[0]
    tone = mix("#1f1711", "#4a3828", litter[2])
    count = int(400 * columns / rows)
    for number in range(count):
        kind = draw.choice([MAPLE, OAK, BEECH], p=[0.42, 0.20, 0.38])
        size = rows * draw.uniform(0.95, 1.2) * (0.130, 0.165, 0.105)[kind]
        size *= 0.82 if number < count // 2 else 1.0
        reach = int(0.98 * size)
        x, y = int(draw.uniform(-0.1, 1.1) * columns), int(draw.uniform(-0.1, 1.1) * rows)
        top, bottom = max(0, y - reach), min(rows, y + reach + 1)
        left, right = max(0, x - reach), min(columns, x + reach + 1)
        if top >= bottom or left >= right:
            continue
        here = (slice(top, bottom), slice(left, right))
        part = (slice(top - y + reach, bottom - y + reach),
                slice(left - x + reach, right - x + reach))
        cover, form, own = (a[part] for a in leaf(draw, kind, size, reach))
        inside = cover > 0.5
        if not inside.any():
            continue
        below = relief[here]
        rest = np.percentile(below[inside][::7], 60) * 0.75 if inside.sum() > 20 else 0
        # It rests on what is below it: nowhere deeper, and its own form shows where it is free.
        lying = np.maximum(rest + form - np.median(form[inside]), below * 0.5) + 0.010 * rows
        relief[here] = np.where(inside, lying, below)
        tone[here] = mix(tone[here], own, cover)
    light = lit(tone, 0.85 * relief, lamp=(-0.50, -0.58, 0.72), reach=0.10 * rows, softness=0.7,
                hollow=1.1, shine=0.07, gloss=12)
    return camera.develop(shrunk(light), 263, exposure=0.66, grain=0.011)
