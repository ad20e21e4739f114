#!/usr/bin/python3
"""Tests of the judge of the built-in network; they need no pictures, no weights and no limn (a
script stands in for it), and take seconds.

Exit status 77, as ctest's "skipped", where PyTorch or Pillow is absent.
"""

import dataclasses
import pathlib
import sys
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import images, page, painter, sheet, trying, vgg
from kit import pairs as pairing
import export
import figures
import floor
import goals
import network
import teacher as teachers


def teacher():
    return teachers.narrow(3)


def picture(seed, height=36, width=44):
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))


class Figures(unittest.TestCase):
    def test_gram_distance_is_the_double_loop(self):
        draw = np.random.default_rng(0)
        # Two sizes: each Gram matrix is divided by its own number of positions.
        a, b = (draw.random((4, *cells)).astype(np.float32) for cells in ((5, 6), (3, 7)))
        loss = 0.0
        for i in range(4):
            for j in range(4):
                G = sum(a[i, y, x] * float(a[j, y, x]) for y in range(5) for x in range(6)) / 30
                A = sum(b[i, y, x] * float(b[j, y, x]) for y in range(3) for x in range(7)) / 21
                loss += (G - A)**2
        found = figures.squared_distance(*(figures.gram(torch.from_numpy(F)) for F in (a, b)))
        self.assertAlmostEqual(found, loss, delta=1e-6 * loss)  # float32's 2^-24, some terms

    def test_judgement_by_hand(self):
        network_ = teacher()
        photo, painting, x = picture(1), picture(2, 28, 52), picture(3)
        found = figures.Pair(network_, photo, painting).judge(x)
        by_hand = lambda rgb: {tap: F[0].numpy().astype(np.float64) for tap, F in network_(
            torch.from_numpy(rgb[:, :, ::-1].astype(np.float32).transpose(2, 0, 1).copy())[None]
            - torch.tensor(vgg.CAFFE.mean).reshape(3, 1, 1)).items()}
        P, A, X, N = map(by_hand, (photo, painting, x, figures.noise(36, 44)))
        gram = lambda F: np.einsum("ihw,jhw->ij", F, F) / (F.shape[1] * F.shape[2])
        objective = [0.0, 0.0]
        for layer, weight in zip(figures.STYLE_LAYERS, figures.STYLE_LAYER_WEIGHTS):
            losses = [((gram(F[layer]) - gram(A[layer]))**2).sum() for F in (X, P)]
            self.assertAlmostEqual(found["layers"][layer], losses[0] / losses[1], places=5)
            for i in range(2):
                objective[i] += 1e-4 * weight * losses[i] / len(A[layer])**2
        self.assertAlmostEqual(found["style"], np.mean(list(found["layers"].values())), places=12)
        C = [F["relu4_2"] for F in (X, P, N)]
        self.assertAlmostEqual(found["content"],
                               ((C[0] - C[1])**2).sum() / ((C[2] - C[1])**2).sum(), places=5)
        objective[0] += ((C[0] - C[1])**2).mean()
        self.assertAlmostEqual(found["objective"], objective[0] / objective[1], places=5)

    def test_photo_and_painting_themselves(self):
        photo, painting = picture(1), picture(2)
        judge = figures.Pair(teacher(), photo, painting)
        found = judge.judge(photo)
        self.assertEqual((found["style"], found["content"], found["objective"]), (1, 0, 1))
        found = judge.judge(painting)
        self.assertEqual((found["style"], found["cast"], found["grain"]), (0, 0, 1))
        self.assertGreater(found["content"], 0)
        self.assertEqual(judge.judge(figures.noise(36, 44))["content"], 1)

    def test_wrong_pictures_are_refused(self):
        with self.assertRaisesRegex(ValueError, "44 x 36.*44 x 35"):
            figures.Pair(teacher(), picture(1), picture(2)).judge(picture(1, 35))
        with self.assertRaisesRegex(ValueError, "very style"):
            figures.Pair(teacher(), picture(1), picture(1))

    def test_cast_and_grain(self):
        photo, painting = picture(1), picture(2) // 2 + 60
        judge = figures.Pair(teacher(), photo, painting)
        self.assertAlmostEqual(judge.judge(painting + np.uint8([0, 3, 4]))["cast"], (25 / 3)**0.5)
        checkers = np.indices(painting.shape[:2]).sum(axis=0)[:, :, None] % 2
        self.assertGreater(judge.judge((painting + 8 * checkers).astype(np.uint8))["grain"], 1.5)
        # A checkerboard of +-4 has none of its energy, 16, in what the blur leaves.
        flat = np.full((16, 16, 3), 100, np.uint8)
        checkers = 96 + 8 * (np.indices((16, 16)).sum(axis=0)[:, :, None] % 2)
        self.assertEqual(figures.grain_energy(flat), 0)
        self.assertAlmostEqual(figures.grain_energy((flat * 0 + checkers).astype(np.uint8)), 16)

    def test_working_size_is_limns(self):
        self.assertEqual(images.working_size(1024, 768, 384), (384, 288))
        self.assertEqual(images.working_size(650, 845, 384), (295, 384))  # 295.38
        self.assertEqual(images.working_size(800, 801, 200), (200, 200))  # 199.75
        self.assertEqual(images.working_size(1000, 1, 100), (100, 1))


