#!/usr/bin/python3
"""What can be said of a texture without any network: whether it repeats, meets itself at its edges,
mirrors itself, and goes on where a hole was.

  repetition.py PICTURE ...    # the periods that it finds, and how high the correlation is there

Pictures are (H, W, 3) uint8 RGB; L is their luminance, (H, W) float64, in steps of 255.

  correlation  of a shift d: the mean over the overlap of x(p) x(p + d), relative to that of no
               shift. x is L less the plane that fits it best: less its mean, and less light that
               falls from one side, which would make any two places look related. The overlap alone
               counts, so that what repeats exactly has 1 at its period, however long that is. By
               Fourier transform of the picture padded with zeros.
  kept         height of the correlation's peak near the exemplar's period, the texture's relative
               to the exemplar's: 1 for as regular as the exemplar, 0 for not regular at all.
  seam         mean square step of L from the last column to the first, beside the steps from each
               column to the next; and so for rows.
  symmetry     |x - m x|^2 / |x - mean|^2 where m mirrors or turns the picture: 0 for a picture that
               equals its image, about 2 for one that has nothing to do with it, 4 at most.
  hole         mean square error inside it, as it is and relative to the variance of what was there:
               1 for its mean colour, about 2 for what is as lively and has nothing to do with it.
  phase        correlation of what fills the hole with what was there, relative to the highest with
               what lies up to half a period beside it: 1 for a pattern that goes on where it
               should, 0 or less for one that is out of step, however good it is.
"""

import dataclasses
import math
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy as np

from kit import command, images

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue (ITU-R BT.709)
TOLERANCE = 0.1  # of a period: so much longer, shorter or askew a painted one may be
NEARLY = 0.9  # of the highest peak: the first that is as high is the period, not a multiple of it
SHORTEST = 8  # pixels: what repeats faster is grain
SPREAD = 0.99  # at most so much of the steps inside may be smaller than a seam that is not seen
FLAT = 1e-9  # mean square, in steps of 255: less is rounding
AXES = ("across", "down")


def luminance(picture):
    return picture.astype(np.float64) @ np.array(LUMINANCE)


# -------------------------------------------------------------------------------- correlation --

def levelled(L):
    """L less the plane that fits it best. On a full grid, centred coordinates are orthogonal."""
    left = L - L.mean()
    for n, shape in zip(L.shape, ((-1, 1), (1, -1))):
        place = (np.arange(n) - 0.5 * (n - 1)).reshape(shape)
        ramp = np.broadcast_to(place, L.shape)
        left = left - ramp * (left * ramp).sum() / max((ramp**2).sum(), 1)
    return left


