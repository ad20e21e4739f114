"""Crops to train on: from folders of pictures, and synthetic ones.

The batch of a step is a function of seed and step alone, so that a resumed run sees what an
unbroken one would have seen.
"""

import concurrent.futures
import hashlib
import pathlib
import sys
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from kit import images
import synthetic

HELD_OUT = 20  # one picture in so many is kept for evaluation
SMALLEST_SIDE = 32  # smaller pictures are left out
EVALUATION_SEED = 1 << 40  # no run's seed


def is_held_out(name):
    """By the file's name alone, so that no other file changes it and no run mixes the two; without
    its suffix and what follows "__": tree__wave.png, painted from tree.jpg, goes with that."""
    origin = pathlib.PurePath(name).stem.split("__")[0]
    return int.from_bytes(hashlib.sha256(origin.encode()).digest()[:8], "big") % HELD_OUT == 0


def add_inputs(parser):
    """The flags of every program that looks at pictures with the teacher's eyes."""
    parser.add_argument("--weights", required=True, help="VGG-19 as Keras publishes it (.h5)")
    parser.add_argument("--pictures", nargs="+", required=True, metavar="FOLDER")


def decode(path):
    """(H, W, 3) RGB uint8."""
    return np.asarray(images.read(path))


def as_batch(crops):
    """(H, W, 3) arrays as a tensor (N, 3, H, W)."""
    return torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy())


class Pictures:
    """The pictures of some folders and those below. They are decoded once and kept as long as all
    kept ones take at most memory_mb; the rest are decoded each time they are drawn. held_out: None
    for all, else only those that are or are not."""

    def __init__(self, folders, memory_mb=4096, held_out=None):
        self.paths, self.kept, self.bytes = [], {}, 0
        sizes = []
        for folder in folders:
            if not pathlib.Path(folder).is_dir():
                raise ValueError(f"'{folder}' is not a folder of pictures")
            for path in sorted(pathlib.Path(folder).rglob("*")):
                if path.suffix.lower() not in images.SUFFIXES:
                    continue
                if held_out is not None and is_held_out(path.name) != held_out:
                    continue
                size = self._open(path, memory_mb)
                if size:
                    sizes.append(size)
        # Larger pictures hold more to see, but not in proportion: neighbours are alike.
        weights = np.sqrt([float(width * height) for width, height in sizes])
        self.chances = weights / weights.sum() if sizes else weights

    def _open(self, path, memory_mb):
        """Adds a picture; its (width, height), or None if it is not to be used."""
        try:
            with Image.open(path) as image:
                width, height = image.size
            if min(width, height) < SMALLEST_SIDE:
                return None
            if self.bytes + 3 * width * height <= memory_mb << 20:
                self.kept[len(self.paths)] = decode(path)
                self.bytes += 3 * width * height
        except OSError as error:
            print(f"left out: '{path}': {error}", file=sys.stderr)
            return None
        self.paths.append(path)
        return width, height

    def __len__(self):
        return len(self.paths)

    def describe(self):
        return (f"{len(self)} pictures, {len(self.kept)} of them in memory "
                f"({self.bytes / 2**20:.0f} MiB)")

    def draw(self, draw):
        i = int(draw.choice(len(self), p=self.chances))
        return self.kept[i] if i in self.kept else decode(self.paths[i])


def random_crop(draw, picture, side, most_reduced=3.0, most_enlarged=1.5):
    """A square of the picture at a random scale, (side, side, 3) float32 in 0..255."""
    height, width = picture.shape[:2]
    reduced = np.exp(draw.uniform(-np.log(most_enlarged), np.log(most_reduced)))
    taken = int(np.clip(round(side * reduced), 8, min(height, width)))
    y, x = draw.integers(height - taken + 1), draw.integers(width - taken + 1)
    square = Image.fromarray(np.ascontiguousarray(picture[y:y + taken, x:x + taken]))
    if taken != side:
        square = square.resize((side, side), Image.BICUBIC)
    return np.asarray(square, dtype=np.float32)


