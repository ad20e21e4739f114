"""Recipes as attributes, and what is said about what they cannot be."""
import copy
import inspect
import pathlib
import pickle

import numpy as np
import pytest

import limn
from limn.recipes import FIELDS, KEYWORDS, as_toml


@pytest.mark.parametrize("name", limn.recipe_names())
def test_round_trips(name):
    recipe = limn.Recipe(name)
    assert limn.Recipe.from_toml(recipe.to_toml()) == recipe
    assert limn.Recipe(limn.recipe_text(name)) == recipe
    assert eval("limn.Recipe.from_toml(text)", {"limn": limn, "text": repr(recipe)}) == recipe
    for copied in (copy.copy(recipe), copy.deepcopy(recipe), limn.Recipe(recipe),
                   pickle.loads(pickle.dumps(recipe))):
        assert copied == recipe and copied is not recipe
        copied.picture.seed = 77
        assert copied != recipe, "a copy of its own"


def other_value(field, value):
    """Another value that the field allows."""
    if field.choices:
        return next(choice for choice in field.choices if choice != value)
    if field.type == "bool":
        return not value
    if field.type == "str":
        return 'another "name" \\ \N{SNOWMAN}\n\x7f'
    if field.type == "layers":
        return {"relu1_1": 0.25, "relu3_1": 2.0}
    if field.type in ("ints", "floats"):
        return (3, 5) if field.type == "ints" else (0.5, 0.75)
    whole = field.type == "int"
    least, most = field.least, field.least + 3 if field.most is None else field.most
    middle = least + (1 if whole and most > least + 1 else (most - least) / 2)
    return int(most if middle == value else middle) if whole else (
        most if middle == value else middle)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_every_setting_can_be_set_and_read(field):
    recipe = limn.Recipe("gram")
    section = getattr(recipe, field.section) if field.section else recipe
    before = getattr(section, field.name)
    value = other_value(field, before)
    setattr(section, field.name, value)
    assert getattr(section, field.name) == value != before
    assert limn.Recipe.from_toml(recipe.to_toml()) == recipe != limn.Recipe("gram")
    assert field.help in getattr(type(section), field.name).__doc__
    assert field.name in dir(section)


def test_every_flag_is_a_keyword():
    flags = {field.flag for field in FIELDS if field.flag} - {"--no-pin"}
    assert {field.flag for field in KEYWORDS.values()} == flags
    for function in (limn.Run, limn.paint, limn.season, limn.inpaint, limn.evaluate):
        assert not set(inspect.signature(function).parameters) & set(KEYWORDS), "two of one name"
    assert limn.Recipe(style_scale=0.5).style.scale == (0.5,)


def test_names_that_are_not_there():
    recipe = limn.Recipe()
    with pytest.raises(AttributeError, match="style has no 'wieght'; did you mean 'weight'"):
        recipe.style.wieght = 3
    with pytest.raises(AttributeError, match="did you mean 'weight'"):
        recipe.style.wieght
    with pytest.raises(AttributeError, match="recipe has no 'stile'; did you mean 'style'"):
        recipe.stile
    with pytest.raises(AttributeError, match="'style' is a section"):
        recipe.style = 3
    with pytest.raises(TypeError, match="'strenght'; did you mean 'strength'"):
        recipe.replace(strenght=0.5)
    with pytest.raises(limn.UsageError, match="did you mean 'texture'"):
        limn.Recipe("textur")
    with pytest.raises(limn.UsageError, match=r"line 2, style.wieght: unknown key.*style.weight"):
        limn.Recipe("[style]\nwieght = 3")


