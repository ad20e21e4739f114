"""Crops made on the device that trains, for a GPU that trains faster than processors make crops.

data.py's crops in other words: pictures at random scales, recoloured, with noise; synthetic ones;
and painted ones (painting.py). All of it is drawn from one generator on the device, so a run of the
same seed sees the same crops where the device's arithmetic is the same.

Pictures are (count, 3, side, side) RGB float32, 0..255 but for some of the augmentation.
"""

import concurrent.futures
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import synthetic

REDUCTIONS = 3  # each picture is kept whole, halved and quartered, so that reducing does not alias
MOST_REDUCED, MOST_ENLARGED = 3.0, 1.5
STYLE_SHARE = 0.1  # of crops
ORDERS = ((1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 0, 2), (0, 2, 1))  # of channels, but for their own
GRAINS = (1, 1, 2, 4)  # pixels of noise, one as likely as the other


class Atlas:
    """Pictures of any sizes, all reductions of them, as one flat tensor of bytes on the device."""

    def __init__(self, pictures, device):
        """pictures: (H, W, 3) uint8 arrays."""
        rows, parts, offset = [], [], 0
        for rgb in pictures:
            row = []
            for reduction in range(REDUCTIONS):
                part = reduced(rgb, 1 << reduction)
                parts.append(torch.from_numpy(part.reshape(-1).copy()))
                row.append((offset, *part.shape[:2]))
                offset += part.size
            rows.append(row)
        self.table = torch.tensor(rows, device=device)  # [picture][reduction](offset, H, W)
        self.bytes = torch.cat(parts).to(device)
        # As data.Pictures has it: larger pictures hold more to see, but not in proportion.
        whole = self.table[:, 0].double()
        self.chances = (whole[:, 1] * whole[:, 2]).sqrt().float()

    def __len__(self):
        return len(self.table)

    def crops(self, generator, count, side, most_reduced=MOST_REDUCED, most_enlarged=MOST_ENLARGED):
        """Squares at random places and scales, half of them mirrored."""
        uniform = lambda *shape: torch.rand(*shape, generator=generator, device=self.bytes.device)
        chosen = self.table[torch.multinomial(self.chances, count, True, generator=generator)]
        smaller_side = chosen[:, 0, 1:].amin(1)
        scale = torch.exp(-math.log(most_enlarged)
                          + uniform(count) * math.log(most_enlarged * most_reduced))
        scale = torch.minimum(scale, smaller_side / side)
        level = (scale.log2() + 0.25).floor().clamp(0, REDUCTIONS - 1).long()
        offset, height, width = chosen[torch.arange(count, device=level.device), level].T
        # Rounding of reduced sizes may leave a pixel less than the whole picture promised.
        scale = torch.minimum(scale / 2.0**level, torch.minimum(height, width) / side)

        def places(length, mirrored):
            steps = torch.arange(side, device=level.device) + 0.5
            steps = torch.where(mirrored[:, None], side - steps, steps)
            begin = uniform(count) * (length - scale * side)
            at = begin[:, None] + steps * scale[:, None] - 0.5
            at = at.clamp(min=0).minimum(length[:, None] - 1)
            low = at.floor().long()
            return low, torch.minimum(low + 1, length[:, None] - 1), at - low

        y0, y1, fy = places(height, torch.zeros(count, dtype=torch.bool, device=level.device))
        x0, x1, fx = places(width, uniform(count) < 0.5)
        at = lambda y, x: self._pixels(offset, width, y, x)
        fx, fy = fx[:, None, None, :], fy[:, None, :, None]
        upper = at(y0, x0) * (1 - fx) + at(y0, x1) * fx
        lower = at(y1, x0) * (1 - fx) + at(y1, x1) * fx
        return upper * (1 - fy) + lower * fy

    def _pixels(self, offset, width, y, x):
        """(count, 3, side, side) float32 of rows y and columns x, both (count, side)."""
        pixel = offset[:, None, None] + 3 * (y[:, :, None] * width[:, None, None] + x[:, None, :])
        return torch.stack([self.bytes[pixel + c] for c in range(3)], dim=1).float()