def autocorrelation(L):
    """(2 (H // 2) + 1, 2 (W // 2) + 1) for shifts up to half the picture each way, no shift in the
    middle. All 0 for a picture of one colour."""
    x = levelled(L)
    padded = [2 * n for n in x.shape]  # so that nothing wraps
    products = np.fft.irfft2(np.abs(np.fft.rfft2(x, padded))**2, padded)
    most = [n // 2 for n in x.shape]
    shifts = [np.arange(-m, m + 1) for m in most]
    overlap = np.outer(*(n - np.abs(shift) for n, shift in zip(x.shape, shifts)))
    found = products[np.ix_(*shifts)] / overlap
    energy = (x**2).mean()
    return found / energy if energy > FLAT else np.zeros_like(found)


def peak_near(correlation, down, right):
    """The highest correlation near a shift: TOLERANCE of its length away in each direction. None
    where the shift is more than half the picture."""
    middle = [n // 2 for n in correlation.shape]
    reach = max(1, round(TOLERANCE * math.hypot(down, right)))
    if abs(down) > middle[0] or abs(right) > middle[1]:
        return None
    rows, columns = (slice(max(0, m + round(shift) - reach), m + round(shift) + reach + 1)
                     for m, shift in zip(middle, (down, right)))
    return float(correlation[rows, columns].max())


@dataclasses.dataclass(frozen=True)
class Period:
    """A shift in pixels and the correlation there."""
    down: int
    right: int
    height: float

    @property
    def length(self):
        return math.hypot(self.down, self.right)


def peaks(correlation, least, most, axis=None):
    """[Period] of the shifts, `least` to `most` long, whose eight neighbours are no higher, those
    nearly along the axis ("across", "down") or all. Of d and -d, one."""
    around = np.pad(correlation, 1, constant_values=-np.inf)
    height, width = correlation.shape
    neighbours = [around[i:i + height, j:j + width] for i in range(3) for j in range(3)]
    maxima = correlation >= np.max(neighbours, axis=0) - FLAT
    down, right = np.indices(correlation.shape) - np.array(
        [height // 2, width // 2]).reshape(2, 1, 1)
    length = np.hypot(down, right)
    maxima &= (least <= length) & (length <= most) & ((down > 0) | ((down == 0) & (right > 0)))
    if axis:
        maxima &= np.abs(down if axis == "across" else right) <= TOLERANCE * length
    return [Period(int(down[at]), int(right[at]), float(correlation[at]))
            for at in zip(*np.nonzero(maxima))]


def found_period(correlation, axis=None, least=SHORTEST, most=math.inf):
    """The shortest of the highest peaks off the centre, or None where there is none above 0."""
    found = [peak for peak in peaks(correlation, least, most, axis) if peak.height > FLAT]
    highest = max((peak.height for peak in found), default=0)
    return min((peak for peak in found if peak.height >= NEARLY * highest),
               key=lambda peak: peak.length, default=None)


def kept(correlation, exemplars, axis, period):
    """The height of the peak at the exemplar's period along the axis, relative to the exemplar's.
    None where either picture is less than two periods long. Raises ValueError where the exemplar
    does not repeat so."""
    shift = (0, period) if axis == "across" else (period, 0)
    own, its = (peak_near(r, *shift) for r in (correlation, exemplars))
    if own is None or its is None:
        return None
    if its <= 0:
        raise ValueError(f"the exemplar should repeat every {period:.4g} pixels {axis}, but there "
                         "it has nothing in common with itself")
    return own / its


# -------------------------------------------------------------------------------------- seams --

def seam(L, axis):
    """{"energy", "z", "share", "within"} of the step from the last column to the first (axis
    "across"; "down": row), beside the steps from each to the next: standard deviations above their
    mean, the share of them that are no larger, and whether it is within their spread: no less than
    the least of them, with a share of SPREAD at most. (A border that happens to fall on two joints
    is as large as nearly all steps of a brick wall, so the largest would be too wide a limit.)"""
    across = L if axis == "across" else L.T
    return beside(((across[:, 0] - across[:, -1])**2).mean(), steps_of(L, axis))


def steps_of(L, axis):
    """The mean square step of L from each column (or row) to the next, one less than columns."""
    return (np.diff(L if axis == "across" else L.T, axis=1)**2).mean(axis=0)


def beside(energy, steps):
    """A seam's figures: its energy beside that of the steps where there is none."""
    return {"energy": float(energy),
            "z": float((energy - steps.mean()) / max(steps.std(), FLAT)),
            "share": float((steps <= energy).mean()),
            "within": bool(steps.min() <= energy and (steps <= energy).mean() <= SPREAD)}


def tiled(picture, times=3):
    """The picture so many times beside and below itself."""
    return np.tile(picture, (times, times, 1))


# ----------------------------------------------------------------------------------- symmetry --

IMAGES = {
    "left-right": lambda x: x[:, ::-1],
    "up-down": lambda x: x[::-1],
    "rotate-180": lambda x: x[::-1, ::-1],
}
KINDS = (*IMAGES, "both")


def symmetry_error(picture, kind):
    """Of one of KINDS; "both" is the mean of left-right's and up-down's. 0 for one colour."""
    if kind == "both":
        return 0.5 * (symmetry_error(picture, "left-right") + symmetry_error(picture, "up-down"))
    x = picture.astype(np.float64)
    energy = ((x - x.mean(axis=(0, 1)))**2).mean()
    return float(((x - IMAGES[kind](x))**2).mean() / energy) if energy > FLAT else 0.0


# --------------------------------------------------------------------------------- inpainting --

@dataclasses.dataclass(frozen=True)
class Hole:
    """A rectangle of pixels."""
    top: int
    left: int
    height: int
    width: int

    def of(self, array):
        """What of the array is inside."""
        return array[self.top:self.top + self.height, self.left:self.left + self.width]

    def mask(self, shape):
        """(H, W) bool, true inside."""
        found = np.zeros(shape[:2], bool)
        self.of(found)[:] = True
        return found


def centred_hole(shape, share):
    """In the middle of a picture, with so much of each side."""
    height, width = (max(1, round(share * n)) for n in shape[:2])
    return Hole((shape[0] - height) // 2, (shape[1] - width) // 2, height, width)


def hole_error(result, truth, hole):
    """(mean square error, the same relative to the variance of what was there)."""
    there = hole.of(truth).astype(np.float64)
    error = float(((hole.of(result) - there)**2).mean())
    variance = ((there - there.mean(axis=(0, 1)))**2).mean()
    return error, error / max(float(variance), FLAT)


def known_kept(result, given, hole):
    """Whether all bytes outside the hole are those that were given."""
    if result.shape != given.shape:
        return False
    outside = ~hole.mask(given.shape)
    return bool((result[outside] == given[outside]).all())


def alike(a, b):
    """Pearson's correlation of two arrays; 0 where one is of one colour."""
    a, b = a - a.mean(), b - b.mean()
    energy = math.sqrt((a**2).mean() * (b**2).mean())
    return float((a * b).mean() / energy) if energy > FLAT else 0.0


def reach(period, before, after):
    """Shifts of up to half a period, no more than there is picture."""
    half = round(0.5 * period)
    return range(-min(half, before), min(half, after) + 1)


def phase(result, truth, hole, down, across):
    """{"phase", "alike", "best", "shift"} for a pattern of these periods, in pixels; 0 for none.
    result, truth: L. alike: correlation where it should be; best: with what lies `shift`, [down,
    right], beside it. Phase is their ratio, 0 where the best is not above 0. Read it with the
    shift: bricks half a brick out of step are still in step with the courses, with a phase of
    0.5."""
    filled, (height, width) = hole.of(result), truth.shape
    found = {}
    for dy in reach(down, hole.top, height - hole.top - hole.height):
        for dx in reach(across, hole.left, width - hole.left - hole.width):
            beside = dataclasses.replace(hole, top=hole.top + dy, left=hole.left + dx)
            found[dy, dx] = alike(filled, beside.of(truth))
    shift = max(found, key=lambda at: (found[at], -math.hypot(*at)))
    own, best = found[0, 0], found[shift]
    return {"phase": own / best if best > 0 else 0.0, "alike": own, "best": best,
            "shift": list(shift)}


# ----------------------------------------------------------------------------------------- run --

def main():
    parser = command.parser(__doc__)
    parser.add_argument("pictures", nargs="+", type=command.existing_file, metavar="PICTURE")
    for path in parser.parse_args().pictures:
        correlation = autocorrelation(luminance(images.array(images.read(path))))
        found = {axis: found_period(correlation, axis) for axis in AXES}
        print(path.stem, *(f"{axis}: {peak.length:.1f} ({peak.height:.2f})" if peak else
                           f"{axis}: -" for axis, peak in found.items()), sep="  ")


if __name__ == "__main__":
    with command.errors_told():
        main()
