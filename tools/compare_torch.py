#!/usr/bin/python3
"""Compares limn's features, losses and gradient with the same quantities computed by PyTorch.

  compare_torch.py --limn-dump build/dump_evaluation --weights vgg19.h5 \\
      --photo photo.jpg --painting painting.jpg --recipe keras --recipe my.toml
  compare_torch.py --limn-dump build/dump_evaluation --weights builtin --photo ... --painting ...
  compare_torch.py --self-test

Weights are VGG's as Keras publishes them, or those of a network that imitates VGG-19: a .safetensors
of that kind, or "builtin" for the one inside limn (models/builtin.safetensors). Its features are
compared as they are; its losses are stated of its features taken to VGG-19's by the file's maps.

Nothing here reads limn's code or calls its library. The equations are written out below a second
time, from include/limn/limn.h, and PyTorch's autograd differentiates them. Every number is computed
twice: in float64, which is the reference, and in float32, which shows how much of limn's distance
from the reference is merely float32.

Exit status: 0 all within their limits, 1 some line is not, 77 something needed is not here (ctest
shows that as "skipped"); 2 bad usage.
"""

import argparse
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image
    MISSING = None
except ImportError as error:
    MISSING = f"the Python module {error.name} is not installed"

# Relative L2 error allowed. Float32 rounding through 16 convolutions costs a few 1e-6 in features.
# In the gradient a value within rounding of zero may pass the ReLU on one side only, or two nearly
# equal values may swap as the maximum, and each such cell is wrong as a whole: hence the gap.
VALUE_LIMIT = 1e-4
GRADIENT_LIMIT = 5e-3

SKIPPED = 77
BUILTIN = pathlib.Path(__file__).resolve().parent.parent / "models" / "builtin.safetensors"
TERMS = ("content", "style", "total_variation")


# ------------------------------------------------------------------------------- the network --

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions between poolings


@dataclass
class Convention:
    """Network input channel c is (scale * RGB[order[c]] - mean[c]) / deviation[c], RGB in 0..1."""
    order: tuple
    scale: float
    mean: tuple
    deviation: tuple


CAFFE = Convention((2, 1, 0), 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
TORCHVISION = Convention((0, 1, 2), 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass
class Network:
    """rows: ("conv" | "pool", id) from top to bottom. filters: conv id -> (kernel, bias), float32
    arrays of shape (out, in, 3, 3) and (out,). taps, of a network that imitates another: layer of
    that one's -> Tap."""
    rows: list
    filters: dict
    convention: Convention
    taps: dict = field(default_factory=dict)


@dataclass
class Tap:
    """R (C_s, C_s) takes the features of `layer` to such that stand for another network's, which
    has so many channels: squared distances of R F and of their Gram matrices are that one's."""
    layer: str
    R: object
    channels: int


def vgg_rows(name):
    """Rows of VGG-16 or VGG-19: ("conv", "1_1"), ("conv", "1_2"), ("pool", "1"), ..."""
    rows = []
    for block, convolutions in enumerate(BLOCKS[name], start=1):
        rows += [("conv", f"{block}_{i}") for i in range(1, convolutions + 1)]
        rows.append(("pool", f"{block}"))
    return rows


def read_keras_filters(path):
    """The 3x3 filters in a Keras .h5, as Network.filters. Keras's kernels are (ky, kx, in, out)."""
    import h5py
    kernels, biases = {}, {}

    def visit(name, item):
        found = re.search(r"block(\d)_conv(\d)", name)
        if found and isinstance(item, h5py.Dataset):
            target = kernels if item.ndim == 4 else biases
            target[f"{found[1]}_{found[2]}"] = np.asarray(item, dtype=np.float32)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return {conv: (np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), biases[conv])
            for conv, kernel in kernels.items()}


def random_filters(name, seed):
    """Filters of VGG's shapes for the self-test: uniform, of variance 2 / (9 in), so that features
    neither fade nor grow with depth."""
    draw = np.random.default_rng(seed)
    filters, channels = {}, 3
    for kind, row in vgg_rows(name):
        if kind == "conv":
            out = min(512, 64 << (int(row[0]) - 1))
            limit = math.sqrt(6 / (9 * channels))
            filters[row] = (draw.uniform(-limit, limit, (out, channels, 3, 3)).astype(np.float32),
                            draw.uniform(-0.1, 0.1, out).astype(np.float32))
            channels = out
    return filters


def keras_network(name, filters):
    """The network of that name, ending where the filters end. The filters must be all those of the
    upper rows and no others."""
    rows = vgg_rows(name)
    convolutions = [row for kind, row in rows if kind == "conv"]
    if not filters or set(convolutions[:len(filters)]) != set(filters):
        raise SystemExit(f"the weights hold convolutions {sorted(filters)}, not those of {name}")
    while rows[-1][0] == "conv" and rows[-1][1] not in filters or \
            rows[-1][0] == "pool" and convolutions[-1] not in filters:
        if rows.pop()[0] == "conv":
            convolutions.pop()
    return Network(rows, filters, CAFFE)


def read_safetensors(path):
    """({name: float32 array}, metadata)."""
    content = pathlib.Path(path).read_bytes()
    length, = struct.unpack_from("<Q", content)
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    metadata = header.pop("__metadata__", {})
    types = {"F32": np.float32, "F16": np.float16}
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]])
            .reshape(entry["shape"]).astype(np.float32) for name, entry in header.items()}, metadata


