#!/usr/bin/python3
"""Tests of the judge of textures, on pictures whose figures are known; they need no exemplars, no
weights and no limn (a script stands in for it), and take seconds.

Exit status 77, as ctest's "skipped", where PyTorch or Pillow is absent.
"""

import pathlib
import sys
import types
import unittest
import unittest.mock

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
from PIL import Image

from kit import command, images, page, painter, trying
import exemplars
import repetition
import teacher as teachers
import texture_tables
import textures
import texturing

# Writes a picture as `limn texture` does, the exemplar's pixels repeated, and as `limn inpaint`
# does, white where the mask is; told to spoil it, it changes a pixel that is known.
LIMN = """#!/usr/bin/python3
import pathlib, sys
import numpy as np
from PIL import Image
words = sys.argv[1:]
if "--version" in words:
    sys.exit(print("limn 0"))
with open(pathlib.Path(__file__).parent / "calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
value = lambda flag: words[words.index(flag) + 1]
if "--fail" in words:
    sys.exit("limn: no such flag")
with Image.open(words[1]) as picture:
    made = np.array(picture.convert("RGB"))
if words[0] == "texture":
    size = [int(n) for n in value("--size").split("x")]
    height, width = size[-1], size[0]
    made = np.tile(made, (1 + height // made.shape[0], 1 + width // made.shape[1], 1))
    made = made[:height, :width]
else:
    with Image.open(value("--hole")) as mask:
        made[np.array(mask) > 127] = 255
    if "--spoil" in words:
        made[0, 0] ^= 1
Image.fromarray(made).save(value("-o"))
"""


