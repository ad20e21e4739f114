"""What is written for readers: README, docs/python.md, docstrings, the notebook, type stubs."""
import doctest
import importlib
import inspect
import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import limn
from conftest import SOURCE, drawn, repeating
from limn.recipes import FIELDS, KEYWORDS


@pytest.fixture
def pictures(in_folder):
    """The pictures that documents speak of, small."""
    for name, size in (("photo", (64, 48)), ("painting", (60, 56)), ("oil", (64, 64)),
                       ("ink", (64, 48)), ("summer", (64, 48)), ("winter", (64, 48))):
        Image.fromarray(drawn(*size, len(name))).save(f"{name}.jpg")
    for name in ("bricks", "wall"):
        Image.fromarray(repeating(64, 64, 16)).save(f"{name}.jpg")
    hole = np.zeros((64, 64), np.uint8)
    hole[20:40, 20:40] = 255
    for name in ("hole", "sky", "face"):
        Image.fromarray(hole).save(f"{name}.png")
    return in_folder


@pytest.fixture
def quickly(monkeypatch):
    """Whatever a document asks for is painted small and with few iterations."""
    begin, evaluate = limn.Run._begin, limn.runs.evaluate

    def quick(self, pictures, recipe, **options):
        recipe = limn.Recipe(recipe)
        whole = recipe.picture.size == 0
        small = {"iterations": 2, "threads": 1, "size": 0 if whole else 48}
        begin(self, pictures, recipe, **{**options, **small})

    monkeypatch.setattr(limn.Run, "_begin", quick)


def blocks_of(path):
    text = (SOURCE / path).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_documents(document, pictures, quickly):
    blocks = blocks_of(document)
    assert blocks, "Python is shown there"
    names = {}
    for block in blocks:
        exec(compile(block, document, "exec"), names)


def test_docstrings():
    for module in (limn, limn.recipes, limn.runs, limn.pictures):
        names = {"limn": limn, "Recipe": limn.Recipe}
        failures, _ = doctest.testmod(module, extraglobs=names)
        assert failures == 0
    for name in limn.__all__:
        thing = getattr(limn, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing) and thing.__module__.startswith("limn"), name
    for field in FIELDS:
        if field.section:
            assert field.help in getattr(limn.Recipe, field.section).__doc__


# ---- the notebook ----

def test_the_notebook_s_cells_run(tmp_path):
    notebook = SOURCE / "examples/limn.ipynb"
    assert notebook.stat().st_size < 300_000
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", ()) for output in outputs)
    shutil.copytree(SOURCE / "examples", tmp_path / "examples",
                    ignore=shutil.ignore_patterns("make"))
    result = subprocess.run(
        [sys.executable, SOURCE / "tools/run_notebook.py", tmp_path / "examples/limn.ipynb"],
        capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# ---- type stubs ----

def stub():
    return pathlib.Path(limn.__file__).with_name("__init__.pyi")


def test_stubs_name_all_that_there_is():
    text = stub().read_text(encoding="utf-8")
    compile(text, "__init__.pyi", "exec")
    for name in [*limn.__all__, "__version__"]:
        assert re.search(rf"^((class|def) )?{name}\b", text, re.MULTILINE), name
    for field in FIELDS:
        assert field.help in text
    for keyword in KEYWORDS:
        assert text.count(f"    {keyword}: ") >= 6, keyword


def test_stubs_by_mypy(tmp_path):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not here")
    program = tmp_path / "program.py"
    program.write_text(
        "import limn\n"
        "recipe = limn.Recipe('limn', size=512)\n"
        "recipe.style.weight = 3\n"
        "recipe.style.shifts = (1, 2)\n"
        "recipe.picture.colors = 'content'\n"
        "painted = limn.paint('a.jpg', ['b.jpg', limn.Style('c.jpg')], recipe, strength=0.7,\n"
        "                     progress=lambda now: now.iteration < 3)\n"
        "height: int = painted.picture.shape[0]\n"
        "for now in limn.Run('a.jpg', 'b.jpg'):\n"
        "    total: float = now.losses.total\n"
        "recipe.style.wieght = 3  # wrong\n"
        "recipe.picture.colors = 'colour'  # wrong\n"
        "limn.paint('a.jpg', 'b.jpg', strenght=0.7)  # wrong\n")
    result = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache",
                             program], capture_output=True, text=True)
    wrong = {int(line) for line in re.findall(r"program.py:(\d+): error", result.stdout)}
    assert wrong == {11, 12, 13}, result.stdout
