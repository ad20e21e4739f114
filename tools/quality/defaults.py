#!/usr/bin/python3
"""How well limn paints as it is when it is given nothing but two pictures, judged by VGG-19.

  defaults.py --limn build/limn --vgg19 vgg19.h5                   all three parts
  defaults.py ... contest --seconds 30 --contest-size 384          one of them
  defaults.py ... sizes --sizes 256 512 1024 --pair PHOTO PAINTING

  cells     every cell of the gallery: its style and content (paints what `make gallery` has not)
  contest   recipe limn against the recipes of five published programs, in equal time
  sizes     one pair at several sizes: whether the manner stays the same

The judge's objective is fixed and knows no recipe (verdicts.py, figures.py). Each part goes between
its two marks in --markdown, its pictures into --shown, its figures into --out/PART.json. What is
painted and judged is kept: the same command goes on where the last one ended. Seconds are worth
something only where the machine has nothing else to do.

Exit status: 0 done; 1 something failed; 2 bad usage; 130 interrupted.
"""

import dataclasses
import os
import pathlib
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from PIL import Image

from kit import command, images, page, painter, sheet
from kit import pairs as pairing
from kit.command import EXAMPLES, PROJECT, say
import cells
import contest
import sizes
import tables
import verdicts

PARTS = ("cells", "contest", "sizes")
CONTEST = (("landscape", "oil"), ("harbour", "woodcut"), ("bust", "cubist"))
SIZED = ("street", "oil")
COLUMNS = 5  # of the contest's sheet
MOST_BYTES = 600_000  # of each picture for the page


def maker(part):
    """Whose marks the part goes between."""
    return f"make defaults-quality ({part})"


def example(photo, painting):
    return pairing.Chosen(EXAMPLES / "photos" / f"{photo}.jpg",
                          EXAMPLES / "paintings" / f"{painting}.jpg")


def finish(options, part, text, results):
    """Keeps the part's figures and puts its text into the page."""
    painter.write_json(options.out / f"{part}.json", results)
    if options.markdown:
        page.splice(options.markdown, text, maker(part))
    say(f"\n{text}\n")


def shown(options, path):
    """A picture as the page links to it."""
    folder = options.markdown.resolve().parent if options.markdown else pathlib.Path.cwd()
    return os.path.relpath(path.resolve(), folder)


# -------------------------------------------------------------------------------------- parts --

def judge_cells(options, judge, painted):
    found = {}
    for cell in painted:
        found[cell.pair.photo.stem, cell.pair.painting.stem], = judge.judge(cell.pair,
                                                                            [cell.image()])
    return {"size": max(painted[0].image().size), "span": cells.span(painted), "verdicts": found}


def run_cells(options, judge, conditions):
    pairs = options.pairs or cells.all_pairs(*map(cells.examples, ("photos", "paintings")))
    kinds = []
    for label, way, size, folder in (
            ("built-in network", cells.default_way(options.limn), options.size, options.gallery),
            ("VGG-19", cells.vgg19_way(options.limn, options.vgg19, options.vgg19_seconds),
             options.vgg19_size, options.gallery.with_name(options.gallery.name + "-vgg19"))):
        painted = cells.paint(options.limn, way, pairs, size, folder, say=say)
        kinds.append({"label": label, **judge_cells(options, judge, painted)})
    results = {**conditions, "kinds": [
        {**kind, "verdicts": {"-".join(key): found for key, found in kind["verdicts"].items()}}
        for kind in kinds]}
    finish(options, "cells", tables.cells_part(conditions, kinds), results)


def blank():
    """A cell's picture where there is none."""
    return Image.new("RGB", (1, 1), "white")


def contest_cells(pair, size, entries, painted, found):
    """What the contest's sheet shows of a pair: photo, painting, and a cell for each entry."""
    row = [(page.said(path.stem), kind, images.read_resized(path, size))
           for path, kind in ((pair.photo, "photo"), (pair.painting, "painting"))]
    for entry in entries:
        picture, _ = painted[entry.name]
        text = found[entry.name] if picture is None else (
            f"style {page.number(found[entry.name]['style'])}, content "
            f"{page.number(found[entry.name]['content'])}")
        row.append((entry.label.replace("`", ""), text, picture or blank()))
    return row


def folded(row, columns=COLUMNS):
    """The row as several of so many cells, the last one filled up."""
    parts = [row[i:i + columns] for i in range(0, len(row), columns)]
    return [part + [("", "", blank()) for _ in range(columns - len(part))] for part in parts]


