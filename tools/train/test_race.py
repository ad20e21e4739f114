#!/usr/bin/python3
"""Tests of race.py and what it is made of, on the processor; they need no pictures and no weights,
and take seconds. Exit status 77, as ctest's "skipped", where PyTorch or Pillow is absent."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch

from kit import trying
import checkpoint
import device_crops
import network
import painting
import race
import synthetic
import teacher as teachers
from racer import Entry, Racer

SPEC = "16x2/16/32/32x2/32"
TEACHER_WIDTH = 16


def teacher():
    return teachers.narrow(7, TEACHER_WIDTH)


def pictures(count=3, side=72):
    draw = np.random.default_rng(3)
    return [synthetic.noise(draw, side + 8 * i)[:, :side].astype(np.uint8) for i in range(count)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def source(painted_share=0.5):
    atlas = device_crops.Atlas(pictures(), "cpu")
    return device_crops.DeviceSource(atlas, atlas, atlas,
                                     device_crops.PaintedPool(4, 64, "cpu"), 0.25, painted_share, 1)


class Crops(unittest.TestCase):
    def test_a_crop_at_scale_1_is_a_part_of_its_picture(self):
        rgb = pictures(1)[0]
        atlas = device_crops.Atlas([rgb], "cpu")
        whole = torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1)
        found = atlas.crops(generator(), 6, 72, most_reduced=1.0, most_enlarged=1.0)
        for crop in found:
            errors = [float((crop - turned).abs().max()) for turned in (whole, whole.flip(2))]
            self.assertLess(min(errors), 1e-3)

    def test_crops_of_a_plain_picture_are_plain(self):
        atlas = device_crops.Atlas([np.full((50, 90, 3), (10, 120, 250), np.uint8)], "cpu")
        found = atlas.crops(generator(), 16, 48)
        wanted = torch.tensor([10.0, 120.0, 250.0])[None, :, None, None].expand_as(found)
        self.assertTrue(torch.allclose(found, wanted, atol=1e-3))

    def test_batch_depends_on_seed_and_step_alone(self):
        one, other = source(), source()
        self.assertTrue(torch.equal(one.batch(5, 6, 48), other.batch(5, 6, 48)))
        self.assertFalse(torch.equal(one.batch(5, 6, 48), one.batch(6, 6, 48)))

    def test_painted_pool_keeps_the_newest(self):
        pool = device_crops.PaintedPool(3, 8, "cpu")
        pool.add(torch.stack([torch.full((3, 8, 8), float(i)) for i in range(5)]))
        self.assertEqual(pool.filled, 3)
        self.assertEqual(sorted(set(pool.crops(generator(), 40, 4).flatten().tolist())), [2, 3, 4])

    def test_painted_pictures_get_their_share(self):
        crops = source()
        self.assertEqual(crops.batch(0, 8, 48).shape, (8, 3, 48, 48))  # nothing painted yet
        crops.painted.add(torch.full((4, 3, 64, 64), -7.0))  # as no other picture is
        plain = (crops.batch(0, 8, 48) == -7).all(dim=3).all(dim=2).all(dim=1)
        self.assertEqual(int(plain.sum()), 4)

    def test_augmentation_leaves_most_crops_alone(self):
        x = 255 * torch.rand(400, 3, 8, 8, generator=generator())
        for change, share in ((device_crops.recoloured, 0.6), (device_crops.with_noise, 0.25)):
            changed = (change(generator(1), x) != x).flatten(1).any(1).float().mean()
            self.assertAlmostEqual(float(changed), share, delta=0.1)


class Painting(unittest.TestCase):
    def setUp(self):
        self.teacher = teacher()
        self.photos = 255 * torch.rand(2, 3, 48, 48, generator=generator(2))
        self.paintings = 255 * torch.rand(2, 3, 48, 48, generator=generator(3)).round()

    def test_painting_brings_the_style_nearer(self):
        painted = painting.paint(painting.TeacherFeatures(self.teacher), self.photos,
                                 self.paintings, 12, style_weight=1e3, keep=(4,))
        self.assertEqual(len(painted), 2)
        figures = painting.judge(self.teacher, painted[-1], self.photos, self.paintings)
        self.assertLess(figures["style"], 0.9)
        self.assertGreater(figures["content"], 0)

    def test_the_unpainted_photo_is_the_judges_measure(self):
        figures = painting.judge(self.teacher, self.photos, self.photos, self.paintings)
        self.assertAlmostEqual(figures["style"], 1.0, places=5)
        self.assertEqual(figures["content"], 0.0)

    def test_a_students_losses_are_in_the_teachers_units(self):
        student = Racer(Entry("a", SPEC), self.teacher, "cpu", 1).student
        features = painting.StudentFeatures(student)
        x = network.to_input(self.photos)
        with torch.no_grad():
            found = features(x)
            for tap, gram in features.grams(found).items():
                mapped = torch.einsum("cs,nshw->nchw", student.Q(tap), found[tap])
                self.assertTrue(torch.allclose(gram, painting.gram(mapped), rtol=1e-3,
                                               atol=1e-4 * float(gram.abs().max())), tap)


class Racing(unittest.TestCase):
    def test_entries(self):
        entry = Entry.parse(f"b {SPEC} gram=0.5 rate=1e-3 relu4_1=4_2")
        self.assertEqual((entry.gram, entry.rate, entry.taps), (0.5, 1e-3, "relu4_1=4_2"))
        for wrong in ("b", "b 16/16", f"b {SPEC} relu4_1=4_9"):
            with self.assertRaises(ValueError, msg=wrong):
                Entry.parse(wrong)

    def test_the_best_of_the_survey_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            arguments = race.parse([
                "--weights", "none", "--pictures", "none", "--out", str(folder), "--minutes",
                "0.2", "--survey-minutes", "0.04", "--student", f"one {SPEC}", "--student",
                f"two {SPEC} gram=0.1", "--judge-photos", "none", "--judge-paintings", "none",
                "--crop", "48", "--batch", "2", "--edge", "64", "--paint-from", "0",
                "--paint-every", "0", "--paint-count", "2", "--paint-steps", "2", "--paint-keep",
                "1", "--judge-steps", "2", "--refit-batches", "2", "--log-every", "0"])
            run = race.Race(arguments, teacher(), source(), [255 * torch.rand(2, 3, 48, 48)],
                            "cpu", "digest")
            run.judged = tuple(255 * torch.rand(2, 1, 3, 48, 48, generator=generator(4)))
            trying.silent(run.whole)
            log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
            judged = {entry["student"]: entry["judged"]["style"] for entry in log[:-1]
                      if "student" in entry}
            goes_on, = [entry["goes_on"] for entry in log if "goes_on" in entry]
            self.assertIn(goes_on, judged)
            self.assertEqual(log[-1]["student"], goes_on)
            self.assertGreater(run.source.painted.filled, 0)
            for name in ("one", "two"):
                state = checkpoint.load(folder / f"{name}.pt")
                self.assertTrue(state["refitted"])
                checkpoint.student_of(state)


if __name__ == "__main__":
    trying.main()
