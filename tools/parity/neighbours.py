#!/usr/bin/python3
"""Holds limn's recipes `nnst` and `strotss` against the two systems, stated in PyTorch.

  neighbours.py --limn-dump build/dump_evaluation --limn build/limn --vgg19 vgg19.h5
  neighbours.py ... --quick                    small pictures, random weights: what ctest runs
  neighbours.py ... --markdown docs/parity.md  the table, between its marks in a page

matching.py states what the two compare, published.py the settings they were published with. A case
is one evaluation at a fixed picture, for which limn seeks matches and draws places. Those it drew
are looked at, and handed to PyTorch; matches PyTorch seeks for itself, in double precision. Without
--vgg19 the weights are random ones only.

Exit status: 0 all within their limits, 1 some figure is not, 77 something needed is not here, 2 bad
usage.
"""

import dataclasses
import datetime
import functools
import math
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import command, needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import errors, images, page, painter, vgg, weight_writers
from kit.errors import Line, relative_error
import gradient
import matching
import pictures
import published

# Of a loss, relative, and of the gradient, relative L2. Where rounding turns the sign of a ReLU's
# input or the place of a maximum, the gradient jumps: with the same pictures it was off by 2e-6 on
# one processor and by 6e-3 on another. A wrong term is off by a tenth or more.
LOSS_LIMIT = 1e-4
GRADIENT_LIMIT = 2e-2
# Two columns of the painting are the same where they differ by less than SAME of their length.
# Where limn found another one than PyTorch, the two cosines may differ by no more than TIE.
SAME = 1e-4
TIE = 1e-5
SAMPLES, PAINTING_SAMPLES = 1024, 5000  # places that STROTSS draws at most


# ----------------------------------------------------------------------------------- the cases --

def nnst(samples=0, turned=False, stage="hypercolumns", layers=matching.NNST_LAYERS, weights=1.0):
    """The table of a recipe. weights: of all layers, or a list."""
    weights = weights if isinstance(weights, list) else [weights] * len(layers)
    split = stage == "splitting"
    return {"neighbours": {
        "weight": 1.0, "layers": dict(zip(layers, weights)), "samples": samples, "turned": turned,
        "matching": "layers" if split else "hypercolumns", "every": 1 if split else 0,
        "distance": "centred-cosine" if split else "cosine", "uses": 0, "photo": 0.0}}


def layers_of(tables):
    """All that the tables name, each once."""
    return list(dict.fromkeys(name for table in tables.values() for name in table["layers"]))


def strotss(transport=0.0, palette=0.0, structure=0.0, layer=1.0):
    """The tables of a recipe. layer: the weight of each."""
    layers = dict.fromkeys(matching.STROTSS_LAYERS, layer)
    return {"transport": {"weight": transport, "layers": layers, "palette": palette},
            "structure": {"weight": structure, "layers": layers}}


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table.

    tables: of the recipe's losses; or what makes them, given each layer's weight.
    rows: of the photo, which is 4:3; the painting has 7/8 of them and is 5:4.
    quick: whether it is in the quick form.
    trained: whether it says something of trained weights only.
    """
    name: str
    tables: object
    rows: int = 96
    quick: bool = True
    trained: bool = False


CASES = [
    Case("`nnst`, hypercolumns", nnst(turned=True)),
    Case("`nnst`, hypercolumns, odd sizes", nnst(turned=True), rows=91, quick=False),
    Case("`nnst`, hypercolumns, weighted layers",
         nnst(weights=[3.0, 0.5, 1.0, 1.0, 2.0, 1.0, 1.0, 0.25, 1.0, 8.0]), quick=False),
    Case("`nnst`, splitting, 32 a side", nnst(stage="splitting", samples=32)),
    Case("`nnst`, splitting, 64 a side", nnst(stage="splitting", samples=64), rows=192,
         quick=False),
    Case("`nnst`, splitting, everywhere", nnst(stage="splitting"), rows=91, quick=False),
    Case("`strotss`, the last size", functools.partial(strotss, 1 / 4, 1 / 2, 2 / 4)),
    Case("`strotss`, the last size, odd sizes",
         functools.partial(strotss, 1 / 4, 1 / 2, 2 / 4), rows=91, quick=False),
    Case("`strotss`, layers as they are", strotss(1 / 4, 1 / 2, 2 / 4), quick=False, trained=True),
    Case("`strotss`, transport alone", functools.partial(strotss, 1.0, 1.0, 0.0), quick=False),
    Case("`strotss`, structure alone", functools.partial(strotss, 0.0, 0.0, 1.0), quick=False),
]


@dataclasses.dataclass
class Weights:
    """A weights file and what PyTorch knows of it. layer: the weight of each of STROTSS's layers,
    with which features are about as large as colours; every: whether all cases are run with them,
    not only those of the quick form."""
    name: str
    network: str
    filters: dict
    convention: object
    write: object
    suffix: str
    layer: float
    every: bool = False

    def reader(self, layers):
        made = dataclasses.replace(vgg.vgg_network(self.network, self.filters),
                                   convention=self.convention)
        return matching.Reader(made, layers)

    def file(self, folder):
        path = folder / f"{self.network}{self.suffix}"
        self.write(path, self.filters)
        return path


def weights_of(vgg19_path):
    """Random ones, and where there is a file the trained ones, as torchvision's VGG-16, with which
    both systems were published, and as Keras's VGG-19."""
    found = [Weights("random VGG-16, .npz", "vgg16",
                     vgg.random_filters("vgg16", seed=9, input_unit=64), vgg.RGB_MINUS_MEAN,
                     weight_writers.write_npz, ".npz", 1.0, every=not vgg19_path)]
    if vgg19_path:
        vgg19 = vgg.read_h5(vgg19_path)
        vgg16 = vgg.for_torchvision(vgg.vgg16_of(vgg19))
        found += [Weights("VGG-16, .pth", "vgg16", vgg16, vgg.TORCHVISION,
                          weight_writers.write_pth, ".pth", published.UNIT, every=True),
                  Weights("VGG-19, .h5", "vgg19", vgg19, vgg.CAFFE, weight_writers.write_h5, ".h5",
                          published.UNIT)]
    return found


