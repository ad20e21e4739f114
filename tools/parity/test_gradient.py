#!/usr/bin/python3
"""Tests of gradient.py against fake dumps: sound ones must pass, a damaged one must fail in its
line and no other. They need no limn and no weights."""

import pathlib
import sys
import tomllib

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import equations, trying, vgg
import gradient

FORMS = (("max", "mean", "per-position", "mean", "squared", "rgb", 0.0),
         ("average", "root", "raw", "paper", "absolute", "rgb", 1e-3),
         ("max", "sum", "raw", "image", "power", "network", 1e-3),
         ("average", "half-sum", "raw", "paper-times-4", "squared", "network", 1e-3))


def recipe(pooling, content, gram, style, variation, space, weight):
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    return {"network": {"name": "vgg19", "pooling": pooling},
            "content": {"weight": 1.0, "layers": {"conv4_2": 1.0}, "form": content},
            "style": {"weight": 10.0, "layers": layers, "gram": gram, "form": style},
            "total_variation": {"weight": weight, "form": variation},
            "optimiser": {"space": space}}


def change(file, new):
    """Changes an array of a dump."""
    return lambda folder, report: np.save(folder / file, new(np.load(folder / file)))


def spoil(array):
    array[0, 0, 5] = np.nan
    return array


# What is done to a sound dump (folder, report) -> the one line of the table that must then fail.
DAMAGES = {
    "one channel of conv2_1 is 2 % larger": ("conv2_1", change(
        "features_conv2_1.npy", lambda a: np.concatenate([a[:1] * np.float32(1.02), a[1:]]))),
    "relu3_1 is not rectified": ("relu3_1", lambda d, r: np.save(
        d / "features_relu3_1.npy", np.load(d / "features_conv3_1.npy"))),
    "pool2 lacks a row": ("pool2", change("features_pool2.npy", lambda a: a[:, :-1])),
    "pool5 is not written": ("pool5", lambda d, r: (d / "features_pool5.npy").unlink()),
    "the content loss is 0.1 % larger": ("content", lambda d, r: r.update(
        content=r["content"] * 1.001)),
    "the switched-off variation is 1e-12": ("total variation", lambda d, r: r.update(
        total_variation=1e-12)),
    "the total is missing": ("total", lambda d, r: r.pop("total")),
    "width is one more": ("width", lambda d, r: r.update(width=r["width"] + 1)),
    "the gradient's norm is 1 % larger": ("gradient norm", lambda d, r: r.update(
        gradient_norm=r["gradient_norm"] * 1.01)),
    "the gradient is BGR": ("gradient", change("gradient.npy", lambda a: a[::-1])),
    "the gradient holds a NaN": ("gradient", change("gradient.npy", spoil)),
}


class Gradient(trying.InFolder):
    def setUp(self):
        super().setUp()
        soft = lambda seed: Image.fromarray(np.random.default_rng(seed).integers(
            0, 256, (9, 12, 3), dtype=np.uint8)).resize((96, 80), Image.BICUBIC)
        self.arrays = gradient.write_pictures(soft(1), soft(2), (40, 33), self.folder)
        self.network = vgg.vgg_network("vgg19", vgg.random_filters("vgg19", seed=3))

    def evaluations(self, chosen):
        return [equations.evaluate(self.network, *self.arrays, chosen, dtype)
                for dtype in (torch.float64, torch.float32)]

    def dumped(self, evaluation):
        """What dump_evaluation would write, had limn computed this."""
        for name, array in evaluation.features.items():
            np.save(self.folder / f"features_{name}.npy", array)
        np.save(self.folder / "gradient.npy", evaluation.gradient)
        _, height, width = evaluation.gradient.shape
        norm = float(np.linalg.norm(evaluation.gradient.astype(np.float64)))
        return {**evaluation.losses, "gradient_norm": norm, "width": width, "height": height}

    def failed(self, report, evaluations):
        return [line.name for line in gradient.compare(self.folder, report, *evaluations)
                if not line.passed()]

    def test_sound_dumps_pass(self):
        for forms in FORMS:
            evaluations = self.evaluations(recipe(*forms))
            self.assertEqual(self.failed(self.dumped(evaluations[1]), evaluations), [], forms)

    def test_each_damage_is_found_where_it_is(self):
        evaluations = self.evaluations(recipe(*FORMS[0]))
        for story, (line, damage) in DAMAGES.items():
            report = self.dumped(evaluations[1])
            damage(self.folder, report)
            self.assertEqual(self.failed(report, evaluations), [line], story)

    def test_a_recipe_reads_back_from_toml(self):
        written = recipe(*FORMS[1])
        self.assertEqual(tomllib.loads(gradient.recipe_toml(written)), written)


if __name__ == "__main__":
    trying.main()
