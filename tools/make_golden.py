#!/usr/bin/python3
"""Writes tests/network/tiny_golden.json: losses and gradients of a tiny network of VGG's shape,
computed by PyTorch in float64, so that limn can be checked against them where PyTorch is absent.

  make_golden.py [--out FILE]

Weights and pictures are not stored: they come from a generator (class Stream) that the C++ test
repeats bit for bit. The equations are those of kit/equations.py.
"""

import json
import math
import pathlib
import textwrap

import numpy as np
import torch

from kit import command, equations, vgg
from kit.errors import relative_error

CONVOLUTIONS = {"1_1": (3, 16), "1_2": (16, 16), "2_1": (16, 32), "3_1": (32, 16)}  # in, out
ROWS = [("conv", "1_1"), ("conv", "1_2"), ("pool", "1"), ("conv", "2_1"), ("pool", "2"),
        ("conv", "3_1")]
WIDTH, HEIGHT = 13, 11  # odd, so that pooling meets a last row and column without a partner
SMALL_WIDTH, SMALL_HEIGHT = 10, 9  # of the painting that has another size than the picture

GENERATOR = [
    "64-bit splitmix64, arithmetic modulo 2^64; the state starts at the seed. A draw: "
    "state += 0x9E3779B97F4A7C15; z = state; z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9; "
    "z = (z ^ (z >> 27)) * 0x94D049BB133111EB; z ^= z >> 31; u = (z >> 40) / 2^24.",
    "Seed 1, one stream in this order. For each convolution, top to bottom: kernel [out][in][3][3] "
    "as (2 u - 1) * sqrt(6 / (9 * in)), then bias [out] as (2 u - 1) * 0.1, each computed in "
    "float64 and rounded to float32 once. Then planes [3][height][width] of u, RGB in 0..1: photo, "
    "painting, picture, painting_small.",
    "Seed 2: direction [3][height][width] of 2 u - 1, for gradient_dot.",
]


