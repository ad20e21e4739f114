#!/usr/bin/python3
"""The pictures in the README, painted by limn from examples/ with the network inside it.

  gallery.py [--limn build/limn] [--size 512] [--readme README.md] [--folder docs/gallery]

Paints every photo in the manner of every painting, with no flag but --size, one after another. The
folder gets sheet.jpg, which shows all of them, and the pictures of FEATURED in their own size. The
README gets these between two marks, each with its command and the seconds that it took: on a
machine with nothing else to do, please.
"""

import argparse
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
PROJECT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tools" / "quality"))
from PIL import Image  # noqa: E402

import page  # noqa: E402
import sheet  # noqa: E402

FEATURED = (("landscape", "oil"), ("street", "stained_glass"),
            ("still_life", "woodcut"), ("landscape", "pointillism"))
MAKER = "make gallery"
CELL = 320  # the longest side of a picture on the sheet, in pixels
QUALITY = 88


def examples(kind):
    return sorted((PROJECT / "examples" / kind).glob("*.jpg"))


def paint(limn, photo, painting, size, folder):
    """(the picture, the command as one would type it, its seconds)."""
    output = folder / f"{photo.stem}-{painting.stem}.png"
    words = [photo.relative_to(PROJECT), painting.relative_to(PROJECT)]
    more = [] if size is None else ["--size", size]
    begin = time.monotonic()
    subprocess.run([str(word) for word in
                    (limn, "paint", *words, "-o", output, "--quiet", *more)], check=True, cwd=PROJECT)
    seconds = time.monotonic() - begin
    said = " ".join(str(word) for word in ("limn paint", *words, *more))
    with Image.open(output) as picture:
        return picture.convert("RGB"), said, seconds


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def blank(text=""):
    return ("", text, Image.new("RGB", (1, 1), "white"))


def part(folder, readme, painted):
    """What the README shows. painted: {(photo, painting): (picture, command, seconds)}."""
    shown = os.path.relpath(folder, readme.resolve().parent)
    featured = [pair for pair in FEATURED if pair in painted]
    rows = []
    for i in range(0, len(featured), 2):
        cells, captions = [], []
        for photo, painting in featured[i:i + 2]:
            _, command, seconds = painted[photo, painting]
            cells.append(f"![{photo} as {painting}]({shown}/{photo}-{painting}.jpg)")
            captions.append(f"`{command}`<br>{seconds:.1f} s")
        rows += [cells, captions]
    table = ["| " + " | ".join(row) + " |" for row in rows]
    if table:
        table.insert(1, "|" + "---|" * len(rows[0]))
    times = sorted(seconds for _, _, seconds in painted.values())
    cores = len(os.sched_getaffinity(0))
    return "\n".join([
        *table, "", f"![every photo as every painting]({shown}/sheet.jpg)", "",
        f"All {len(painted)} pictures were made by `make gallery` with the network inside limn, on "
        f"{cores} cores of an {processor()}; they took {times[0]:.1f} to {times[-1]:.1f} s each, "
        "start and writing included. Photos and paintings are programs' work too: "
        "[examples/](examples/README.md)."])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limn", type=pathlib.Path, default=PROJECT / "build" / "limn")
    parser.add_argument("--size", type=int, help="longest side in pixels [limn's own]")
    parser.add_argument("--readme", type=pathlib.Path, default=PROJECT / "README.md")
    parser.add_argument("--folder", type=pathlib.Path, default=PROJECT / "docs" / "gallery")
    arguments = parser.parse_args()
    photos, paintings = examples("photos"), examples("paintings")
    painted = {}
    try:
        page.spliced(arguments.readme.read_text(), "", MAKER)  # before anything is painted
        arguments.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            for photo in photos:
                for painting in paintings:
                    pair = photo.stem, painting.stem
                    painted[pair] = paint(arguments.limn.resolve(), photo, painting,
                                          arguments.size, pathlib.Path(temporary))
                    print(f"{painted[pair][1]}: {painted[pair][2]:.1f} s", flush=True)
        for pair in FEATURED:
            painted[pair][0].save(arguments.folder / f"{'-'.join(pair)}.jpg", quality=QUALITY)
        head = [blank()] + [("", art.stem.replace("_", " "), Image.open(art)) for art in paintings]
        rows = [head] + [
            [("", photo.stem.replace("_", " "), Image.open(photo))]
            + [("", "", painted[photo.stem, art.stem][0].copy()) for art in paintings]
            for photo in photos]
        sheet.compose(rows, CELL, arguments.folder / "sheet.jpg")
        text = part(arguments.folder, arguments.readme, painted)
        readme = page.spliced(arguments.readme.read_text(), text, MAKER)
        arguments.readme.write_text(readme)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