def noise(height, width, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def waves(height, width, down, across):
    """Grey waves with these periods."""
    y, x = np.indices((height, width))
    L = 128 + 40 * (np.cos(2 * np.pi * x / across) + np.cos(2 * np.pi * y / down))
    return np.repeat(images.bytes_of(L / 255)[:, :, None], 3, axis=2)


def wave(size=64):
    """An exemplar of period 16."""
    picture = waves(size, size, 16, 16)
    picture[:, :, 1] //= 2
    return picture


class Exemplars(trying.InFolder):
    def lines(self, *lines):
        path = self.folder / "list.txt"
        path.write_text("# what is here\n\n" + "\n".join(lines) + "\n")
        return path

    def test_list(self):
        Image.fromarray(wave()).save(self.folder / "wave.png")
        path = self.lines("wave 16 ? -  # a remark", "rose - - both,rotate-180")
        found, missing = exemplars.read_list(path, self.folder)
        self.assertEqual(missing, ["rose"])
        self.assertEqual(found, [exemplars.Texture(self.folder / "wave.png", "16", "?", ())])
        self.assertTrue(found[0].is_plain() and not found[0].is_symmetric())
        rose = exemplars.Texture(self.folder / "rose.png", "-", "-", ("both",))
        self.assertTrue(rose.is_symmetric() and not rose.is_plain())
        for wrong, words in (("wave 16 16", "line 3"), ("wave 16 16 round", "symmetry"),
                             ("wave 0 16 -", "above 0"), ("wave x 16 -", "x")):
            with self.assertRaisesRegex(ValueError, words):
                exemplars.read_list(self.lines(wrong), self.folder)

    def test_the_projects_own_list(self):
        found, missing = exemplars.read_list(textures.LIST, self.folder)
        self.assertEqual((found, len(missing)), ([], 9))

    def exemplar(self, longest, across="16", down="?"):
        path = self.folder / "wave.png"
        Image.fromarray(wave(128)).save(path)
        texture = exemplars.Texture(path, across, down, ())
        return exemplars.Exemplar(texture, longest, teachers.narrow(3))

    def test_it_is_seen_as_large_as_the_texture_at_most(self):
        for longest, size, period in ((500, 128, 16), (128, 128, 16), (96, 96, 12)):
            exemplar = self.exemplar(longest)
            self.assertEqual(exemplar.picture.shape, (size, size, 3))
            self.assertEqual(exemplar.periods, {"across": period, "down": period})
        with self.assertRaisesRegex(ValueError, "every 8 pixels down"):
            path = self.folder / "bars.png"
            Image.fromarray(waves(128, 128, 16, 1e9)).save(path)
            exemplars.Exemplar(exemplars.Texture(path, "-", "8", ()), 500, None)

    def test_figures(self):
        exemplar = self.exemplar(500)
        own = exemplar.figures(exemplar.picture)
        self.assertEqual([own[key] for key in ("across", "down", "style", "sliced", "palette")],
                         [1, 1, 0, 0, 0])
        self.assertEqual(own["repeat"], exemplar.repeat)
        larger = exemplar.figures(np.tile(wave(128), (1, 2, 1)))  # of another size
        self.assertAlmostEqual(larger["across"], 1, delta=0.02)
        self.assertLess(larger["style"], 0.1)
        flat = np.broadcast_to(np.rint(exemplar.picture.mean(axis=(0, 1))).astype(np.uint8),
                               (96, 96, 3))
        found = exemplar.figures(flat)
        self.assertEqual([found[key] for key in ("across", "down", "repeat", "style")],
                         [0, 0, 0, 1])
        self.assertAlmostEqual(found["sliced"], 1)
        other = exemplar.figures(noise(96, 96))
        self.assertLess(abs(other["across"]), 0.1)
        self.assertIsNone(self.exemplar(500, "-", "-").figures(flat)["across"])


class WithLimn(trying.WithLimn):
    def setUp(self):
        super().setUp()
        self.limn.write_text(LIMN)
        (self.folder / "in").mkdir()
        self.path = self.folder / "in" / "wave.png"
        Image.fromarray(wave()).save(self.path)
        self.way = painter.Way("limn", ("--recipe", "some"), "program")


class Texturing(WithLimn):
    def paint(self, *words, way=None):
        return texturing.painted(self.limn, ("texture", self.path, "--size", "64x32", *words),
                                 way or self.way, self.folder / "out" / "a.png")

    def test_painted_once_and_again_when_anything_changed(self):
        picture, record = self.paint()
        self.assertEqual(picture.shape, (32, 64, 3))
        self.assertGreater(record["seconds"], 0)
        self.assertEqual(self.paint()[1], record)
        self.assertEqual(len(self.calls()), 1)
        self.assertIn(f"texture {self.path} --size 64x32 -o", self.calls()[0])
        self.assertIn("--recipe some", self.calls()[0])
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["a.json", "a.png"])
        self.paint("--tileable")
        self.paint("--tileable", way=painter.Way("limn", (), "program"))
        Image.fromarray(noise(64, 64)).save(self.path)
        self.paint("--tileable", way=painter.Way("limn", (), "program"))
        (self.folder / "out" / "a.png").unlink()
        self.paint("--tileable", way=painter.Way("limn", (), "program"))
        self.assertEqual(len(self.calls()), 5)

    def test_failure_says_what_limn_said_and_keeps_nothing(self):
        self.paint()
        with self.assertRaisesRegex(painter.PaintingFailed, "no such flag"):
            self.paint("--fail")
        self.assertFalse((self.folder / "out" / "a.json").exists())

    def test_what_was_in_the_hole_is_not_given(self):
        truth = noise(40, 40)
        hole = repetition.centred_hole(truth.shape, 0.5)
        given, mask, blank = texturing.write_hole(truth, hole, self.folder / "holes")
        self.assertTrue((images.array(images.read(given)) == blank).all())
        self.assertTrue((hole.of(blank) == texturing.BLANK).all())
        self.assertTrue(repetition.known_kept(blank, truth, hole))
        with Image.open(mask) as image:
            self.assertTrue((np.asarray(image) == 255 * hole.mask(truth.shape)).all())

    def test_opencv(self):
        with unittest.mock.patch.dict(sys.modules, {"cv2": None}):
            self.assertIsNone(texturing.opencv())
            self.assertEqual(texturing.fillers(), {})
        fake = types.SimpleNamespace(INPAINT_TELEA=1, INPAINT_NS=0, inpaint=(
            lambda picture, mask, radius, method: np.where(mask[:, :, None] > 0, method, picture)))
        with unittest.mock.patch.object(texturing, "opencv", lambda: fake):
            found = {name: fill(noise(8, 8), np.eye(8, dtype=bool))
                     for name, fill in texturing.fillers().items()}
        self.assertEqual({name: picture[3, 3, 0] for name, picture in found.items()},
                         {"Telea": 1, "Navier-Stokes": 0})


