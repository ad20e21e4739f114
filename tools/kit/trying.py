"""What the tools' own tests have in common: a folder for each, and a program in limn's stead."""

import contextlib
import io
import pathlib
import tempfile
import unittest

# Writes a picture and a report as limn does, and a line in `calls` for each time it paints; by its
# seconds it does seven iterations. It refuses the recipe "keras" and fails when told to.
LIMN = """#!/usr/bin/python3
import json, pathlib, sys
from PIL import Image
words = sys.argv[1:]
if "--version" in words:
    sys.exit()
value = lambda flag, other: words[words.index(flag) + 1] if flag in words else other
with open(pathlib.Path(__file__).parent / "calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
if "--fail" in words or value("--recipe", "") == "keras":
    sys.exit("limn: no such recipe")
done, size = int(value("--iterations", 150)), int(value("--size", 64))
done = 7 if "--seconds" in words else done
with Image.open(words[1]) as photo:
    Image.new("RGB", (size, size * photo.height // photo.width), (10, 20, 30)).save(
        value("-o", ""))
pathlib.Path(value("--report", "")).write_text(json.dumps({
    "history": [{"iteration": i, "seconds": i} for i in range(done + 1)],
    "best_iteration": done, "outcome": "finished"}))
"""


class InFolder(unittest.TestCase):
    """Each test has an empty folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)


class WithLimn(InFolder):
    """And there a program that stands in for limn."""

    def setUp(self):
        super().setUp()
        self.limn = self.folder / "limn"
        self.limn.write_text(LIMN)
        self.limn.chmod(0o755)

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


def silent(function, *arguments, **more):
    """Runs it with what it says thrown away."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments, **more)


def main():
    import torch
    torch.set_num_threads(1)
    unittest.main()
