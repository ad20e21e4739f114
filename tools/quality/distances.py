"""Distances that no recipe of limn minimises, to judge its pictures by.

Of a picture x, its photo p and its painting a, with VGG-19's features after a ReLU, C channels over
M positions:

  sliced     between the features of x and a, as sets of M points: sliced Wasserstein distance
             (Heitz and others, arXiv 2006.07229), the mean over directions of the mean square
             difference of sorted projections; relative to that of p and a, and averaged over four
             layers: 1 for the unpainted photo, 0 for the painting itself. Gram matrices are the
             second moments of the same sets; this sees all of them.
  structure  between the self-similarities of x and p (Kolkin and others, arXiv 1904.12785): cosine
             distances of all pairs of positions at relu4_1, each column divided by its sum, M times
             the mean of the absolute differences. It does not see what colours or strokes things
             have, only which places are alike. Compare it between pictures of one size only.
  palette    the sliced Wasserstein distance of x's and a's colours, its root, in steps of 255.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

import network

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
STRUCTURE_LAYER = "relu4_1"
STRUCTURE_SIDE = 32  # cells on the longer side, at most
DIRECTIONS = 128
QUANTILES = 4096
SEED = 23


def directions(channels):
    """(channels, DIRECTIONS) of unit length, the same whenever they are asked for."""
    draw = np.random.default_rng(SEED).standard_normal((channels, min(DIRECTIONS, 8 * channels)))
    return torch.from_numpy((draw / np.linalg.norm(draw, axis=0)).astype(np.float32))


def quantiles(points):
    """(C, M) -> (directions, QUANTILES): the sorted projections, sampled evenly."""
    ordered = (directions(len(points)).T @ points).sort(dim=1).values
    return F.interpolate(ordered[None], size=QUANTILES, mode="linear", align_corners=True)[0]


def sliced_distance(a, b):
    """Of two results of quantiles()."""
    return float((a - b).square().mean())


def self_similarity(feature_map):
    """(C, H, W) -> (M, M), every column with sum 1."""
    longest = max(feature_map.shape[1:])
    if longest > STRUCTURE_SIDE:
        size = [max(1, round(n * STRUCTURE_SIDE / longest)) for n in feature_map.shape[1:]]
        feature_map = F.interpolate(feature_map[None], size=size, mode="area")[0]
    unit = F.normalize(feature_map.flatten(1), dim=0)
    distances = (1 - unit.T @ unit).clamp(min=0)
    return distances / distances.sum(dim=0, keepdim=True).clamp(min=1e-12)


class Judge:
    """What is measured once for all pictures painted from a photo and a painting, both (H, W, 3)
    uint8 RGB of working size."""

    def __init__(self, teacher, photo, painting):
        self.teacher = teacher
        self.of_painting = self._sets(painting)
        found = self._features(photo)
        self.similarity = self_similarity(found[STRUCTURE_LAYER])
        self.of_photo = {layer: sliced_distance(quantiles(found[layer].flatten(1)), aim)
                         for layer, aim in self.of_painting.items() if layer != "rgb"}

    def judge(self, picture):
        """{figure: value} of a picture of the photo's size."""
        found = self._features(picture)
        ratios = [sliced_distance(quantiles(found[layer].flatten(1)), self.of_painting[layer]) /
                  max(self.of_photo[layer], 1e-12) for layer in LAYERS]
        structure = (self_similarity(found[STRUCTURE_LAYER]) - self.similarity).abs()
        palette = sliced_distance(quantiles(_colours(picture)), self.of_painting["rgb"])
        return {"sliced": sum(ratios) / len(ratios),
                "structure": float(structure.mean()) * len(structure),
                "palette": math.sqrt(palette)}

    def _features(self, picture):
        x = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32))[None]
        return {layer: found[0].float()
                for layer, found in self.teacher(network.to_input(x)).items()}

    def _sets(self, picture):
        found = self._features(picture)
        sets = {layer: quantiles(found[layer].flatten(1)) for layer in LAYERS}
        return sets | {"rgb": quantiles(_colours(picture))}


def _colours(picture):
    return torch.from_numpy(picture.reshape(-1, 3).T.astype(np.float32))