def reduced(rgb, factor):
    height, width = rgb.shape[:2]
    if factor == 1 or min(height, width) < 2 * factor:
        return np.ascontiguousarray(rgb)
    size = (width // factor, height // factor)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.BOX))


# ---------------------------------------------------------------------------------- synthetic --

def synthetic_picture(seed, side, under):
    """One picture of synthetic.py as bytes; of the kinds, strokes over `under` is one more."""
    draw = np.random.default_rng([seed, 77])
    kind = int(draw.integers(len(synthetic.KINDS) + 2))
    if kind < len(synthetic.KINDS) or under is None:
        rgb = synthetic.synthetic(draw, side)
    else:
        square = Image.fromarray(under).resize((side, side), Image.BICUBIC)
        rgb = synthetic.strokes(draw, side, np.asarray(square, dtype=np.float32))
    return np.clip(rgb, 0, 255).astype(np.uint8)


def synthetic_pictures(seed, count, side, pictures, processes):
    """Made by several processes. A third has strokes painted over parts of `pictures`."""
    def part_of(i):
        if not len(pictures):
            return None
        rgb = pictures[i % len(pictures)]
        taken = min(rgb.shape[0], rgb.shape[1], 2 * side)
        return np.ascontiguousarray(rgb[:taken, :taken])

    seeds = range(seed, seed + count)
    if processes < 2:
        return [synthetic_picture(i, side, part_of(i)) for i in seeds]
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        return list(pool.map(synthetic_picture, seeds, [side] * count, map(part_of, seeds),
                             chunksize=16))


# ------------------------------------------------------------------------------- augmentation --

def recoloured(generator, x, share=0.6):
    """Other colours, contrast and brightness for this share of the crops."""
    count, device = len(x), x.device
    uniform = lambda: torch.rand(count, 1, 1, 1, generator=generator, device=device)
    normal = lambda channels=1: torch.randn(count, channels, 1, 1, generator=generator,
                                            device=device)
    order = torch.randint(len(ORDERS), (count,), generator=generator, device=device)
    order = torch.tensor(ORDERS, device=device)[order][:, :, None, None].expand_as(x)
    swapped = torch.where(uniform() < 0.15, x.gather(1, order), x)
    grey = swapped.mean(1, keepdim=True)
    saturation = torch.where(uniform() < 0.05, 0.0, torch.exp(0.3 * normal()))
    contrast, brightness, tint = torch.exp(0.25 * normal()), 15 * normal(), 8 * normal(3)
    changed = (grey + (swapped - grey) * saturation - 128) * contrast + 128 + brightness + tint
    changed = torch.where(uniform() < 0.1, changed, changed.clamp(0, 255))
    return torch.where(uniform() < share, changed, x)


def with_noise(generator, x, share=0.25):
    """Noise of a random size and grain for this share of the crops."""
    count, _, side, _ = x.shape
    uniform = lambda: torch.rand(count, 1, 1, 1, generator=generator, device=x.device)
    grain = torch.randint(len(GRAINS), (count, 1, 1, 1), generator=generator, device=x.device)
    noise = torch.zeros_like(x)
    for i, pixels in enumerate(GRAINS):
        cells = -(-side // pixels)
        fine = torch.randn(count, 3, cells, cells, generator=generator, device=x.device)
        if pixels > 1:
            fine = F.interpolate(fine, scale_factor=pixels, mode="nearest")[:, :, :side, :side]
        noise = torch.where(grain == i, fine, noise)
    noise = torch.where(uniform() < 0.3, noise[:, :1], noise)
    size = torch.exp(math.log(2) + uniform() * math.log(30))
    return torch.where(uniform() < share, x + noise * size, x)


def turned(generator, x, share=0.1):
    chosen = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device) < share
    return torch.where(chosen, x.transpose(2, 3), x)


# ------------------------------------------------------------------------------------- source --

class PaintedPool:
    """The newest `capacity` painted pictures, (count, 3, edge, edge), not clamped; half precision,
    which is a twentieth of a level of 255 off."""

    def __init__(self, capacity, edge, device):
        self.pixels = torch.zeros(capacity, 3, edge, edge, dtype=torch.float16, device=device)
        self.filled, self.next = 0, 0

    def add(self, pictures):
        for picture in pictures:
            self.pixels[self.next] = picture
            self.next = (self.next + 1) % len(self.pixels)
            self.filled = min(self.filled + 1, len(self.pixels))

    def crops(self, generator, count, side):
        device, edge = self.pixels.device, self.pixels.shape[2]
        at = lambda most: torch.randint(most, (count,), generator=generator, device=device)
        steps = torch.arange(side, device=device)
        y = at(edge - side + 1)[:, None] + steps
        x = at(edge - side + 1)[:, None] + steps
        x = torch.where((at(2) == 0)[:, None], x, x.flip(1))
        chosen = at(self.filled)
        return self.pixels[chosen[:, None, None, None],
                           torch.arange(3, device=device)[None, :, None, None],
                           y[:, None, :, None], x[:, None, None, :]].float()


class DeviceSource:
    """The counterpart of data.Source. Shares are of a batch's crops, the same in every batch.
    styles: an Atlas of paintings, which are few among the pictures; they get STYLE_SHARE."""

    def __init__(self, pictures, styles, made, painted, synthetic_share, painted_share, seed):
        self.pictures, self.styles, self.synthetic, self.painted = pictures, styles, made, painted
        self.synthetic_share, self.painted_share = synthetic_share, painted_share
        self.seed = seed

    def batch(self, step, count, side):
        """The batch of a step; what is painted by then counts."""
        device = self.pictures.bytes.device
        generator = torch.Generator(device).manual_seed((self.seed << 44) + step)
        painted = round(count * self.painted_share) if self.painted.filled else 0
        made, styles = round(count * self.synthetic_share), round(count * STYLE_SHARE)
        shares = ((self.pictures, count - painted - made - styles, MOST_REDUCED),
                  (self.styles, styles, MOST_REDUCED), (self.synthetic, made, 1.6))
        parts = [atlas.crops(generator, share, side, most) for atlas, share, most in shares
                 if share > 0]
        x = with_noise(generator, recoloured(generator, torch.cat(parts)))
        if painted:
            x = torch.cat([x, self.painted.crops(generator, painted, side)])
        return turned(generator, x)
