"""The textures that limn is tried on, what is known of them, and how near a painted one comes.

textures.txt names them. limn sees an exemplar as it is, unless its longest side exceeds the
painted picture's: then it shrinks to that (recipe setting painting-size, "within"). What is judged,
and every period, is of that size.

  style, sliced, palette   as figures.py and distances.py have them, where the unpainted photo is a
                           picture of one colour, the exemplar's mean: 1 for that, 0 for the
                           exemplar. Palette is in steps of 255. Texture and exemplar may differ in
                           size.
  across, down             the height of the correlation's peak at the exemplar's period, kept; None
                           without a period (repetition.py)
  repeat                   the correlation at its highest peak in any direction, whatever the
                           period: it should be the exemplar's, above all where that has no period
"""

import dataclasses
import pathlib

import numpy as np
from PIL import Image

from kit import images
import distances
import figures
import repetition

NONE, FOUND = "-", "?"  # in textures.txt


@dataclasses.dataclass(frozen=True)
class Texture:
    """A line of textures.txt. across, down: the period in pixels, "-" for none, "?" for what
    repetition.py finds; symmetries: those that the picture has."""
    path: pathlib.Path
    across: str
    down: str
    symmetries: tuple

    @property
    def name(self):
        return self.path.stem

    def is_symmetric(self):
        return bool(self.symmetries)

    def is_plain(self):
        """Whether it is more than its symmetry: a rosette has nothing to repeat or to go on."""
        return not self.symmetries or (self.across, self.down) != (NONE, NONE)


def read_list(path, folder):
    """([Texture] whose pictures are in the folder, [names of the others]). Raises ValueError for a
    line that is not one."""
    found, missing = [], []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 4:
            raise ValueError(f"{path}, line {number} should be NAME ACROSS DOWN SYMMETRIES")
        name, across, down, kinds = words
        symmetries = () if kinds == NONE else tuple(kinds.split(","))
        if set(symmetries) - set(repetition.KINDS):
            raise ValueError(f"{path}, line {number}: a symmetry should be one of "
                             f"{', '.join(repetition.KINDS)}")
        for period in (across, down):
            if period not in (NONE, FOUND) and not float(period) > 0:
                raise ValueError(f"{path}, line {number}: a period should be above 0")
        files = [file for file in sorted(folder.glob(f"{name}.*"))
                 if file.suffix.lower() in images.SUFFIXES]
        if files:
            found.append(Texture(files[0], across, down, symmetries))
        else:
            missing.append(name)
    return found, missing


def seen(picture, longest):
    """The PIL picture, shrunk if it is longer than that."""
    if max(picture.size) <= longest:
        return picture
    return picture.resize(images.working_size(*picture.size, longest), Image.LANCZOS)


class Exemplar:
    """An exemplar as limn sees it, and what is measured of it once."""

    def __init__(self, texture, longest, teacher):
        """longest: side of the pictures that are painted after it."""
        self.texture, self.name, self.teacher = texture, texture.name, teacher
        whole = images.read(texture.path)
        self.image = seen(whole, longest)
        self.picture = images.array(self.image)
        self.correlation = repetition.autocorrelation(repetition.luminance(self.picture))
        scale = max(self.image.size) / max(whole.size)
        self.periods = {axis: self._period(axis, getattr(texture, axis), scale)
                        for axis in repetition.AXES}
        self.repeat = height(repetition.found_period(self.correlation))
        self.judges = {}

    def _period(self, axis, text, scale):
        """In pixels, or None."""
        if text == NONE:
            return None
        if text != FOUND:
            period = scale * float(text)
            repetition.kept(self.correlation, self.correlation, axis, period)  # or it raises
            return period
        peak = repetition.found_period(self.correlation, axis)
        return peak and peak.length

    def figures(self, picture):
        """All figures of a picture, (H, W, 3) uint8 RGB."""
        correlation = repetition.autocorrelation(repetition.luminance(picture))
        found = {axis: period and repetition.kept(correlation, self.correlation, axis, period)
                 for axis, period in self.periods.items()}
        return found | {"repeat": height(repetition.found_period(correlation)),
                        **self.statistics(picture)}

    def statistics(self, picture):
        """{"style", "sliced", "palette"}"""
        shape = picture.shape[:2]
        if shape not in self.judges:
            flat = np.broadcast_to(np.rint(figures.mean_colour(self.picture)).astype(np.uint8),
                                   (*shape, 3))
            self.judges[shape] = (figures.Pair(self.teacher, flat, self.picture),
                                  distances.Judge(self.teacher, flat, self.picture))
        of = {}
        for judge in self.judges[shape]:
            of |= judge.judge(picture)
        return {figure: of[figure] for figure in ("style", "sliced", "palette")}


def height(peak):
    """Of a Period, or 0 where there is none."""
    return peak.height if peak else 0.0
