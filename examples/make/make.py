#!/usr/bin/env python3
"""Makes the pictures of examples/: photos, paintings, textures and a pair of seasons.

  make.py [NAME...] [--height PIXELS] [--folder FOLDER]

Without names it makes all. All randomness is seeded; a picture takes up to some minutes.
"""

import argparse
import dataclasses
import importlib
import pathlib
import time

import numpy as np
from PIL import Image

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Picture:
    """Where a picture goes, the program that makes it, its size and its largest file."""
    folder: str
    module: str
    width: int = 1024
    height: int = 768
    function: str = "make"
    bytes: int = 490_000  # the repository carries these files

    def made(self, height):
        program = getattr(importlib.import_module(self.module), self.function)
        return program(height * self.width // self.height, height)


def square(name, side):
    return Picture("textures", name, side, side, bytes=205_000)


PICTURES = {name: Picture("photos", name)
            for name in ("landscape", "still_life", "street", "bust", "harbour")}
PICTURES |= {name: Picture("paintings", name) for name in (
    "oil", "woodcut", "stained_glass", "pointillism", "ink_wash", "cubist")}
PICTURES |= {name: square(name, 768) for name in (
    "bricks", "windows", "tiles", "gravel", "leaves", "wood")}
PICTURES |= {"weave": square("weave", 640), "mandala": square("mandala", 512),
             "kaleidoscope": square("kaleidoscope", 512)}
PICTURES |= {name: Picture("seasons", "meadow", 768, 512, name, 205_000)
             for name in ("summer", "winter")}


def save(picture, path, largest):
    """picture (0..1) as a JPEG of quality 92, or the best quality that keeps the file small."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    for quality in range(92, 60, -2):
        image.save(path, quality=quality, optimize=True, subsampling=0 if quality > 90 else 2)
        if path.stat().st_size <= largest:
            return quality
    raise SystemExit(f"{path}: still over {largest} bytes at quality {quality}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--height", type=int, help="pixels; a multiple of 6 (default: its own)")
    parser.add_argument("--folder", type=pathlib.Path, default=EXAMPLES)
    options = parser.parse_args()
    for name in options.names:
        if name not in PICTURES:
            parser.error(f"no picture is named '{name}': " + ", ".join(PICTURES))
    if options.height is not None and (options.height < 66 or options.height % 6):
        parser.error("--height must be a multiple of 6, at least 66")
    for name in options.names or PICTURES:
        start = time.monotonic()
        entry = PICTURES[name]
        picture = entry.made(options.height or entry.height)
        folder = options.folder / entry.folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.jpg"
        quality = save(picture, path, entry.bytes)
        print(f"{path}: {picture.shape[1]} x {picture.shape[0]}, quality {quality}, "
              f"{path.stat().st_size // 1000} kB, {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
