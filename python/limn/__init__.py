"""limn paints a photograph in the style of a painting.

>>> import limn
>>> painted = limn.paint("photo.jpg", "painting.jpg", size=512, strength=0.7)  # doctest: +SKIP
>>> painted.save("out.png")                                                    # doctest: +SKIP

Pictures come as paths, NumPy arrays or Pillow images, and are given back as NumPy arrays, float32,
H x W x 3 in 0..1; Painted.image() makes one of Pillow. See paint(), texture(), inpaint(), season(),
evaluate(), Recipe, Run and docs/python.md.
"""
from . import _limn
from .errors import Error, FileError, ResourceError, UsageError
from .pictures import Style, read_image, read_mask, resized, write_image
from .recipes import Recipe, Stage, recipe_names, recipe_text
from .runs import (Evaluation, Losses, Model, Painted, Progress, Record, Run, evaluate, inpaint,
                   paint, season, texture)

__version__ = _limn.version
instruction_set = _limn.instruction_set

__all__ = [
    "Error", "Evaluation", "FileError", "Losses", "Model", "Painted", "Progress", "Recipe",
    "Record", "ResourceError", "Run", "Stage", "Style", "UsageError", "evaluate", "inpaint",
    "instruction_set", "paint", "read_image", "read_mask", "recipe_names", "recipe_text", "resized",
    "season", "texture", "write_image",
]
