#!/usr/bin/python3
"""Whether a picture painted in tiles shows where they meet, beside one painted in separate pieces.

  seams.py --limn build/limn [--photo FILE] [--painting FILE] [--size 1024] [--tile 256]
      [--out build/seams] [--markdown docs/large-pictures.md] [--sheet docs/tiles.jpg]

Three pictures by limn's default recipe:
  whole    in one piece
  tiles    with --tile: one picture, of which tile after tile is computed
  pieces   what programs without tiles leave to their users: the photo cut at the same places, each
           piece painted on its own with the painting's statistics, and laid side by side
At every border between tiles: the mean square step of luminance from the last column (or row) of
one to the first of the next, beside the steps from each column to the next that meet no border. A
seam is seen where more than 99 of 100 of those are smaller (repetition.py, `seam`).

What is painted is kept in --out: the same command goes on where the last one ended.
Exit status: 0 done; 1 something failed; 2 bad usage; 130 interrupted.
"""

import math
import pathlib
import statistics
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(1, str(TOOLS))
import numpy as np
from PIL import Image

from kit import command, images, page, painter, sheet
from kit.command import say
import repetition
import texturing

MAKER = "tools/quality/seams.py"
STEP = 16  # tiles begin at multiples of it
BORDER = 8  # that recipe limn paints around the picture, and cuts off in the end
CROP = 480  # pixels, a side of what the sheet shows at full size
WAYS = {"whole": "in one piece", "tiles": "in tiles", "pieces": "in separate pieces"}


def cuts(side, tile):
    """Where limn cuts a side of the picture (network/tiling.cc), in its own pixels."""
    padded = side + 2 * BORDER
    count = math.ceil(padded / max(STEP, tile // STEP * STEP))
    length = math.ceil(padded / count / STEP) * STEP
    return [begin - BORDER for begin in range(length, padded - STEP + 1, length)]


# ---------------------------------------------------------------------------------- painting --

def paint(options, photo, name, *flags):
    """(H, W, 3) uint8."""
    picture, record = texturing.painted(
        options.limn, ("paint", photo, options.painting, *flags), options.way,
        options.out / f"{name}.png")
    say(f"{name}: {record['seconds']:.1f} s")
    return picture


def paint_pieces(options, photo):
    """Each piece of the photo by itself. The painting is as large as for the whole picture, so that
    strokes have the same size."""
    width, height = photo.size
    rows, columns = ([0, *cuts(side, options.tile), side] for side in (height, width))
    found = np.zeros((height, width, 3), np.uint8)
    for top, bottom in zip(rows, rows[1:]):
        for left, right in zip(columns, columns[1:]):
            path = options.out / "photo" / f"{top}-{left}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            photo.crop((left, top, right, bottom)).save(path)
            scale = max(width, height) / max(right - left, bottom - top)
            found[top:bottom, left:right] = paint(options, path, f"pieces/{top}-{left}",
                                                  "--size", "0", "--style-scale", f"{scale:.4f}")
    return found


# ----------------------------------------------------------------------------------- judging --

def judge(picture, tile):
    """[figures of repetition.beside] of every border between tiles."""
    L, found = repetition.luminance(picture), []
    for axis, side in (("across", L.shape[1]), ("down", L.shape[0])):
        steps = repetition.steps_of(L, axis)
        at = [cut - 1 for cut in cuts(side, tile)]
        others = np.delete(steps, at)
        found += [repetition.beside(steps[place], others) for place in at]
    return found


def row(name, borders):
    return [WAYS[name], f"{sum(border['share'] > repetition.SPREAD for border in borders)} of "
            f"{len(borders)}", f"{statistics.median(border['share'] for border in borders):.2f}",
            f"{max(border['z'] for border in borders):.1f}"]


def crossing(picture, tile):
    """(left, top, right, bottom) around the crossing of borders nearest to the middle."""
    def begin(side):
        middle = min(cuts(side, tile), key=lambda cut: abs(cut - side / 2))
        return int(np.clip(middle - CROP // 2, 0, max(0, side - CROP)))
    left, top = begin(picture.shape[1]), begin(picture.shape[0])
    return left, top, left + CROP, top + CROP


def write_sheet(pictures, options):
    box = crossing(pictures["whole"], options.tile)
    rows = [[(WAYS[name], text, change(Image.fromarray(picture)))
             for name, picture in pictures.items()]
            for text, change in ((f"{options.size} pixels", lambda image: image),
                                 ("around a crossing of tiles, pixel for pixel",
                                  lambda image: image.crop(box)))]
    sheet.compose(rows, 480, options.sheet, most_bytes=420_000)


# --------------------------------------------------------------------------------------- run --

def run(options):
    options.way = painter.Way("builtin", (), painter.program_digest(options.limn))
    photo = images.read_resized(options.photo, options.size)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "photo.png"
    photo.save(path)
    pictures = {"whole": paint(options, path, "whole", "--size", "0"),
                "tiles": paint(options, path, "tiles", "--size", "0", "--tile", options.tile),
                "pieces": paint_pieces(options, photo)}
    judged = {name: judge(picture, options.tile) for name, picture in pictures.items()}
    painter.write_json(options.out / "seams.json", judged)
    write_sheet(pictures, options)
    head = ["painted", "borders that are seen", "steps that are no larger, median", "highest z"]
    text = (f"{options.photo.stem.capitalize()} and {page.said(options.painting.stem)} at "
            f"{options.size} pixels, tiles of at most {options.tile}: "
            f"{len(judged['tiles'])} borders.\n\n" +
            page.table(head, [row(name, borders) for name, borders in judged.items()]))
    if options.markdown:
        page.splice(options.markdown, text, MAKER)
    say(f"\n{text}\n\n{options.sheet}")


def read_options():
    parser = command.example_parser(__doc__, "build/seams")
    add = parser.add_argument
    add("--size", type=int, default=1024, metavar="N", help="of the picture in pixels (1024)")
    add("--tile", type=int, default=256, metavar="N", help="tiles of at most so many (256)")
    options = parser.parse_args()
    with command.usage_checked(parser):
        if not 64 <= options.tile <= options.size // 2:
            raise ValueError("--tile should be 64 pixels or more, and at most half of --size")
    options.sheet = options.sheet or options.out / "sheet.jpg"
    return options


if __name__ == "__main__":
    with command.errors_told():
        run(read_options())