class Stream:
    """splitmix64 with draws in [0, 1) that are multiples of 2^-24, hence exact in float32."""

    MASK = (1 << 64) - 1

    def __init__(self, seed):
        self.state = seed

    def draw(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & self.MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & self.MASK
        return ((z ^ (z >> 31)) >> 40) / 2**24

    def array(self, *shape):
        """Draws in row-major order, float64."""
        return np.array([self.draw() for _ in range(math.prod(shape))]).reshape(shape)


def tiny_network_and_pictures():
    """The network, and photo, painting, picture, painting_small as float32 (3, H, W) in 0..1."""
    stream, filters = Stream(1), {}
    for row, (channels, out) in CONVOLUTIONS.items():
        kernel = (2 * stream.array(out, channels, 3, 3) - 1) * math.sqrt(6 / (9 * channels))
        bias = (2 * stream.array(out) - 1) * 0.1
        filters[row] = (kernel.astype(np.float32), bias.astype(np.float32))
    pictures = {name: stream.array(3, HEIGHT, WIDTH).astype(np.float32)
                for name in ("photo", "painting", "picture")}
    pictures["painting_small"] = stream.array(3, SMALL_HEIGHT, SMALL_WIDTH).astype(np.float32)
    return vgg.Network(ROWS, filters, vgg.TORCHVISION), pictures


# --------------------------------------------------------------------------------- the cases --

def case(name, pooling, content, style, variation, space="rgb", painting="painting", full=False):
    """content is (form, layers), style (gram, form, layers), variation a form; None leaves a term
    out, with weight 0. A weight of None is chosen later, see balanced()."""
    content_form, content_layers = content or ("mean", {"relu3_1": 1.0})
    gram, style_form, style_layers = style or ("raw", "mean", {"relu1_1": 1.0})
    weight = lambda term: None if term else 0.0
    return {"name": name, "painting": painting, "full": full, "recipe": {
        "network": {"name": "tiny", "pooling": pooling},
        "content": {"weight": weight(content), "layers": content_layers, "form": content_form},
        "style": {"weight": weight(style), "layers": style_layers, "gram": gram,
                  "form": style_form},
        "total_variation": {"weight": weight(variation), "form": variation or "squared"},
        "optimiser": {"space": space}}}


# Every style form with every gram form, and every other form and both spaces with both poolings.
CASES = [
    case("max pooling, one term each", "max", ("mean", {"conv3_1": 1.0}),
         ("per-position", "mean", {"relu1_1": 0.2, "conv2_1": 0.3, "relu3_1": 0.5}), "squared",
         full=True),
    case("average pooling in network units", "average", ("sum", {"relu2_1": 1.0}),
         ("raw", "paper", {"conv1_1": 0.5, "pool2": 0.5}), "absolute", "network", full=True),
    case("content at a pooling", "max", ("half-sum", {"pool1": 1.0}),
         ("raw", "paper-times-4", {"relu1_2": 0.4, "relu3_1": 0.6}), "power", "network"),
    case("one layer in both losses", "average", ("root", {"pool1": 0.3, "conv3_1": 0.7}),
         ("raw", "image", {"relu1_1": 0.5, "conv3_1": 0.5}), "power"),
    case("style at a pooling", "max", ("root", {"relu3_1": 1.0}),
         ("raw", "mean", {"pool1": 0.5, "relu2_1": 0.5}), "absolute"),
    case("content before the ReLU", "average", ("mean", {"conv1_2": 1.0}),
         ("per-position", "paper", {"relu1_1": 0.2, "conv2_1": 0.3, "relu3_1": 0.5}), "squared",
         "network"),
    case("two content layers", "max", ("sum", {"conv1_1": 0.25, "pool2": 1.0}),
         ("per-position", "paper-times-4", {"conv1_2": 0.5, "pool2": 0.5}), "absolute", "network"),
    case("a layer before and after its ReLU", "average", ("half-sum", {"relu1_1": 1.0}),
         ("per-position", "image", {"conv2_1": 0.5, "relu2_1": 0.5}), "squared"),
    case("content only", "max", ("mean", {"relu2_1": 0.5, "conv3_1": 1.0}), None, None),
    case("style only, painting of another size", "average", None,
         ("per-position", "mean", {"relu1_1": 0.3, "pool1": 0.3, "relu3_1": 0.4}), None,
         painting="painting_small"),
    case("style only, raw, painting of another size", "max", None,
         ("raw", "paper", {"relu1_1": 0.3, "relu2_1": 0.3, "relu3_1": 0.4}), None,
         painting="painting_small"),
    case("variation only", "max", None, None, "power", "network"),
    case("variation only, absolute", "max", None, None, "absolute"),
    case("nothing", "max", None, None, None),
]


def evaluate(network, pictures, recipe, painting, dtype=torch.float64):
    return equations.evaluate(network, pictures["photo"], pictures[painting], pictures["picture"],
                              recipe, dtype)


def balanced(network, pictures, recipe, painting):
    """The recipe with each open weight set to the power of ten that brings its term's gradient norm
    nearest to 1, so that a mistake in any term shows in the whole gradient."""
    settled = {key: dict(table) for key, table in recipe.items()}
    for term in equations.TERMS:
        if recipe[term]["weight"] is None:
            alone = equations.only(recipe, term, weight=1.0)
            norm = np.linalg.norm(evaluate(network, pictures, alone, painting).gradient)
            settled[term]["weight"] = 10.0 ** -round(math.log10(norm))
    return settled


def worked_case(network, pictures, direction, case):
    """The case's entry of the JSON file, and the relative error of PyTorch's float32 gradient."""
    recipe = balanced(network, pictures, case["recipe"], case["painting"])
    exact = evaluate(network, pictures, recipe, case["painting"])
    single = evaluate(network, pictures, recipe, case["painting"], torch.float32)
    entry = {"name": case["name"], "recipe": recipe, "painting": case["painting"], **exact.losses,
             "gradient_norm": np.linalg.norm(exact.gradient),
             "gradient_dot": np.sum(exact.gradient * direction)}
    if case["full"]:
        entry["gradient"] = exact.gradient.ravel().tolist()
    return entry, relative_error(single.gradient, exact.gradient)


# ------------------------------------------------------------------------- features, margins --

def feature_entries(network, picture, pooling):
    """Shape (C, H, W), sum and L2 norm of the picture's features, by layer."""
    found = network.features(torch.from_numpy(picture).double(), pooling)
    return {name: {"shape": list(f.shape), "sum": float(f.sum()), "norm": float(f.norm())}
            for name, f in found.items()}


def margins(network, pictures):
    """How far the nearest value stands from where float32 could take another branch: the least
    |conv| before a ReLU, and the least lead of a positive maximum over the runner-up in its 2x2."""
    relu, lead = math.inf, math.inf
    for picture in pictures.values():
        for pooling in ("max", "average"):
            f = network.features(torch.from_numpy(picture).double(), pooling)
            relu = min(relu, *(float(a.abs().min()) for n, a in f.items() if n.startswith("conv")))
            for name in ("relu1_2", "relu2_1") if pooling == "max" else ():
                cells = f[name].unfold(1, 2, 2).unfold(2, 2, 2).reshape(-1, 4).sort().values
                cells = cells[cells[:, 3] > 0]
                lead = min(lead, float((cells[:, 3] - cells[:, 2]).min()))
    return relu, lead


# ------------------------------------------------------------------------------- the writing --

def rounded(item):
    """Every float in the JSON value `item` with 9 significant digits."""
    if isinstance(item, dict):
        return {key: rounded(value) for key, value in item.items()}
    if isinstance(item, list):
        return [rounded(value) for value in item]
    return float(f"{item:.9g}") if isinstance(item, float) else item


def laid_out(item, indent=0):
    """`item` as JSON: what fits in 100 columns on one line, lists of numbers filled like text."""
    text, pad = json.dumps(item), " " * (indent + 1)
    if len(text) + indent <= 100 or not isinstance(item, (dict, list)):
        return text
    if isinstance(item, list) and all(isinstance(value, float) for value in item):
        return "[\n" + textwrap.fill(text[1:-1], 100, initial_indent=pad, subsequent_indent=pad,
                                     break_long_words=False, break_on_hyphens=False) + "]"
    parts = ([f"{json.dumps(key)}: {laid_out(value, indent + 1)}" for key, value in item.items()]
             if isinstance(item, dict) else [laid_out(value, indent + 1) for value in item])
    first, last = "{}" if isinstance(item, dict) else "[]"
    return first + "\n" + ",\n".join(pad + part for part in parts) + last


def golden(network, pictures):
    """The whole file as a JSON value."""
    direction = 2 * Stream(2).array(3, HEIGHT, WIDTH) - 1
    first, spots = Stream(1), network.filters
    document = {
        "made_by": "tools/make_golden.py with PyTorch in float64; do not edit",
        "rows": [{"kind": kind, "id": row, **({} if kind == "pool" else
                  dict(zip(("in", "out"), CONVOLUTIONS[row])))} for kind, row in ROWS],
        "generator": GENERATOR,
        "input_convention": "torchvision",
        "width": WIDTH, "height": HEIGHT,
        "painting_small": {"width": SMALL_WIDTH, "height": SMALL_HEIGHT},
        "spots": {  # values to check a repetition of the generator by
            "first_draws": [first.draw() for _ in range(4)],
            "first_kernel": float(spots["1_1"][0].flat[0]),
            "last_bias": float(spots["3_1"][1][-1]),
            "first_photo": float(pictures["photo"].flat[0]),
            "last_picture": float(pictures["picture"].flat[-1]),
            "last_painting_small": float(pictures["painting_small"].flat[-1]),
            "first_direction": float(direction.flat[0]),
            "direction_norm": float(np.linalg.norm(direction))},
        "features": {pooling: feature_entries(network, pictures["picture"], pooling)
                     for pooling in ("max", "average")},
        "cases": []}
    for case in CASES:
        entry, single_error = worked_case(network, pictures, direction, case)
        document["cases"].append(entry)
        print(f"{case['name']:42} gradient norm {entry['gradient_norm']:8.4f}, "
              f"in float32 wrong by {single_error:.1e}")
    return document


def main():
    parser = command.parser(__doc__)
    parser.add_argument("--out", type=pathlib.Path,
                        default=command.PROJECT / "tests" / "network" / "tiny_golden.json")
    out = parser.parse_args().out
    network, pictures = tiny_network_and_pictures()
    text = laid_out(rounded(golden(network, pictures))) + "\n"
    json.loads(text)
    out.write_text(text)
    print(f"least |conv| before a ReLU %.1e, least lead of a maximum %.1e"
          % margins(network, pictures))
    print(f"{out}: {len(text)} bytes")


if __name__ == "__main__":
    main()