@pytest.mark.parametrize("key, value, message", [
    ("style.weight", -1, "style.weight: is -1, but should be at least 0"),
    ("style.weight", float("nan"), "style.weight: .* not a finite number"),
    ("style.weight", "heavy", "style.weight: should be a number"),
    ("picture.size", 2.5, "picture.size: should be a whole number"),
    ("picture.size", 10**30, ""),
    ("picture.tileable", 1, "picture.tileable: should be true or false"),
    ("picture.colors", "stile", "picture.colors: 'stile' is not one of 'style'"),
    ("style.layers", [1], "style.layers: should be a table"),
    ("style.layers", {"relu1_1": -1}, "style.layers.relu1_1: is -1"),
    ("style.shifts", [0], "style.shifts: is 0, but should be 1 to 1000"),
    ("balance.strength", 1.5, "balance.strength: is 1.5, but should be 0 to 1"),
    ("picture.init", "a'\"]\n[style]\nweight = 0", None),
])
def test_values_that_cannot_be(key, value, message):
    recipe = limn.Recipe("gram")
    section, name = key.split(".")
    if message is None:  # is only a text, however it looks
        setattr(getattr(recipe, section), name, value)
        assert getattr(getattr(recipe, section), name) == value
        assert recipe.style.weight == limn.Recipe("gram").style.weight
        return
    with pytest.raises(ValueError, match=message):
        setattr(getattr(recipe, section), name, value)
    assert recipe == limn.Recipe("gram"), "nothing was set"


def test_what_is_no_value():
    with pytest.raises(TypeError, match="a setting cannot be"):
        limn.Recipe().style.weight = object()
    assert as_toml(np.float32(0.5)) == "0.5"
    assert as_toml(np.bool_(True)) == "true"
    assert as_toml(np.array([1, 2])) == "[1, 2]"


def test_lists_and_tables_are_not_to_be_changed_in_place():
    recipe = limn.Recipe()
    with pytest.raises(TypeError):
        recipe.style.layers["relu1_1"] = 3
    with pytest.raises(AttributeError):
        recipe.style.shifts.append(1)
    recipe.style.layers = {**recipe.style.layers, "relu1_1": 3}
    assert recipe.style.layers["relu1_1"] == 3


def test_settings_that_would_change_nothing():
    with pytest.raises(limn.UsageError, match="fixed weights"):
        limn.Recipe("gatys", strength=0.7)
    limn.Recipe("gatys", strength=0.7, balance="measured")
    with pytest.raises(limn.UsageError, match="every stage of recipe 'own'"):
        limn.Recipe("name = 'own'\n[[stages]]\nstyle.weight = 1\n[[stages]]\nstyle.weight = 2\n",
                    style_weight=3)


def test_files(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(limn.Recipe("texture").to_toml())
    assert limn.Recipe(path) == limn.Recipe(str(path)) == limn.Recipe("texture")
    path.write_text("[style]\nweight = -1")
    with pytest.raises(limn.UsageError, match="mine.toml, line 2, style.weight"):
        limn.Recipe(path)
    with pytest.raises(limn.FileError, match="missing.toml"):
        limn.Recipe(tmp_path / "missing.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(limn.FileError, match="not text"):
        limn.Recipe(path)
    with pytest.raises(TypeError):
        limn.Recipe(3)
    with pytest.raises(limn.FileError):
        limn.Recipe(pathlib.Path("/dev/zero"))


def test_stages():
    recipe = limn.Recipe("limn")
    assert [stage.name for stage in recipe.stages] == ["paint", "finish"]
    assert recipe.stages[1].changes["neighbours.weight"] == "0"
    recipe.stages = [limn.Stage("one"), ("two", 2, {"style.weight": "3"})]
    assert limn.Recipe(repr(recipe)).stages == recipe.stages
    with pytest.raises(limn.UsageError, match="style.wieght"):
        recipe.stages = [limn.Stage("one", 1, {"style.wieght": "3"})]
    recipe.stages = ()
    assert recipe.stages == ()


def test_sections_show_themselves():
    assert "weight = 3.0" in repr(limn.Recipe("gram", style_weight=3).style)
    with pytest.raises(TypeError):
        hash(limn.Recipe())
    assert limn.Recipe() != "limn"
