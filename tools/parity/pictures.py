"""A photo-like and a painting-like picture, made by a program so that they may be given away.

The photo (4:3) is an evening over hills with a few houses; the painting (5:4) is strokes that
follow a field of whirls, in blues and yellows. The same numbers come out everywhere.
"""

import numpy as np
from PIL import Image

from kit import images


def grid(height, width):
    """x and y of every pixel: x runs over 0..width/height, y over 0..1 from the top."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return (x + 0.5) / height, (y + 0.5) / height


def smooth_noise(draw, x, y, frequency):
    """Random values on a lattice of `frequency` cells per unit, smooth in between; about -1..1."""
    columns, rows = int(np.ceil(x.max() * frequency)) + 2, int(np.ceil(y.max() * frequency)) + 2
    lattice = draw.uniform(-1, 1, (rows, columns))
    i, j = np.floor(y * frequency).astype(int), np.floor(x * frequency).astype(int)
    fade = lambda t: t * t * (3 - 2 * t)
    v, u = fade(y * frequency - i), fade(x * frequency - j)
    upper = lattice[i, j] * (1 - u) + lattice[i, j + 1] * u
    lower = lattice[i + 1, j] * (1 - u) + lattice[i + 1, j + 1] * u
    return upper * (1 - v) + lower * v


def fractal_noise(draw, x, y, frequency, octaves=5):
    """Smooth noise and ever finer, ever weaker noise on top."""
    return sum(smooth_noise(draw, x, y, frequency * 2**k) / 2**k for k in range(octaves)) / 1.6


def mix(first, second, share):
    """first where share is 0, second where it is 1."""
    share = np.clip(share, 0, 1)[..., None]
    return first * (1 - share) + second * share


def colour(red, green, blue):
    return np.array([red, green, blue], dtype=np.float64) / 255


def edge(distance, softness):
    """1 where distance is positive, 0 where it is negative."""
    return np.clip(distance / softness + 0.5, 0, 1)


def draw_house(picture, x, y, left, ground, size, wall, roof, pixel):
    """A gabled house that stands on `ground`, `size` wide, with lit windows and a shaded side."""
    inside = lambda x0, x1, y0, y1: (edge(x - x0, pixel) * edge(x1 - x, pixel)
                                     * edge(y - y0, pixel) * edge(y1 - y, pixel))
    top = ground - 0.62 * size
    shade = 1 - 0.25 * edge(x - (left + 0.62 * size), pixel)
    picture = mix(picture, wall * shade[..., None], inside(left, left + size, top, ground))
    slope = 0.5 * size - np.abs(x - left - 0.5 * size) * 0.86
    gable = edge(slope - (top - y), pixel) * edge(top + 0.04 * size - y, pixel)
    picture = mix(picture, roof * shade[..., None], gable * edge(slope + 0.08 * size, pixel))
    for column in (0.14, 0.44, 0.74):
        x0 = left + column * size
        lit = inside(x0, x0 + 0.14 * size, top + 0.14 * size, top + 0.32 * size)
        picture = mix(picture, colour(255, 214, 130), lit)
    door = inside(left + 0.44 * size, left + 0.6 * size, ground - 0.22 * size, ground)
    return mix(picture, roof * 0.5, door)


def photo(height):
    """(height, 4/3 height, 3), 0..1: sky, sun, hills with woods and fields, houses, a pond."""
    draw = np.random.default_rng(11)
    x, y = grid(height, height * 4 // 3)
    pixel = 1.0 / height
    sky = mix(np.broadcast_to(colour(62, 98, 158), (*x.shape, 3)), colour(248, 190, 132), y / 0.55)
    sun = np.hypot(x - 0.98, y - 0.33)
    sky = mix(sky, colour(255, 232, 178), 0.9 * np.exp(-((sun / 0.13) ** 2)))
    clouds = fractal_noise(draw, x, 3.2 * y, 2.2)
    picture = mix(sky, colour(250, 226, 214), np.clip(1.6 * clouds - 0.15, 0, 0.85) * (1 - y))

    hills = [(0.46, 0.07, 1.7, colour(104, 116, 150)), (0.55, 0.09, 2.3, colour(84, 112, 104)),
             (0.66, 0.08, 1.3, colour(84, 118, 58)), (0.80, 0.06, 1.1, colour(116, 128, 50))]
    for index, (level, swing, frequency, paint) in enumerate(hills):
        ridge = level + swing * smooth_noise(draw, x, np.zeros_like(y) + index, frequency)
        grain = fractal_noise(draw, x, 1.7 * y, 9 + 7 * index)
        body = paint * (1 + 0.35 * grain + 0.5 * (level - y))[..., None]
        picture = mix(picture, body, edge(y - ridge + 0.012 * grain * (index > 0), pixel))
        if index == 2:
            for left, ground, size in ((0.18, 0.73, 0.17), (0.40, 0.76, 0.13), (0.90, 0.74, 0.15)):
                wall = colour(226, 206, 178) * draw.uniform(0.85, 1.05)
                picture = draw_house(picture, x, y, left, ground, size, wall, colour(150, 62, 46),
                                     pixel)
    pond = 1 - ((x - 0.72) / 0.3) ** 2 - ((y - 0.925) / 0.045) ** 2
    water = mix(picture[::-1] * 0.85, colour(92, 122, 160),
                0.4 + 0.2 * smooth_noise(draw, x, 9 * y, 6))
    picture = mix(picture, water, edge(pond, 0.1))
    for _ in range(14):  # bushes on the nearest hill
        cx, cy, radius = draw.uniform(0, 4 / 3), draw.uniform(0.82, 0.99), draw.uniform(0.015, 0.04)
        bush = radius * (1 + 0.5 * smooth_noise(draw, x, y, 40)) - np.hypot(x - cx, 1.2 * (y - cy))
        lit = 0.75 + 0.5 * np.clip((cy - y) / radius, -0.6, 0.8)
        picture = mix(picture, colour(52, 84, 40) * lit[..., None], edge(bush, 2 * pixel))
    return np.clip(picture + draw.normal(0, 0.008, picture.shape), 0, 1)


def whirl_angle(x, y, centres):
    """The direction of a stroke at (x, y): level, but turned around each centre (x, y, reach)."""
    along, down = np.ones_like(x), 0.25 * np.sin(5 * x)
    for cx, cy, reach in centres:
        pull = 4 * np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / reach**2))
        along, down = along - pull * (y - cy) / reach, down + pull * (x - cx) / reach
    return np.arctan2(down, along)


def paint_stroke(picture, x, y, centre, angle, length, thickness, paint, bristles):
    """One stroke, changed in place: opaque in the middle, streaked along its length."""
    height, width, _ = picture.shape
    reach = length + thickness
    x0, x1 = (int(np.clip((centre[0] + s * reach) * height, 0, width)) for s in (-1, 1))
    y0, y1 = (int(np.clip((centre[1] + s * reach) * height, 0, height)) for s in (-1, 1))
    if x0 >= x1 or y0 >= y1:
        return
    part = np.s_[y0:y1, x0:x1]
    dx, dy = x[part] - centre[0], y[part] - centre[1]
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = -dx * np.sin(angle) + dy * np.cos(angle) - 0.35 * along**2 / length
    body = 1 - (along / length) ** 2 - (across / thickness) ** 2
    streak = 1 + 0.16 * np.sin(across / thickness * 7 + bristles) + 0.1 * across / thickness
    picture[part] = mix(picture[part], np.clip(paint * streak[..., None], 0, 1),
                        0.92 * np.clip(3 * body, 0, 1))


def painting(height):
    """(height, 5/4 height, 3), 0..1: layers of ever smaller strokes along whirls."""
    draw = np.random.default_rng(23)
    x, y = grid(height, height * 5 // 4)
    centres = ((0.42, 0.38, 0.2), (0.92, 0.55, 0.26), (0.25, 0.8, 0.16), (1.05, 0.14, 0.1))
    darks = [colour(*c) for c in ((22, 34, 84), (34, 62, 128), (24, 72, 98), (56, 92, 150))]
    lights = [colour(*c)
              for c in ((240, 200, 70), (226, 156, 40), (246, 230, 150), (140, 178, 190))]
    picture = np.broadcast_to(darks[0], (*x.shape, 3)).copy()
    layers = ((500, 0.11, 0.022), (1300, 0.065, 0.012), (1700, 0.042, 0.007))
    for count, length, thickness in layers:
        for _ in range(count):
            cx, cy = draw.uniform(0, 1.25), draw.uniform(0, 1)
            glow = max(np.exp(-((cx - a) ** 2 + (cy - b) ** 2) / (0.45 * r) ** 2)
                       for a, b, r in centres)
            ring = 0.35 * max(np.exp(-((np.hypot(cx - a, cy - b) - 0.8 * r) / 0.03) ** 2)
                              for a, b, r in centres)
            paints = lights if draw.uniform() < 0.06 + 0.85 * glow + ring else darks
            paint = paints[draw.integers(len(paints))] * draw.uniform(0.8, 1.15)
            angle = float(whirl_angle(np.array(cx), np.array(cy), centres)) + draw.normal(0, 0.12)
            paint_stroke(picture, x, y, (cx, cy), angle, length * draw.uniform(0.6, 1.2), thickness,
                         paint, draw.uniform(0, 6))
    return np.clip(picture + draw.normal(0, 0.012, picture.shape), 0, 1)


def halved(picture, height):
    """A picture of twice the height, taken down by means of 2 x 2."""
    rows, columns = height, picture.shape[1] // 2
    return picture[:2 * rows, :2 * columns].reshape(rows, 2, columns, 2, 3).mean(axis=(1, 3))


def write_pictures(folder, height):
    """Writes photo.png, `height` pixels high, and painting.png, somewhat smaller. Returns their
    paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make, rows in (("photo", photo, height), ("painting", painting, height * 7 // 8)):
        paths.append(folder / f"{name}.png")
        Image.fromarray(images.bytes_of(halved(make(2 * rows), rows))).save(paths[-1])
    return paths