def read_student(path):
    """The network that imitates another, of a .safetensors file."""
    tensors, metadata = read_safetensors(path)
    numbers = lambda key: tuple(map(float, metadata[key].split()))
    pairs = lambda key: dict(pair.split("=") for pair in metadata[key].split())
    rows = []
    for level, widths in enumerate(metadata["widths"].split("/"), start=1):
        rows += [("pool", f"{level - 1}")] if rows else []
        rows += [("conv", f"{level}_{i}") for i, _ in enumerate(widths.split(","), start=1)]
    while f"conv{rows[-1][1]}.weight" not in tensors:
        rows.pop()
    filters = {row: (tensors[f"conv{row}.weight"], tensors[f"conv{row}.bias"])
               for kind, row in rows if kind == "conv"}
    order = {"bgr": (2, 1, 0), "rgb": (0, 1, 2)}[metadata["channel_order"]]
    convention = Convention(order, *numbers("scale"), numbers("mean"), numbers("deviation"))
    channels = pairs("teacher_channels")
    taps = {tap: Tap("relu" + place, tensors[f"tap.{tap}"], int(channels[tap]))
            for tap, place in pairs("taps").items()}
    return Network(rows, filters, convention, taps)


def is_student(weights):
    return weights == "builtin" or pathlib.Path(weights).suffix == ".safetensors"


def to_network_units(rgb, convention):
    """(3, H, W) RGB in 0..1 -> (3, H, W) as the network reads it."""
    column = lambda values: torch.tensor(values, dtype=rgb.dtype).reshape(3, 1, 1)
    ordered = rgb[list(convention.order)]
    return (convention.scale * ordered - column(convention.mean)) / column(convention.deviation)


def pooled(x, pooling):
    """2x2 pooling with stride 2 of (C, H, W). An odd last row or column is dropped by max pooling;
    average pooling keeps it and divides by the number of cells that exist."""
    if pooling == "max":
        return F.max_pool2d(x[None], 2)[0]
    return F.avg_pool2d(x[None], 2, ceil_mode=True, count_include_pad=False)[0]


def features(network, rgb, pooling):
    """All features of (3, H, W) RGB in 0..1, by name: {"conv1_1": (C, H, W), "relu1_1": ...}. Of a
    network that imitates another, those at its taps, by the other's names."""
    x = to_network_units(rgb, network.convention)
    found = {}
    for kind, row in network.rows:
        if kind == "pool":
            x = found["pool" + row] = pooled(x, pooling)
        else:
            kernel, bias = (torch.from_numpy(part).to(x.dtype) for part in network.filters[row])
            found["conv" + row] = F.conv2d(x[None], kernel, bias, padding=1)[0]
            x = found["relu" + row] = F.relu(found["conv" + row])
    return {tap: found[at.layer] for tap, at in network.taps.items()} or found


def compared(network, found, name):
    """What losses compare of the features at a layer, (C, H, W), and the C that they divide by."""
    f = found[name]
    if not network.taps:
        return f, f.shape[0]
    tap = network.taps[name]
    return torch.einsum("ij,jhw->ihw", torch.from_numpy(tap.R).to(f.dtype), f), tap.channels


# -------------------------------------------------------------------------------- the losses --

