"""Paintings: step by step, and what becomes of them."""
import dataclasses
import functools
import operator
import os
from typing import NamedTuple

import numpy as np

from . import _limn
from .errors import UsageError
from .pictures import (Style, as_pillow, mask_values, path_bytes, pixels, resized, styles,
                       write_image)
from .recipes import Recipe


class Model:
    """Trained weights of a network: the built-in one, or those of a file.

    Reads Keras .h5, MatConvNet .mat, NumPy .npz and .npy, PyTorch .pth, .safetensors and others,
    by content. Immutable; to be shared by paintings and threads.
    """

    def __init__(self, weights=None):
        self._inner = (_limn.Model.builtin() if weights is None
                       else _limn.Model.read(path_bytes(weights)))

    @property
    def network(self):
        """"vgg19", "vgg16" or "builtin"."""
        return self._inner.network()

    def write(self, path):
        """Writes the weights as .safetensors, which Model reads back."""
        self._inner.write(path_bytes(path))

    def __repr__(self):
        return f"<limn.Model {self.network}>"


@functools.cache
def _builtin():
    return Model()


def _inner_model(model):
    if model is None:
        return _builtin()._inner
    if isinstance(model, (str, os.PathLike)):
        return Model(model)._inner
    return model._inner


class Losses(NamedTuple):
    """The terms of the objective, with their weights applied; total is their sum."""

    content: float
    style: float
    total_variation: float
    total: float


class Record(NamedTuple):
    """An iteration that was done. Losses of different stages or sizes are not comparable."""

    iteration: int
    seconds: float
    stage: int
    width: int
    height: int
    losses: Losses


@dataclasses.dataclass(frozen=True, eq=False)
class Progress:
    """How a painting stands after an iteration; 0 is the initial picture.

    iteration, iterations: done, and planned, over all stages and sizes.
    seconds: since the painting began.
    losses: of this iteration's picture.
    level, width, height: the number of the size being painted, and its pixels.
    """

    iteration: int
    iterations: int
    seconds: float
    losses: Losses
    level: int
    width: int
    height: int
    _run: "Run" = dataclasses.field(repr=False)

    def picture(self):
        """This iteration's picture, a float32 array of the result's size, H x W x 3 or 4.

        To be taken before the next iteration. Values may leave 0..1.
        """
        return self._run._picture(self.iteration, best=False)

    def best_picture(self):
        """The picture with the lowest total loss so far; likewise."""
        return self._run._picture(self.iteration, best=True)

    def image(self):
        """This iteration's picture as an image of Pillow."""
        return as_pillow(self.picture())


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Painted:
    """A painting.

    picture: a float32 array H x W x 3 or, where the photo is transparent, H x W x 4, in 0..1.
    outcome: how it ended: "finished", "converged", "out of time", "stopped" or, if the first loss
        was not finite, "failed".
    iteration: of the picture; best_iteration: the one with the lowest total loss.
    rejected_steps: steps undone because the loss was not finite or grew too much.
    unchanged: the picture is still the initial one, although iterations were asked for.
    seconds: that it took.
    history: a Record of each iteration.
    recipe: that it was painted with.
    """

    picture: np.ndarray
    outcome: str
    iteration: int
    best_iteration: int
    rejected_steps: int
    unchanged: bool
    seconds: float
    history: tuple
    recipe: Recipe

    def image(self):
        """The picture as an image of Pillow, with 8 bits a channel."""
        return as_pillow(self.picture)

    def save(self, path, **options):
        """Writes the picture, as write_image() does with these options: bits=16, quality=90."""
        write_image(self.picture, path, **options)

    def __repr__(self):
        height, width = self.picture.shape[:2]
        return (f"<limn.Painted {width} x {height}, {self.outcome}, iteration {self.iteration}, "
                f"{self.seconds:.1f} s>")

    def _repr_png_(self):  # what a notebook shows
        return self.image()._repr_png_()


