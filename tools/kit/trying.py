"""What the tools' own tests have in common: a folder for each, and a program in limn's stead."""

import contextlib
import io
import pathlib
import tempfile
import unittest

# Writes a picture and a report as limn does, and a line in `calls` for each time it paints. An
# iteration takes it half a second, the first as long as two. Told to do 100000 it waits to be
# interrupted. It refuses the recipe "keras" and fails when told to.
LIMN = """#!/usr/bin/python3
import json, pathlib, signal, sys, time
from PIL import Image
words = sys.argv[1:]
if "--help" in words or "--version" in words:
    sys.exit(print("--size --iterations CLOCK"))
value = lambda flag, other: words[words.index(flag) + 1] if flag in words else other
with open(pathlib.Path(__file__).parent / "calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
if "--fail" in words or value("--recipe", "") == "keras":
    sys.exit("limn: no such recipe")
iterations, size = int(value("--iterations", 150)), int(value("--size", 64))
while iterations == 100000 and "--seconds" not in words and not stopped:
    time.sleep(0.005)
done = 7 if stopped else iterations
with Image.open(words[1]) as photo:
    Image.new("RGB", (size, size * photo.height // photo.width), (10, 20, 30)).save(
        value("-o", ""))
pathlib.Path(value("--report", "")).write_text(json.dumps({
    "history": [{"iteration": i, "seconds": 1 + 0.5 * i} for i in range(done + 1)],
    "best_iteration": done, "outcome": "stopped" if stopped else "finished"}))
sys.exit(130 if stopped else 0)
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
        self.program("")

    def program(self, clock):
        """clock: what its help says beside other flags."""
        self.limn.write_text(LIMN.replace("CLOCK", clock))
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
