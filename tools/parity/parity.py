#!/usr/bin/python3
"""Holds limn's five recipes of published systems against those systems, stated in PyTorch.

  parity.py --limn-run build/dump_run --vgg19 vgg19.h5
  parity.py ... --quick                       10 steps instead of 50: what ctest runs
  parity.py ... --markdown docs/parity.md     the table as a page
  parity.py ... --sheet docs/parity           longer runs, and their pictures side by side

systems.py states the five, pictures.py makes what they paint, and each reads the kind of weights
file that it was published with: made here from Keras's VGG-19 by weight_files.py, where that is not
the file itself. Both sides are given the same pictures at the same size, and begin with the same
variable; from there on each is on its own.

Exit status: 0 all within their limits, 1 some figure is not, 77 something needed is not here (ctest
shows that as "skipped"); 2 bad usage.
"""

import argparse
import dataclasses
import datetime
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import scipy
    import torch
    from PIL import Image, ImageDraw
    import pictures
    import weight_files
    from systems import SYSTEMS, HundredLines
    MISSING = None
except ImportError as error:
    MISSING = f"the Python module {error.name} is not installed"

# Of a loss at the same variable, relative: float32 through 16 convolutions, squared, costs some
# 1e-6; a figure of 1e-4 is another formula. Of the gradient, relative L2: a value within rounding of
# zero may pass the ReLU on one side only, or two nearly equal ones may swap as the maximum, and each
# such cell is wrong as a whole.
LOSS_LIMIT = 1e-4
GRADIENT_LIMIT = 5e-3
# Of the total after so many steps, relative: each step carries the differences of all before it.
STEP_LIMITS = {10: 0.01, 50: 0.03}
# How much worse limn's L-BFGS may end than SciPy's, whose steps it does not repeat.
LBFGS_LIMIT = 0.01

SKIPPED = 77
TERMS = ("content", "style", "total_variation", "total")
ROWS = 108  # of the photo, which is 4:3; the painting has 7/8 of them and is 5:4


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table: a system, the kind of weights file, and flags that limn's recipe gets
    beside its name. `weights` (content, style, total variation) are set on the reference if given.
    """
    name: str
    system: str
    weights_file: str
    flags: tuple = ()
    weights: tuple = ()


CASES = [
    Case("keras", "keras", "vgg19.h5", ("--size", str(ROWS))),
    Case("tensorflow", "tensorflow", "vgg19.h5", ("--size", str(ROWS * 4 // 3))),
    Case("gatys", "gatys", "vgg19.mat"),
    Case("hundred-lines", "hundred-lines", "vgg16.npz"),
    Case("hundred-lines, the text's weights", "hundred-lines", "vgg16.npz",
         ("--content-weight", "0.025", "--style-weight", "5", "--tv-weight", "0.1"),
         (0.025, 5.0, 0.1)),
    Case("pytorch", "pytorch", "vgg19.pth"),
]


# ----------------------------------------------------------------------------- the two sides --

def make_weights(vgg19_path, folder):
    """The weights files of CASES, by name, all with Keras's trained filters."""
    vgg19 = weight_files.read_h5(vgg19_path)
    paths = {name: folder / name for name in ("vgg19.mat", "vgg16.npz", "vgg19.pth")}
    weight_files.write_mat(paths["vgg19.mat"], weight_files.with_red_first(vgg19))
    weight_files.write_npz(paths["vgg16.npz"],
                           weight_files.with_red_first(weight_files.vgg16_of(vgg19)))
    weight_files.write_pth(paths["vgg19.pth"], weight_files.for_torchvision(vgg19))
    return {"vgg19.h5": pathlib.Path(vgg19_path), **paths}


@dataclasses.dataclass
class LimnRun:
    """What dump_run wrote: pictures (3, H, W), RGB in 0..1; variables and gradient likewise, in the
    recipe's space; losses[i] are those of the variable after i iterations."""
    photo: object
    painting: object
    initial: object
    gradient: object
    final: object
    losses: list
    recipe: dict


def run_limn(options, case, weights, paths, folder, iterations, flags=()):
    """Runs dump_run into `folder`. SystemExit with the program's own message if it fails."""
    folder.mkdir(parents=True)
    command = [options.limn_run, *paths, "--weights", weights, "--recipe", case.system,
               *case.flags, *flags, "--iterations", iterations, "--out", folder]
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n"
                         f"ended with status {done.returncode}:\n{done.stdout}")
    run = json.loads((folder / "run.json").read_text())

    def planes(name, like):
        shape = (3, run[like]["height"], run[like]["width"])
        return np.fromfile(folder / name, dtype="<f4").reshape(shape)

    return LimnRun(planes("photo.f32", "photo"), planes("painting.f32", "painting"),
                   planes("initial.f32", "photo"), planes("gradient0.f32", "photo"),
                   planes("final.f32", "photo"), run["losses"], run["recipe"])


