#!/usr/bin/python3
"""Measures limn batch against a loop of limn paint over the same pictures.

  batch.py --limn build/limn [--photos examples/photos] [--paintings examples/paintings] \\
      [--most 3x4] [--size 256] [--iterations N] [--rounds 5] [--threads N] [--json OUT.json]

A round paints all pictures in both ways, into empty folders, one after the other; which goes first
alternates. The loop is one of a shell: it starts limn for each picture. Both write the same bytes,
which is checked. Given are seconds for a picture, and the ratio of each round's two: medians, and
the least and the largest. A warm-up round, which is not counted, brings the files into memory.

Exit status: 0 measured, 1 limn failed or the pictures differ, 2 bad usage, 77 something needed is
not here.
"""

import argparse
import filecmp
import pathlib
import re
import statistics
import sys
import tempfile
import time

from compare_torch import (Failed, Skipped, clean_environment, describe_machine, machine_text,
                           positive, prepared, run_benchmark, run_process, warn_if_busy, write_json)

PROJECT = pathlib.Path(__file__).resolve().parents[1]
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")


def pictures_in(folder, most):
    if not folder.is_dir():
        raise Skipped(f"there is no folder {folder}")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)[:most]
    if not found:
        raise Skipped(f"there is no picture in {folder}")
    return found


def settings(options):
    iterations = ("--iterations", options.iterations) if options.iterations else ()
    return [str(word) for word in ("--size", options.size, "--threads", options.threads, "--quiet",
                                   *iterations)]


def paint_batch(options, photos, paintings, folder):
    run_process([options.limn, "batch", *map(str, photos), "--paintings", *map(str, paintings),
                 "-o", str(folder), *settings(options)], clean_environment(options.threads))


def paint_loop(options, photos, paintings, folder):
    for photo in photos:
        for painting in paintings:
            output = folder / f"{photo.stem}-{painting.stem}.png"
            run_process([options.limn, "paint", str(photo), str(painting), "-o", str(output),
                         *settings(options)], clean_environment(options.threads))


WAYS = {"batch": paint_batch, "loop": paint_loop}


def painted(way, options, photos, paintings, folder):
    """Seconds for a picture."""
    folder.mkdir()
    begin = time.monotonic()
    WAYS[way](options, photos, paintings, folder)
    return (time.monotonic() - begin) / (len(photos) * len(paintings))


def check_same(first, second):
    names = sorted(path.name for path in first.iterdir())
    _, different, missing = filecmp.cmpfiles(first, second, names, shallow=False)
    if different or missing:
        raise Failed(f"a batch paints otherwise than a loop: {', '.join(different + missing)}")


def measure(options, photos, paintings, folder):
    """[{"batch": seconds, "loop": seconds}] of each round."""
    rounds = []
    for number in range(options.rounds + 1):
        order = list(WAYS) if number % 2 else list(reversed(WAYS))
        folders = {way: folder / f"{number}-{way}" for way in order}
        seconds = {way: painted(way, options, photos, paintings, folders[way]) for way in order}
        check_same(folders["batch"], folders["loop"])
        if number > 0:
            rounds.append(seconds)
        label = f"round {number}" if number else "warm-up"
        print(f"  {label:9} batch {seconds['batch']:7.3f} s   loop {seconds['loop']:7.3f} s",
              flush=True)
    return rounds


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "largest": max(values)}


def benchmark(options):
    across, down = options.most
    photos, paintings = (pictures_in(folder, most) for folder, most in
                         ((options.photos, across), (options.paintings, down)))
    if not pathlib.Path(options.limn).is_file():
        raise Skipped(f"there is no file {options.limn} (--limn)")
    machine = describe_machine(options)
    print(machine_text(machine))
    warn_if_busy(machine)
    print(f"{len(photos)} photos in {len(paintings)} styles, {options.size} pixels")
    with tempfile.TemporaryDirectory() as folder:
        rounds = measure(options, photos, paintings, pathlib.Path(folder))
    ratios = [each["loop"] / each["batch"] for each in rounds]
    result = {"machine": machine, "photos": len(photos), "paintings": len(paintings),
              "size": options.size, "iterations": options.iterations, "rounds": rounds,
              **{way: spread([each[way] for each in rounds]) for way in WAYS},
              "loop_over_batch": spread(ratios)}
    for name, unit in (("batch", "s a picture"), ("loop", "s a picture"), ("loop_over_batch", "")):
        of = result[name]
        print(f"{name:16}{of['median']:8.3f} ({of['least']:.3f} to {of['largest']:.3f}) {unit}")
    if options.json:
        write_json(options.json, result)


def table_size(text):
    """"3x4": at most three photos and four paintings."""
    match = re.fullmatch(r"([1-9]\d{0,2})x([1-9]\d{0,2})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not like 3x4")
    return tuple(map(int, match.groups()))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add = parser.add_argument
    add("--limn", required=True, metavar="PROGRAM")
    add("--photos", type=pathlib.Path, default=PROJECT / "examples" / "photos", metavar="FOLDER")
    add("--paintings", type=pathlib.Path, default=PROJECT / "examples" / "paintings",
        metavar="FOLDER")
    add("--most", type=table_size, default=(3, 4), metavar="NxM", help="how many of them (3x4)")
    add("--size", type=positive, default=256, metavar="N", help="(256)")
    add("--iterations", type=positive, metavar="N", help="the recipe's")
    add("--rounds", type=positive, default=5, metavar="N", help="(5)")
    add("--threads", type=positive, metavar="N", help="all cores")
    add("--json", metavar="OUT")
    return prepared(parser.parse_args())


if __name__ == "__main__":
    sys.exit(run_benchmark(benchmark, parse_options()))