class Whole(WithLimn):
    def setUp(self):
        super().setUp()
        self.weights, self.list = self.folder / "vgg19.h5", self.folder / "list.txt"
        self.weights.write_bytes(b"weights")
        rose = noise(32, 32)
        Image.fromarray(np.concatenate([rose, rose[:, ::-1]], axis=1)).save(
            self.folder / "in" / "rose.png")
        Image.fromarray(noise(48, 48)).save(self.folder / "in" / "sand.png")
        self.list.write_text("wave 16 16 -\nsand - - -\nrose - - left-right\nabsent - - -\n")
        self.page = self.folder / "page.md"

    def run_tool(self, *words):
        words = ["textures.py", "--limn", self.limn, "--vgg19", self.weights, "--list", self.list,
                 "--in", self.folder / "in", "--size", "64", "--out", self.folder / "out",
                 "--markdown", self.page, *words]
        with unittest.mock.patch.object(sys, "argv", list(map(str, words))), \
                unittest.mock.patch.object(teachers, "read", lambda path: teachers.narrow(3)), \
                unittest.mock.patch.object(texturing, "opencv", lambda: None):
            trying.silent(lambda: textures.run(*textures.read_options()))

    def test_all_parts(self):
        self.run_tool()
        text = self.page.read_text()
        for part in textures.PARTS:
            page.spliced(text, "", textures.maker(part))
            self.assertTrue((self.folder / "out" / f"{part}.json").is_file())
            self.assertTrue((self.folder / "out" / "sheets" / part / "sheet-1.jpg").is_file())
        self.assertIn("| wave | `limn` | 1.00 | 1.00 |", text)
        self.assertIn("| **mean** | `plain` | 1.00 | 1.00 |", text)
        self.assertIn("| **all** | `limn --tileable` |", text)
        self.assertIn("| sand | `limn` |  |  |", text)
        self.assertIn("| rose | left-right | `plain --symmetry` | 0 (0) |", text)
        self.assertIn("Without OpenCV", text)
        self.assertIn("| wave | `limn` | 26.31 | 0.00 | 0.00 | 0, 0 |", text)  # white tells nothing
        self.assertIn("| 2 of 2 |", text)
        self.assertEqual(len(self.calls()), 2 * 2 * (1 + 1 + 1) + 2 * 3)
        self.assertEqual(sum("--style-shifts none" in call for call in self.calls()), 9)
        for table in text.split("\n\n"):
            if table.startswith("|"):
                self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)
        self.run_tool("--only", "tileable", "inpainting")
        self.assertEqual(len(self.calls()), 18)  # all were there
        self.assertEqual(self.page.read_text(), text)

    def test_changed_known_pixels_are_an_error(self):
        with self.assertRaisesRegex(command.Failure, "changed: wave, `spoils`; sand, `spoils`$"):
            self.run_tool("--only", "inpainting", "--way", "limn=", "spoils=--spoil")
        text = self.page.read_text()
        self.assertIn("| yes |", text)
        self.assertIn("| no |", text)

    def test_bad_usage(self):
        self.page.write_text("no marks\n")
        for words in ((), ("--markdown", self.folder / "new.md", "--size", "64x"),
                      ("--markdown", self.folder / "new.md", "--texture", "absent"),
                      ("--markdown", self.folder / "new.md", "--hole", "1"),
                      ("--markdown", self.folder / "new.md", "--in", self.folder / "none")):
            with self.assertRaises(SystemExit) as raised:
                self.run_tool(*words)
            self.assertEqual(raised.exception.code, 2)
        self.assertEqual(self.calls(), [])


class Tables(unittest.TestCase):
    def test_means(self):
        rows = [{"texture": "a_b", "way": "limn", "across": across, "down": None, "repeat": 0.5,
                 "exemplar_repeat": 0.25, "style": style, "sliced": 1, "palette": 2, "seconds": 3}
                for across, style in ((1.0, 0.1), (0.5, 0.4), (None, 0.2))]
        lines = texture_tables.textures(rows).splitlines()
        self.assertEqual(lines[2], "| a b | `limn` | 1.00 |  | 0.50 (0.25) | 0.100 | 1.00 | 2.00 | "
                                   "3.0 |")
        self.assertTrue(lines[-1].startswith("| **mean** | `limn` | 0.75 |  |  | 0.200 |"))


if __name__ == "__main__":
    trying.main()
