"""One pair painted at several sizes: is it the same picture, seen from nearer?

Each result is shrunk to the judge's size (Lanczos), and VGG-19 compares its style there with the
painting's at that size. A manner that does not depend on the size would give the same losses.
"""

import statistics

from PIL import Image

from kit import images, painter
import cells

SIZES = (256, 512, 1024, 2048)
SEEN_AT = 256  # pixels, the longest side at which all are judged


def paint(limn, pair, sizes, folder, say=print):
    """[(size, PIL picture, record)] by limn as it is when it is given nothing but a size."""
    way, found = cells.default_way(limn), []
    for size in sizes:
        common = painter.common_settings(limn, pair, size)
        record = painter.painted(limn, way, pair, common, folder / pair.name, str(size))
        say(f"{pair.name} at {size}: {record['seconds']:.1f} s")
        found.append((size, images.read(folder / pair.name / f"{size}.png"), record))
    return found


def shrunk(pictures, photo, seen_at=SEEN_AT):
    """The PIL pictures at the size at which the judge sees the photo."""
    wanted = images.read_resized(photo, seen_at).size
    return [picture if picture.size == wanted else picture.resize(wanted, Image.LANCZOS)
            for picture in pictures]


def crop(picture, side):
    """The middle of the picture, pixel for pixel, in the picture's own proportion."""
    width, height = images.working_size(*picture.size, min(side, max(picture.size)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def spread(values):
    """From the least to the largest, relative to the mean."""
    return (max(values) - min(values)) / max(statistics.fmean(values), 1e-300)


def difference(first, second):
    """How far the styles of two sizes are apart: |a - b| over (a + b) / 2, mean of the layers."""
    return statistics.fmean(
        abs(first[layer] - second[layer]) / max(0.5 * (first[layer] + second[layer]), 1e-300)
        for layer in first)