class Run:
    """A painting made step by step, for programs that show how it proceeds.

    >>> run = Run(photo, paintings, size=512)       # doctest: +SKIP
    >>> for progress in run:                        # doctest: +SKIP
    ...     show(progress.image())
    >>> painted = run.finish()                      # doctest: +SKIP

    Takes what paint() takes, but for `progress`. Leaving the loop early and calling finish() gives
    the best picture so far. One thread at a time uses a run, but any may stop() it.
    """

    def __init__(self, photo, paintings, recipe=None, *, mask_keep=None, initial=None, **options):
        pictures = _limn.Pictures(pixels(photo, "photo"))
        _add_styles(pictures, paintings)
        if mask_keep is not None:
            pictures.keep(mask_values(mask_keep, "mask_keep"))
        if initial is not None:
            pictures.begin_with(pixels(initial, "initial"))
        self._begin(pictures, "limn" if recipe is None else recipe, **options)

    @classmethod
    def season(cls, photo, example, recipe=None, **options):
        """As season()."""
        return cls(photo, example, "season" if recipe is None else recipe, **options)

    @classmethod
    def texture(cls, exemplars, size=512, recipe=None, **options):
        """As texture()."""
        width, height = map(operator.index, np.broadcast_to(size, 2))
        pictures = _limn.Pictures.of_texture(width, height)
        _add_styles(pictures, exemplars)
        run = cls.__new__(cls)
        run._begin_texture(pictures, "texture" if recipe is None else recipe, options)
        return run

    @classmethod
    def inpaint(cls, picture, hole, source=None, recipe=None, **options):
        """As inpaint()."""
        picture = pixels(picture)
        hole = mask_values(hole, "hole")
        pictures = _limn.Pictures(picture)
        _add_styles(pictures, picture if source is None else source)
        run = cls.__new__(cls)
        run._begin_texture(pictures, "inpaint" if recipe is None else recipe, options,
                           cut=lambda: pictures.cut_hole(hole, source is None))
        return run

    def _begin_texture(self, pictures, recipe, options, cut=lambda: None):
        """Begins what has no photo to resemble: it has its pictures' size, and their periods."""
        for name in ("size", "strength"):
            if name in options:
                raise TypeError(f"there is no setting '{name}' here")
        shifts_given = {"style_shifts", "shifts_across", "shifts_down"} & options.keys()
        settings = {name: options.pop(name) for name in list(options) if name not in _OPTIONS}
        recipe = Recipe(recipe, **settings, size=0)
        if not shifts_given:
            recipe._inner = _limn.with_periods(recipe._inner, pictures)
        cut()
        self._begin(pictures, recipe, **options)

    def _begin(self, pictures, recipe, *, model=None, memory=None, tile=0, checkpoint=None,
               **settings):
        self.recipe = Recipe(recipe, **settings)
        self._iteration = None  # none yet, whose pictures could be asked for
        self._inner = _limn.Run(_inner_model(model), pictures, self.recipe._inner, memory, tile,
                                None if checkpoint is None else path_bytes(checkpoint))

    def __iter__(self):
        return self

    def __next__(self):
        """The next iteration's Progress; the first is that of the initial picture."""
        first, self._iteration = self._iteration is None, -1
        if not (self._inner.has_begun() if first else self._inner.step()):
            raise StopIteration
        iteration, iterations, seconds, losses, *rest = self._inner.now()
        self._iteration = iteration
        return Progress(iteration, iterations, seconds, Losses(*losses), *rest, self)

    def _picture(self, iteration, best):
        if iteration != self._iteration:
            raise UsageError(f"the picture of iteration {iteration} is gone; take it before the "
                             "next one")
        return self._inner.picture(best)

    def stop(self):
        """Ends the iteration: the next step is not taken. Any thread may call it."""
        self._inner.stop()

    def save(self, path):
        """Writes a checkpoint. A Run of the same arguments and `checkpoint=path` goes on from it,
        and ends with the same picture."""
        self._inner.save(path_bytes(path))

    def finish(self):
        """Ends the run, and returns what has been Painted: the best picture so far."""
        self._iteration = -1
        result = self._inner.finish()
        history = tuple(Record(*record, Losses(*losses)) for *record, losses in
                        result.pop("history"))
        return Painted(**result, history=history, recipe=self.recipe)

    def paint(self, progress=None):
        """Paints to the end, and returns what has been Painted.

        progress: called with a Progress after every iteration; returning False stops the painting.
        """
        for now in self:
            if progress is not None and progress(now) is False:
                self.stop()
        return self.finish()


