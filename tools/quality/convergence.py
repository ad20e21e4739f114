#!/usr/bin/python3
"""How many iterations limn's optimiser takes, in recipe gram, to the losses of plain L-BFGS.

  convergence.py --limn build/limn --svg curve.svg PHOTO PAINTING [PHOTO PAINTING ...]
  convergence.py ... --weights vgg19.h5 --size 384 --iterations 200

Both paint each pair at one size from the photo, by the recipe's losses with the weights that are
measured at the same place, so that a loss means the same for both. Plain: L-BFGS on pixels, steps
of length 1, one guess of curvature, as the published programs have it. What was painted is kept in
--out, and not painted again with the same program, pictures and weights.

A table goes to standard output: of the iterations (a line search's further evaluations are not
counted; seconds an iteration stand beside) after which plain L-BFGS has a loss, the part that the
recipe takes to the same loss. The curve of the first pair goes to --svg.

Exit status: 0 done; 1 limn failed; 2 bad usage.
"""

import math
import pathlib
import statistics
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import chart, command, page, painter
from kit import pairs as pairing

PLAIN = ("--bands", "0", "--line-search", "none", "--curvature", "one")
MARKS = (50, 100, 200, 300, 500)


def history_of(options, photo, painting, name, iterations, flags):
    """Of one painting: [{"total": ..., "seconds": ...}, ...] from the first point on."""
    pair = pairing.Chosen(photo, painting)
    weights = ("--weights", str(options.weights)) if options.weights else ()
    way = painter.Way(name, ("--recipe", "gram", "--smallest", "0", "--init", "content", *flags,
                             *weights), pairing.digest(options.limn, *weights[1:]), iterations)
    common = painter.common_settings(options.limn, pair, options.size)
    stem = f"{pair.name}-{name}-{options.size}-{iterations}"
    return painter.painted(options.limn, way, pair, common, options.out, stem, lambda report: {
        "history": report["history"]})["history"]


def iterations_to(loss, history):
    """At how many iterations the loss is reached, between two of them by its logarithm."""
    totals = [point["total"] for point in history]
    for i in range(1, len(totals)):
        if totals[i] <= loss:
            whole = math.log(totals[i - 1] / totals[i])
            return i - 1 + (math.log(totals[i - 1] / loss) / whole if whole else 1)
    return None


def pace(history):
    """Seconds an iteration."""
    return (history[-1]["seconds"] - history[0]["seconds"]) / (len(history) - 1)


def table(rows, marks):
    """Markdown; rows: [(pair, [part or None of each mark], seconds of the recipe over plain), ...].
    """
    mean = lambda values: None if None in values else statistics.mean(values)
    if len(rows) > 1:
        _, parts, seconds = zip(*rows)
        rows = [*rows, ("**mean**", list(map(mean, zip(*parts))), mean(seconds))]
    number = lambda value: "" if value is None else f"{value:.2f}"
    return page.table(["pair", *map(str, marks), "seconds an iteration"],
                      [[name, *map(number, [*parts, seconds])] for name, parts, seconds in rows])


def curves(plain, recipe, title):
    curve = lambda history: [[i, point["total"]] for i, point in enumerate(history) if i > 0]
    return chart.Chart(title, "iterations", "loss",
                       [chart.Series("plain L-BFGS", curve(plain)),
                        chart.Series("recipe limn", curve(recipe))], log_y=True, log_x=True)


def main():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("pictures", nargs="+", type=command.existing_file, metavar="PHOTO PAINTING")
    add("--limn", required=True, type=command.existing_file)
    add("--weights", type=command.existing_file, help="instead of the built-in network")
    add("--size", type=int, default=512)
    add("--iterations", type=int, default=300, help="of plain L-BFGS")
    add("--part", type=float, default=0.5, help="of them for the recipe")
    add("--out", type=pathlib.Path, default=pathlib.Path("build/convergence"))
    add("--svg", type=pathlib.Path)
    options = parser.parse_args()
    if len(options.pictures) % 2:
        parser.error("pictures come in pairs: a photo, then a painting")
    options.out.mkdir(parents=True, exist_ok=True)
    marks = [mark for mark in MARKS if mark <= options.iterations]
    few = round(options.part * options.iterations)
    rows = []
    for photo, painting in zip(options.pictures[::2], options.pictures[1::2]):
        plain = history_of(options, photo, painting, "plain", options.iterations, PLAIN)
        recipe = history_of(options, photo, painting, "recipe", few, ())
        parts = []
        for mark in marks:
            least = min(point["total"] for point in plain[:mark + 1])
            took = iterations_to(least, recipe)
            parts.append(took / mark if took is not None else None)
        name = f"{photo.stem}, {painting.stem}"
        rows.append((name, parts, pace(recipe) / pace(plain)))
        if options.svg and len(rows) == 1:
            network = "VGG-19" if options.weights else "built-in network"
            title = f"{name} at {options.size} pixels, {network}"
            chart.write_svg([curves(plain, recipe, title)], options.svg)
    print(table(rows, marks))


if __name__ == "__main__":
    with command.errors_told():
        main()