def content_loss(f, p, form, channels):
    """sum (F - P)^2 for features f, p of shape (C, H, W), scaled by `form` for so many channels."""
    positions = f.shape[1] * f.shape[2]
    scale = {"sum": 1.0,
             "half-sum": 1 / 2,
             "mean": 1 / (channels * positions),
             "root": 1 / (2 * math.sqrt(channels) * math.sqrt(positions))}[form]
    return scale * ((f - p) ** 2).sum()


def gram(f, form):
    """F F^T of features (C, H, W) seen as C x M; over M for "per-position". Shape (C, C)."""
    flat = f.reshape(f.shape[0], -1)
    return flat @ flat.T / {"raw": 1, "per-position": flat.shape[1]}[form]


def style_loss(f, s, gram_form, form, pixels, channels):
    """sum (G - A)^2 for the picture's features f (C, H, W) and the painting's s (C, H', W'). M
    counts f's positions; `pixels` is the number of pixels of the picture."""
    positions = f.shape[1] * f.shape[2]
    scale = {"mean": 1 / channels**2,
             "paper": 1 / (4 * channels**2 * positions**2),
             "paper-times-4": 1 / (channels**2 * positions**2),
             "image": 1 / (4 * 3**2 * pixels**2)}[form]
    return scale * ((gram(f, gram_form) - gram(s, gram_form)) ** 2).sum()


def total_variation(x, form):
    """Variation of x (3, H, W): right and lower differences, summed over channels."""
    dx, dy = x[:, :, 1:] - x[:, :, :-1], x[:, 1:, :] - x[:, :-1, :]
    if form == "absolute":
        return dx.abs().sum() + dy.abs().sum()
    if form == "squared":
        return ((dx**2).sum() + (dy**2).sum()) / 2
    if form == "power":
        return ((dx[:, :-1, :] ** 2 + dy[:, :, :-1] ** 2) ** 1.25).sum()
    raise KeyError(form)


@dataclass
class Evaluation:
    """losses: TERMS and "total", weighted. gradient: (3, H, W), of the total by the picture in 0..1
    RGB. features: the picture's, by layer. shares: the L2 norm of each term's own gradient over
    that of the total, for terms of nonzero weight; empty unless asked for."""
    losses: dict
    gradient: object
    features: dict
    shares: dict


def gradient_shares(terms, recipe, x):
    """|gradient of term| / |gradient of total| by x, for each term of nonzero weight."""
    norm = lambda term: float(torch.autograd.grad(term, x, retain_graph=True)[0].norm())
    whole = norm(terms["total"])
    return {name: norm(terms[name]) / whole for name in TERMS
            if recipe[name]["weight"] != 0 and whole != 0}


def evaluate(network, photo, painting, picture, recipe, dtype, shares=False):
    """The objective of limn.h for float32 arrays (3, H, W) of RGB in 0..1, computed in `dtype`."""
    photo, painting, x = (torch.from_numpy(array).to(dtype) for array in (photo, painting, picture))
    content, style, variation = (recipe[key] for key in ("content", "style", "total_variation"))
    pooling = recipe["network"]["pooling"]
    with torch.no_grad():
        p, s = features(network, photo, pooling), features(network, painting, pooling)

    x.requires_grad_(True)
    f = features(network, x, pooling)
    pixels = x.shape[1] * x.shape[2]

    def pair(name, others):
        (ours, channels), (theirs, _) = compared(network, f, name), compared(network, others, name)
        return ours, theirs, channels

    def content_of(name):
        ours, theirs, channels = pair(name, p)
        return content_loss(ours, theirs, content["form"], channels)

    def style_of(name):
        ours, theirs, channels = pair(name, s)
        return style_loss(ours, theirs, style["gram"], style["form"], pixels, channels)

    variable = {"rgb": x, "network": to_network_units(x, network.convention)}[
        recipe["optimiser"]["space"]]
    terms = {
        "content": content["weight"] * sum(
            weight * content_of(name)
            for name, weight in content["layers"].items()),
        "style": style["weight"] * sum(
            weight * style_of(name)
            for name, weight in style["layers"].items()),
        "total_variation": variation["weight"] * total_variation(variable, variation["form"])}
    terms["total"] = sum(terms.values())
    return Evaluation(
        losses={name: float(term) for name, term in terms.items()},
        shares=gradient_shares(terms, recipe, x) if shares else {},
        gradient=torch.autograd.grad(terms["total"], x)[0].numpy(),
        features={name: feature.detach().numpy() for name, feature in f.items()})


# ---------------------------------------------------------------------------- the comparison --