# ---------------------------------------------------------------------------------- the dumps --

def read_array(folder, name):
    path = folder / f"{name}.npy"
    if not path.is_file():
        raise command.Failure(f"dump_evaluation should have written {path.name}, but did not")
    return np.load(path)


def read_places(folder, name):
    """(2, n) whole numbers: rows and columns."""
    found = read_array(folder, name)
    if found.shape[:2] != (2, 1) or not np.array_equal(found, np.rint(found)):
        raise command.Failure(f"{name}.npy should hold whole numbers (2, 1, n), but its shape is "
                              f"{found.shape}")
    return torch.from_numpy(found.reshape(2, -1)).long()


def read_matched(folder, i, channels, count):
    found = read_array(folder, f"matched_{i}")
    if found.shape[0] != channels or found[0].size != count:
        raise command.Failure(f"matched_{i}.npy should hold {channels} channels of {count} places, "
                              f"but its shape is {found.shape}")
    return torch.from_numpy(found.reshape(channels, count)).double()


# --------------------------------------------------------------------------- what limn drew --

def grid(size, stride, offset):
    """Rows and columns (2, n) of a grid, as numbers of cells."""
    axes = [torch.arange(first, side, stride) for first, side in zip(offset, size)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)


def as_set(places):
    return set(map(tuple, places.T.tolist()))


def is_grid(places, size, samples):
    """Whether places (2, n) are a whole grid in a map of that size with the stride for so many
    samples, wherever it begins."""
    stride = max(size) // samples
    offset = places.min(1).values.tolist()
    return max(offset) < stride and places.shape[1] == len(as_set(places)) and \
        as_set(places) == as_set(grid(size, stride, offset))


def are_within(places, size, most):
    """Whether they are pixels of a picture of that size, and as many as there may be."""
    inside = [bool((0 <= place).all() and (place < side).all())
              for place, side in zip(places, size)]
    return all(inside) and 0 < places.shape[1] <= most


def grids(read, arrays, folder, table):
    """({layer: (the picture's places, the painting's)}, {what is wrong with them})."""
    _, painting, picture = arrays
    with torch.no_grad():
        sizes = [{name: f.shape[1:] for name, f in read(rgb).items()}
                 for rgb in (picture, painting)]
    found, wrong = {}, set()
    for i, name in enumerate(table["layers"]):
        of_both = []
        for side, file in zip(sizes, (f"places_{i}", f"painting_places_{i}")):
            sampled = table["samples"] and max(side[name]) > table["samples"]
            if sampled or (folder / f"{file}.npy").is_file():
                of_both.append(read_places(folder, file))
                if not is_grid(of_both[-1], side[name], table["samples"] if sampled else
                               max(side[name])):
                    wrong.add(f"{file} of {name}")
            else:
                of_both.append(grid(side[name], 1, (0, 0)))
        found[name] = tuple(of_both)
    return found, wrong


