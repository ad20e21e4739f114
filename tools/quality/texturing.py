"""limn's commands `texture` and `inpaint`, run and kept, and OpenCV's ways to fill a hole."""

import dataclasses
import json
import os
import pathlib
import time

import numpy as np
from PIL import Image

from kit import images, painter
from kit import pairs as pairing

BLANK = 128  # what is in a hole before it is filled
RADIUS = 5  # pixels around a point that OpenCV looks at


# --------------------------------------------------------------------------------------- limn --

def settings_of(way, words):
    """What decides whether a picture is still the same. A file counts by what it holds."""
    return {"way": json.loads(json.dumps(dataclasses.asdict(way))),
            "words": [pairing.digest(word) if isinstance(word, pathlib.Path) else str(word)
                      for word in words]}


def painted(limn, words, way, picture):
    """(the picture, (H, W, 3) uint8 RGB; its record) of `limn WORDS` in this way, painted unless it
    is there already and was painted so. words: the command, its files, and flags; files that
    matter are paths. picture: a .png, beside which its record is kept as .json."""
    record_path, settings = picture.with_suffix(".json"), settings_of(way, words)
    record = painter.read_kept(record_path, picture, settings)
    if record is None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        record_path.unlink(missing_ok=True)  # from here on the old picture is nobody's
        part = picture.with_suffix(".part.png")
        begin = time.monotonic()
        painter.run(limn, *words, "-o", part, "--quiet", *way.length, *way.flags)
        record = {"settings": settings, "seconds": time.monotonic() - begin}
        os.replace(part, picture)
        painter.write_json(record_path, record)
    return images.array(images.read(picture)), record


# ------------------------------------------------------------------------------------- holes --

def write_hole(picture, hole, folder):
    """(path of the picture whose hole is blank, path of the mask, the blank picture). limn never
    sees what was there. White is inside."""
    mask = hole.mask(picture.shape)
    blank = np.where(mask[:, :, None], np.uint8(BLANK), picture)
    paths = folder / "given.png", folder / "hole.png"
    folder.mkdir(parents=True, exist_ok=True)
    for path, array in zip(paths, (blank, np.where(mask, np.uint8(255), np.uint8(0)))):
        Image.fromarray(array).save(path)
    return *paths, blank


def opencv():
    """The module, or None where it is not installed (python3-opencv)."""
    try:
        import cv2
    except ImportError:
        return None
    return cv2


def fillers():
    """{name: (blank picture, mask) -> filled picture} of OpenCV; nothing without it."""
    cv2 = opencv()
    if cv2 is None:
        return {}

    def filler(method):
        return lambda blank, mask: np.ascontiguousarray(cv2.inpaint(
            np.ascontiguousarray(blank), mask.astype(np.uint8), RADIUS, method))

    return {"Telea": filler(cv2.INPAINT_TELEA), "Navier-Stokes": filler(cv2.INPAINT_NS)}