@dataclass
class Line:
    """A line of the table: `value` is the reference's loss or L2 norm, the errors are relative."""
    name: str
    value: float
    error: float
    torch_error: float
    limit: float
    note: str = ""

    def passed(self):
        return self.error <= self.limit  # false for NaN


def relative_error(value, reference):
    """|value - reference| / |reference| in L2, of numbers or arrays. Against a reference of exactly
    zero it is 0 for exactly zero and infinite for anything else."""
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    norm, distance = np.linalg.norm(reference), np.linalg.norm(value - reference)
    if norm == 0:
        return 0.0 if distance == 0 else math.inf
    return float(distance / norm)


def compare_array(name, path, reference, torch_value, limit):
    """The line of one dumped .npy file."""
    norm = float(np.linalg.norm(reference))
    line = Line(name, norm, math.inf, relative_error(torch_value, reference), limit)
    if not path.is_file():
        line.note = f"{path.name} was not written"
        return line
    found = np.load(path)
    if found.dtype != np.float32 or found.shape != reference.shape:
        line.note = f"float32 {reference.shape} was expected, {found.dtype} {found.shape} found"
        return line
    line.error = relative_error(found, reference)
    return line


def compare_number(name, report, key, reference, torch_value, limit):
    """The line of one number of evaluation.json."""
    line = Line(name, reference, math.inf, relative_error(torch_value, reference), limit)
    if isinstance(report.get(key), (int, float)):
        line.error = relative_error(report[key], reference)
    else:
        line.note = f'evaluation.json has no number "{key}"'
    return line


def compare(folder, report, reference, single):
    """All lines for the dump in `folder`: `reference` is the float64 Evaluation, `single` the
    float32 one."""
    _, height, width = reference.gradient.shape
    lines = [compare_number("width", report, "width", width, width, 0.0),
             compare_number("height", report, "height", height, height, 0.0)]
    for name in reference.features:
        lines.append(compare_array(name, folder / f"features_{name}.npy", reference.features[name],
                                   single.features[name], VALUE_LIMIT))
    for name in (*TERMS, "total"):
        lines.append(compare_number(name.replace("_", " "), report, name, reference.losses[name],
                                    single.losses[name], VALUE_LIMIT))
    norms = [float(np.linalg.norm(e.gradient.astype(np.float64))) for e in (reference, single)]
    lines.append(compare_number("gradient norm", report, "gradient_norm", *norms, GRADIENT_LIMIT))
    lines.append(compare_array("gradient", folder / "gradient.npy", reference.gradient,
                               single.gradient, GRADIENT_LIMIT))
    return lines


def print_table(title, lines):
    print(f"\n{title}")
    print(f"  {'':16}{'float64 value':>15}{'limn':>11}{'torch f32':>11}{'limit':>9}")
    for line in lines:
        if line.name in ("width", "height") and line.passed():
            continue
        limit = "exact" if line.limit == 0 or line.value == 0 else f"{line.limit:.0e}"
        print(f"  {line.name:16}{line.value:15.6g}{line.error:11.1e}{line.torch_error:11.1e}"
              f"{limit:>9}{'' if line.passed() else '  FAILED ' + line.note}")


def print_shares(shares):
    """Says how far the gradient's line stands for each term: what is a small part of the gradient
    can be badly wrong within the limit."""
    if shares:
        print("  gradient of each term over the whole: " + ", ".join(
            f"{name.replace('_', ' ')} {share:.2g}" for name, share in shares.items()))
    weak = [name.replace("_", " ") for name, share in shares.items() if share < 10 * GRADIENT_LIMIT]
    if weak:
        print(f"  note: the gradient of {' and '.join(weak)} is hardly checked here; "
              f"--each-term will")


def as_json(lines):
    """Lines for --json; NaN and infinity, which JSON lacks, become text."""
    number = lambda value: value if math.isfinite(value) else str(value)
    return [{"line": line.name, "reference": number(line.value), "error": number(line.error),
             "torch_float32_error": number(line.torch_error), "limit": line.limit,
             "passed": line.passed(), "note": line.note} for line in lines]


def title_of(label, report):
    r = report["recipe"]
    return (f"{label}: {r['network']['name']}, {r['network']['pooling']} pooling, "
            f"content {r['content']['form']}, style {r['style']['gram']} {r['style']['form']}, "
            f"variation {r['total_variation']['form']} in {r['optimiser']['space']}; "
            f"relative L2 errors against float64")


