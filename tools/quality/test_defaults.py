#!/usr/bin/python3
"""Tests of the gallery and of the judge of limn's defaults; they need no weights and no limn (a
script stands in for it), and take seconds.

Exit status 77, as ctest's "skipped", where PyTorch or Pillow is absent.
"""

import contextlib
import io
import json
import pathlib
import sys
import unittest
import unittest.mock

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
from PIL import Image

from kit import images, page, sheet, trying
from kit import pairs as pairing
import cells
import contest
import defaults
import figures
import gallery
import sizes
import tables
import teacher as teachers
import verdicts


def picture(seed, width=64, height=48):
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.BICUBIC)


def verdict(style, content=0.5):
    layers = {layer: style * (1 + 0.1 * i) for i, layer in enumerate(figures.STYLE_LAYERS)}
    return {"style": style, "content": content, "layers": layers, "cast": 1.0, "grain": 1.0}


CONDITIONS = {"limn": "limn 0", "cores": 2, "processor": "a processor", "date": "2000-01-01"}


class WithLimn(trying.WithLimn):
    def setUp(self):
        super().setUp()
        self.weights = self.folder / "vgg19.h5"
        self.weights.write_bytes(b"weights")
        for kind, names in (("photos", ("a_photo", "b")), ("paintings", ("oil", "ink", "glass"))):
            (self.folder / kind).mkdir()
            for i, name in enumerate(names):
                picture(10 * len(kind) + i).save(self.folder / kind / f"{name}.jpg")
        self.pairs = cells.all_pairs(*(sorted((self.folder / kind).glob("*.jpg"))
                                       for kind in ("photos", "paintings")))


class Cells(WithLimn):
    def paint(self, way=None, size=None, again=False):
        return cells.paint(self.limn, way or cells.default_way(self.limn), self.pairs, size,
                           self.folder / "out", again, lambda text: None)

    def test_every_photo_as_every_painting_with_no_flag(self):
        painted = self.paint()
        self.assertEqual([cell.picture.name for cell in painted],
                         [f"{a}-{b}.png" for a in ("a_photo", "b")
                          for b in ("glass", "ink", "oil")])
        self.assertEqual(painted[0].image().size, (64, 48))
        for call in self.calls():
            for flag in ("--size", "--iterations", "--network", "--weights", "--recipe"):
                self.assertNotIn(flag, call)
        self.assertEqual(sorted(path.suffix for path in (self.folder / "out").iterdir()),
                         6 * [".json"] + 6 * [".png"])

    def test_painted_again_only_by_another_program_or_size_or_when_told(self):
        for expected, paint in (
                (6, self.paint), (6, self.paint), (12, lambda: self.paint(again=True)),
                (18, lambda: self.paint(size=32)), (18, lambda: self.paint(size=32)),
                (24, lambda: self.paint(cells.vgg19_way(self.limn, self.weights), 32))):
            paint()
            self.assertEqual(len(self.calls()), expected)
        self.assertIn("--weights", self.calls()[-1])
        self.limn.write_text(self.limn.read_text() + "# another build\n")
        self.paint(size=32)
        self.assertEqual(len(self.calls()), 30)
        (self.folder / "out" / "b-oil.png").unlink()  # interrupted
        self.paint(size=32)
        self.assertEqual(len(self.calls()), 31)

    def test_time_left(self):
        self.assertEqual(cells.time_left([10, 20], 2), "about 30 s left")
        self.assertEqual(cells.time_left([10, 20], 20), "about 5 min left")
        self.assertEqual(cells.time_left([10], 0), "done")