def run_contest(options, judge, conditions):
    entries = contest.entries(options.limn, options.vgg19, options.published)
    conditions = {**conditions, "seconds": options.seconds, "size": options.contest_size}
    results, rows = {}, []
    for pair in options.pairs or [example(*names) for names in CONTEST]:
        painted = contest.paint(options.limn, entries, pair, options.contest_size,
                                options.seconds, options.out / "contest", say)
        painted = {name: (path and cells.Cell(pair, path, {}).image(), record)
                   for name, (path, record) in painted.items()}
        done = [name for name, (picture, _) in painted.items() if picture]
        judged = judge.judge(pair, [painted[name][0] for name in done]) if done else []
        found = {name: record for name, (picture, record) in painted.items() if not picture}
        for name, figures_ in zip(done, judged):
            record = painted[name][1]
            found[name] = {**figures_, "iterations": record["iterations"],
                           "seconds": record["seconds"]}
        results[pair.name] = found
        rows += folded(contest_cells(pair, options.contest_size, entries, painted, found))
    path = options.shown / "contest.jpg"
    sheet.compose(rows, options.contest_size, path, MOST_BYTES)
    text = tables.contest_part(conditions, entries, results, shown(options, path))
    finish(options, "contest", text, {**conditions, "pairs": results,
                                      "entries": list(map(dataclasses.asdict, entries))})


def run_sizes(options, judge, conditions):
    conditions = {**conditions, "seen_at": options.seen_at}
    pair = options.pairs[0] if options.pairs else example(*SIZED)
    painted = sizes.paint(options.limn, pair, options.sizes, options.out / "sizes", say)
    pictures = sizes.shrunk([picture for _, picture, _ in painted], pair.photo, options.seen_at)
    found = dict(zip(options.sizes, judge.judge(pair, pictures)))
    seconds = {size: record["seconds"] for size, _, record in painted}
    path = options.shown / "sizes.jpg"
    sheet.compose([
        [(f"painted at {size}", f"shrunk to {options.seen_at}, style "
                                f"{page.number(found[size]['style'])}", picture.copy())
         for size, picture in zip(found, pictures)],
        [(f"painted at {size}", "its middle, pixel for pixel",
          sizes.crop(picture, options.seen_at)) for size, picture, _ in painted]],
        options.seen_at, path, MOST_BYTES)
    text = tables.sizes_part(conditions, pair, found, seconds, shown(options, path))
    finish(options, "sizes", text, {**conditions, "pair": pair.name, "seconds": seconds,
                                    "figures": found})


# ------------------------------------------------------------------------------------ options --

def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    add("--limn", required=True, type=command.existing_file, metavar="PROGRAM")
    add("--vgg19", required=True, type=command.existing_file, metavar="FILE",
        help="VGG-19 as Keras publishes it (.h5)")
    add("--pair", nargs=2, action="append", default=[], metavar=("PHOTO", "PAINTING"),
        help="instead of the part's own pairs")
    add("--size", type=int, help="cells: longest side with the built-in network (limn's own)")
    add("--vgg19-size", type=int, default=320, help="cells: longest side with VGG-19 (320)")
    add("--vgg19-seconds", type=float, default=0, help="cells: those that make gallery had (0)")
    add("--gallery", type=pathlib.Path, default=PROJECT / "build" / "gallery", metavar="FOLDER",
        help="cells: where `make gallery` left them")
    add("--seconds", type=float, default=30, help="contest: for each picture (30)")
    add("--contest-size", type=int, default=384, help="contest: longest side (384)")
    add("--published", nargs="+", default=[], metavar="RECIPE=FILE", action="extend",
        help="contest: weights that a recipe was published with, instead of --vgg19")
    add("--sizes", type=int, nargs="+", default=list(sizes.SIZES), metavar="PIXELS")
    add("--seen-at", type=int, default=sizes.SEEN_AT, help=f"sizes: ({sizes.SEEN_AT})")
    add("--out", type=pathlib.Path, default=PROJECT / "build" / "defaults-quality",
        metavar="FOLDER")
    add("--shown", type=pathlib.Path, help="folder for the page's pictures (--out)")
    add("--markdown", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    with command.usage_checked(parser):
        return completed(options)


def completed(options):
    """The options with what follows from them. Raises ValueError or OSError for whatever can be
    known to fail before the first picture is painted."""
    options.parts = options.parts or list(PARTS)
    if set(options.parts) - set(PARTS):
        raise ValueError(f"a part should be one of {', '.join(PARTS)}")
    options.published = command.pairs_of(options.published)
    if set(options.published) - set(contest.REFERENCES):
        raise ValueError("--published should name one of " + ", ".join(contest.REFERENCES))
    command.need_files(*options.published.values())
    options.limn = options.limn.resolve()
    options.shown = options.shown or options.out
    options.pairs = [pairing.Chosen(*map(pathlib.Path, pair)) for pair in options.pair]
    if options.pairs:
        pairing.check(options.pairs)
    if options.markdown:
        for part in options.parts:
            page.spliced(options.markdown.read_text(), "", maker(part))
    return options


def main():
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    judge = verdicts.Judge(options.vgg19, options.out / "verdicts.json")
    conditions = painter.conditions(options.limn)
    for part in options.parts:
        {"cells": run_cells, "contest": run_contest, "sizes": run_sizes}[part](
            options, judge, conditions)


if __name__ == "__main__":
    with command.errors_told():
        main()
