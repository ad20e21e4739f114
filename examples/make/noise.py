"""Random fields over the plane, the same for the same seed, and small tools on arrays of them.

Coordinates are arrays of any shape; a field has cells one unit wide, so that x * 8 gives eight
times finer detail. All arithmetic is in float32: a picture needs no more and is twice as fast.
"""

import numpy as np

_PERIOD = 256  # cells after which a field repeats; a power of two so that wrapping is a mask


def smoothstep(low, high, value):
    """0 below low, 1 above high, smooth in between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def colour(code):
    """'#rrggbb' as three numbers 0..1, as displayed."""
    return np.array([int(code[i:i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def mix(first, second, share, read=colour):
    """Colours: first where share is 0, second where it is 1; share has no channels. A text is a
    colour's code."""
    first, second = (read(c) if isinstance(c, str) else c for c in (first, second))
    share = np.asarray(share, np.float32)[..., None]
    return first * (1 - share) + second * share


def blur(image, radius):
    """A Gaussian blur in all but name: three box blurs along each of the first two axes."""
    width = int(round(radius * 0.95))
    if width < 1:
        return image
    for axis in (0, 1):
        for _ in range(3):
            pad = [(0, 0)] * image.ndim
            pad[axis] = (width + 1, width)
            total = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float64)
            size = 2 * width + 1
            upper = np.take(total, np.arange(size, total.shape[axis]), axis=axis)
            lower = np.take(total, np.arange(0, total.shape[axis] - size), axis=axis)
            image = ((upper - lower) / size).astype(np.float32)
    return image


def sample(image, x, y):
    """image at pixel coordinates x, y (the centre of the first pixel is 0, 0), bilinear."""
    height, width = image.shape[:2]
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    i, j = y.astype(np.int32), x.astype(np.int32)
    v, u = y - i, x - j
    if image.ndim == 3:
        u, v = u[..., None], v[..., None]
    return ((image[i, j] * (1 - u) + image[i, j + 1] * u) * (1 - v)
            + (image[i + 1, j] * (1 - u) + image[i + 1, j + 1] * u) * v)


def halve(image):
    """Means of 2 x 2 pixels."""
    return 0.25 * (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2])


def grid(width, height):
    """x and y of every pixel's centre in heights of the picture; y runs down from the top."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x + 0.5) / height, (y + 0.5) / height


class Noise:
    """Gradient noise, sums of it, and cells around scattered points."""

    def __init__(self, seed):
        draw = np.random.default_rng(seed)
        angle = draw.uniform(0, 2 * np.pi, _PERIOD * _PERIOD)
        self.gradient_x = np.cos(angle).astype(np.float32)
        self.gradient_y = np.sin(angle).astype(np.float32)
        self.jitter_x = draw.random(_PERIOD * _PERIOD, np.float32)
        self.jitter_y = draw.random(_PERIOD * _PERIOD, np.float32)
        self.random = draw.random(_PERIOD * _PERIOD, np.float32)

    @staticmethod
    def _index(i, j):
        return ((i & (_PERIOD - 1)) * _PERIOD) + (j & (_PERIOD - 1))

    def smooth(self, x, y):
        """About -1..1, smooth, with features one unit wide."""
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        column, row = np.floor(x), np.floor(y)
        u, v = x - column, y - row
        i, j = row.astype(np.int32), column.astype(np.int32)
        corners = []
        for a in (0, 1):
            for b in (0, 1):
                at = self._index(i + a, j + b)
                corners.append(self.gradient_x[at] * (u - b) + self.gradient_y[at] * (v - a))
        fade_u, fade_v = (t * t * t * (t * (t * 6 - 15) + 10) for t in (u, v))
        upper = corners[0] + fade_u * (corners[1] - corners[0])
        lower = corners[2] + fade_u * (corners[3] - corners[2])
        return 1.5 * (upper + fade_v * (lower - upper))

    def fractal(self, x, y, octaves=6, gain=0.5):
        """Smooth noise and ever finer, ever weaker noise on top; about -1..1."""
        total, weight, size = 0.0, 1.0, 0.0
        for octave in range(octaves):
            total = total + weight * self.smooth(x, y)
            size += weight
            weight *= gain
            # Turned between octaves so that the lattices do not line up.
            x, y = 1.62 * x + 1.22 * y + 17.3, -1.22 * x + 1.62 * y + 5.9
        return total * (1.4 / size)

    def ridged(self, x, y, octaves=6, gain=0.5):
        """Sharp crests, and detail mostly on the crests, as erosion leaves it; 0..1."""
        total, weight, size, carry = 0.0, 1.0, 0.0, 1.0
        for octave in range(octaves):
            crest = (1 - np.abs(self.smooth(x, y))) ** 2
            total = total + weight * crest * carry
            carry = np.clip(crest * 1.3, 0, 1)
            size += weight
            weight *= gain
            x, y = 1.62 * x + 1.22 * y + 17.3, -1.22 * x + 1.62 * y + 5.9
        return total / size

    def cells(self, x, y):
        """Distances to the nearest and the second nearest of scattered points (one in every unit
        square), and a random number 0..1 that belongs to the nearest."""
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        i, j = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
        first = np.full(x.shape, 9, np.float32)
        second, which = first.copy(), np.zeros(x.shape, np.float32)
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                at = self._index(i + a, j + b)
                distance = np.hypot(j + b + self.jitter_x[at] - x, i + a + self.jitter_y[at] - y)
                distance = distance.astype(np.float32)
                nearer = distance < first
                second = np.where(nearer, first, np.minimum(second, distance))
                which = np.where(nearer, self.random[at], which)
                first = np.where(nearer, distance, first)
        return first, second, which
