#!/usr/bin/python3
"""Tests of matching.py, neighbours.py and published.py: the statement must have the properties that
its losses have by definition; sound dumps must pass, a damaged one must fail in its line. They need
no limn and no weights."""

import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch

from kit import trying, vgg
import matching
import neighbours
import published

NNST = """
[neighbours]
weight = 1.0
layers = {layers}
[optimiser]
kind = "adam"
iterations = 1000
learning_rate = 2e-3
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-8
[pyramid]
bands = [1, 1, 1]
[picture]
size = 512
init = "content"
colors = "palette"
[[stages]]
share = 0.8
pyramid.smallest = 64
neighbours.matching = "hypercolumns"
neighbours.distance = "cosine"
neighbours.every = 0
neighbours.turned = true
neighbours.photo = 0.75
[[stages]]
share = 0.2
neighbours.matching = "layers"
neighbours.distance = "centred-cosine"
neighbours.every = 1
neighbours.samples = 64
"""


def drawn(*shape, seed=1):
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.normal(size=shape))


def pixels(count, height, width, seed):
    """Places as limn draws them, (2, n), float."""
    found = np.random.default_rng(seed).permutation(height * width)[:count]
    return torch.from_numpy(np.stack([found // width, found % width]).astype(np.float64))


class Statement(trying.InFolder):
    def test_the_distance_is_zero_to_itself_and_symmetric(self):
        x, s = drawn(7, 40), drawn(7, 30, seed=2)
        self.assertAlmostEqual(float(matching.remd(x, x)), 0, places=12)
        self.assertAlmostEqual(float(matching.remd(x, s)), float(matching.remd(s, x)), places=12)
        d = [[1 - float(a @ b / (a.norm() * b.norm())) for b in s.T] for a in x.T]
        near = np.mean([min(row) for row in d]), np.mean([min(column) for column in zip(*d)])
        self.assertAlmostEqual(float(matching.remd(x, s)), max(near), places=12)

    def test_moments_are_those_of_numpy(self):
        x, s = drawn(5, 40), drawn(5, 30, seed=2) + 1
        means = np.abs(x.numpy().mean(1) - s.numpy().mean(1)).mean()
        spread = np.abs(np.cov(x.numpy(), bias=True) - np.cov(s.numpy(), bias=True)).mean()
        self.assertAlmostEqual(float(matching.moments(x, s)), means + spread, places=12)

    def test_the_palette_knows_no_axes(self):
        """Any orthogonal basis would do: it has lengths and angles only."""
        axes = torch.tensor(matching.COLOUR_AXES, dtype=torch.float64)
        self.assertLess(float((axes @ axes.T - torch.eye(3)).abs().max()), 1e-12)
        x, s = drawn(3, 20).abs(), drawn(3, 30, seed=2).abs()
        self.assertAlmostEqual(float(matching.palette(axes @ x, axes @ s)),
                               float(matching.palette(x, s)), places=12)

    def test_structure_is_zero_at_the_photo_and_knows_no_scale(self):
        x, c = drawn(7, 25), drawn(7, 25, seed=2)
        self.assertEqual(float(matching.structure(c, c)), 0)
        self.assertAlmostEqual(float(matching.structure(3 * x, c)),
                               float(matching.structure(x, 5 * c)), places=12)

    def test_places_between_cells(self):
        f = torch.arange(12.0).reshape(1, 3, 4)
        places = torch.tensor([[0.0, 0.5, 2.5, 1.0], [0.0, 1.5, 3.5, 0.25]])
        self.assertEqual(matching.at_places(f, places).tolist(), [[0.0, 3.5, 11.0, 4.25]])

    def test_a_turned_painting_is_found(self):
        """If searched turned, hypercolumns of the turned painting nearly all match themselves."""
        read = small_reader(matching.NNST_LAYERS)
        painting = drawn(3, 32, 40).abs().clamp(max=1)
        layers = dict.fromkeys(read.layers, 1.0)
        for turned in (False, True):
            system = matching.Hypercolumns(read, painting, layers, turned)
            quarter = torch.rot90(painting, 1, (1, 2))
            search, = system.searches(quarter)
            themselves = (search.matched() - system.columns(quarter)).abs().amax(0) < 1e-12
            self.assertEqual(bool(themselves.double().mean() > 0.9), turned)

    def test_grids(self):
        places = neighbours.grid((7, 10), 3, (2, 1))
        self.assertTrue(neighbours.is_grid(places, (7, 10), 3))
        self.assertTrue(neighbours.is_grid(places.flip(1), (7, 10), 3))
        self.assertFalse(neighbours.is_grid(places, (7, 10), 4))
        self.assertFalse(neighbours.is_grid(places[:, 1:], (7, 10), 3))


def small_reader(layers, dtype=torch.float64):
    network = vgg.vgg_network("vgg16", vgg.random_filters("vgg16", seed=3, width=4, input_unit=64))
    return matching.Reader(network, layers, dtype)


HYPERCOLUMNS = neighbours.nnst(turned=True)
SPLITTING = neighbours.nnst(stage="splitting", samples=12)
STROTSS = neighbours.strotss(0.25, 0.5, 0.5, layer=0.8)


def change(file, new):
    """Changes an array of a dump."""
    return lambda folder, report: np.save(folder / file, new(np.load(folder / file)))


def swap(array):
    """Two places have each other's matches."""
    array[..., 0, [0, -1]] = array[..., 0, [-1, 0]]
    return array


# What is done to a sound dump (folder, report) -> the tables it is of, and the line that must fail.
DAMAGES = {
    "two hypercolumns have swapped matches": (HYPERCOLUMNS, "their cosines", change(
        "matched_0.npy", swap)),
    "a match is no column of the painting": (SPLITTING, "their cosines", change(
        "matched_3.npy", lambda a: a * np.float32(1.01))),
    "a grid begins beyond its first stride": (SPLITTING, "places", change(
        "places_0.npy", lambda a: np.where(a == a.min(), a + 1, a))),
    "the gradient is BGR": (STROTSS, "gradient", change("gradient.npy", lambda a: a[::-1])),
    "the style loss is 0.1 % larger": (STROTSS, "style", lambda d, r: r.update(
        style=r["style"] * 1.001)),
    "a place lies outside": (STROTSS, "places", change(
        "places_1.npy", lambda a: np.where(a == a.max(), a + 1000, a))),
}


class Dumps(trying.InFolder):
    def setUp(self):
        super().setUp()
        self.arrays = [drawn(3, *size, seed=seed).mul(0.2).add(0.5).clamp(0, 1)
                       for seed, size in enumerate(((36, 48), (40, 44), (36, 48)))]

    def sides(self, name):
        """Rows and columns of the layer in the picture and in the painting."""
        times = 2 ** (int(name[4]) - 1)
        return [tuple(side // times for side in self.arrays[i].shape[1:]) for i in (2, 1)]

    def save(self, name, places):
        np.save(self.folder / f"{name}.npy", places.numpy().astype("<f4")[:, None])

    def draw(self, tables):
        if "transport" in tables:
            self.save("places_0", pixels(100, 36, 48, seed=1))
            self.save("painting_places_0", pixels(150, 40, 44, seed=2))
            self.save("places_1", pixels(90, 36, 48, seed=3))
            return
        table = tables["neighbours"]
        for i, name in enumerate(table["layers"] if table["samples"] else ()):
            for size, file in zip(self.sides(name), ("places", "painting_places")):
                if max(size) > table["samples"]:
                    self.save(f"{file}_{i}", neighbours.grid(size, max(size) // table["samples"],
                                                             (0, 0)))

    def dumped(self, tables):
        """What dump_evaluation would write, had limn computed this in single precision."""
        self.draw(tables)
        single = [array.float() for array in self.arrays]
        read = small_reader(neighbours.layers_of(tables), torch.float32)
        system, _ = neighbours.system_of(tables, read, single, self.folder)
        matched = [search.matched() for search in system.searches(single[2])]
        for i, columns in enumerate(matched):
            np.save(self.folder / f"matched_{i}.npy", columns.numpy()[:, None])
        found = matching.evaluate(system, single[2], matched)
        np.save(self.folder / "gradient.npy", found.gradient)
        return dict(found.losses)

    def failed(self, tables, report):
        read = small_reader(neighbours.layers_of(tables))
        lines, _ = neighbours.compare_dump(tables, read, self.arrays, self.folder, report)
        return [line.name for line in lines if not line.passed()]

    def test_sound_dumps_pass(self):
        for tables in (HYPERCOLUMNS, SPLITTING, STROTSS):
            self.assertEqual(self.failed(tables, self.dumped(tables)), [])

    def test_each_damage_is_found_where_it_is(self):
        for story, (tables, line, damage) in DAMAGES.items():
            report = self.dumped(tables)
            damage(self.folder, report)
            self.assertIn(line, self.failed(tables, report), story)


class Settings(trying.InFolder):
    def toml(self):
        layers = ", ".join(f"{name} = 1.0" for name in matching.NNST_LAYERS)
        return NNST.replace("{layers}", "{ " + layers + " }")

    def test_a_recipe_as_published(self):
        self.assertEqual(published.differences("nnst", self.toml()), [])

    def test_what_differs_is_named(self):
        found = published.differences("nnst", self.toml().replace("share = 0.8", "share = 0.6"))
        self.assertEqual([text.split(" is ")[0] for text in found],
                         ["stage 1: steps", "stage 2: steps"])
        self.assertEqual(len(published.differences("strotss", self.toml())), 1)


if __name__ == "__main__":
    trying.main()
