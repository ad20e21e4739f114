#!/usr/bin/python3
"""The gallery: every photo of examples/ painted in the manner of every painting there.

  gallery.py [--limn build/limn] [--size 512] [--vgg19 vgg19.h5] [--again]

Paints with no flag but --size, one picture after another, with the network inside limn; with
--vgg19 then all of them once more, smaller, with these weights. What the same program painted with
the same settings is kept, so that the same command goes on where it ended; --again paints all.
  build/gallery, build/gallery-vgg19   PHOTO-PAINTING.png, and .json with what it took
  docs/gallery/sheet.jpg, sheet-vgg19.jpg   all on one sheet: photos are rows, paintings columns
  docs/gallery/PHOTO-PAINTING.jpg      those of FEATURED in their own size
The README gets the featured pictures between two marks, each with its command and the seconds that
it took: on a machine with nothing else to do, please.

Exit status: 0 done; 1 something failed; 2 bad usage; 130 interrupted.
"""

import os
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent / "quality"))
from PIL import Image

from kit import command, images, page, painter, sheet
from kit.command import PROJECT, say
from kit.page import said
import cells as gallery_cells

FEATURED = (("landscape", "oil"), ("street", "stained_glass"),
            ("still_life", "woodcut"), ("harbour", "pointillism"),
            ("bust", "cubist"), ("landscape", "ink_wash"))
MAKER = "make gallery"
CELL = 320  # the longest side of a picture on the sheet, in pixels, where there is room
QUALITY = 88
MOST_BYTES = 1_000_000  # of a sheet; the repository carries it


def command_of(cell, size):
    """What one would type for the picture."""
    words = [path.relative_to(PROJECT) for path in (cell.pair.photo, cell.pair.painting)]
    return " ".join(map(str, ("limn paint", *words, *(("--size", size) if size else ()))))


def names(cell):
    return said(cell.pair.photo.stem), said(cell.pair.painting.stem)


def sheet_rows(cells):
    """Paintings along the top, photos down the left, what was made of them between."""
    photos = list(dict.fromkeys(cell.pair.photo for cell in cells))
    paintings = list(dict.fromkeys(cell.pair.painting for cell in cells))
    original = lambda path: ("", said(path.stem), images.read(path))
    head = [("", "", Image.new("RGB", (1, 1), "white")), *map(original, paintings)]
    return [head] + [[original(photo)] + [("", ", ".join(names(cell)), cell.image())
                                          for cell in cells if cell.pair.photo == photo]
                     for photo in photos]


def part(shown, cells, size, vgg19=(), vgg19_seconds=0):
    """What the README shows of the gallery in the folder `shown`."""
    by_name = {gallery_cells.stem(cell.pair): cell for cell in cells}
    featured = [by_name[name] for name in map("-".join, FEATURED) if name in by_name]
    rows = []
    for i in range(0, len(featured), 2):
        two = featured[i:i + 2]
        rows.append([f"![{' as '.join(names(cell))}]({shown}/{gallery_cells.stem(cell.pair)}.jpg)"
                     for cell in two])
        rows.append([f"`{command_of(cell, size)}`<br>{cell.seconds:.1f} s" for cell in two])
    blocks = [page.table(rows[0], rows[1:])] if rows else []
    blocks.append(f"![every photo as every painting]({shown}/sheet.jpg)")
    cores = len(os.sched_getaffinity(0))
    blocks.append(f"`make gallery` painted all {len(cells)} pictures with the built-in network on "
                  f"{cores} cores of an {painter.processor()}. Each took "
                  f"{gallery_cells.span(cells)} s, including start-up and writing the file. The "
                  "photos and paintings are made by programs too: see "
                  "[examples/](examples/README.md).")
    if vgg19:
        limited = ", ended by --seconds" if vgg19_seconds else ""
        blocks.append(f"[The same sheet painted with VGG-19]({shown}/sheet-vgg19.jpg), at "
                      f"{max(vgg19[0].image().size)} pixels: {gallery_cells.span(vgg19)} s "
                      f"each{limited}.")
    return "\n\n".join(blocks)


def make(options):
    page.spliced(options.readme.read_text(), "", MAKER)  # before anything is painted
    pairs = gallery_cells.all_pairs(*map(gallery_cells.examples, ("photos", "paintings")))
    limn, vgg19 = options.limn.resolve(), []
    cells = gallery_cells.paint(limn, gallery_cells.default_way(limn), pairs, options.size,
                                options.out, options.again, say)
    write_sheet(cells, options.folder / "sheet.jpg")
    by_name = {gallery_cells.stem(cell.pair): cell for cell in cells}
    for name in map("-".join, FEATURED):
        by_name[name].image().save(options.folder / f"{name}.jpg", quality=QUALITY)
    if options.vgg19:
        way = gallery_cells.vgg19_way(limn, options.vgg19, options.vgg19_seconds)
        vgg19 = gallery_cells.paint(limn, way, pairs,
                                    options.vgg19_size, options.vgg19_out, options.again, say)
        write_sheet(vgg19, options.folder / "sheet-vgg19.jpg")
    shown = os.path.relpath(options.folder, options.readme.resolve().parent)
    text = part(shown, cells, options.size, vgg19, options.vgg19_seconds)
    options.readme.write_text(page.spliced(options.readme.read_text(), text, MAKER))


def write_sheet(cells, path):
    sheet.compose(sheet_rows(cells), CELL, path, MOST_BYTES)
    say(f"{path}: {path.stat().st_size // 1000} kB")


def main():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn", type=command.existing_file, default=str(PROJECT / "build" / "limn"),
        metavar="PROGRAM")
    add("--size", type=int, help="longest side in pixels [limn's own]")
    add("--vgg19", type=command.existing_file, metavar="FILE",
        help="VGG-19's weights, for a second sheet")
    add("--vgg19-size", type=int, default=320, help="longest side of its pictures [320]")
    add("--vgg19-seconds", type=float, default=0, help="for each of them; 0: no limit [0]")
    add("--again", action="store_true", help="paint what is there already too")
    add("--out", type=pathlib.Path, default=PROJECT / "build" / "gallery", metavar="FOLDER")
    add("--readme", type=pathlib.Path, default=PROJECT / "README.md", metavar="FILE")
    add("--folder", type=pathlib.Path, default=PROJECT / "docs" / "gallery")
    options = parser.parse_args()
    options.vgg19_out = options.out.with_name(options.out.name + "-vgg19")
    make(options)


if __name__ == "__main__":
    with command.errors_told():
        main()