def drawn(arrays, folder, tables):
    """(what limn drew for STROTSS, {what is wrong with it})."""
    _, painting, picture = arrays
    wanted, i = [], 0
    if tables["transport"]["weight"]:
        wanted += [("transport", "places_0", picture, SAMPLES),
                   ("painting", "painting_places_0", painting, PAINTING_SAMPLES)]
        i = 1
    if tables["structure"]["weight"]:
        wanted.append(("structure", f"places_{i}", picture, SAMPLES))
    found, wrong = {}, set()
    for field, file, rgb, most in wanted:
        places = read_places(folder, file)
        if not are_within(places, rgb.shape[1:], most):
            wrong.add(file)
        found[field] = places.double()
    return matching.Drawn(**found), wrong


def system_of(tables, read, arrays, folder):
    """(the system, {what is wrong with the places limn drew for it})."""
    photo, painting, _ = arrays
    if "transport" in tables:
        places, wrong = drawn(arrays, folder, tables)
        transport = tables["transport"]
        return matching.Strotss(read, photo, painting, places, transport["layers"],
                                transport["weight"], transport["palette"],
                                tables["structure"]["weight"]), wrong
    table = tables["neighbours"]
    if table["matching"] == "hypercolumns":
        return matching.Hypercolumns(read, painting, table["layers"], table["turned"],
                                     table["weight"]), set()
    places, wrong = grids(read, arrays, folder, table)
    return matching.Splitting(read, painting, table["layers"], places, table["weight"]), wrong


# ---------------------------------------------------------------------------- the comparison --

@dataclasses.dataclass
class Matches:
    """matched: what to compare with, (C, n): PyTorch's matches, but limn's where they are as near.
    others: of how many of `count` limn found another; gap: by how much such a one's cosine is
    less, infinite where it is no column of the painting."""
    matched: object
    others: int
    count: int
    gap: float


def compare_matches(search, theirs):
    """theirs: (C, n), what limn matched the columns sought with."""
    ours, best = search.nearest()
    far = lambda a, b: (a - b).norm(dim=0) > SAME * b.norm(dim=0)
    other = far(theirs, search.compared[:, ours]).nonzero()[:, 0]
    gap = 0.0
    if len(other):
        theirs = theirs[:, other]
        index = torch.cdist(theirs.T, search.compared.T).argmin(1)
        cosine = matching.cosines_of_pairs(search.sought[:, other], search.candidates[:, index])
        gaps = best[other] - cosine
        gaps[far(theirs, search.compared[:, index])] = math.inf
        ours[other] = torch.where(gaps <= TIE, index, ours[other])
        gap = float(gaps.max())
    return Matches(search.compared[:, ours], len(other), len(best), gap)


def compare_dump(tables, read, arrays, folder, report, shares=False):
    """(lines, evaluation) for the dump in the folder; arrays: photo, painting and picture."""
    system, wrong = system_of(tables, read, arrays, folder)
    picture = arrays[2]
    found = [compare_matches(search, read_matched(folder, i, len(search.compared),
                                                  search.sought.shape[1]))
             for i, search in enumerate(system.searches(picture))]
    expected = matching.evaluate(system, picture, [matches.matched for matches in found], shares)
    lines = [Line("places", float(len(wrong)), 0.0, note=", ".join(sorted(wrong)))]
    if found:
        lines += [Line("other matches", sum(m.others for m in found) / sum(m.count for m in found),
                       math.inf),
                  Line("their cosines", max(m.gap for m in found), TIE)]
    lines += [Line(term, relative_error(report[term], expected.losses[term]), LOSS_LIMIT,
                   expected.losses[term]) for term in ("content", "style", "total")]
    lines.append(Line("gradient", relative_error(read_array(folder, "gradient"),
                                                 expected.gradient), GRADIENT_LIMIT,
                      float(np.linalg.norm(expected.gradient))))
    return lines, expected


def write_pictures(folder, rows):
    """Writes PICTURES: the photo and the painting of pictures.py, and a mixture of both. Returns
    them as arrays (3, H, W) in float64."""
    folder.mkdir(parents=True, exist_ok=True)
    photo, painting = (images.array(images.read(path))
                       for path in pictures.write_pictures(folder, rows))
    stretched = Image.fromarray(painting).resize(photo.shape[1::-1], Image.BICUBIC)
    picture = gradient.mixture(photo, np.asarray(stretched), seed=7)
    Image.fromarray(picture).save(folder / "picture.png")
    return [torch.from_numpy(images.planes(array)).double()
            for array in (photo, painting, picture)]


def recipe_of(tables, network):
    """As TOML: both pictures keep their sizes, and no other loss counts."""
    return gradient.recipe_toml({
        "name": "case", "network": {"name": network, "pooling": "max"}, "content": {"weight": 0.0},
        "style": {"weight": 0.0}, "picture": {"painting_size": "own"}, **tables})


