"""Recipes as attributes: `recipe.style.weight = 3`.

The settings, their names, types and ranges are the library's list (src/recipe/fields.h), which
`_limn.fields()` gives; nothing here names one.
"""
import difflib
import json
import numbers
import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from . import _limn
from .errors import FileError, UsageError

_MOST_BYTES = 1 << 20  # a recipe is a page; anything larger is something else


class Field(NamedTuple):
    """A setting: what the library says of it."""

    key: str
    flag: str
    help: str
    type: str
    least: float
    most: float | None
    choices: tuple

    @property
    def name(self):
        """Its attribute in its section."""
        return self.key.rpartition(".")[2]

    @property
    def section(self):
        return self.key.rpartition(".")[0]

    @property
    def keyword(self):
        """Its name as a keyword of paint(): that of the command's flag. "" if it has none."""
        return "" if self.flag.startswith("--no-") else self.flag[2:].replace("-", "_")

    @property
    def values(self):
        """What it may be, in words."""
        if self.choices:
            return ", ".join(map(repr, self.choices))
        if self.type in ("str", "bool"):
            return self.type
        numbers_ = {"layers": "{layer: weight}, weights", "ints": "whole numbers",
                    "floats": "numbers", "int": "a whole number", "float": "a number"}[self.type]
        most = "" if self.most is None else f" to {self.most:.16g}"
        return f"{numbers_} from {self.least:g}{most}"


FIELDS = tuple(Field(*field) for field in _limn.fields())
KEYWORDS = {field.keyword: field for field in FIELDS if field.keyword}
SECTIONS = {}
for _field in FIELDS:
    SECTIONS.setdefault(_field.section, []).append(_field)


class Stage(NamedTuple):
    """One of several stages of a painting, and what it changes of the recipe.

    share: of the iterations, relative to the other stages' shares.
    changes: values by key, as on the command line: {"neighbours.weight": "0"}.
    """

    name: str
    share: float = 1.0
    changes: Mapping[str, str] = MappingProxyType({})


def _suggestion(name, known):
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def as_toml(value):
    """A value of Python's in TOML, on one line."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return repr(float(value))
    if isinstance(value, (str, os.PathLike)):
        return json.dumps(os.fspath(value), ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, Mapping):
        pairs = (f"{as_toml(str(key))} = {as_toml(each)}" for key, each in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    raise TypeError(f"a setting cannot be {value!r}, of type {type(value).__name__}")


def _set(inner, field, value):
    """Sets a setting; a list may be given as its only number."""
    only = field.type in ("ints", "floats") and isinstance(value, numbers.Real)
    inner.set(field.key, as_toml([value] if only else value))


class _Named:
    """Attributes are those of the class; any other name is an error that suggests one."""

    __slots__ = ()

    def _unknown(self, name):
        what = type(self).__name__.lower()
        known = [each for each in dir(type(self)) if not each.startswith("_")]
        return AttributeError(f"{what} has no '{name}'{_suggestion(name, known)}", name=name,
                              obj=self)

    def __getattr__(self, name):
        raise self._unknown(name)

    def __setattr__(self, name, value):
        if not hasattr(type(self), name):
            raise self._unknown(name)
        object.__setattr__(self, name, value)


def _setting(field):
    """A property for the setting. Lists and tables are read-only copies: assign a new one."""
    def get(owner):
        value = owner._inner.get(field.key)
        return MappingProxyType(value) if isinstance(value, dict) else value

    def set_(owner, value):
        _set(owner._inner, field, value)

    return property(get, set_, doc=f"{field.help}. Values: {field.values}.")


class _Section(_Named):
    """The settings of one section of a recipe."""

    __slots__ = ("_inner",)

    def __init__(self, inner):
        object.__setattr__(self, "_inner", inner)

    def __repr__(self):
        return "\n".join(f"{name} = {as_toml(getattr(self, name))}" for name in self._names)

    def __dir__(self):
        return self._names


def _section_class(name, fields):
    members = {field.name: _setting(field) for field in fields}
    return type(name, (_Section,), {"__slots__": (), "__module__": "limn",
                                    "_names": tuple(members), **members})


def _section(name, fields):
    section = _section_class(name, fields)

    def set_(owner, value):
        raise AttributeError(f"'{name}' is a section; assign to one of its settings: "
                             f"recipe.{name}.{fields[0].name}")

    return property(lambda owner: section(owner._inner), set_,
                    doc="\n".join(f"{field.name}: {field.help}" for field in fields))


def _read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FileError(f"cannot read the recipe file '{path}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"'{path}' is not a recipe: it is not text") from error
    if len(text) > _MOST_BYTES:
        raise FileError(f"'{path}' is too long for a recipe")
    return text


def _of_file(path):
    name = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
    return _limn.Recipe.parse(_read_text(path), name)


def _parsed(source):
    """The library's recipe of a name, a file, or TOML."""
    if isinstance(source, os.PathLike):
        return _of_file(source)
    if not isinstance(source, str):
        raise TypeError("a recipe is made from a name, a file or TOML text, not from "
                        f"{type(source).__name__}")
    if "\n" in source or "=" in source:
        return _limn.Recipe.parse(source, "recipe")
    if source.endswith(".toml") or "/" in source:
        return _of_file(source)
    return _limn.Recipe.named(source)


