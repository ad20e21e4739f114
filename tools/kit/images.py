"""Pictures as files, as PIL has them and as arrays."""

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


def read(path):
    """A PIL picture in RGB that keeps no file open."""
    with Image.open(path) as image:
        return image.convert("RGB")


def working_size(width, height, size):
    """(width, height) with `size` as the longest side, the other rounded, as limn has it."""
    longest = max(width, height)
    scaled = lambda length: max(1, (2 * length * size + longest) // (2 * longest))
    return scaled(width), scaled(height)


def read_resized(path, size):
    """A PIL picture in RGB, turned as its EXIF says, of limn's working size."""
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image).convert("RGB")
    wanted = working_size(*image.size, size)
    kernel = Image.LANCZOS if wanted[0] < image.width else Image.BICUBIC
    return image if image.size == wanted else image.resize(wanted, kernel)


def bytes_of(picture):
    """(H, W, 3) uint8 of 0..1."""
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def planes(array):
    """(H, W, 3) uint8 as float32 (3, H, W), byte / 255."""
    planes_ = np.ascontiguousarray(array.transpose(2, 0, 1), dtype=np.float32)
    return planes_ / np.float32(255)


def array(image):
    """(H, W, 3) uint8 of a PIL picture."""
    return np.asarray(image.convert("RGB"))