# ------------------------------------------------------------------------------- the pictures --

def working_size(width, height, longest, odd):
    """Size with the photo's proportions and this longest side. `odd` takes each side down to the
    next number that is 11 modulo 16: it meets poolings 1, 2 and 4 at odd sizes (256 -> 251)."""
    scale = longest / max(width, height)
    sides = [max(1, round(side * scale)) for side in (width, height)]
    return tuple(side - (side - 11) % 16 if odd else side for side in sides)


def made_up_picture(seed):
    """A PIL picture for the self-test, all of soft noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((96, 80), Image.BICUBIC)


def mixture(photo, painting, seed):
    """8-bit mixture of photo and painting (H, W, 3), plus coarse and fine noise so that no part of
    the picture is flat or close to the photo: 0.45 photo + 0.30 painting + 0.20 coarse + 0.05 fine.
    """
    draw = np.random.default_rng(seed)
    height, width, _ = photo.shape
    coarse = draw.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    coarse = np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))
    fine = draw.integers(0, 256, photo.shape)
    mixed = 0.45 * photo + 0.30 * painting + 0.20 * coarse + 0.05 * fine
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def write_pictures(photo, painting, size, folder):
    """Writes photo.png, painting.png and picture.png, all of `size` = (width, height), from two PIL
    pictures. Returns them as float32 (3, H, W) arrays, byte / 255, by name."""
    photo, painting = (np.asarray(picture.convert("RGB").resize(size, Image.LANCZOS))
                       for picture in (photo, painting))
    pictures = {"photo": photo, "painting": painting, "picture": mixture(photo, painting, seed=7)}
    for name, array in pictures.items():
        Image.fromarray(array).save(folder / f"{name}.png")
    return {name: np.ascontiguousarray(array.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
            for name, array in pictures.items()}


# ----------------------------------------------------------------------------- running the dump --

def run_dump(options, recipe, pictures_folder, folder):
    """Runs dump_evaluation into `folder` and returns its evaluation.json. SystemExit with the
    program's own message if it fails."""
    command = [options.limn_dump, *(pictures_folder / f"{name}.png"
                                    for name in ("photo", "painting", "picture")),
               "--weights", options.weights, "--out", folder]
    if recipe is not None:
        command += ["--recipe", recipe]
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n"
                         f"ended with status {done.returncode}:\n{done.stdout}")
    return json.loads((folder / "evaluation.json").read_text())


def evaluate_twice(filters, pictures, recipe):
    """The Evaluations of the recipe in float64 (with shares) and in float32. filters: or a Network.
    """
    network = (filters if isinstance(filters, Network)
               else keras_network(recipe["network"]["name"], filters))
    inputs = [network, pictures["photo"], pictures["painting"], pictures["picture"], recipe]
    return evaluate(*inputs, torch.float64, shares=True), evaluate(*inputs, torch.float32)


def recipe_toml(recipe):
    """A recipe of evaluation.json (tables of values; "layers" are tables in tables) as TOML."""
    def value(item):
        if isinstance(item, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in item.items()) + "}"
        return json.dumps(item)
    tables = {key: item for key, item in recipe.items() if isinstance(item, dict)}
    lines = [f"{key} = {value(item)}" for key, item in recipe.items() if key not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]"] + [f"{key} = {value(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def only(recipe, term):
    """The recipe with the weights of all terms but this one set to 0."""
    return {key: {**table, "weight": 0.0} if key in TERMS and key != term else table
            for key, table in recipe.items()}


def compare_recipe(options, label, recipe, filters, pictures, work):
    """Runs and compares one recipe. Returns its entry of the JSON report."""
    folder = work / re.sub(r"[^\w.-]+", "_", f"dump {label}")
    folder.mkdir(exist_ok=True)
    report = run_dump(options, recipe, work, folder)
    reference, single = evaluate_twice(filters, pictures, report["recipe"])
    lines = compare(folder, report, reference, single)
    print_table(title_of(label, report), lines)
    print_shares(reference.shares)
    return {"recipe": label, "settings": report["recipe"], "gradient_shares": reference.shares,
            "lines": as_json(lines)}


def compare_recipes(options, filters, pictures, work):
    """Runs and compares each recipe asked for, with --each-term also term by term. Returns the exit
    status."""
    results = []
    for recipe in options.recipe or [None]:
        label = recipe or "default"
        whole = compare_recipe(options, label, recipe, filters, pictures, work)
        results.append(whole)
        for term in whole["gradient_shares"] if options.each_term else []:
            part = f"{label}, {term} only"
            file = work / re.sub(r"[^\w.-]+", "_", f"recipe {part}.toml")
            file.write_text(recipe_toml(only(whole["settings"], term)))
            results.append(compare_recipe(options, part, file, filters, pictures, work))
    failed = [f"{result['recipe']}: {line['line']}" for result in results
              for line in result["lines"] if not line["passed"]]
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"passed": not failed, "recipes": results}, indent=1) + "\n")
    print("\nFAILED: " + ", ".join(failed) if failed else "\nall lines are within their limits")
    return 1 if failed else 0