def reference(case, run, filters, dtype):
    """The system of the case on the pictures that limn worked on."""
    system = SYSTEMS[case.system](filters, run.photo, run.painting, dtype)
    if case.weights:
        system.content_weight, system.style_weight, system.variation_weight = case.weights
    if case.system == "pytorch":  # its balance is left to the user, so it is limn's
        system.content_weight = run.recipe["content"]["weight"]
        system.style_weight = run.recipe["style"]["weight"]
    return system


def descend(system, initial, at):
    """{iteration: total loss} at those iterations, and the last variable."""
    totals, x = {}, torch.from_numpy(initial).to(system.dtype)
    for iteration, x in enumerate(system.descend(x, max(at)), start=1):
        if iteration in at:
            totals[iteration] = system.losses(x)["total"]
    return totals, x


# ---------------------------------------------------------------------------- the comparison --

@dataclasses.dataclass
class Line:
    """One figure: how far limn is off, and how far it may be."""
    name: str
    error: float
    limit: float

    def passed(self):
        return self.error <= self.limit  # false for NaN


def expected_sizes(case, photo, painting):
    """((height, width) of the photo, of the painting) that the system works on, from the (height,
    width) of the files."""
    (rows, columns), (other_rows, other_columns) = photo, painting
    if case.system == "keras":
        size = (ROWS, columns * ROWS // rows)
        return size, size
    if case.system == "tensorflow":
        side = ROWS * 4 // 3
        shrink = lambda a, b: (a * side // max(a, b), b * side // max(a, b))
        return shrink(rows, columns), shrink(other_rows, other_columns)
    return photo, photo if case.system == "gatys" else painting


def relative_error(value, reference):
    """|value - reference| / |reference| in L2."""
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    return float(np.linalg.norm(value - reference) / np.linalg.norm(reference))


def term_error(losses, expected, term):
    """Relative; against the total where the term is 0, as the content is at the photo itself."""
    scale = expected[term] or expected["total"]
    return abs(losses[term] - expected[term]) / abs(scale)


def compare_at(system, variable, losses, gradient, label):
    """The lines of the losses and the gradient at one variable; the system in float64."""
    x = torch.from_numpy(variable).to(torch.float64)
    expected = system.losses(x)
    lines = [Line(f"{term} {label}", term_error(losses, expected, term), LOSS_LIMIT)
             for term in TERMS]
    lines.append(Line(f"gradient {label}", relative_error(gradient, system.gradient(x).numpy()),
                      GRADIENT_LIMIT))
    return lines


def compare_case(options, case, weights, paths, mixture, work):
    """All lines of one case."""
    folder = work / case.name.replace(" ", "_")
    last = (20 if options.quick else 100) if case.system == "gatys" else \
        10 if options.quick else 50
    filters = weight_files.READERS[weights.suffix](weights)
    run = run_limn(options, case, weights, paths, folder / "run", last)
    system = reference(case, run, filters, torch.float64)
    sizes = expected_sizes(case, *(np.asarray(Image.open(path)).shape[:2] for path in paths))
    found = (run.photo.shape[1:], run.painting.shape[1:])
    lines = [Line("sizes", float(found != sizes), 0.0)]
    begins = system.initial_error(torch.from_numpy(run.initial).to(torch.float64))
    noise = case.system in ("gatys", "hundred-lines")
    lines.append(Line("first variable", begins, 5 / math.sqrt(run.initial.size) if noise else 1e-6))
    lines += compare_at(system, run.initial, run.losses[0], run.gradient, "at the start")

    # The content is 0 at the photo, and its gradient too: they are looked at elsewhere as well.
    other = run_limn(options, case, weights, paths, folder / "mixture", 1, ("--init", mixture))
    lines += compare_at(system, other.initial, other.losses[0], other.gradient, "at a mixture")

    at = sorted({10, last // 2 * (last > 10), last} - {0})
    totals, _ = descend(reference(case, run, filters, torch.float32), run.initial, at)
    for iteration, total in totals.items():
        ratio = run.losses[min(iteration, len(run.losses) - 1)]["total"] / total - 1
        if case.system != "gatys":
            if iteration in STEP_LIMITS:
                lines.append(Line(f"total after {iteration}", abs(ratio), STEP_LIMITS[iteration]))
        else:  # signed: only worse is wrong
            limit = LBFGS_LIMIT if iteration == last else math.inf
            lines.append(Line(f"total after {iteration}", ratio, limit))
    return lines


# ------------------------------------------------------------------------------- what is shown --

def print_lines(case, lines, seconds):
    print(f"\n{case.name}: {case.weights_file}, {seconds:.0f} s")
    for line in lines:
        limit = "" if line.limit == math.inf else f"{line.limit:9.0e}"
        print(f"  {line.name:32}{line.error:11.1e}{limit:>9}"
              f"{'' if line.passed() else '  FAILED'}")