class Pairs(trying.InFolder):
    def pictures(self, name, count):
        (self.folder / name).mkdir()
        for i in range(count):
            (self.folder / name / f"{name}{i}.jpg").write_bytes(b"")
        return self.folder / name

    def test_every_picture_has_its_turn_and_no_pair_comes_twice(self):
        for photos in range(1, 6):
            for paintings in range(1, 6):
                a, b = ([pathlib.Path(f"{kind}{i}") for i in range(n)]
                        for kind, n in (("a", photos), ("b", paintings)))
                every = pairing.cycled(a, b, 99)
                self.assertEqual(len(set(every)), photos * paintings)
                some = pairing.cycled(a, b, max(photos, paintings))
                self.assertEqual({pair.photo for pair in some}, set(a))
                self.assertEqual({pair.painting for pair in some}, set(b))

    def test_choice_from_two_folders_and_from_one(self):
        few = (self.pictures("a", 3), self.pictures("b", 5))
        more = (self.pictures("c", 4), self.pictures("d", 7))
        chosen = pairing.choose([few, more], 14)
        self.assertEqual(len({pair.name for pair in chosen}), 14)
        self.assertEqual({path for pair in chosen for path in (pair.photo, pair.painting)},
                         {path for folder in (*few, *more) for path in folder.iterdir()})
        pairing.check(chosen)
        absent = (self.folder / "absent", self.folder / "absent")
        self.assertEqual(len(pairing.choose([few, absent], 14)), 14)
        self.assertEqual(pairing.choose([absent], 14), [])
        with self.assertRaises(ValueError):
            pairing.choose([few, more], 8)
        with self.assertRaises(ValueError):
            pairing.check([])
        with self.assertRaisesRegex(ValueError, "absent.png"):
            pairing.check([pairing.Chosen(chosen[0].photo, self.folder / "absent.png")])


