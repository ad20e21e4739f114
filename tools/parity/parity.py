#!/usr/bin/python3
"""Holds limn's five recipes of published systems against those systems, stated in PyTorch.

  parity.py --limn-run build/dump_run --vgg19 vgg19.h5
  parity.py ... --quick                       3 steps instead of 50: what ctest runs
  parity.py ... --markdown docs/parity.md     the tables, between their marks in a page
  parity.py ... --sheet docs/parity           longer runs, and their pictures side by side

systems.py states the five, pictures.py makes what they paint, and each reads the kind of weights
file that it was published with: made here from Keras's VGG-19, where that is not the file itself.
Both sides are given the same pictures at the same size, and begin with the same variable; from
there on each is on its own. Without SciPy gatys is compared at its start and at a mixture only, not
after its steps of SciPy's L-BFGS-B, and with a .npz of the same filters in place of SciPy's .mat.

Exit status: 0 all within their limits, 1 some figure is not, 77 something needed is not here, 2 bad
usage.
"""

import dataclasses
import datetime
import json
import math
import pathlib
import sys
import tempfile
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import command, needs

needs.modules("h5py", "numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import errors, images, page, painter, sheet, vgg, weight_writers
from kit.errors import Line, relative_error
from kit.page import table
import pictures
from systems import SYSTEMS

# Of a loss at the same variable, relative: float32 through 16 convolutions, squared, costs some
# 1e-6; a figure of 1e-4 is another formula. Of the gradient, relative L2: a value within rounding
# of zero may pass the ReLU on one side only, or two nearly equal ones may swap as the maximum, and
# each such cell is wrong as a whole.
LOSS_LIMIT = 1e-4
GRADIENT_LIMIT = 5e-3
# Of the total after so many steps, relative: each step carries the differences of all before it.
STEP_LIMITS = {1: 0.01, 3: 0.01, 10: 0.01, 50: 0.03}
# Of the variable's movement since the start, relative L2, after so many iterations. Without its
# decay keras would be off by 1.6e-3 after 3, with another epsilon or beta tensorflow by 2e-3 and
# 1.3e-2. Adam's first step with a small epsilon is as long where the gradient is all but 0, so
# that a single value there whose sign rounding turns over is 2 / sqrt(values) = 9e-3.
MOVEMENT_LIMITS = {"keras": {1: 1e-4, 3: 5e-4}, "tensorflow": {1: 5e-4, 3: 5e-3},
                   "hundred-lines": {1: 2e-2, 3: 3e-2}, "pytorch": {1: 2e-2, 3: 3e-2}}
# How much worse limn's L-BFGS may end than SciPy's, whose steps it does not repeat.
LBFGS_LIMIT = 0.01

TERMS = ("content", "style", "total_variation", "total")


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the tables.

    rows: of the photo, which is 4:3; the painting has 7/8 of them and is 5:4.
    after, quick_after: iterations after which totals are compared; none: not in the quick form.
    weights: of content, style and total variation, and
    learning_rate: on both sides; without them, each side has its own.
    movement: whether how far the variable moves is limited.
    """
    system: str
    weights_file: str
    label: str = ""
    rows: int = 108
    after: tuple = (1, 3, 10, 50)
    quick_after: tuple = (1, 3)
    weights: tuple = ()
    learning_rate: float = 0
    movement: bool = True

    @property
    def name(self):
        return f"{self.system}, {self.label}" if self.label else self.system

    def flags(self):
        """For limn, beside the recipe's name."""
        flags = []
        if self.system == "keras":
            flags += ["--size", self.rows]
        if self.system == "tensorflow":
            flags += ["--size", self.rows * 4 // 3]
        for flag, value in zip(("--content-weight", "--style-weight", "--tv-weight"), self.weights):
            flags += [flag, value]
        return flags + (["--learning-rate", self.learning_rate] if self.learning_rate else [])


# Keras's rate is one for 400 rows: a pixel's gradient grows as pixels get fewer, and at 108 rows
# gradient descent runs off on both sides. There the rate is lower in proportion to the pixels. At
# 400 rows rounding turns over some signs in the first gradient already, as many as the setting to
# be told by it would.
CASES = [
    Case("keras", "vgg19.h5", "learning rate 7.29", learning_rate=7.29),
    Case("keras", "vgg19.h5", "400 rows", rows=400, after=(1, 3), quick_after=(), movement=False),
    Case("tensorflow", "vgg19.h5"),
    Case("gatys", "vgg19.mat", after=(10, 50, 100), quick_after=(10, 20)),
    Case("hundred-lines", "vgg16.npz"),
    Case("hundred-lines", "vgg16.npz", "the text's weights", weights=(0.025, 5.0, 0.1),
         quick_after=()),
    Case("pytorch", "vgg19.pth"),
]


# ----------------------------------------------------------------------------- the two sides --

def make_weights(vgg19_path, folder):
    """The weights files of CASES, by name, all with Keras's trained filters."""
    vgg19 = vgg.read_h5(vgg19_path)
    paths = {name: folder / name for name in ("vgg19.mat", "vgg16.npz", "vgg19.pth")}
    if needs.has_module("scipy"):
        weight_writers.write_mat(paths["vgg19.mat"], vgg.with_red_first(vgg19))
    else:
        paths["vgg19.mat"] = folder / "vgg19.npz"
        weight_writers.write_npz(paths["vgg19.mat"], vgg.with_red_first(vgg19))
    weight_writers.write_npz(paths["vgg16.npz"], vgg.with_red_first(vgg.vgg16_of(vgg19)))
    weight_writers.write_pth(paths["vgg19.pth"], vgg.for_torchvision(vgg19))
    return {"vgg19.h5": pathlib.Path(vgg19_path), **paths}


@dataclasses.dataclass
class LimnRun:
    """What dump_run wrote: pictures (3, H, W), RGB in 0..1; variables and gradient likewise, in the
    recipe's space; losses[i] are those of the variable after i iterations, after[i] is that
    variable for the iterations asked for."""
    photo: object
    painting: object
    initial: object
    gradient: object
    after: dict
    final: object
    losses: list
    recipe: dict


def run_limn(options, case, weights, paths, folder, after, flags=()):
    """Runs dump_run into `folder` for as many iterations as the last of `after` is."""
    folder.mkdir(parents=True)
    painter.run(options.limn_run, *paths, "--weights", weights, "--recipe", case.system,
                *case.flags(), *flags, "--iterations", max(after), "--out", folder, "--at", *after)
    run = json.loads((folder / "run.json").read_text())

    def planes(name, like):
        shape = (3, run[like]["height"], run[like]["width"])
        return np.fromfile(folder / name, dtype="<f4").reshape(shape)

    return LimnRun(planes("photo.f32", "photo"), planes("painting.f32", "painting"),
                   planes("initial.f32", "photo"), planes("gradient0.f32", "photo"),
                   {i: planes(f"after_{i}.f32", "photo") for i in after
                    if (folder / f"after_{i}.f32").exists()},
                   planes("final.f32", "photo"), run["losses"], run["recipe"])


def reference(case, run, filters, dtype):
    """The system of the case on the pictures that limn worked on."""
    system = SYSTEMS[case.system](filters, run.photo, run.painting, dtype)
    if case.weights:
        system.content_weight, system.style_weight, system.variation_weight = case.weights
    if case.learning_rate:
        system.learning_rate = case.learning_rate
    if case.system == "pytorch":  # its balance is left to the user, so it is limn's
        system.content_weight = run.recipe["content"]["weight"]
        system.style_weight = run.recipe["style"]["weight"]
    return system


def descend(system, initial, after):
    """{iteration: variable} for those iterations; the last there is where a run ends early."""
    x = torch.from_numpy(initial).to(system.dtype)
    found = dict.fromkeys(after, x)
    for iteration, x in enumerate(system.descend(x, max(after)), start=1):
        found.update({i: x for i in after if i >= iteration})
    return found


# ---------------------------------------------------------------------------- the comparison --

def expected_sizes(case, photo, painting):
    """((height, width) of the photo, of the painting) that limn works on in the system's stead,
    from the (height, width) of the files. The systems cut what is left of a proportion, limn rounds
    it: they are alike where a proportion gives whole pixels."""
    rows, columns = photo
    if case.system == "keras":
        size = (case.rows, (2 * columns * case.rows + rows) // (2 * rows))
        return size, size
    if case.system == "tensorflow":
        side = case.rows * 4 // 3
        return images.working_size(*photo, side), images.working_size(*painting, side)
    return photo, photo if case.system == "gatys" else painting


def write_mixture(photo_path, painting_path, path):
    """A picture of the photo's size: half of it, a quarter painting, a quarter noise. Returns path.
    """
    photo = Image.open(photo_path)
    painting = Image.open(painting_path).resize(photo.size, Image.BICUBIC)
    noise = np.random.default_rng(5).integers(0, 256, (photo.height, photo.width, 3))
    mixed = 0.5 * np.asarray(photo) + 0.25 * np.asarray(painting) + 0.25 * noise
    Image.fromarray(np.rint(mixed).astype(np.uint8)).save(path)
    return path


def compare_at(system, variable, losses, gradient, place):
    """The lines of the losses and the gradient at one variable; the system in float64. At the photo
    itself the content is 0 but for rounding, and is measured by the total instead."""
    x = torch.from_numpy(variable).to(torch.float64)
    expected = system.losses(x)
    scales = {term: abs(expected[term] or expected["total"]) for term in TERMS}
    if place == "the start" and system.starts_from_photo:
        scales["content"] = expected["total"]
    lines = [Line(f"{term} at {place}", abs(losses[term] - expected[term]) / scales[term],
                  LOSS_LIMIT) for term in TERMS]
    lines.append(Line(f"gradient at {place}", relative_error(gradient, system.gradient(x).numpy()),
                      GRADIENT_LIMIT))
    return lines


def compare_sizes(case, run, paths):
    files = [np.asarray(Image.open(path)).shape[:2] for path in paths]
    found = (run.photo.shape[1:], run.painting.shape[1:])
    return Line("sizes", float(found != expected_sizes(case, *files)), 0.0)


def compare_beginning(system, run):
    """Noise is compared by its statistics, to five times what they vary by themselves."""
    limit = 1e-6 if system.starts_from_photo else 5 / math.sqrt(run.initial.size)
    x = torch.from_numpy(run.initial).to(torch.float64)
    return Line("first variable", system.initial_error(x), limit)


def compare_steps(case, system, run, variables):
    """The lines after some iterations, {iteration: the system's variable}. How far the variables
    have moved apart says more of the steps than the total does, which hardly knows Adam with one
    epsilon from Adam with another. With L-BFGS only a worse total is wrong, and on the way it may
    be."""
    lines = []
    for iteration, x in variables.items():
        total = system.losses(x)["total"]
        ratio = run.losses[min(iteration, len(run.losses) - 1)]["total"] / total - 1
        name = f"total after {iteration}"
        if case.system == "gatys":
            limit = LBFGS_LIMIT if iteration == max(variables) else math.inf
            lines.append(Line(name, ratio, limit, worse_only=True))
            continue
        lines.append(Line(name, ratio, STEP_LIMITS[iteration]))
        moved = relative_error(run.after[iteration] - run.initial, x.numpy() - run.initial)
        limits = MOVEMENT_LIMITS[case.system] if case.movement else {}
        lines.append(Line(f"movement after {iteration}", moved, limits.get(iteration, math.inf)))
    return lines


def compare_case(options, case, weights, work):
    """All lines of one case."""
    folder = work / case.name.replace(" ", "_")
    paths = pictures.write_pictures(folder, case.rows)
    mixture = write_mixture(*paths, folder / "mixture.png")
    after = case.quick_after if options.quick else case.after
    run = run_limn(options, case, weights, paths, folder / "run", after)
    filters = vgg.READERS[weights.suffix](weights)
    system = reference(case, run, filters, torch.float64)
    lines = [compare_sizes(case, run, paths), compare_beginning(system, run)]
    lines += compare_at(system, run.initial, run.losses[0], run.gradient, "the start")

    # The content is 0 at the photo, and its gradient too: they are looked at elsewhere as well.
    other = run_limn(options, case, weights, paths, folder / "mixture", (1,),
                     ("--init", mixture))
    lines += compare_at(system, other.initial, other.losses[0], other.gradient, "a mixture")

    if case.system == "gatys" and not needs.has_module("scipy"):
        command.say(f"{case.name}: its steps are left out: SciPy, which makes them, is missing")
        return lines
    single = reference(case, run, filters, torch.float32)
    return lines + compare_steps(case, single, run, descend(single, run.initial, after))


# ------------------------------------------------------------------------------- what is shown --

def print_lines(case, file, lines, seconds):
    print(f"\n{case.name}: {file.name}, {seconds:.0f} s")
    for line in lines:
        limit = "" if line.limit == math.inf else f"{line.limit:9.0e}"
        print(f"  {line.name:32}{line.error:11.1e}{limit:>9}"
              f"{'' if line.passed() else '  FAILED'}")


# What each term and step is called in the page's tables.
COLUMNS = {"content": "content", "style": "style", "total_variation": "total variation",
           "total": "total", "gradient": "gradient"}


def figure(lines, name, form="{:.1e}", factor=1):
    """The figure of that name as the page shows it."""
    return "".join(form.format(factor * line.error) for line in lines if line.name == name)


def maker(part):
    """Whose marks the part goes between."""
    return f"make parity ({part})"


def parts(results, painted, quick):
    """{part: Markdown} of docs/parity.md. results: {case: lines}; painted: of paint_sheet."""
    label = lambda case: f"`{case.system}`" + case.name[len(case.system):]
    steps, totals = (1, 3, 10), (3, 10, 20, 50, 100)
    same = [[label(case), case.weights_file, place,
             *(figure(lines, f"{key} at {place}") for key in COLUMNS)]
            for case, lines in results.items() for place in ("the start", "a mixture")]
    apart = [[label(case), *(figure(lines, f"movement after {i}") for i in steps),
              *(figure(lines, f"total after {i}", "{:+.2f} %", 100) for i in totals)]
             for case, lines in results.items()]
    made = (f"Made on {datetime.date.today().isoformat()} with PyTorch {torch.__version__}, SciPy "
            f"{needs.scipy_version()} and NumPy {np.__version__}. Rounding differs between "
            "machines, and with it the last digit of each figure.")
    if quick:
        made += " This is the short form (`--quick`): 3 steps, 20 of L-BFGS."
    sheet_rows = [[f"`{name}`", str(n), f"{100 * ratio:+.2f} %", f"{difference:.2f}"]
                  for name, (n, ratio, difference) in painted.items()]
    return {
        "same": table(["recipe", "weights", "at", *COLUMNS.values()], same),
        "apart": table(["recipe", *(f"movement, {i}" for i in steps),
                        *(f"total, {i}" for i in totals)], apart) + "\n\n" + made,
        **({"sheet": table(["recipe", "iterations", "total, limn / reference - 1",
                            "mean difference of 255"], sheet_rows)} if painted else {})}


# ----------------------------------------------------------------------------------- the sheet --

SHEET_ROWS = 192
SHEET_RATE = {"keras": 23.0}  # as above, for its number of pixels
SHEET_ITERATIONS = {"keras": 300, "tensorflow": 100, "gatys": 100, "hundred-lines": 200,
                    "pytorch": 300}


def to_picture(rgb):
    """A PIL picture of (3, H, W) RGB."""
    return Image.fromarray(images.bytes_of(rgb).transpose(1, 2, 0))


def paint_sheet(options, weights, work):
    """Runs each system for longer, puts the pictures side by side, and returns {system:
    (iterations, total of limn / reference - 1, mean difference of the pictures of 255)}."""
    paths = pictures.write_pictures(work / "sheet_pictures", SHEET_ROWS)
    rows = [[("", path.stem, images.read(path)) for path in paths]]
    measured = {}
    for case in CASES:
        if case.system in measured or options.only and case.system not in options.only:
            continue
        iterations = SHEET_ITERATIONS[case.system]
        sized = dataclasses.replace(case, rows=SHEET_ROWS,
                                    learning_rate=SHEET_RATE.get(case.system, 0))
        file = weights[case.weights_file]
        run = run_limn(options, sized, file, paths, work / f"sheet_{case.system}", (iterations,))
        system = reference(sized, run, vgg.READERS[file.suffix](file), torch.float32)
        x = descend(system, run.initial, (iterations,))[iterations]
        ours, theirs = (np.clip(system.to_rgb(v).numpy(), 0, 1)
                        for v in (torch.from_numpy(run.final), x))
        ratio = run.losses[-1]["total"] / system.losses(x)["total"] - 1
        measured[case.system] = (iterations, ratio, float(255 * np.abs(ours - theirs).mean()))
        rows.append([(f"{case.system}, {iterations} iterations", side, to_picture(rgb))
                     for side, rgb in (("limn", ours), ("PyTorch", theirs))])
        command.say(f"sheet: {case.system} {measured[case.system]}")
    sheet.compose(rows, SHEET_ROWS * 4 // 3, options.sheet / "side-by-side.jpg")
    return measured


# ---------------------------------------------------------------------------------------- main --

def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn-run", required=True, metavar="PROGRAM", help="build/dump_run")
    add("--vgg19", required=True, metavar="FILE", help="Keras's VGG-19 .h5, without its top")
    add("--only", nargs="+", choices=list(SYSTEMS), help="these systems and no others")
    add("--quick", action="store_true",
        help="10 steps instead of 50, 20 of L-BFGS instead of 100")
    add("--markdown", metavar="FILE", type=pathlib.Path, help="write the tables as a page")
    add("--sheet", metavar="FOLDER", type=pathlib.Path, help="write side-by-side.jpg")
    add("--keep", metavar="FOLDER", help="leave weights and dumps in this folder")
    return parser.parse_args()


def compare_cases(options, weights, work):
    """Compares and prints all cases. Returns {case: lines}."""
    results = {}
    for case in CASES:
        left_out = options.quick and not case.quick_after
        if left_out or options.only and case.system not in options.only:
            continue
        begun = time.monotonic()
        results[case] = compare_case(options, case, weights[case.weights_file], work)
        print_lines(case, weights[case.weights_file], results[case], time.monotonic() - begun)
    return results


def main():
    options = read_options()
    needs.files(limn_run=options.limn_run, vgg19=options.vgg19)
    needs.hdf5(options.vgg19)
    if options.markdown or options.sheet:  # which show all that there is
        needs.modules("scipy")
    vgg.use_all_cores()
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.keep or temporary)
        work.mkdir(parents=True, exist_ok=True)
        weights = make_weights(options.vgg19, work)
        results = compare_cases(options, weights, work)
        painted = paint_sheet(options, weights, work) if options.sheet else {}
    if options.markdown:
        for part, text in parts(results, painted, options.quick).items():
            page.splice(options.markdown, text, maker(part))
    errors.end([f"{case.name}: {line.name}" for case, lines in results.items() for line in lines
                if not line.passed()], "all figures are within their limits")


if __name__ == "__main__":
    with command.errors_told():
        main()
