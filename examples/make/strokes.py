"""Paint laid on in strokes: bristles, thickness, and the light that falls across the relief."""

import numpy as np

from noise import Noise, blur, sample

BRISTLES = Noise(71)


def outline(points, half_widths):
    """The polygon of a stroke along points that is so wide at each of them."""
    points = np.asarray(points, np.float64)
    along = np.gradient(points, axis=0)
    along /= np.hypot(along[:, 0], along[:, 1])[:, None] + 1e-9
    side = np.stack([-along[:, 1], along[:, 0]], 1) * np.asarray(half_widths)[:, None]
    return np.concatenate([points + side, (points - side)[::-1]])


class Canvas:
    """A picture in progress: colour (height x width x 3, 0..1) and the paint's thickness."""

    def __init__(self, colour_field, thickness=0.0):
        self.colour = np.array(colour_field, np.float32)
        self.thickness = np.full(self.colour.shape[:2], thickness, np.float32)

    def stroke(self, x, y, angle, length, width, paint, bend=0.0, load=1.0, cover=0.95, seed=0,
               streaks=0.10):
        """One stroke centred at pixel x, y. `bend` is how far it curves, in lengths; `load` how
        thick the paint is; `streaks` how much the bristles' colours differ."""
        reach = 0.5 * length + width
        rows, columns = self.thickness.shape
        left, right = max(0, int(x - reach)), min(columns, int(x + reach) + 2)
        top, bottom = max(0, int(y - reach)), min(rows, int(y + reach) + 2)
        if left >= right or top >= bottom:
            return
        dx = np.arange(left, right, dtype=np.float32)[None, :] - x
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] - y
        cosine, sine = np.cos(angle), np.sin(angle)
        u = (dx * cosine + dy * sine) / (0.5 * length)
        v = (dy * cosine - dx * sine - bend * length * (u * u - 0.33)) / (0.5 * width)
        inside = (np.abs(u) < 1.25) & (np.abs(v) < 1.2)
        if not inside.any():
            return
        hair = BRISTLES.smooth(v * 3.4 + seed * 7.31, u * 0.55 + seed * 3.7)
        fine = BRISTLES.smooth(v * 8 + seed * 5.1, u * 0.9 + seed * 1.9)
        # The brush lifts off raggedly: every bristle ends where it will.
        ends = np.clip((1 - np.abs(u) + 0.22 * hair) * length / (0.35 * width + 2), 0, 1)
        sides = np.clip((1 - np.abs(v) + 0.10 * hair) * width * 0.35, 0, 1)
        alpha = cover * ends * sides * np.clip(0.95 + 0.5 * hair + 0.2 * fine, 0, 1)
        ridge = np.exp(-((np.abs(v) - 0.8) / 0.2) ** 2) * 0.5 + 0.45 + 0.4 * hair + 0.3 * fine
        here = (slice(top, bottom), slice(left, right))
        tone = paint[None, None, :] * (1 + streaks * (hair + 0.6 * fine))[..., None]
        self.colour[here] += (tone - self.colour[here]) * alpha[..., None]
        self.thickness[here] += (0.35 * self.thickness[here] + load * ridge
                                 - self.thickness[here]) * alpha

    def lit(self, relief=1.0, shine=0.12):
        """The canvas in a raking light from the upper left; relief scales the shadows."""
        rows, columns = self.thickness.shape
        height = self.thickness + weave(rows, columns)
        slope_y, slope_x = np.gradient(height)
        facing = -(slope_x + slope_y) * relief
        sheen = np.clip(facing - 0.25, 0, 1) ** 1.5
        light = 1 + 0.55 * np.tanh(facing)
        soft = blur(self.thickness, 4)
        light *= 1 + 0.10 * np.clip(self.thickness - soft, -1, 1)
        return np.clip(self.colour * light[..., None] + shine * sheen[..., None], 0, 1)


def weave(rows, columns):
    """The relief of a linen canvas."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    slack = BRISTLES.fractal(x / 60, y / 60, 3) * 2
    return 0.05 * (np.sin(x * 2.1 + slack) + np.sin(y * 2.1 + slack)) + 0.03 * BRISTLES.smooth(
        x / 2, y / 2)


def paint_after(canvas, target, direction, layers, draw, detail=None, jitter=0.05):
    """Covers the canvas with layers of strokes that follow `direction` (angles) and take their
    colours from `target`. A layer is (width, length, spacing, load, share): pixels, and the share
    of the strokes kept; `detail` (0..1) says where the finer layers are wanted."""
    rows, columns = canvas.thickness.shape
    for level, (width, length, spacing, load, share) in enumerate(layers):
        smooth_target = blur(target, max(0.3 * width, 0.6))
        y, x = np.mgrid[0:rows + spacing:spacing, 0:columns + spacing:spacing]
        x = (x + draw.uniform(-0.6, 0.6, x.shape) * spacing).ravel()
        y = (y + draw.uniform(-0.6, 0.6, y.shape) * spacing).ravel()
        order = draw.permutation(x.size)
        x, y = x[order].astype(np.float32), y[order].astype(np.float32)
        wanted = np.full(x.size, share)
        if detail is not None and level:
            wanted = share * (0.35 + 0.65 * sample(detail, x, y))
        kept = draw.random(x.size) < wanted
        x, y = x[kept], y[kept]
        paints = sample(smooth_target, x, y)
        swing = draw.normal(0, 1, (x.size, 3)).astype(np.float32)
        tone = draw.normal(0, 1, (x.size, 1)).astype(np.float32)
        paints = np.clip(paints * (1 + jitter * (0.7 * swing + 1.2 * tone)), 0, 1)
        cosine, sine = np.cos(direction), np.sin(direction)
        angles = np.arctan2(sample(sine, x, y), sample(cosine, x, y))
        # How the direction turns along the stroke gives its bend.
        ahead = 0.5 * length
        turned = np.arctan2(sample(sine, x + ahead * np.cos(angles), y + ahead * np.sin(angles)),
                            sample(cosine, x + ahead * np.cos(angles), y + ahead * np.sin(angles)))
        turn = (turned - angles + np.pi) % (2 * np.pi) - np.pi
        bends = np.clip(0.25 * turn, -0.22, 0.22)
        sizes = draw.uniform(0.7, 1.25, (x.size, 2))
        for k in range(x.size):
            canvas.stroke(x[k], y[k], angles[k] + draw.normal(0, 0.07), length * sizes[k, 0],
                          width * sizes[k, 1], paints[k], bends[k], load, seed=k % 997)
