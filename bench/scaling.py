#!/usr/bin/python3
"""Measures how limn's time and memory grow with the picture.

  scaling.py --limn build/limn --weights vgg19.h5 --photo photo.jpg --painting painting.jpg \\
      [--megapixels 0.06,0.12,0.25,0.5,1,2,4] [--rounds 3] [--evaluations 4] [--threads N] \\
      [--json OUT.json] [--svg OUT.svg]

Seconds for one loss and gradient, and the peak of the process's memory, each for a megapixel. Were
both proportional to the picture, both curves would be level; how far they are from it is their
spread, the largest value over the smallest. The pictures are squares whose side is a multiple of
16, so that no pooling meets an odd side. One run is measured like limn's side in compare_torch.py;
each size's time is the least of its rounds' medians. A round runs all sizes before the next begins,
so that a slow minute does not fall on one size alone.

Exit status: 0 measured, 1 limn failed, 77 something needed is not here, 2 bad usage.
"""

import argparse
import math
import pathlib
import sys
import tempfile

from compare_torch import (add_inputs, check_inputs, describe_machine, list_of, machine_text,
                           make_pictures, positive, prepared, run_benchmark, run_limn, warn_if_busy,
                           write_json)
from kit import chart

SIDE_MULTIPLE = 16  # four poolings lie above the deepest layer of the recipe 'gram'
LEAST_SIDE = 32


def side_of(megapixels):
    """The side of the square picture that comes nearest."""
    sides = math.sqrt(megapixels * 1e6) / SIDE_MULTIPLE
    return max(LEAST_SIDE, SIDE_MULTIPLE * round(sides))


def measure(options, sides, folder):
    """{side: [Run of each round]}."""
    for side in sides:
        (folder / str(side)).mkdir()
        make_pictures(options, side, folder / str(side))
    runs = {side: [] for side in sides}
    for number in range(1, options.rounds + 1):
        for side in sides:
            run = run_limn(options, folder / str(side), options.evaluations)
            runs[side].append(run)
            print(f"  round {number}  {side:5} x {side:<5}{run.median():9.3f} s"
                  f"{run.peak_bytes / 1e6:9,.0f} MB", flush=True)
    return runs


def point_of(side, runs):
    """What is known of one size."""
    megapixels, seconds = side**2 / 1e6, min(run.median() for run in runs)
    peak = max(run.peak_bytes for run in runs)
    return {"side": side, "megapixels": megapixels, "seconds": seconds, "peak_bytes": peak,
            "seconds_per_megapixel": seconds / megapixels,
            "bytes_per_megapixel": peak / megapixels,
            "runs": [{"seconds": run.seconds, "peak_bytes": run.peak_bytes} for run in runs]}


def spread_of(points, key):
    values = [point[key] for point in points]
    return max(values) / min(values)


def fixed_and_growing(points):
    """(a, b) of the straight line peak = a + b * megapixels that fits best: what limn takes for any
    picture, and what each further megapixel takes. None for fewer than two sizes."""
    if len(points) < 2:
        return None
    xs, ys = ([point[key] for point in points] for key in ("megapixels", "peak_bytes"))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = (sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys))
             / sum((x - x_mean) ** 2 for x in xs))
    return y_mean - slope * x_mean, slope


def charts(result):
    """The two curves."""
    points = result["points"]
    name = f"limn, {result['machine']['threads']} threads"
    curve = lambda key, unit: [chart.Series(name, [(point["megapixels"], point[key] / unit)
                                                  for point in points])]
    shared = {"x_label": "picture (megapixels)", "log_x": True,
              "x_ticks": [float(f"{point['megapixels']:.2g}") for point in points]}
    return [
        chart.Chart("Time of one loss and gradient", y_label="seconds per megapixel",
                   series=curve("seconds_per_megapixel", 1), **shared),
        chart.Chart("Peak memory of the process", y_label="MB per megapixel",
                   series=curve("bytes_per_megapixel", 1e6), **shared)]


def print_table(result):
    print(f"\n{'picture':>13}{'megapixels':>12}{'seconds':>10}{'s per MP':>10}{'peak MB':>10}"
          f"{'MB per MP':>11}")
    for point in result["points"]:
        size = f"{point['side']} x {point['side']}"
        print(f"{size:>13}{point['megapixels']:12.3f}{point['seconds']:10.3f}"
              f"{point['seconds_per_megapixel']:10.2f}{point['peak_bytes'] / 1e6:10,.0f}"
              f"{point['bytes_per_megapixel'] / 1e6:11,.0f}")
    print(f"\nspread (largest over smallest): time {result['spread']['seconds']:.2f}, "
          f"memory {result['spread']['bytes']:.2f}")
    if result["peak_line"]:
        fixed, growing = (value / 1e6 for value in result["peak_line"])
        print(f"memory is about {fixed:,.0f} MB and {growing:,.0f} MB for each megapixel")


def scale(options):
    check_inputs(options, {"PIL": "python3-pil"})
    sides = sorted({side_of(megapixels) for megapixels in options.megapixels})
    machine = describe_machine(options)
    print(machine_text(machine))
    warn_if_busy(machine)
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(options, sides, pathlib.Path(folder))
    points = [point_of(side, runs[side]) for side in sides]
    result = {"machine": {**machine, "instruction_set":
                          runs[sides[0]][0].extra["instruction_set"]},
              "settings": {"rounds": options.rounds, "evaluations": options.evaluations},
              "spread": {"seconds": spread_of(points, "seconds_per_megapixel"),
                         "bytes": spread_of(points, "bytes_per_megapixel")},
              "peak_line": fixed_and_growing(points), "points": points}
    print_table(result)
    if options.json:
        write_json(options.json, result)
    if options.svg:
        chart.write_svg(charts(result), options.svg)


def megapixels_value(text):
    value = float(text)
    if not 0.001 <= value <= 1000:
        raise argparse.ArgumentTypeError("megapixels must be within 0.001..1000")
    return value


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_inputs(parser)
    parser.add_argument("--megapixels", type=list_of(megapixels_value), metavar="MP,...",
                        default=[0.06, 0.12, 0.25, 0.5, 1, 2, 4],
                        help="sizes of the pictures (0.06,0.12,0.25,0.5,1,2,4)")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="(3)")
    parser.add_argument("--svg", metavar="OUT", help="draw both curves")
    return prepared(parser.parse_args())


if __name__ == "__main__":
    sys.exit(run_benchmark(scale, parse_options()))
