"""Which photos are painted in the manner of which paintings."""

import dataclasses
import hashlib
import math
import pathlib

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}


@dataclasses.dataclass(frozen=True)
class Chosen:
    photo: pathlib.Path
    painting: pathlib.Path

    @property
    def name(self):
        return f"{self.photo.stem}__{self.painting.stem}"


def digest(*paths):
    """SHA-256 of the files one after another, in hexadecimal."""
    sha = hashlib.sha256()
    for path in paths:
        sha.update(pathlib.Path(path).read_bytes())
    return sha.hexdigest()


def in_folder(folder):
    """The pictures in a folder, by name; none where there is no such folder."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def cycled(photos, paintings, count):
    """`count` different pairs, or as many as there are: both lists are gone round at once, so that
    every picture has its turn, and when they meet where they began, the paintings move on by one.
    """
    if not photos or not paintings:
        return []
    round_trip = math.lcm(len(photos), len(paintings))
    count = min(count, len(photos) * len(paintings))
    return [Chosen(photos[k % len(photos)], paintings[(k + k // round_trip) % len(paintings)])
            for k in range(count)]


def choose(folders, count):
    """`count` pairs from folders [(photos, paintings), ...], in equal parts; what one folder lacks
    the others give. Raises ValueError where some picture has no turn."""
    sources = [source for source in ([in_folder(a), in_folder(b)] for a, b in folders)
               if all(source)]
    chosen, left = [], count
    for i, source in enumerate(sorted(sources, key=lambda s: len(s[0]) * len(s[1]))):
        part = cycled(*source, left // (len(sources) - i))
        if len(part) < max(map(len, source)):
            raise ValueError(f"{count} pairs are too few for every photo and painting to be used "
                             f"once; choose a larger --count")
        chosen += part
        left -= len(part)
    return chosen


def check(pairs):
    """Raises ValueError unless all files are there and all names differ."""
    if not pairs:
        raise ValueError("there are no pictures; give them with --pair PHOTO PAINTING")
    names = set()
    for pair in pairs:
        for path in (pair.photo, pair.painting):
            if not path.is_file():
                raise ValueError(f"there is no picture '{path}'")
        if pair.name in names:
            raise ValueError(f"two pairs are called '{pair.name}'; rename a picture")
        names.add(pair.name)