class Recipe(_Named):
    """Everything that decides how a picture is painted, apart from the pictures.

    source: the name of a recipe that comes with limn ("limn", "texture", ...: recipe_names()), a
    file (a path, or a text that ends in .toml), TOML text, or another recipe, which is copied.
    settings: as for replace().

    Settings are attributes of the recipe's sections, checked when they are assigned:

    >>> recipe = Recipe("limn", size=1024)
    >>> recipe.style.weight = 3
    >>> recipe.picture.colors
    'style'

    Recipes are equal if all settings are. They can be copied and pickled.
    """

    __slots__ = ("_inner",)
    __hash__ = None

    def __init__(self, source="limn", **settings):
        inner = source._inner.copy() if isinstance(source, Recipe) else _parsed(source)
        object.__setattr__(self, "_inner", inner)
        self._apply(settings)

    @classmethod
    def from_toml(cls, text):
        """A recipe from TOML text. Settings that it does not name have the library's defaults."""
        recipe = cls.__new__(cls)
        object.__setattr__(recipe, "_inner", _limn.Recipe.parse(text, "recipe"))
        return recipe

    def to_toml(self):
        """The recipe as TOML: all settings."""
        return self._inner.toml()

    def replace(self, **settings):
        """A copy with other settings, named like the command's flags: size=512, strength=0.7."""
        return Recipe(self, **settings)

    @property
    def stages(self):
        """What is painted in turn, as a tuple of Stage; () for a recipe without stages."""
        return tuple(Stage(*stage) for stage in self._inner.stages())

    @stages.setter
    def stages(self, stages):
        self._inner.set_stages([(name, share, dict(changes)) for name, share, changes in stages])

    def _apply(self, settings):
        for keyword, value in settings.items():
            field = KEYWORDS.get(keyword)
            if field is None:
                raise TypeError(f"there is no setting '{keyword}'{_suggestion(keyword, KEYWORDS)}")
            _set(self._inner, field, value)
        for keyword in settings:
            self._check_matters(KEYWORDS[keyword])

    def _check_matters(self, field):
        """A keyword that would change nothing is an error, as the command's flag is."""
        stages = self._inner.stages()
        if stages and all(field.key in changes for _, _, changes in stages):
            raise UsageError(f"{field.keyword}: every stage of recipe '{self.name}' has its own "
                             f"{field.key}; change the stages")
        if field.key == "balance.strength" and self._inner.get("balance.kind") != "measured":
            raise UsageError(f"{field.keyword}: makes no difference to recipe '{self.name}', which "
                             "uses fixed weights; use style_weight instead, or balance='measured'")

    def __eq__(self, other):
        return self.to_toml() == other.to_toml() if isinstance(other, Recipe) else NotImplemented

    def __reduce__(self):
        return Recipe.from_toml, (self.to_toml(),)

    def __repr__(self):
        return self.to_toml()


Recipe.__module__ = Stage.__module__ = "limn"
for _name, _fields in SECTIONS.items():
    if _name:
        setattr(Recipe, _name, _section(_name, _fields))
    else:
        for _field in _fields:
            setattr(Recipe, _field.name, _setting(_field))


def recipe_names():
    """The names of the recipes that come with limn, "limn" first."""
    return tuple(_limn.recipe_names())


def recipe_text(name):
    """The text of a recipe that comes with limn: TOML, with comments."""
    return _limn.recipe_text(name)