class Painting(trying.WithLimn):
    def setUp(self):
        super().setUp()
        self.pair = pairing.Chosen(self.folder / "photo.png", pathlib.Path("painting.jpg"))
        Image.fromarray(picture(1)).save(self.pair.photo)
        self.common = {"size": 64, "flags": [], "photo": "p", "painting": "a", "program": "l"}
        self.way = painter.Way("vgg19", ("--weights", "vgg19.h5"), "w", iterations=3)

    def paint(self, way, **changes):
        return painter.painted(self.limn, way, self.pair, {**self.common, **changes},
                               self.folder / "out")

    def test_painted_once(self):
        first = self.paint(self.way)
        self.assertEqual(first["iterations"], 3)
        self.assertGreater(first["seconds"], 0)
        self.assertEqual(first, self.paint(self.way))
        self.assertEqual(self.paint(self.way, program="another")["program"], "l")
        self.assertEqual(len(self.calls()), 1)
        self.assertIn("--weights vgg19.h5", self.calls()[0])
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()),
                         ["vgg19-3it.json", "vgg19-3it.png"])

    def test_painted_again_when_anything_changed(self):
        self.paint(self.way)
        for i, again in enumerate((
                lambda: self.paint(self.way, photo="other"),
                lambda: self.paint(self.way, size=65),
                lambda: self.paint(self.way, flags=["--tv-weight", "1"]),
                lambda: self.paint(dataclasses.replace(self.way, digest="other")),
                lambda: self.paint(dataclasses.replace(self.way, iterations=4))), start=2):
            again()
            self.assertEqual(len(self.calls()), i)
        (self.folder / "out" / "vgg19-4it.png").unlink()
        again()
        (self.folder / "out" / "vgg19-4it.json").write_text('{"settings": ')
        again()
        self.assertEqual(len(self.calls()), 8)

    def test_ended_by_its_seconds_alone(self):
        record = self.paint(painter.Way("vgg19", (), "w", seconds=0.5))
        self.assertIn(f"--seconds 0.5 --iterations {painter.ENDLESS}", self.calls()[0])
        self.assertEqual((record["outcome"], record["iterations"]), ("finished", 7))
        self.assertTrue((self.folder / "out" / "vgg19-0.5s.png").is_file())

    def test_failure_says_what_limn_said_and_keeps_nothing(self):
        self.paint(self.way)
        with self.assertRaisesRegex(painter.PaintingFailed, "status 1:\nlimn: no such recipe"):
            self.paint(self.way, flags=["--fail"])
        self.assertFalse((self.folder / "out" / "vgg19-3it.json").exists())


class Floor(trying.InFolder):
    def test_random_network_of_the_same_shape(self):
        shape, path = self.folder / "builtin.safetensors", self.folder / "random.safetensors"
        judge = teachers.narrow(7, 16)
        levels = network.parse_spec("16x2/16/32/32x3/32")
        places = {**network.parse_taps("", levels), "relu4_2": "4_3"}
        pairs = lambda values: " ".join(f"{tap}={value}" for tap, value in values.items())
        metadata = {"network": "builtin", "widths": "16,16/16/32/32,32,32/32",
                    "taps": pairs(places), "teacher_channels": pairs(judge.channels)}
        vgg.write_tensors(shape, {}, metadata)
        for i in range(3):
            Image.fromarray(picture(i, 64, 64)).save(self.folder / f"{i}.png")
        floor.write_random(shape, judge, [self.folder], path, crops=16, side=32)
        read = export.read_student(path)
        self.assertEqual((read.levels, read.places), (levels, places))
        x = network.to_input(torch.rand(4, 3, 48, 48, generator=torch.manual_seed(1)) * 255)
        with torch.no_grad():
            ours, theirs = read(x), judge(x)
            for tap in network.TAPS:  # in the teacher's units: within a factor of ten or so
                mapped = read.Q(tap) @ ours[tap].transpose(0, 1).flatten(1)
                ratio = float(mapped.square().sum() / theirs[tap].square().sum())
                self.assertTrue(0.1 < ratio < 10, (tap, ratio))
        again = self.folder / "again.safetensors"
        floor.write_random(shape, judge, [self.folder], again, crops=16, side=32)
        self.assertEqual(path.read_bytes(), again.read_bytes())


def results(**styles):
    """Results of two pairs; styles: {way: (style in the first pair, in the second)}."""
    ways = {}
    for way in styles:
        name, _, length = way.partition("_")
        timed = length.endswith("s")
        ways[way] = {"network": name, "budget": length, "label": f"{name}, {length}",
                     "iterations": 0 if timed else 200, "seconds": 20 if timed else 0}
    pairs = {}
    for i in range(2):
        found = {way: {"style": style[i], "content": 0.5, "objective": style[i], "cast": 1.0,
                       "grain": 1.0, "layers": {"relu1_1": style[i]}, "seconds": 10.0,
                       "iterations": 200, "processor_seconds": 15.0}
                 for way, style in styles.items()}
        pairs[f"pair{i}"] = {"photo_name": f"photo{i}", "painting_name": f"painting{i}",
                             "seen": i == 1, "ways": found}
    return {"ways": ways, "pairs": pairs,
            "conditions": {"size": 64, "limn": "limn 0", "cores": 2, "processor": "a processor",
                           "date": "2000-01-01", "flags": []}}


