#!/usr/bin/python3
"""How few iterations a picture needs at its full size, when it has been painted at half of it.

  full_size.py --limn build/limn [--sizes 1024 2048] [--photo FILE] [--painting FILE]
      [--out build/full_size] [--markdown docs/large-pictures.md] [--sheet docs/full_size.jpg]

Paints by limn's default recipe, as often as it does at all sizes up to half, and then 40 times at
the full size. From the losses of those (--report): that after 1, 2, 4, ... of them relative to that
after all 40. A sheet shows the middle, pixel for pixel.

Exit status: 0 done; 1 something failed; 2 bad usage; 130 interrupted.
"""

import json
import pathlib
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(1, str(TOOLS))
from PIL import Image

from kit import command, images, page, painter, sheet
from kit.command import say

MAKER = "tools/quality/full_size.py"
COARSE, FULL = 100, 40  # iterations up to half the size, and at the full size
LOOKS = (1, 2, 4, 8, 12, 16, 24)  # iterations
SHOWN = (0, 4, 8, 16, FULL)
EVERY = 4  # a picture is saved; divides COARSE and all that is SHOWN
CROP = 320  # pixels, a side of what the sheet shows


def recipe(limn, size):
    """limn's own, in two stages of which the first ends at half the size."""
    own = painter.run(limn, "recipes", "show", "limn").partition("[[stages]]")[0]
    return (f'{own}\n[[stages]]\nname = "coarse"\nshare = {COARSE}\npyramid.largest = {size // 2}\n'
            f'\n[[stages]]\nname = "full"\nshare = {FULL}\npyramid.smallest = 0\n')


def paint(options, size):
    """{iteration at the full size: total loss}; pictures are saved on the way."""
    folder = options.out / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe(options.limn, size))
    report = folder / "report.json"
    painter.run(options.limn, "paint", options.photo, options.painting, "--size", size,
                "--recipe", folder / "recipe.toml", "--iterations", COARSE + FULL, "--plateau", 0,
                "--save-every", EVERY, "--report", report, "-o", folder / "picture.png", "--quiet")
    history = json.loads(report.read_text())["history"]
    full = [entry for entry in history if max(entry["width"], entry["height"]) == size]
    return {entry["iteration"] - COARSE: entry["total"] for entry in full}


def crop(options, size, iterations):
    """The middle after so many iterations at the full size; after none, enlarged."""
    saved = options.out / str(size) / f"picture-{COARSE + iterations:04}.png"
    picture = images.read(saved)
    if max(picture.size) != size:
        picture = picture.resize((2 * picture.width, 2 * picture.height), Image.BICUBIC)
    left, top = (picture.width - CROP) // 2, (picture.height - CROP) // 2
    return picture.crop((left, top, left + CROP, top + CROP))


def run(options):
    rows, cells = [], []
    for size in options.sizes:
        losses = paint(options, size)
        rows.append([f"{size} pixels", *(f"{losses[k] / losses[FULL]:.2f}" for k in LOOKS)])
        cells.append([(f"{size} pixels", f"{k} iterations", crop(options, size, k))
                      for k in SHOWN])
    sheet.compose(cells, CROP, options.sheet, most_bytes=600_000)
    text = page.table(["iterations at full size", *map(str, LOOKS)], rows)
    if options.markdown:
        page.splice(options.markdown, text, MAKER)
    say(f"\n{text}\n\n{options.sheet}")


def read_options():
    parser = command.example_parser(__doc__, "build/full_size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048], metavar="N")
    options = parser.parse_args()
    with command.usage_checked(parser):
        if min(options.sizes) < 2 * CROP:
            raise ValueError(f"--sizes: at least {2 * CROP} pixels")
    options.sheet = options.sheet or options.out / "sheet.jpg"
    return options


if __name__ == "__main__":
    with command.errors_told():
        run(read_options())