class Gallery(WithLimn):
    def test_readme_and_sheet(self):
        painted = cells.paint(self.limn, cells.default_way(self.limn), self.pairs, None,
                              self.folder / "out", say=lambda text: None)
        rows = gallery.sheet_rows(painted)
        self.assertEqual([len(row) for row in rows], [4, 4, 4])
        self.assertEqual(rows[0][1][1], "glass")
        self.assertEqual([row[0][1] for row in rows[1:]], ["a photo", "b"])
        with unittest.mock.patch.object(gallery, "PROJECT", self.folder), \
                unittest.mock.patch.object(gallery, "FEATURED", (("b", "ink"), ("a_photo", "oil"),
                                                                 ("b", "glass"), ("b", "none"))):
            text = gallery.part("docs/gallery", painted, 96, painted)
        self.assertIn("![a photo as oil](docs/gallery/a_photo-oil.jpg)", text)
        self.assertIn("`limn paint photos/b.jpg paintings/ink.jpg --size 96`<br>", text)
        self.assertEqual(text.count("!["), 4)  # not all of them
        self.assertIn("docs/gallery/sheet-vgg19.jpg), at 64 pixels", text)

    def test_whole(self):
        readme = self.folder / "README.md"
        readme.write_text("Before\n" + "\n".join(page.marks(gallery.MAKER)) + "\nAfter\n")
        words = ["gallery.py", "--limn", self.limn, "--vgg19", self.weights, "--vgg19-size", "32",
                 "--out", self.folder / "g", "--readme", readme, "--folder", self.folder / "shown"]
        found = lambda kind: sorted((self.folder / kind).glob("*.jpg"))
        with unittest.mock.patch.object(sys, "argv", list(map(str, words))), \
                unittest.mock.patch.object(gallery, "PROJECT", self.folder), \
                unittest.mock.patch.object(gallery, "FEATURED", (("b", "ink"),)), \
                unittest.mock.patch.object(cells, "examples", found), \
                contextlib.redirect_stdout(io.StringIO()) as said:
            gallery.main()
            gallery.main()
        self.assertEqual(len(self.calls()), 12)
        self.assertIn("vgg19: 6 of 6 pictures are there already", said.getvalue())
        self.assertEqual(sorted(path.name for path in (self.folder / "shown").iterdir()),
                         ["b-ink.jpg", "sheet-vgg19.jpg", "sheet.jpg"])
        self.assertIn("(shown/sheet.jpg)", readme.read_text())
        self.assertTrue((self.folder / "g-vgg19" / "b-ink.png").is_file())

    def test_a_sheet_keeps_within_its_bytes(self):
        draw = np.random.default_rng(1)
        noise = Image.fromarray(draw.integers(0, 256, (200, 300, 3), dtype=np.uint8))
        path = self.folder / "sheets" / "sheet.jpg"
        sheet.save(noise, path)
        full = path.stat().st_size
        sheet.save(noise, path, full * 3 // 4)
        self.assertLess(path.stat().st_size, full * 3 // 4)
        with self.assertRaisesRegex(ValueError, "still larger"):
            sheet.save(noise, path, 1000)

    def test_what_the_project_shows_is_there(self):
        for photo, painting in (*gallery.FEATURED, *defaults.CONTEST, defaults.SIZED):
            pairing.check([defaults.example(photo, painting)])
        readme = (gallery.PROJECT / "README.md").read_text()
        page.spliced(readme, "", gallery.MAKER)
        text = (gallery.PROJECT / "docs" / "quality.md").read_text()
        for part in defaults.PARTS:
            page.spliced(text, "", defaults.maker(part))


class Verdicts(WithLimn):
    def judge(self):
        judge = verdicts.Judge(self.weights, self.folder / "kept" / "verdicts.json")
        judge.teacher = teachers.narrow(3)
        return judge

    def test_the_objective_is_fixed(self):
        self.assertEqual(tuple(figures.STYLE_LAYERS),
                         ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"))
        self.assertEqual(figures.CONTENT_LAYER, "relu4_2")
        found, = self.judge().judge(self.pairs[0], [picture(3)])
        self.assertNotIn("objective", found)
        self.assertAlmostEqual(found["style"], np.mean(list(found["layers"].values())), places=12)
        (self.folder / "kept" / "verdicts.json").unlink()
        with unittest.mock.patch.object(figures, "STYLE_WEIGHT", 7), \
                unittest.mock.patch.object(figures, "STYLE_LAYER_WEIGHTS", (1, 2, 3, 4, 5)):
            self.assertEqual(self.judge().judge(self.pairs[0], [picture(3)]), [found])

    def test_judged_once(self):
        first = self.judge().judge(self.pairs[0], [picture(3), picture(4)])
        photo = images.read_resized(self.pairs[0].photo, 64)
        with unittest.mock.patch.object(figures, "Pair", side_effect=AssertionError):
            again = self.judge()
            again.teacher = None
            self.assertEqual(again.judge(self.pairs[0], [picture(3), picture(4)]), first)
            with self.assertRaises(AssertionError):
                self.judge().judge(self.pairs[0], [photo])
            with self.assertRaises(AssertionError):
                self.judge().judge(self.pairs[1], [picture(3)])
        found, = self.judge().judge(self.pairs[0], [photo])
        self.assertEqual((found["style"], found["content"]), (1, 0))


class Contest(WithLimn):
    def entries(self, **published):
        return contest.entries(self.limn, self.weights, published)

    def paint(self, entries):
        return contest.paint(self.limn, entries, self.pairs[0], 48, 20, self.folder / "out",
                             lambda text: None)

    def test_painted_by_limns_own_clock(self):
        for _ in range(2):
            self.paint(self.entries()[:1])
            self.assertEqual(len(self.calls()), 1)
        self.assertIn("--seconds 20", self.calls()[0])

    def test_recipes_paint_with_weights_that_are_not_theirs(self):
        flags = {entry.name: " ".join(entry.flags) for entry in self.entries()}
        self.assertEqual(tuple(flags), contest.OURS + contest.REFERENCES)
        self.assertNotIn("--weights", flags["limn"])
        self.assertIn("--network vgg19", flags["hundred-lines"])
        own = {entry.name: entry for entry in self.entries(**{"hundred-lines": self.limn})}
        self.assertNotIn("--network", own["hundred-lines"].flags)
        self.assertEqual(own["hundred-lines"].note, "")

    def test_a_recipe_that_limn_refuses_is_said_to_be(self):
        entries = [entry for entry in self.entries() if entry.name in ("limn", "keras")]
        found = self.paint(entries)
        self.assertEqual(found["keras"], (None, "limn: no such recipe"))
        self.assertTrue(found["limn"][0].is_file())


class Sizes(WithLimn):
    def test_painted_shrunk_and_cropped(self):
        painted = sizes.paint(self.limn, self.pairs[0], (64, 256), self.folder / "out",
                              lambda text: None)
        self.assertEqual([image.size for _, image, _ in painted], [(64, 48), (256, 192)])
        small = sizes.shrunk([image for _, image, _ in painted], self.pairs[0].photo, 64)
        self.assertEqual([image.size for image in small], [(64, 48), (64, 48)])
        self.assertEqual(sizes.crop(painted[1][1], 64).size, (64, 48))
        self.assertEqual(sizes.crop(painted[0][1], 100).size, (64, 48))
        marked = Image.new("RGB", (101, 101))
        marked.putpixel((50, 50), (255, 0, 0))
        self.assertEqual(sizes.crop(marked, 1).getpixel((0, 0)), (255, 0, 0))

    def test_differences(self):
        self.assertAlmostEqual(sizes.spread([1, 2, 3]), 1)
        self.assertAlmostEqual(sizes.difference({"a": 1.0, "b": 1.0}, {"a": 3.0, "b": 1.0}), 0.5)
        self.assertEqual(sizes.difference({"a": 0.0}, {"a": 0.0}), 0)


class Tables(unittest.TestCase):
    def check_tables(self, text):
        for block in text.split("\n\n"):
            if block.startswith("|"):
                self.assertEqual(len({line.count("|") for line in block.splitlines()}), 1, block)

    def test_cells(self):
        found = {(photo, painting): verdict(0.1 * (i + 1) + 0.01 * j) for i, photo in
                 enumerate(("still_life", "bust")) for j, painting in enumerate(("oil", "ink"))}
        text = tables.cells_part(CONDITIONS, [
            {"label": name, "size": 64, "span": "1 to 2", "verdicts": found}
            for name in ("built-in", "VGG-19")])
        self.check_tables(text)
        self.assertIn("| still life | 0.100 / 0.500 | 0.110 / 0.500 | 0.105 / 0.500 |", text)
        self.assertIn("| **mean** | 0.150 / 0.500 | 0.160 / 0.500 | 0.155 / 0.500 |", text)
        del found["bust", "ink"]
        self.check_tables(tables.cells_table(found))

    def test_contest(self):
        entries = [contest.Entry(name, name, (), "", note)
                   for name, note in (("limn", ""), ("pytorch", "smaller"), ("gatys", ""))]
        run = lambda style: {**verdict(style), "iterations": 10, "seconds": 2.0}
        conditions = {**CONDITIONS, "seconds": 2, "size": 64}
        text = tables.contest_part(conditions, entries, {
            "a__b": {"limn": run(0.2), "pytorch": run(0.3), "gatys": "no weights"},
            "c__d": {"limn": run(0.4), "pytorch": run(0.5), "gatys": "no weights"}}, "a.jpg")
        self.check_tables(text)
        self.assertIn("| limn | 0.200 / 0.500 | 0.400 / 0.500 | 0.300 / 0.500 | 10.0 | 2.00 |",
                      text)
        self.assertIn("| gatys | not run: no weights |", text)
        self.assertIn("\\* Smaller.", text)

    def test_sizes(self):
        pair = pairing.Chosen(pathlib.Path("a.jpg"), pathlib.Path("b.jpg"))
        found = {64: verdict(0.1), 128: verdict(0.3)}
        text = tables.sizes_part({**CONDITIONS, "seen_at": 64}, pair, found, {64: 1.0, 128: 2.0},
                                 "a.jpg")
        self.check_tables(text)
        self.assertIn("| relu1_1 | 0.100 | 0.300 | 1.00 |", text)
        self.assertIn("| 64 | 0 | 1.00 |", text)

    def test_folded(self):
        row = [("", str(i), None) for i in range(9)]
        parts = defaults.folded(row, 5)
        self.assertEqual([len(part) for part in parts], [5, 5])
        self.assertEqual([cell[1] for cell in parts[1]], ["5", "6", "7", "8", ""])


class Whole(WithLimn):
    def test_all_parts_into_a_page(self):
        markdown = self.folder / "quality.md"
        markdown.write_text("\n".join("\n".join(page.marks(defaults.maker(part)))
                                      for part in defaults.PARTS))
        words = ["defaults.py", "--limn", self.limn, "--vgg19", self.weights, "--out",
                 self.folder / "out", "--gallery", self.folder / "gallery", "--markdown", markdown,
                 "--sizes", "32", "64", "--seen-at", "32", "--contest-size", "48",
                 "--vgg19-size", "32", "--shown", self.folder / "shown",
                 "--pair", self.pairs[0].photo, self.pairs[0].painting]
        teacher = teachers.narrow(3)
        with unittest.mock.patch.object(sys, "argv", list(map(str, words))), \
                unittest.mock.patch.object(teachers, "read", lambda path: teacher), \
                unittest.mock.patch.object(defaults, "say", lambda text: None):
            defaults.main()
        text = markdown.read_text()
        self.assertIn("not run: limn: no such recipe", text)
        self.assertIn("](shown/contest.jpg)", text)
        self.assertIn("| painted at | 32 | 64 | spread |", text)
        for part in defaults.PARTS:
            json.loads((self.folder / "out" / f"{part}.json").read_text())
        self.assertEqual(sorted(path.name for path in (self.folder / "shown").iterdir()),
                         ["contest.jpg", "sizes.jpg"])


if __name__ == "__main__":
    trying.main()