class Page(trying.InFolder):
    def test_goals_are_what_was_measured(self):
        found = goals.goals(results(builtin_200=(0.2, 0.6), vgg19_200=(0.1, 0.2),
                                   random_200=(0.9, 0.9), builtin_20s=(0.2, 0.3),
                                   vgg19_20s=(0.4, 0.2)))
        self.assertEqual([(goal["way"], goal["figure"], goal["met"]) for goal in found],
                         [("builtin_200", "style", False), ("builtin_20s", "style", True),
                          ("builtin_20s", "objective", True)])
        self.assertAlmostEqual(found[0]["ratio"], 0.4 / 0.15)
        self.assertAlmostEqual(found[0]["typical"], 6**0.5)
        self.assertEqual((found[0]["pair"], found[0]["lower"]), ("pair1", 0))
        self.assertEqual((found[1]["pair"], found[1]["lower"]), ("pair1", 1))
        met = lambda **styles: goals.goals(results(**styles))[0]["met"]
        self.assertTrue(met(builtin_200=(0.2, 0.5), vgg19_200=(0.1, 0.2)))
        self.assertFalse(met(builtin_20s=(0.2, 0.2), vgg19_20s=(0.2, 0.2)))

    def test_tables(self):
        text = goals.part(results(builtin_200=(0.2, 0.6), vgg19_200=(0.1, 0.2)))
        self.assertIn("| photo1, painting1\\* | 0.600 / 0.500, 10.0 s | 0.200 / 0.500, 10.0 s |",
                      text)
        self.assertIn("| **mean** | 0.400 / 0.500, 10.0 s | 0.150 / 0.500, 10.0 s |", text)
        self.assertIn("| builtin, 200 | 0.400 | 0.600 | 0.400 | 0.500 |", text)
        self.assertIn("| builtin, 200 | 0.200 | 0.200 | 0.200 | 0.500 |", text)  # the unseen pair
        self.assertIn("| not met |", text)
        for table in text.split("\n\n"):
            if table.startswith("|"):
                self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)

    def test_number(self):
        for value, text in ((0, "0"), (0.01234, "0.0123"), (0.5, "0.500"), (12.34, "12.3"),
                            (123.4, "123"), (1234.5, "1234"), (1, "1.00"), (0.99999, "1.00")):
            self.assertEqual(page.number(value), text)

    def test_prose_around_the_marks_is_kept(self):
        path, (begin, end) = self.folder / "page.md", page.marks("the maker")
        page.splice(path, "first", "the maker")
        self.assertEqual(path.read_text(), f"{begin}\n\nfirst\n\n{end}\n")
        path.write_text("# Title\n\nBefore.\n\n" + path.read_text() + "\nAfter.\n")
        page.splice(path, "second \\1\n", "the maker")
        self.assertEqual(path.read_text(), f"# Title\n\nBefore.\n\n{begin}\n\nsecond \\1\n\n"
                                           f"{end}\n\nAfter.\n")
        for wrong in ("", begin, end + begin, 2 * (begin + end)):
            with self.assertRaises(ValueError):
                page.spliced(wrong, "part", "the maker")


class Sheet(trying.InFolder):
    def test_sheets(self):
        row = lambda: [(f"a label too long for its column {i}", "text",
                        Image.new("RGB", (384, 288), "red")) for i in range(7)]
        paths = sheet.write_sheets([row() for _ in range(4)], 384, self.folder / "sheets")
        self.assertEqual([path.name for path in paths], ["sheet-1.jpg", "sheet-2.jpg"])
        with Image.open(paths[0]) as image:
            self.assertTrue(1900 < image.width <= sheet.MOST_WIDTH)
        sheet.compose([row()[:2]], 384, self.folder / "two.png")
        with Image.open(self.folder / "two.png") as image:  # not reduced
            self.assertEqual(image.width, 2 * 384 + 3 * sheet.GAP)


if __name__ == "__main__":
    trying.main()
