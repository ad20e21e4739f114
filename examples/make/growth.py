"""What grows and stands in the country of the seasons' pictures, painted onto it piece by piece.

Branches, leaves, blades of grass and planks are drawn as lines and spots, each in the light that
falls on it, at twice the picture's size. Who calls these goes from far to near.
"""

import numpy as np
from PIL import Image, ImageDraw

from camera import linear, mix
from country import (FOCAL, LEAF_SIZE, forest, ground, path_middle, place, sun_on, through_air)
from noise import smoothstep

BRIGHTEST = 1.8  # light that the painted picture's 255 stands for
SNOW = np.array([0.86, 0.88, 0.92])


class Painting:
    """The picture as an 8-bit image to draw on; colours are light."""

    def __init__(self, light):
        code = (np.clip(light / BRIGHTEST, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
        self.image = Image.fromarray(code)
        self.pen = ImageDraw.Draw(self.image)
        self.columns, self.rows = self.image.size

    @staticmethod
    def inks(light):
        code = (np.clip(light / BRIGHTEST, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(int)
        return [tuple(c) for c in code.reshape(-1, 3).tolist()]

    def spots(self, x, y, radius, light, flat=0.7):
        pen = self.pen
        boxes = np.stack([x - radius, y - flat * radius, x + radius, y + flat * radius], 1).tolist()
        for where, ink in zip(boxes, self.inks(light)):
            pen.ellipse(where, fill=ink)

    def lines(self, x0, y0, x1, y1, wide, light):
        pen = self.pen
        ends = np.stack([x0, y0, x1, y1], 1).tolist()
        for where, thick, ink in zip(ends, np.maximum(wide, 1).round().astype(int).tolist(),
                                     self.inks(light)):
            pen.line(where, fill=ink, width=thick)

    def light(self):
        return (np.asarray(self.image, np.float32) / 255) ** 2.2 * BRIGHTEST


def paint_branches(painting, season, tree, at, tall, draw):
    """Trunk and branches, rounded by strips of light and shade; snow on the upper sides."""
    x, y, z = at
    scale = painting.rows * FOCAL / z
    size = painting.columns, painting.rows
    x0, y0 = place(x + tree.start[:, 0] * tall, y + tree.start[:, 1] * tall, z, *size)
    x1, y1 = place(x + tree.end[:, 0] * tall, y + tree.end[:, 1] * tall, z, *size)
    half = tree.radius * tall * scale
    order = np.argsort(-half)
    keep = order[half[order] > 0.10]
    x0, y0, x1, y1, half = (a[keep] for a in (x0, y0, x1, y1, half))
    long = np.hypot(x1 - x0, y1 - y0) + 1e-6
    across_x, across_y = -(y1 - y0) / long, (x1 - x0) / long
    bark = linear("#857b70") if season.winter else linear("#6e6256")
    for strip in (0.0, -0.66, -0.33, 0.33, 0.66):
        some = half > 1.6 if strip else half > 0
        wide = 2 * half[some] * (0.36 if strip else 1)
        dx, dy = (strip * half[some] * a[some] for a in (across_x, across_y))
        n = np.stack([strip * across_x[some], -strip * across_y[some],
                      np.full(some.sum(), -np.sqrt(1 - strip**2))], 1)
        sun = np.clip(n @ season.sun, 0.05, 1) if strip else np.full(some.sum(), 0.35)
        thin = np.clip(half[some] / 0.6, 0.35, 1)  # twigs thinner than a pixel let light through
        own = bark * draw.uniform(0.85, 1.12, (some.sum(), 1)) * (
            sun[:, None] * season.sunlight + 0.55 * season.skylight)
        own = mix(season.haze * 0.55, own, thin) if season.winter else own
        own = through_air(season, own, z)
        painting.lines(x0[some] + dx, y0[some] + dy, x1[some] + dx, y1[some] + dy, wide, own)
        if not strip:  # round the bends
            thick = (half[some] > 1.2) & (tree.end[keep][some, 1] > 0.05)
            painting.spots(x1[some][thick], y1[some][thick], 0.95 * half[some][thick], own[thick],
                           flat=1)
    if season.winter:
        paint_drift(painting, season, (x, y, z), tree.radius[0] * tall, draw)
        flat = (np.abs(x1 - x0) > 0.55 * np.abs(y1 - y0)) & (half > 0.35)
        flat &= draw.random(len(half)) < 0.6
        snow = SNOW * (0.45 * season.sunlight + season.skylight)
        painting.lines(x0[flat], y0[flat] - 0.9 * half[flat] - 0.4, x1[flat],
                       y1[flat] - 0.9 * half[flat] - 0.4, 0.8 * half[flat],
                       through_air(season, np.broadcast_to(snow, (flat.sum(), 3)), z))


def paint_drift(painting, season, at, radius, draw):
    """Snow blown against the foot of a trunk."""
    count = 40
    aside = radius * np.clip(draw.normal(0, 1.3, count), -2.6, 2.6)
    px, py = place(at[0] + aside, at[1] + 0.04 + 0.07 * draw.random(count), at[2],
                   painting.columns, painting.rows)
    size = painting.rows * FOCAL / at[2] * draw.uniform(0.05, 0.14, count)
    snow = 0.98 * SNOW * (
        draw.uniform(0.14, 0.30, (count, 1)) * season.sunlight + season.skylight)
    painting.spots(px, py + 0.5 * size, size, through_air(season, snow, at[2]), 0.6)


def paint_leaves(painting, season, tree, at, tall, draw, green):
    x, y, z = at
    scale = painting.rows * FOCAL / z
    order = np.argsort(-tree.leaf[:, 2])
    leaf, outward, inner = tree.leaf[order], tree.outward[order], tree.inner[order]
    px, py = place(x + leaf[:, 0] * tall, y + leaf[:, 1] * tall, z, painting.columns, painting.rows)
    # The crown shades itself: less light on the side that is turned away from the sun.
    middle = leaf.mean(0)
    turned = ((leaf - middle) / (leaf.std(0) * 1.6 + 1e-3)) @ season.sun
    sun = np.clip(outward @ season.sun, 0, 1) * np.clip(1.15 - 1.3 * inner, 0.1, 1)
    sun = sun * smoothstep(-0.9, 0.6, turned + draw.normal(0, 0.15, len(leaf)))
    through = np.clip(-outward @ season.sun, 0, 1) * np.clip(0.6 - inner, 0, 1)
    open_sky = np.clip(0.55 + 0.45 * outward[:, 1], 0, 1) * np.clip(1.05 - 0.9 * inner, 0.18, 1)
    own = green * draw.uniform(0.72, 1.28, (len(leaf), 1))
    own = own * (1 + draw.normal(0, 0.06, own.shape))
    light = own * (sun[:, None] * season.sunlight + open_sky[:, None] * season.skylight
                   + through[:, None] * season.sunlight * np.array([0.50, 0.52, 0.12]))
    if season.winter:  # snow lies on what faces up
        laden = (outward[:, 1] + draw.normal(0, 0.22, len(leaf)) > 0.42) & (inner < 0.75)
        snow = SNOW * (sun[:, None] * season.sunlight * 0.8
                                               + open_sky[:, None] * season.skylight)
        light = np.where(laden[:, None], snow, light)
    # Few leaves must be larger to close the crown.
    radius = tall * scale * 0.50 * LEAF_SIZE / np.sqrt(len(leaf)) * draw.uniform(
        0.7, 1.25, len(leaf))
    painting.spots(px, py, np.maximum(radius, 0.75), through_air(season, light, z))


def paint_woods(painting, season, distance, draw):
    """Small trees on the hills, far to near; distance: of the land at every pixel."""
    count = 40000 if season.winter else 26000
    z = np.sort(150 * (3600 / 150) ** draw.random(count).astype(np.float32))[::-1]
    x = draw.uniform(-0.85, 0.85, count) * z
    kept = forest(season, x, z) > draw.random(count)
    x, z = x[kept].astype(np.float32), z[kept]
    px, base = place(x, ground(season, x, z), z, painting.columns, painting.rows)
    # Those behind a hill are not seen.
    i = np.clip(base - 1, 0, painting.rows - 1).astype(int)
    j = np.clip(px, 0, painting.columns - 1).astype(int)
    seen = (distance[i, j] > 0.85 * z) & (px > -40) & (px < painting.columns + 40)
    x, z, px, base = x[seen], z[seen], px[seen], base[seen]
    fir = draw.random(len(x)) < (0.24 if season.winter else 0.18)
    sun = 1 - (0 if season.winter else 0.6) * smoothstep(
        0.0, 0.5, season.fine.fractal(x / 500, z / 700, 3))
    tall = draw.uniform(9, 17, len(x)) * painting.rows * FOCAL / z
    for part in np.array_split(np.arange(len(x)), 30):
        for kind in (True, False):
            some = part[fir[part] == kind]
            paint_small_trees(painting, season, kind, px[some], base[some], tall[some], z[some],
                              sun[some], draw)


def paint_small_trees(painting, season, fir, px, base, tall, z, sun, draw):
    """Trees of one kind from pixel px, base upwards, as some dabs each: dark below and on the far
    side, bright towards the sun. Bare trees are bundles of twigs instead."""
    dabs = 36
    angle, far = draw.uniform(0, 2 * np.pi, (len(px), dabs)), np.sqrt(draw.random((len(px), dabs)))
    u, v = far * np.cos(angle), far * np.sin(angle)
    facing = 0.55 * u * np.sign(season.sun[0]) + 0.75 * v + 0.25 * draw.normal(0, 1, u.shape)
    order = np.argsort(facing, 1)
    u, v, facing = (np.take_along_axis(a, order, 1) for a in (u, v, facing))
    if season.winter:
        tone = np.broadcast_to(linear("#3c463d" if fir else "#6f6259"), (len(px), 3))
    else:
        tone = mix(*(("#1d2f1c", "#2a3f22") if fir else ("#33501f", "#6f8238")),
                   draw.random(len(px)))
    strength = np.clip(0.42 + 0.5 * facing, 0.04, 1)[..., None]
    light = tone[:, None, :] * (strength * sun[:, None, None] * season.sunlight
                                + (0.35 + 0.4 * strength) * season.skylight)
    if season.winter:
        frost = (0.55 if fir else 0.30) * smoothstep(-0.5, 0.8, facing)[..., None]
        light = light * (1 - frost) + frost * (0.4 * season.sunlight + season.skylight) * 0.7
    light = through_air(season, light, z[:, None]).reshape(-1, 3)
    tall = tall[:, None]
    x = px[:, None] + u * (0.20 * (1.05 - v) if fir else 0.42) * tall
    y = base[:, None] - (0.5 + 0.46 * v) * tall
    if season.winter and not fir:
        foot_x, foot_y = 0.65 * px[:, None] + 0.35 * x, y + 0.28 * tall
        painting.lines(foot_x.ravel(), foot_y.ravel(), x.ravel(), y.ravel(), np.ones(x.size), light)
        return
    radius = (0.060 if fir else 0.105) * tall * draw.uniform(0.6, 1.3, u.shape)
    painting.spots(x.ravel(), y.ravel(), np.maximum(radius, 0.6).ravel(), light, flat=0.85)


def paint_grass(painting, season, shadow, draw, nearest, farthest):
    """Blades, stalks and flowers between two distances."""
    dense = 210 if season.winter else 2600  # in a metre of distance, 8 metres away
    span = np.linspace(nearest, farthest, 40)
    amount = dense * np.minimum(8 / span, 2.2) ** 0.9
    count = int(amount.mean() * (farthest - nearest))
    z = draw.choice(span, count, p=amount / amount.sum()) + draw.random(count) * (span[1] - span[0])
    z = np.sort(z)[::-1].astype(np.float32)
    x = (draw.uniform(-0.80, 0.80, count) * z).astype(np.float32)
    patch = season.land.fractal(x / 4.5, z / 4.5, 4)
    off = np.abs(x - path_middle(season, z))
    wanted = smoothstep(0.75, 1.15, off + 0.25 * season.fine.smooth(x * 2, z * 2))
    wanted = np.maximum(wanted, 0.30 * smoothstep(0.25, 0.12, off)) if not season.winter else (
        wanted * smoothstep(0.15, 0.55, patch + 0.3 * season.fine.smooth(x * 1.3, z * 1.3)))
    kept = wanted > draw.random(count)
    x, z, patch, off = x[kept], z[kept], patch[kept], off[kept]
    n = len(x)
    y = ground(season, x, z)
    scale = painting.rows * FOCAL / z
    tall = draw.uniform(0.14, 0.36, n) * (1 + 0.5 * patch) * smoothstep(0.2, 1.6, off + 0.25)
    if season.winter:
        tall = draw.uniform(0.10, 0.42, n)
    lean = draw.normal(0.10, 0.35, n) * tall
    px, py = place(x, y, z, painting.columns, painting.rows)
    sun = sun_on(shadow, x, z)
    hue = np.clip(0.45 + 0.5 * patch + draw.normal(0, 0.22, n), 0, 1)
    tone = mix("#50652e", "#9c9a58", hue) if not season.winter else mix("#80694a", "#b39a6c", hue)
    middle_x, middle_y = px + 0.35 * lean * scale, py - 0.62 * tall * scale
    end_x, end_y = px + lean * scale, py - tall * scale * np.sqrt(1 - np.minimum(
        (lean / tall) ** 2, 0.6) * 0.6)
    wide = 0.0045 * scale * draw.uniform(0.6, 1.3, n)
    glow = draw.uniform(0.35, 1.0, n)
    low = tone * ((0.45 * glow * sun)[:, None] * season.sunlight + 0.55 * season.skylight)
    high = tone * ((0.80 * glow * sun)[:, None] * season.sunlight + 0.85 * season.skylight)
    head = np.zeros(n, bool)
    if not season.winter:
        bloom = season.fine.fractal(x / 2.2 + 40, z / 2.2, 3)
        head = (draw.random(n) < 0.004 + 0.07 * smoothstep(0.15, 0.6, bloom)) & (off > 1.3)
    kinds = np.stack([linear(c) for c in ("#efece2", "#e6c63e", "#c9342b", "#6d6fc0", "#efece2")])
    which = (np.clip(0.5 + 0.45 * season.fine.smooth(x / 3 + 9, z / 3) + draw.normal(0, 0.2, n), 0,
                     0.999) * len(kinds)).astype(int)
    petal = kinds[which] * ((0.75 * sun)[:, None] * season.sunlight + 0.9 * season.skylight)
    low, high, petal = painting.inks(low), painting.inks(high), painting.inks(petal)
    pen = painting.pen
    for k in range(n):
        w = max(1, int(round(wide[k])))
        pen.line((px[k], py[k] + 1, middle_x[k], middle_y[k]), fill=low[k], width=w)
        pen.line((middle_x[k], middle_y[k], end_x[k], end_y[k]), fill=high[k], width=max(1, w - 1))
        if head[k]:
            r = max(0.8, 0.013 * scale[k] * (0.8 + 0.4 * glow[k]))
            pen.ellipse((end_x[k] - r, end_y[k] - 0.7 * r, end_x[k] + r, end_y[k] + 0.7 * r),
                        fill=petal[k])


def fence_posts(season):
    """Where the posts of the fence along the path stand, far to near: (x, y, z) each."""
    z = np.arange(4.2, 60, 2.4)[::-1]
    side = -1.0 if season.bend > 0 else 1.0
    x = path_middle(season, z) + side * (2.3 + 0.12 * season.land.smooth(z * 3.1, 0 * z))
    return np.stack([x, ground(season, x, z), z], 1)


def paint_post(painting, season, shadow, post, nearer):
    """A post and the two rails from it to the next nearer one, if there is one."""
    size = painting.columns, painting.rows
    sun = float(sun_on(shadow, post[:1], post[2:])[0])
    light = (0.75 * sun * season.sunlight + 0.6 * season.skylight,
             0.15 * sun * season.sunlight + 0.5 * season.skylight)
    bright, dark = (linear("#857a6c") * part for part in light)
    snow = SNOW * (0.7 * sun * season.sunlight + season.skylight)
    bright, dark, snow = painting.inks(through_air(season, np.stack([bright, dark, snow]), post[2]))
    polygon = painting.pen.polygon
    px, base = place(post[0], post[1] - 0.1, post[2], *size)
    scale = painting.rows * FOCAL / post[2]
    if nearer is not None:
        qx, ground_there = place(nearer[0], nearer[1] - 0.1, nearer[2], *size)
        further = painting.rows * FOCAL / nearer[2]
        for rail, jog in ((0.55, 0.03), (0.95, -0.02)):
            a, b = base - (rail + jog) * scale, ground_there - rail * further
            h, g = 0.045 * scale, 0.045 * further

            def plank(upper, lower, ink):
                polygon([(px, a + upper * h), (qx, b + upper * g), (qx, b + lower * g),
                         (px, a + lower * h)], fill=ink)
            plank(-1, 1, bright)
            plank(0.3, 1, dark)
            if season.winter:
                plank(-1.7, -0.6, snow)
    top, half = base - 1.15 * scale, 0.055 * scale
    painting.pen.rectangle((px - half, top, px + half, base), fill=dark)
    lit = sorted((px + np.sign(season.sun[0]) * half, px + np.sign(season.sun[0]) * 0.1 * half))
    painting.pen.rectangle((lit[0], top, lit[1], base), fill=bright)
    if season.winter:
        painting.pen.ellipse((px - 1.25 * half, top - 0.9 * half, px + 1.25 * half,
                              top + 0.7 * half), fill=snow)
