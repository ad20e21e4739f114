"""What a painted picture is worth, in figures that VGG-19 gives.

Of a picture x, its photo p and its painting a, with F the features after a ReLU, [C][M] over M
positions, and G = F F^T / M:

  style      of a layer: sum (G(x) - G(a))^2 / sum (G(p) - G(a))^2, which is 1 for the unpainted
             photo and 0 for the painting itself. The picture's style is the mean over five layers.
  content    sum (F(x) - F(p))^2 / sum (F(n) - F(p))^2 at relu4_2, where n is uniform noise of the
             photo's size: 0 for the photo, about 1 for what has nothing to do with it.
  objective  what the recipe `limn` minimises, content and style weighed as it weighs them, relative
             to the unpainted photo's.
  cast       the difference of the mean colours of picture and painting, root mean square of red,
             green and blue, in steps of 255.
  grain      energy (mean square over pixels and colours) of the finest Laplacian band, the picture
             less itself blurred by the binomial [1 4 6 4 1] / 16, relative to the painting's. Noise
             and checkerboards raise it, blur lowers it.

Photo and painting are resized as limn does it by recipe `limn`: the longest side of each becomes
`size`, the other is rounded down; Lanczos's kernel when shrinking, Catmull and Rom's cubic when
enlarging. That is Pillow here, in steps of 255, and libvips in limn, in floats: the two differ by
a step or so at edges.
"""

import numpy as np
import torch
import torch.nn.functional as F

from kit.vgg import mean_gram
import network
from painting import CONTENT_LAYER, STYLE_LAYERS, STYLE_WEIGHT

NOISE_SEED = 19
# With painting's the objective that the network was trained for: losses are means over C M features
# and over C^2 Gram values.
CONTENT_WEIGHT = 1.0
STYLE_LAYER_WEIGHTS = tuple(STYLE_LAYERS.values())


# -------------------------------------------------------------------------------- pictures --

def noise(height, width):
    """Uniform noise, the same whenever it is asked for."""
    draw = np.random.default_rng(NOISE_SEED)
    return draw.integers(0, 256, (height, width, 3), dtype=np.uint8)


def mean_colour(picture):
    """(3), 0..255."""
    return picture.reshape(-1, 3).mean(axis=0, dtype=np.float64)


def finest_band(picture):
    """(3, H, W) float64: the picture less itself blurred, borders mirrored."""
    x = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float64))[:, None]
    row = torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64) / 16
    blurred = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), torch.outer(row, row)[None, None])
    return (x - blurred)[:, 0]


def grain_energy(picture):
    return float(finest_band(picture).square().mean())


# -------------------------------------------------------------------------------- features --

def features(teacher, picture):
    """(H, W, 3) uint8 RGB -> {tap: (C, H', W')}, in the teacher's precision."""
    x = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32))[None]
    return {tap: found[0] for tap, found in teacher(network.to_input(x)).items()}


def gram(F):
    """(C, H, W) -> (C, C), per position; summed in double precision, since what is compared may be
    nearly equal."""
    return mean_gram(F.double())


def squared_distance(a, b):
    return float((a.double() - b.double()).square().sum())


class Pair:
    """A photo and a painting as the judge knows them: what is measured once for all pictures that
    are painted from them. Both are (H, W, 3) uint8 RGB of working size."""

    def __init__(self, teacher, photo, painting):
        self.teacher, self.shape = teacher, photo.shape
        found = features(teacher, painting)
        self.grams = {layer: gram(found[layer]) for layer in STYLE_LAYERS}
        found = features(teacher, photo)
        self.content = found[CONTENT_LAYER]
        self.photo_style = self._style_losses(found)
        if not all(self.photo_style.values()):
            raise ValueError("the photo has the painting's very style, so that nothing can be "
                             "measured against it")
        self.noise_content = squared_distance(
            features(teacher, noise(*photo.shape[:2]))[CONTENT_LAYER], self.content)
        self.painting_colour, self.painting_grain = mean_colour(painting), grain_energy(painting)

    def _style_losses(self, found):
        """{layer: sum (G - A)^2}"""
        return {layer: squared_distance(gram(found[layer]), self.grams[layer])
                for layer in STYLE_LAYERS}

    def _objective(self, content, style):
        total = CONTENT_WEIGHT * content / self.content.numel()
        for layer, weight in zip(STYLE_LAYERS, STYLE_LAYER_WEIGHTS):
            total += STYLE_WEIGHT * weight * style[layer] / self.grams[layer].numel()
        return total

    def judge(self, picture):
        """All figures of a picture, (H, W, 3) uint8 RGB of the photo's size."""
        if picture.shape != self.shape:
            raise ValueError("a picture should be {} x {} pixels as the photo is, but it is "
                             "{} x {}".format(*self.shape[1::-1], *picture.shape[1::-1]))
        found = features(self.teacher, picture)
        style = self._style_losses(found)
        content = squared_distance(found[CONTENT_LAYER], self.content)
        ratios = {layer: loss / self.photo_style[layer] for layer, loss in style.items()}
        colour = mean_colour(picture) - self.painting_colour
        return {"style": sum(ratios.values()) / len(ratios),
                "content": content / self.noise_content,
                "objective": self._objective(content, style) / self._objective(0, self.photo_style),
                "cast": float(np.sqrt((colour**2).mean())),
                "grain": grain_energy(picture) / max(self.painting_grain, 1e-12),
                "layers": ratios}