def compare_case(options, case, weights, folder):
    """(lines, evaluation)"""
    tables = case.tables if isinstance(case.tables, dict) else case.tables(layer=weights.layer)
    arrays = write_pictures(folder, case.rows)
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe_of(tables, weights.network))
    report, dump = painter.dump_evaluation(options.limn_dump, folder, "dump", "--weights",
                                           weights.file(folder), "--recipe", recipe)
    return compare_dump(tables, weights.reader(layers_of(tables)), arrays, dump, report,
                        not options.quick)


def compare_settings(options):
    """The lines of both recipes' settings."""
    lines = []
    for name in published.STAGES:
        wrong = published.differences(name, painter.run(options.limn, "recipes", "show", name))
        lines.append(Line(f"settings of {name}", float(len(wrong)), 0.0, note="; ".join(wrong)))
    return lines


# ------------------------------------------------------------------------------- what is shown --

def print_lines(title, lines, seconds, evaluation=None):
    print(f"\n{title}, {seconds:.0f} s")
    for line in lines:
        limit = "" if line.limit == math.inf else f"{line.limit:9.0e}"
        print(f"  {line.name:20}{line.error:11.1e}{limit:>9}"
              f"{'' if line.passed() else '  FAILED ' + line.note}")
    if evaluation and evaluation.shares:
        print("  gradient of each part over the whole: " + ", ".join(
            f"{name} {share:.2g}" for name, share in evaluation.shares.items()))


COLUMNS = {"other matches": "{:.2%}", "their cosines": "{:.1e}", "content": "{:.1e}",
           "style": "{:.1e}", "total": "{:.1e}", "gradient": "{:.1e}"}


def markdown(results, quick):
    """The table of docs/parity.md. results: {(case's name, weights' name): lines}."""
    rows = []
    for names, lines in results.items():
        figures = {line.name: line.error for line in lines}
        rows.append([*names, *(form.format(figures[key]) if key in figures else ""
                               for key, form in COLUMNS.items())])
    made = f"Made on {datetime.date.today().isoformat()} with PyTorch {torch.__version__}."
    if quick:
        made += " This is the short form (`--quick`)."
    return page.table(["recipe", "weights", *COLUMNS], rows) + "\n\n" + made


# ---------------------------------------------------------------------------------------- main --

def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn-dump", required=True, metavar="PROGRAM", help="build/dump_evaluation")
    add("--limn", metavar="PROGRAM", help="build/limn, whose recipes' settings are compared too")
    add("--vgg19", metavar="FILE", help="Keras's VGG-19 .h5, without its top")
    add("--only", metavar="WORD", help="cases with this word in their names and no others")
    add("--quick", action="store_true", help="small pictures and random weights only")
    add("--markdown", metavar="FILE", type=pathlib.Path, help="write the table into a page")
    add("--keep", metavar="FOLDER", help="leave pictures, weights and dumps in this folder")
    return parser.parse_args()


def is_run(options, case, weights):
    """Whether the case is run with these weights."""
    if options.only and options.only not in case.name or case.trained and weights.layer == 1:
        return False
    return case.quick or weights.every and not options.quick


def compare_cases(options, work):
    """Compares and prints all cases. Returns {(case's name, weights' name): lines}."""
    results = {}
    for weights in weights_of(None if options.quick else options.vgg19):
        for case in CASES:
            if not is_run(options, case, weights):
                continue
            begun = time.monotonic()
            title = f"{case.name.replace('`', '')}: {weights.name}"
            lines, evaluation = compare_case(options, case, weights,
                                             work / re.sub(r"[^\w.-]+", "_", title))
            print_lines(title, lines, time.monotonic() - begun, evaluation)
            results[case.name, weights.name] = lines
    return results


def main():
    options = read_options()
    needs.files(limn_dump=options.limn_dump, **({"limn": options.limn} if options.limn else {}))
    if options.vgg19:
        needs.files(vgg19=options.vgg19)
        needs.hdf5(options.vgg19)
    vgg.use_all_cores()
    settings = compare_settings(options) if options.limn else []
    for line in settings:
        print(f"{line.name}: {line.note or 'as published'}")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.keep or temporary)
        results = compare_cases(options, work)
    if options.markdown:
        page.splice(options.markdown, markdown(results, options.quick),
                    "make parity (matching)")
    failed = [f"{case}, {weights}: {line.name}" for (case, weights), lines in results.items()
              for line in lines if not line.passed()]
    failed += [line.name for line in settings if not line.passed()]
    errors.end(failed, "all figures are within their limits")


if __name__ == "__main__":
    with command.errors_told():
        main()
