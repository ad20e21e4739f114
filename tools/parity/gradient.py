#!/usr/bin/python3
"""Compares limn's features, losses and gradient with the same quantities computed by PyTorch.

  gradient.py --limn-dump build/dump_evaluation --weights vgg19.h5 \\
      --photo photo.jpg --painting painting.jpg --recipe keras --recipe my.toml
  gradient.py --limn-dump build/dump_evaluation --weights builtin --photo ... --painting ...

Weights are VGG's as Keras publishes them, or those of a network that imitates VGG-19: a
.safetensors of that kind, or "builtin" for the one inside limn (models/builtin.safetensors). Its
features are compared as they are; its losses are stated of its features taken to VGG-19's by the
file's maps.

Nothing here reads limn's code or calls its library: equations.py states the objective a second
time. Every number is computed twice: in float64, which is the reference, and in float32, which
shows how much of limn's distance from the reference is merely float32.

Exit status: 0 all within their limits, 1 some line is not, 77 something needed is not here, 2 bad
usage.
"""

import json
import math
import pathlib
import re
import sys
import tempfile

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import command, needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import equations, errors, images, painter, vgg
from kit.equations import TERMS
from kit.errors import Line, relative_error

# Relative L2 error allowed. Float32 rounding through 16 convolutions costs a few 1e-6 in features.
# In the gradient a value within rounding of zero may pass the ReLU on one side only, or two nearly
# equal values may swap as the maximum, and each such cell is wrong as a whole: hence the gap.
VALUE_LIMIT = 1e-4
GRADIENT_LIMIT = 5e-3
BUILTIN = command.PROJECT / "models" / "builtin.safetensors"
DEFAULT_RECIPE = "gram"  # content and Gram matrices, what equations.py states


# ---------------------------------------------------------------------------- the comparison --

def compare_array(name, path, reference, torch_value, limit):
    """The line of one dumped .npy file."""
    line = Line(name, math.inf, limit, float(np.linalg.norm(reference)),
                relative_error(torch_value, reference))
    if not path.is_file():
        line.note = f"{path.name} was not written"
        return line
    found = np.load(path)
    if found.dtype != np.float32 or found.shape != reference.shape:
        line.note = f"float32 {reference.shape} was expected, {found.dtype} {found.shape} found"
        return line
    line.error = relative_error(found, reference)
    return line


def compare_number(name, report, reference, torch_value, limit):
    """The line of one number of evaluation.json."""
    line = Line(name.replace("_", " "), math.inf, limit, reference,
                relative_error(torch_value, reference))
    if isinstance(report.get(name), (int, float)):
        line.error = relative_error(report[name], reference)
    else:
        line.note = f'evaluation.json has no number "{name}"'
    return line


def compare(folder, report, reference, single):
    """All lines for the dump in `folder`: `reference` is the float64 Evaluation, `single` the
    float32 one."""
    _, height, width = reference.gradient.shape
    lines = [compare_number("width", report, width, width, 0.0),
             compare_number("height", report, height, height, 0.0)]
    for name, found in reference.features.items():
        lines.append(compare_array(name, folder / f"features_{name}.npy", found,
                                   single.features[name], VALUE_LIMIT))
    for name in (*TERMS, "total"):
        lines.append(compare_number(name, report, reference.losses[name], single.losses[name],
                                    VALUE_LIMIT))
    norms = [float(np.linalg.norm(e.gradient.astype(np.float64))) for e in (reference, single)]
    lines.append(compare_number("gradient_norm", report, *norms, GRADIENT_LIMIT))
    lines.append(compare_array("gradient", folder / "gradient.npy", reference.gradient,
                               single.gradient, GRADIENT_LIMIT))
    return lines


def print_table(label, recipe, lines, shares):
    """Shares say how far the gradient's line stands for each term: what is a small part of the
    gradient can be badly wrong within the limit."""
    print(f"\n{label}: {recipe['network']['name']}, {recipe['network']['pooling']} pooling, "
          f"content {recipe['content']['form']}, style {recipe['style']['gram']} "
          f"{recipe['style']['form']}, variation {recipe['total_variation']['form']} in "
          f"{recipe['optimiser']['space']}; relative L2 errors against float64")
    print(f"  {'':16}{'float64 value':>15}{'limn':>11}{'torch f32':>11}{'limit':>9}")
    for line in lines:
        if line.name in ("width", "height") and line.passed():
            continue
        limit = "exact" if line.limit == 0 or line.value == 0 else f"{line.limit:.0e}"
        print(f"  {line.name:16}{line.value:15.6g}{line.error:11.1e}{line.torch_error:11.1e}"
              f"{limit:>9}{'' if line.passed() else '  FAILED ' + line.note}")
    shares = {name.replace("_", " "): share for name, share in shares.items()}
    if shares:
        print("  gradient of each term over the whole: " + ", ".join(
            f"{name} {share:.2g}" for name, share in shares.items()))
    weak = [name for name, share in shares.items() if share < 10 * GRADIENT_LIMIT]
    if weak:
        print(f"  note: the gradient of {' and '.join(weak)} is hardly checked here; "
              f"--each-term will")