# ---------------------------------------------------------------------------------- self-test --

def self_test_recipe(pooling, content, style, gram_form, variation, space, weight=1e-3):
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    return {"network": {"name": "vgg19", "pooling": pooling},
            "content": {"weight": 1.0, "layers": {"conv4_2": 1.0}, "form": content},
            "style": {"weight": 10.0, "layers": layers, "gram": gram_form, "form": style},
            "total_variation": {"weight": weight, "form": variation},
            "optimiser": {"space": space}}


def write_fake_dump(folder, recipe, evaluation):
    """What dump_evaluation would write, had limn computed `evaluation`."""
    folder.mkdir()
    for name, array in evaluation.features.items():
        np.save(folder / f"features_{name}.npy", array)
    np.save(folder / "gradient.npy", evaluation.gradient)
    _, height, width = evaluation.gradient.shape
    norm = float(np.linalg.norm(evaluation.gradient.astype(np.float64)))
    return {**evaluation.losses, "gradient_norm": norm, "width": width, "height": height,
            "recipe": recipe}


def damage_array(folder, file, change):
    np.save(folder / file, change(np.load(folder / file)))


# What is done to a sound dump (folder, report) -> the one line of the table that must then fail.
DAMAGES = {
    "one channel of conv2_1 is 2 % larger": ("conv2_1", lambda d, r: damage_array(
        d, "features_conv2_1.npy", lambda a: np.concatenate([a[:1] * np.float32(1.02), a[1:]]))),
    "relu3_1 is not rectified": ("relu3_1", lambda d, r: damage_array(
        d, "features_relu3_1.npy", lambda a: np.load(d / "features_conv3_1.npy"))),
    "pool2 lacks a row": ("pool2", lambda d, r: damage_array(
        d, "features_pool2.npy", lambda a: a[:, :-1])),
    "pool5 is not written": ("pool5", lambda d, r: (d / "features_pool5.npy").unlink()),
    "the content loss is 0.1 % larger": ("content", lambda d, r: r.update(
        content=r["content"] * 1.001)),
    "the switched-off variation is 1e-12": ("total variation", lambda d, r: r.update(
        total_variation=1e-12)),
    "the total is missing": ("total", lambda d, r: r.pop("total")),
    "width is one more": ("width", lambda d, r: r.update(width=r["width"] + 1)),
    "the gradient's norm is 1 % larger": ("gradient norm", lambda d, r: r.update(
        gradient_norm=r["gradient_norm"] * 1.01)),
    "the gradient is BGR": ("gradient", lambda d, r: damage_array(
        d, "gradient.npy", lambda a: a[::-1])),
    "the gradient holds a NaN": ("gradient", lambda d, r: damage_array(
        d, "gradient.npy", lambda a: np.where(np.arange(a.size).reshape(a.shape) == 5,
                                              np.float32("nan"), a))),
}


