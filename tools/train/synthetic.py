"""Pictures made by programs, for what photographs hold too little of: textures of every spectrum,
plain gradients, hard edges at all scales, and strokes.

Every function takes a numpy Generator and a side in pixels, and returns (side, side, 3) RGB as
float32 in 0..255. The same generator state gives the same picture.
"""

import numpy as np
from PIL import Image, ImageDraw


def palette(draw, count):
    """(count, 3) colours about a common one, from nearly grey to garish."""
    middle = draw.uniform(20, 235, 3)
    return np.clip(middle + draw.normal(0, draw.uniform(10, 110), (count, 3)), 0, 255)


def smooth_field(draw, side, exponent):
    """(side, side) noise whose amplitude falls as frequency^-exponent; mean 0, deviation 1."""
    spectrum = np.fft.rfft2(draw.standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = np.inf  # no mean
    field = np.fft.irfft2(spectrum * frequency**-exponent, (side, side))
    return (field / field.std()).astype(np.float32)


def noise(draw, side):
    """Noise of one spectrum, its three colours correlated by chance."""
    exponent = draw.uniform(0, 2.5)
    fields = np.stack([smooth_field(draw, side, exponent) for _ in range(3)], axis=-1)
    mix = draw.normal(0, 1, (3, 3)) * draw.uniform(5, 60)
    return np.clip(palette(draw, 1)[0] + fields @ mix, 0, 255).astype(np.float32)


def gradient(draw, side):
    """From colour to colour along a line or from a point, smooth or in steps."""
    y, x = np.mgrid[0:side, 0:side] / side
    if draw.random() < 0.5:
        angle = draw.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
    else:
        along = np.hypot(x - draw.uniform(-0.5, 1.5), y - draw.uniform(-0.5, 1.5))
    along = (along - along.min()) / (along.max() - along.min() + 1e-6)
    if draw.random() < 0.3:
        along = np.abs(np.sin(along * np.pi * draw.uniform(1, side / 6)))
    if draw.random() < 0.3:
        steps = draw.integers(2, 9)
        along = np.floor(along * steps) / steps
    colours = palette(draw, draw.integers(2, 5))
    places = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(along, places, colours[:, c]) for c in range(3)],
                    axis=-1).astype(np.float32)


def dead_leaves(draw, side):
    """Shapes that cover each other, sizes by a power law: edges at all scales, as in the world."""
    scale = 2  # drawn larger and reduced, for smooth edges
    colours = palette(draw, 24)
    canvas = Image.new("RGB", (side * scale, side * scale), tuple(colours[0].astype(int)))
    pen = ImageDraw.Draw(canvas)
    count = int(draw.integers(40, 250))
    radii = np.minimum(draw.uniform(1, 6) * draw.uniform(0.02, 1, count)**-0.8, side / 2) * scale
    for radius in radii:
        centre = draw.uniform(-0.1, 1.1, 2) * side * scale
        colour = tuple(colours[draw.integers(len(colours))].astype(int))
        kind = draw.integers(3)
        if kind == 0:
            flat = radius * draw.uniform(0.4, 1)
            pen.ellipse((centre[0] - radius, centre[1] - flat, centre[0] + radius,
                         centre[1] + flat), fill=colour)
        else:
            corners = 3 if kind == 1 else 4
            angles = draw.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners
            pen.polygon([(centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a))
                         for a in angles], fill=colour)
    return np.asarray(canvas.resize((side, side), Image.BOX), dtype=np.float32)


def strokes(draw, side, under=None):
    """Strokes that follow a smooth field, in the colours of the picture under them: (side, side, 3)
    in 0..255, or noise if there is none."""
    if under is None:
        under = noise(draw, side)
    angles = smooth_field(draw, side, 2.5) * draw.uniform(0.3, 2.5) + draw.uniform(0, np.pi)
    canvas = Image.fromarray(np.clip(under, 0, 255).astype(np.uint8)).resize((2 * side, 2 * side))
    pen = ImageDraw.Draw(canvas)
    width = draw.uniform(1, 7)  # pixels of the result
    length = width * draw.uniform(2, 7)
    count = int(min(1000, 1.5 * side * side / (width * length)))
    jitter = draw.uniform(0, 30)
    at = draw.uniform(0, side, (count, 2))  # (x, y) of every stroke's end so far
    colours = under[at[:, 1].astype(int), at[:, 0].astype(int)]
    colours = np.clip(colours + draw.normal(0, jitter, (count, 3)), 0, 255).astype(int).tolist()
    points = [at]
    for _ in range(4):
        x, y = np.clip(at, 0, side - 1).astype(int).T
        angle = angles[y, x]
        at = at + np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (length / 4)
        points.append(at)
    paths = (2 * np.stack(points, axis=1)).reshape(count, -1).tolist()
    for path, colour in zip(paths, colours):
        pen.line(path, fill=tuple(colour), width=max(1, round(2 * width)), joint="curve")
    return np.asarray(canvas.resize((side, side), Image.BOX), dtype=np.float32)


KINDS = (noise, gradient, dead_leaves, strokes)


def synthetic(draw, side):
    """One of the kinds, all equally likely."""
    return KINDS[draw.integers(len(KINDS))](draw, side)
