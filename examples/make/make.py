#!/usr/bin/env python3
"""Makes the pictures of examples/: five that look like photographs, six like paintings.

  make.py [NAME...] [--height PIXELS] [--folder FOLDER]

Without names it makes all. All randomness is seeded; a picture takes up to some minutes.
"""

import argparse
import importlib
import pathlib
import time

import numpy as np
from PIL import Image

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent
PHOTOS = ["landscape", "still_life", "street", "bust", "harbour"]
PAINTINGS = ["oil", "woodcut", "stained_glass", "pointillism", "ink_wash", "cubist"]
FULL_HEIGHT = 768
LARGEST_FILE = 490_000  # bytes; the repository carries these files


def save(picture, path):
    """picture (0..1) as a JPEG of quality 92, or the best quality that keeps the file small."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    for quality in range(92, 60, -2):
        image.save(path, quality=quality, optimize=True, subsampling=0 if quality > 90 else 2)
        if path.stat().st_size <= LARGEST_FILE:
            return quality
    raise SystemExit(f"{path}: still over {LARGEST_FILE} bytes at quality {quality}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PHOTOS + PAINTINGS))
    parser.add_argument("--height", type=int, default=FULL_HEIGHT, help="pixels; even")
    parser.add_argument("--folder", type=pathlib.Path, default=EXAMPLES)
    options = parser.parse_args()
    for name in options.names:
        if name not in PHOTOS + PAINTINGS:
            parser.error(f"no picture is named '{name}': " + ", ".join(PHOTOS + PAINTINGS))
    if options.height < 64 or options.height % 6:
        parser.error("--height must be a multiple of 6, at least 66")
    for name in options.names or PHOTOS + PAINTINGS:
        start = time.monotonic()
        picture = importlib.import_module(name).make(options.height * 4 // 3, options.height)
        folder = options.folder / ("photos" if name in PHOTOS else "paintings")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.jpg"
        quality = save(picture, path)
        print(f"{path}: {picture.shape[1]} x {picture.shape[0]}, quality {quality}, "
              f"{path.stat().st_size // 1000} kB, {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