def as_json(lines):
    """Lines for --json; NaN and infinity, which JSON lacks, become text."""
    number = lambda value: value if math.isfinite(value) else str(value)
    return [{"line": line.name, "reference": number(line.value), "error": number(line.error),
             "torch_float32_error": number(line.torch_error), "limit": line.limit,
             "passed": line.passed(), "note": line.note} for line in lines]


# ------------------------------------------------------------------------------- the pictures --

def size_of(photo, longest, odd):
    """Size with the photo's proportions and this longest side. `odd` takes each side down to the
    next number that is 11 modulo 16: it meets poolings 1, 2 and 4 at odd sizes (256 -> 251)."""
    scale = longest / max(photo.size)
    sides = [max(1, round(side * scale)) for side in photo.size]
    size = tuple(side - (side - 11) % 16 if odd else side for side in sides)
    if min(size) < 32:
        raise ValueError(f"{size[0]} x {size[1]} is too small for five poolings: enlarge --size")
    return size


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
    pictures. Returns them as float32 (3, H, W) arrays, byte / 255."""
    photo, painting = (np.asarray(picture.convert("RGB").resize(size, Image.LANCZOS))
                       for picture in (photo, painting))
    arrays = (photo, painting, mixture(photo, painting, seed=7))
    for name, array in zip(painter.PICTURES, arrays):
        Image.fromarray(array).save(folder / f"{name}.png")
    return [images.planes(array) for array in arrays]


# --------------------------------------------------------------------------- recipe by recipe --

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


def compare_recipe(options, label, recipe, weights, arrays, work):
    """Runs and compares one recipe. Returns its entry of the JSON report."""
    report, folder = painter.dump_evaluation(
        options.limn_dump, work, re.sub(r"[^\w.-]+", "_", f"dump {label}"), "--weights",
        options.weights, "--recipe", recipe, "--tile", str(options.tile))
    recipe = report["recipe"]
    network = weights if isinstance(weights, vgg.Network) else \
        vgg.vgg_network(recipe["network"]["name"], weights)
    reference = equations.evaluate(network, *arrays, recipe, shares=True)
    lines = compare(folder, report, reference,
                    equations.evaluate(network, *arrays, recipe, torch.float32))
    print_table(label, recipe, lines, reference.shares)
    return {"recipe": label, "settings": recipe, "gradient_shares": reference.shares,
            "lines": as_json(lines)}


def compare_recipes(options, weights, arrays, work):
    """Compares each recipe asked for, with --each-term also term by term. [entry of the report]"""
    results = []
    for recipe in options.recipe or [DEFAULT_RECIPE]:
        whole = compare_recipe(options, recipe, recipe, weights, arrays, work)
        results.append(whole)
        for term in whole["gradient_shares"] if options.each_term else []:
            part = f"{recipe}, {term} only"
            file = work / re.sub(r"[^\w.-]+", "_", f"recipe {part}.toml")
            file.write_text(recipe_toml(equations.only(whole["settings"], term)))
            results.append(compare_recipe(options, part, file, weights, arrays, work))
    return results


def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn-dump", required=True, metavar="PROGRAM", help="limn's build/dump_evaluation")
    add("--weights", metavar="FILE",
        help="VGG-16 or VGG-19 as Keras .h5; builtin, or a .safetensors like it")
    add("--photo", metavar="FILE")
    add("--painting", metavar="FILE")
    add("--size", type=int, metavar="PIXELS", default=256, help="longest side (default 256)")
    add("--odd", action="store_true", help="odd sides, a little below --size")
    add("--tile", type=int, default=0, metavar="PIXELS",
        help="let limn compute losses and gradient in tiles of at most this side")
    add("--recipe", action="extend", nargs="+", metavar="NAME|FILE",
        help="recipes for dump_evaluation (default: its own default)")
    add("--each-term", action="store_true",
        help="compare each recipe also with one term alone, others at weight 0")
    add("--keep", metavar="DIR", help="leave pictures and dumps in this folder")
    add("--json", metavar="OUT", type=pathlib.Path, help="write the tables as JSON too")
    return parser.parse_args()


def main():
    options = read_options()
    file = BUILTIN if options.weights == "builtin" else options.weights
    needs.files(limn_dump=options.limn_dump, weights=file, photo=options.photo,
                painting=options.painting)
    vgg.use_all_cores()
    if vgg.is_safetensors(file):
        weights, _ = vgg.read_student(file)
    else:
        needs.hdf5(file)
        weights = vgg.read_h5(file)
    photo, painting = map(Image.open, (options.photo, options.painting))
    size = size_of(photo, options.size, options.odd)
    print(f"{size[0]} x {size[1]} pixels, PyTorch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.keep or temporary)
        work.mkdir(parents=True, exist_ok=True)
        arrays = write_pictures(photo, painting, size, work)
        results = compare_recipes(options, weights, arrays, work)
    failed = [f"{result['recipe']}: {line['line']}" for result in results
              for line in result["lines"] if not line["passed"]]
    if options.json:
        report = {"passed": not failed, "recipes": results}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    errors.end(failed, "all lines are within their limits")


if __name__ == "__main__":
    with command.errors_told():
        main()
