"""Pictures and masks: from paths, arrays and images of Pillow to float32 arrays, and back."""
import os
import sys
import warnings

import numpy as np

from . import _limn
from .errors import FileError, UsageError

MAX_PIXELS = 400_000_000
_BEYOND = 1  # how far an optimiser's picture may leave 0..1


def path_bytes(path):
    """A path as the library takes it, whatever its encoding."""
    path = os.fsencode(path)
    if b"\0" in path:
        raise FileError(f"{os.fsdecode(path)!r} is not a path: it has a zero byte")
    return path


def is_path(thing):
    return isinstance(thing, (str, bytes, os.PathLike))


def is_pillow(thing):
    """Whether this is an image of Pillow, which need not be installed."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(thing, pillow.Image)


def is_picture(thing):
    return is_path(thing) or is_pillow(thing) or hasattr(thing, "__array__")


# ---- files ----

def _read(read, path, max_pixels):
    values, notes = read(path_bytes(path), max_pixels)
    for note in notes:
        warnings.warn(note, stacklevel=3)
    return values


def read_image(path, *, max_pixels=MAX_PIXELS):
    """Reads a picture as a float32 array, H x W x 3 or, where it is transparent, H x W x 4.

    Values are 0..1, sRGB-encoded. Reads JPEG, PNG, WebP, TIFF and what else limn's codec library
    does; applies the EXIF orientation and colour profiles. "anim.gif[3]" is a frame. Pictures of
    more than `max_pixels` are refused before memory is taken for them.
    """
    return _read(_limn.read_image, path, max_pixels)


def read_mask(path, *, max_pixels=MAX_PIXELS):
    """Reads a mask, a grey picture, as a float32 array H x W: 1 inside (white), 0 outside."""
    return _read(_limn.read_mask, path, max_pixels)


def write_image(picture, path, *, bits=8, quality=95, format="", dpi=0.0):
    """Writes a picture in the format of `format` ("png") or of the path's ending.

    An old file is replaced whole or not at all. bits: 8, or 16 for PNG and TIFF. quality: 1..100,
    for JPEG and WebP. dpi: pixels per inch, 1..10,000; 0: not stated.
    """
    _limn.write_image(pixels(picture), path_bytes(path), bits, quality, format, dpi)


def resized(picture, width, height):
    """The picture at exactly width x height pixels: Lanczos when shrinking, else bicubic."""
    if min(width, height) < 1:
        raise UsageError(f"a picture cannot have {width} x {height} pixels")
    return _limn.resized(pixels(picture), width, height)


# ---- arrays ----

def _range(array, what):
    """The least and the largest value, which are finite."""
    least, most = array.min(), array.max()
    if not (np.isfinite(least) and np.isfinite(most)):
        raise UsageError(f"{what}: has values that are not finite")
    return least, most


def _as_floats(array, what, beyond=0):
    """float32, C-contiguous; integers of 8 and 16 bits become 0..1."""
    if array.size == 0:
        raise UsageError(f"{what}: its shape is {array.shape}, so it has no pixels")
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b" or (kind == "u" and size <= 2):
        floats = array.astype(np.float32, order="C")
        if kind == "u":
            floats /= np.float32(2 ** (8 * size) - 1)
        return floats
    if kind != "f":
        raise TypeError(f"{what}: has values of type {array.dtype}; they should be uint8, uint16, "
                        "or floats in 0..1")
    least, most = _range(array, what)
    if least < -beyond or most > 1 + beyond:
        raise UsageError(f"{what}: has values from {least:g} to {most:g}, but floats should be in "
                         "0..1; divide those of 8 bits by 255")
    return array.astype(np.float32, order="C")


def _shape_advice(shape):
    if len(shape) == 2:
        return "; repeat a grey picture's values: np.stack([grey] * 3, axis=-1)"
    if len(shape) == 3 and shape[0] in (3, 4):
        return "; put the channels last: np.moveaxis(picture, 0, -1)"
    if len(shape) == 4 and shape[0] == 1:
        return "; take the only picture: picture[0]"
    return ""


def _pixels_of_array(array, what):
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise UsageError(f"{what}: its shape is {array.shape}, but should be (height, width, 3) or "
                         f"(height, width, 4){_shape_advice(array.shape)}")
    floats = _as_floats(array, what, _BEYOND)
    if floats.shape[2] == 3:
        return floats
    alpha = floats[..., 3]
    if alpha.min() < 0 or alpha.max() > 1:
        raise UsageError(f"{what}: its alpha should be in 0..1")
    return np.ascontiguousarray(floats[..., :3]) if (alpha == 1).all() else floats


def _array_of_pillow(image):
    """Turned upright, and as RGB or RGBA. Colour profiles do not count."""
    from PIL import ImageOps
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits of grey, whatever Pillow keeps them in
        grey = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        return np.stack([grey] * 3, axis=-1)
    if image.mode == "F":
        return np.stack([np.asarray(image)] * 3, axis=-1)
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if transparent else "RGB"))


def pixels(picture, what="picture"):
    """The picture as a float32 array, H x W x 3 or, if it is not opaque, H x W x 4."""
    if is_path(picture):
        return read_image(picture)
    array = _array_of_pillow(picture) if is_pillow(picture) else np.asarray(picture)
    return _pixels_of_array(array, what)


def mask_values(mask, what="mask"):
    """The mask as a float32 array, H x W; None if there is none."""
    if mask is None:
        return None
    if is_path(mask):
        return read_mask(mask)
    if is_pillow(mask):
        colours = _pixels_of_array(_array_of_pillow(mask), what)
        grey = (colours[..., 0] + colours[..., 1] + colours[..., 2]) / np.float32(3)
        return np.minimum(grey, 1) * (colours[..., 3] if colours.shape[2] == 4 else np.float32(1))
    array = np.asarray(mask)
    if array.ndim != 2:
        raise UsageError(f"{what}: its shape is {array.shape}, but should be (height, width)")
    return _as_floats(array, what)


def as_pillow(picture):
    """An image of Pillow, with 8 bits a channel, rounded as limn rounds what it writes."""
    from PIL import Image
    scaled = np.clip(picture, 0, 1).astype(np.float32) * np.float32(255)
    return Image.fromarray(np.floor(scaled.astype(np.float64) + 0.5).astype(np.uint8))


class Style:
    """A style to paint with: one painting, or several whose statistics are averaged.

    paintings: a picture, a list of pictures, or a folder, which means all pictures in it.
    from_: a mask of the only painting, 1 where the style is taken from.
    to: a mask of the picture, 1 where the style goes. Styles without it share what others leave.
    """

    def __init__(self, paintings, *, from_=None, to=None):
        self.paintings = [pixels(painting, "painting") for painting in _in_folder(paintings)]
        self.from_ = mask_values(from_, "from_")
        self.to = mask_values(to, "to")


def _in_folder(paintings):
    """The paintings one by one: a folder's are its files that are not hidden, by name."""
    if not is_picture(paintings):
        return list(paintings)
    if not (is_path(paintings) and os.path.isdir(paintings)):
        return [paintings]
    folder = os.fspath(paintings)
    files = (os.path.join(folder, name) for name in sorted(os.listdir(folder))
             if os.fsencode(name)[:1] != b".")
    found = [file for file in files if os.path.isfile(file)]
    if not found:
        raise FileError(f"'{os.fsdecode(folder)}' is a folder without a picture")
    return found


def styles(paintings):
    """Styles of what paint() is given: a picture, a Style, or a list of either."""
    several = not (isinstance(paintings, Style) or is_picture(paintings))
    return [one if isinstance(one, Style) else Style(one)
            for one in (paintings if several else [paintings])]