def recoloured(draw, rgb):
    """Other colours, contrast and brightness; at times beyond 0..255, as pictures being painted
    are."""
    if draw.random() < 0.15:
        rgb = rgb[:, :, draw.permutation(3)]
    grey = rgb.mean(axis=2, keepdims=True)
    saturation = 0.0 if draw.random() < 0.05 else np.exp(draw.normal(0, 0.3))
    contrast, brightness = np.exp(draw.normal(0, 0.25)), draw.normal(0, 15)
    tint = draw.normal(0, 8, 3)
    rgb = (grey + (rgb - grey) * saturation - 128) * contrast + 128 + brightness + tint
    return rgb.astype(np.float32) if draw.random() < 0.1 else \
        np.clip(rgb, 0, 255).astype(np.float32)


def with_noise(draw, rgb):
    """Noise of a random size and grain: what an unfinished painting is full of."""
    side = len(rgb)
    grain = int(draw.choice([1, 1, 2, 4]))
    cells = -(-side // grain)
    noise = draw.standard_normal((cells, cells, 3)).astype(np.float32)
    noise = noise.repeat(grain, axis=0).repeat(grain, axis=1)[:side, :side]
    if draw.random() < 0.3:
        noise[:] = noise[:, :, :1]
    return rgb + noise * np.float32(np.exp(draw.uniform(np.log(2), np.log(60))))


def augmented(draw, rgb):
    if draw.random() < 0.5:
        rgb = rgb[:, ::-1]
    if draw.random() < 0.1:
        rgb = np.rot90(rgb, int(draw.integers(1, 4)))
    if draw.random() < 0.6:
        rgb = recoloured(draw, rgb)
    if draw.random() < 0.25:
        rgb = with_noise(draw, rgb)
    return rgb


@dataclass
class Source:
    """Where crops come from. Shares are the chances of a crop's being synthetic, or from painted;
    painted pictures are those that limn painted."""
    pictures: Pictures
    painted: Pictures = field(default_factory=lambda: Pictures([]))
    synthetic_share: float = 0.15
    painted_share: float = 0.2
    seed: int = 0

    def __post_init__(self):
        if not len(self.painted):
            self.painted_share = 0.0
        if not len(self.pictures):  # then all that is not painted is synthetic
            self.synthetic_share = 1.0 - self.painted_share

    def crop(self, step, i, side):
        """Crop number i of a step."""
        draw = np.random.default_rng([self.seed, step, i])
        kind = draw.random()
        if kind < self.synthetic_share:
            rgb = synthetic.synthetic(draw, side)
        elif kind < self.synthetic_share + self.painted_share:
            rgb = random_crop(draw, self.painted.draw(draw), side)
        else:
            rgb = random_crop(draw, self.pictures.draw(draw), side)
            if draw.random() < 0.1:
                rgb = synthetic.strokes(draw, side, rgb)
        return augmented(draw, rgb)

    def batch(self, step, count, side):
        """(count, 3, side, side) RGB float32; 0..255 but for some of the augmentation."""
        return as_batch([self.crop(step, i, side) for i in range(count)])


def evaluation_batch(pictures, step, count, side, seed=EVALUATION_SEED):
    """Crops as they are, for evaluation: the same at every call with the same arguments."""
    crops = []
    for i in range(count):
        draw = np.random.default_rng([seed, step, i])
        crops.append(random_crop(draw, pictures.draw(draw), side, most_enlarged=1.0))
    return as_batch(crops)


class Ahead:
    """Makes batches of following steps on threads of their own while one is being trained on."""

    def __init__(self, source, count, side, workers=1, depth=4):
        self.source, self.count, self.side, self.depth = source, count, side, depth
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.waiting = {}

    def batch(self, step):
        for ahead in range(step, step + self.depth):
            if ahead not in self.waiting:
                self.waiting[ahead] = self.pool.submit(self.source.batch, ahead, self.count,
                                                       self.side)
        return self.waiting.pop(step).result()

    def close(self):
        self.pool.shutdown(cancel_futures=True)