_OPTIONS = ("model", "memory", "tile", "checkpoint")


def _add_styles(pictures, paintings):
    for style in styles(paintings):
        pictures.add_style(style.paintings, style.from_, style.to)


def paint(photo, paintings, recipe=None, *, progress=None, **options):
    """Paints the photo in the style of one or more paintings.

    photo: a picture: a path, an image of Pillow, or an array H x W x 3 or, with alpha, H x W x 4,
        of uint8, uint16, or floats in 0..1, sRGB-encoded.
    paintings: a picture, or a folder of pictures, which together are one style; or a list of such
        or of Style objects, which are blended or go where their masks say.
    recipe: a Recipe, or what one is made from: a name, a file, TOML. None: "limn".
    progress: called with a Progress after every iteration; returning False stops the painting.
        What it raises ends the painting, and is passed on.
    mask_keep: a mask, H x W, 1 where the photo stays as it is.
    initial: a picture to begin with, instead of what the recipe says.
    model: a Model, or a file of weights. None: the built-in network.
    memory: at most so many bytes, for the whole process; 0: no limit. None: 7/8 of the machine's.
    tile: paint in tiles of at most so many pixels a side; 0: only where memory asks for it.
    checkpoint: a file of Run.save() to go on from.

    All other keywords are settings of the recipe, named like the command's flags: size (longest
    side in pixels), strength (0..1), style_scale (0.5 halves the strokes), seconds (approximate
    limit), iterations, colors ("style", "content", ...), blend, seed, threads and so on:
    help(limn.Recipe) and docs/recipes.md list them.

    Returns a Painted: its picture is bit for bit that of `limn paint` with the same settings.
    """
    return Run(photo, paintings, recipe, **options).paint(progress)


def season(photo, example, recipe=None, *, progress=None, **options):
    """Gives the photo the season, weather or light of another photo, the example.

    Takes what paint() takes. The recipe, if none is given, is "season".
    """
    return Run.season(photo, example, recipe, **options).paint(progress)


def texture(exemplars, size=512, recipe=None, *, progress=None, **options):
    """Makes a texture from a picture of one.

    exemplars: as the paintings of paint(); several are blended.
    size: of the texture, in pixels a side, or (width, height).
    recipe: "texture" if none is given.

    Where a single exemplar repeats itself, features are compared at its periods instead of the
    recipe's distances, unless style_shifts, shifts_across or shifts_down are given. tileable=True
    makes a texture without seams, symmetry="both" one that equals its mirror images. The other
    options are those of paint(), but for strength, mask_keep and initial.
    """
    return Run.texture(exemplars, size, recipe, **options).paint(progress)


def inpaint(picture, hole, source=None, recipe=None, *, progress=None, **options):
    """Fills a hole in a picture with more of what surrounds it.

    hole: a mask, H x W, 1 where the picture is painted and 0 where every pixel stays as it is.
    source: a picture of what fills the hole. None: the rest of the picture.
    recipe: "inpaint" if none is given.

    The other options are those of texture().
    """
    return Run.inpaint(picture, hole, source, recipe, **options).paint(progress)


class Evaluation(NamedTuple):
    """The losses of a picture, and the gradient of the total loss.

    gradient: with respect to the 0..1 RGB picture, a float32 array H x W x 3; gradient_norm is its
    L2 norm.
    """

    losses: Losses
    gradient_norm: float
    gradient: np.ndarray


def evaluate(photo, painting, picture, recipe=None, *, model=None, tile=0, **settings):
    """The losses of `picture` as a painting of `photo` in the style of `painting`.

    Unless a size is given, the picture's own is the working size, to which the photo is resized.
    recipe, model, tile, settings: as for paint(). Of a recipe with stages the last is evaluated.
    """
    recipe = Recipe("limn" if recipe is None else recipe, **{"size": 0, **settings})
    losses, *rest = _limn.evaluate(_inner_model(model), pixels(photo, "photo"),
                                   pixels(painting, "painting"), pixels(picture), recipe._inner,
                                   tile)
    return Evaluation(Losses(*losses), *rest)


for _thing in (Model, Losses, Record, Progress, Painted, Run, Evaluation, Style, paint, season,
               texture, inpaint, evaluate, resized):
    _thing.__module__ = "limn"