def self_test(filters, pictures, work):
    """Sound fake dumps must pass, each damaged one must fail in its line and no other. Returns the
    exit status."""
    recipes = [
        self_test_recipe("max", "mean", "mean", "per-position", "squared", "rgb", weight=0.0),
        self_test_recipe("average", "root", "paper", "raw", "absolute", "rgb"),
        self_test_recipe("max", "sum", "image", "raw", "power", "network"),
        self_test_recipe("average", "half-sum", "paper-times-4", "raw", "squared", "network")]
    wrong = []
    for index, recipe in enumerate(recipes):
        reference, single = evaluate_twice(filters, pictures, recipe)
        folder = work / f"sound_{index}"
        report = write_fake_dump(folder, recipe, single)
        lines = compare(folder, report, reference, single)
        print_table(title_of("sound fake dump", report), lines)
        wrong += [f"sound dump {index}: {line.name}" for line in lines if not line.passed()]
        if index == 0:
            sound = (recipe, reference, single)

    print("\nDamaged fake dumps, each of which must fail in the line named:")
    recipe, reference, single = sound
    for index, (story, (expected, damage)) in enumerate(DAMAGES.items()):
        folder = work / f"damaged_{index}"
        report = write_fake_dump(folder, recipe, single)
        damage(folder, report)
        lines = compare(folder, report, reference, single)
        failed = [line.name for line in lines if not line.passed()]
        print(f"  {story:38} {', '.join(failed) or 'nothing'} failed")
        if failed != [expected]:
            wrong.append(f"{story}: {failed} instead of {expected}")
    if tomllib.loads(recipe_toml(recipe)) != recipe:
        wrong.append(f"TOML that reads back otherwise:\n{recipe_toml(recipe)}")
    print("\nSELF-TEST FAILED: " + "; ".join(wrong) if wrong else "\nself-test passed")
    return 1 if wrong else 0


# ---------------------------------------------------------------------------------------- main --

def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--limn-dump", metavar="PROGRAM", help="limn's build/dump_evaluation")
    parser.add_argument("--weights", metavar="FILE",
                        help="VGG-16 or VGG-19 as Keras .h5; builtin, or a .safetensors like it")
    parser.add_argument("--photo", metavar="FILE")
    parser.add_argument("--painting", metavar="FILE")
    parser.add_argument("--size", type=int, metavar="PIXELS",
                        help="longest side (default 256; 40 in the self-test)")
    parser.add_argument("--odd", action="store_true", help="odd sides, a little below --size")
    parser.add_argument("--recipe", action="extend", nargs="+", metavar="NAME|FILE",
                        help="recipes for dump_evaluation (default: its own default)")
    parser.add_argument("--each-term", action="store_true",
                        help="compare each recipe also with one term alone, others at weight 0")
    parser.add_argument("--keep", metavar="DIR", help="leave pictures and dumps in this folder")
    parser.add_argument("--json", metavar="OUT", help="write the tables as JSON too")
    parser.add_argument("--self-test", action="store_true",
                        help="check this tool against fake dumps, sound and damaged")
    options = parser.parse_args()
    options.size = options.size or (40 if options.self_test else 256)
    if not options.self_test and not options.limn_dump:
        parser.error("--limn-dump or --self-test is required")
    return options


def what_is_missing(options):
    """A line that says what is not here, or None."""
    if MISSING:
        return MISSING
    if options.weights and not is_student(options.weights):
        try:
            import h5py
        except ImportError:
            return "the Python module h5py is not installed"
        if os.path.isfile(options.weights) and not h5py.is_hdf5(options.weights):
            return f"{options.weights} (--weights) is not an HDF5 file"
    for name in ("weights", "photo", "painting"):
        path = getattr(options, name)
        path = BUILTIN if path == "builtin" else path
        if path is None and not options.self_test:
            return f"no --{name} given"
        if path is not None and not os.path.isfile(path):
            return f"there is no file {path} (--{name})"
    return None


def use_all_cores():
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    if "openblas" not in pathlib.Path("/proc/self/maps").read_text():
        print("note: PyTorch runs without OpenBLAS (libopenblas0-pthread), so this will take long")


def main():
    options = parse_options()
    missing = what_is_missing(options)
    if missing:
        print(f"skipped: {missing}")
        return SKIPPED
    use_all_cores()
    photo = Image.open(options.photo) if options.photo else made_up_picture(seed=1)
    painting = Image.open(options.painting) if options.painting else made_up_picture(seed=2)
    if options.weights is None:
        filters = random_filters("vgg19", seed=3)
    elif is_student(options.weights):
        filters = read_student(BUILTIN if options.weights == "builtin" else options.weights)
    else:
        filters = read_keras_filters(options.weights)
    size = working_size(*photo.size, options.size, options.odd)
    if min(size) < 32:
        raise SystemExit(f"{size[0]} x {size[1]} is too small for five poolings: enlarge --size")
    print(f"{size[0]} x {size[1]} pixels, PyTorch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.keep or temporary)
        work.mkdir(parents=True, exist_ok=True)
        pictures = write_pictures(photo, painting, size, work)
        if options.self_test:
            return self_test(filters, pictures, work)
        return compare_recipes(options, filters, pictures, work)


if __name__ == "__main__":
    sys.exit(main())
