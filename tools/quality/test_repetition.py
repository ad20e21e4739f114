#!/usr/bin/python3
"""Tests of what is said of textures without a network, on arrays whose figures are known; they take
seconds.

Exit status 77, as ctest's "skipped", where NumPy or Pillow is absent.
"""

import pathlib
import sys
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(1, str(TOOLS))
from kit import needs

needs.modules("numpy", "PIL")
import numpy as np

import repetition


def grid(height, width, down, across, light=0.0):
    """L of waves with these periods, and light that falls from the right."""
    y, x = np.indices((height, width))
    return 128 + 40 * (np.cos(2 * np.pi * x / across) + np.cos(2 * np.pi * y / down)) + light * x


def noise(height, width, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Correlation(unittest.TestCase):
    def test_it_is_the_mean_over_the_overlap(self):
        L = np.random.default_rng(2).normal(size=(7, 9))
        x, found = repetition.levelled(L), repetition.autocorrelation(L)
        self.assertEqual(found.shape, (7, 9))
        for dy in range(-3, 4):
            for dx in range(-4, 5):
                products = [x[i, j] * x[i + dy, j + dx] for i in range(7) for j in range(9)
                            if 0 <= i + dy < 7 and 0 <= j + dx < 9]
                self.assertAlmostEqual(found[3 + dy, 4 + dx], np.mean(products) / np.mean(x**2))

    def test_light_from_one_side_does_not_count(self):
        y, x = np.indices((20, 31))
        np.testing.assert_allclose(repetition.levelled(3 * x - 2.0 * y + 5), 0, atol=1e-10)
        plain = repetition.autocorrelation(grid(60, 80, 10, 16))
        lit = repetition.autocorrelation(grid(60, 80, 10, 16, light=2))
        np.testing.assert_allclose(lit, plain, atol=1e-10)
        self.assertFalse(repetition.autocorrelation(np.full((20, 20), 7.0)).any())

    def test_waves_have_one_at_their_period_and_minus_one_between(self):
        found = repetition.autocorrelation(grid(90, 120, 18, 24))
        middle = found[45, 60:]
        self.assertAlmostEqual(middle[24], 1, delta=0.02)
        self.assertAlmostEqual(middle[48], 1, delta=0.02)
        self.assertAlmostEqual(middle[12], 0, delta=0.02)  # the waves down are still in step
        self.assertAlmostEqual(found[45 + 9, 60 + 12], -1, delta=0.02)
        np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-12)

    def test_peaks_are_sought_a_tenth_around_the_period(self):
        found = repetition.autocorrelation(grid(120, 132, 20, 22))
        self.assertAlmostEqual(repetition.peak_near(found, 0, 22), 1, delta=0.03)
        self.assertAlmostEqual(repetition.peak_near(found, 0, 24), 1, delta=0.03)
        self.assertLess(repetition.peak_near(found, 0, 30), 0.7)
        self.assertAlmostEqual(repetition.peak_near(found, 20, 0), 1, delta=0.03)
        self.assertIsNone(repetition.peak_near(found, 0, 67))

    def test_the_period_is_found_and_not_its_multiple(self):
        found = repetition.autocorrelation(grid(160, 200, 16, 25))
        across, down = (repetition.found_period(found, axis) for axis in repetition.AXES)
        self.assertEqual((across.down, across.right), (0, 25))
        self.assertEqual((down.down, down.right), (16, 0))
        self.assertEqual(repetition.found_period(found).length, 16)
        self.assertEqual(repetition.found_period(found, "across", least=30).right, 50)
        self.assertIsNone(repetition.found_period(found, "across", least=30, most=40))
        self.assertIsNone(repetition.found_period(np.zeros((31, 31))))

    def test_courses_laid_half_a_brick_apart(self):
        y, x = np.indices((160, 192))
        course = y // 10
        L = 200.0 * ((y % 10 > 1) & ((x + 16 * (course % 2)) % 32 > 1))
        found = repetition.autocorrelation(L)
        self.assertEqual(repetition.found_period(found, "across").right, 32)
        self.assertEqual(repetition.found_period(found, "down").down, 20)

    def test_kept(self):
        exemplar = repetition.autocorrelation(grid(128, 128, 16, 16))
        half = grid(128, 128, 16, 16) + np.random.default_rng(3).normal(0, 40, (128, 128))
        found = repetition.autocorrelation(half)
        for axis in repetition.AXES:  # the noise has half of the energy
            self.assertAlmostEqual(repetition.kept(exemplar, exemplar, axis, 16), 1)
            self.assertAlmostEqual(repetition.kept(found, exemplar, axis, 16), 0.5, delta=0.05)
        nothing = repetition.autocorrelation(repetition.luminance(noise(128, 128)))
        self.assertLess(abs(repetition.kept(nothing, exemplar, "across", 16)), 0.05)
        self.assertIsNone(repetition.kept(nothing, exemplar, "across", 65))
        with self.assertRaisesRegex(ValueError, "every 8 pixels"):
            repetition.kept(exemplar, repetition.autocorrelation(grid(128, 128, 1e9, 16)),
                            "across", 8)


class Seams(unittest.TestCase):
    def test_a_whole_number_of_periods_meets_itself(self):
        for axis, L in (("across", grid(40, 96, 7, 24)), ("down", grid(96, 40, 24, 7))):
            found = repetition.seam(L, axis)
            self.assertTrue(found["within"])
            self.assertLess(abs(found["z"]), 2)
        cut = repetition.seam(grid(40, 108, 7, 24), "across")  # half a period too long
        self.assertFalse(cut["within"])
        self.assertEqual(cut["share"], 1)
        self.assertGreater(cut["z"], 10)

    def test_by_hand(self):
        found = repetition.seam(np.array([[0.0, 1, 4, 2], [0, 1, 4, 2]]), "across")
        # Steps 1, 9, 4 with mean 14 / 3 and variance 98 / 9; from 2 back to 0 is 4.
        self.assertEqual((found["energy"], found["share"], found["within"]), (4, 2 / 3, True))
        self.assertAlmostEqual(found["z"], -2 / 98**0.5)
        smooth = repetition.seam(np.array([[0.0, 3, 0, 2, 0]]), "across")
        self.assertEqual((smooth["share"], smooth["within"]), (0, False))  # smoother than any
        self.assertFalse(repetition.seam(np.array([[0.0, 1, 2, 4, 3, 5]]), "across")["within"])

    def test_rolling_moves_the_seam_inside(self):
        L = repetition.luminance(noise(60, 70))
        self.assertTrue(repetition.seam(np.roll(L, 30, axis=1), "across")["within"])
        steps = lambda x: ((np.roll(x, -1, axis=1) - x)**2).mean(axis=0)
        np.testing.assert_allclose(np.roll(steps(L), 30), steps(np.roll(L, 30, axis=1)))

    def test_tiles(self):
        picture = noise(5, 7)
        found = repetition.tiled(picture)
        self.assertEqual(found.shape, (15, 21, 3))
        self.assertTrue((found[5:10, 14:] == picture).all())


class Symmetry(unittest.TestCase):
    def test_mirrored_pictures(self):
        half = noise(32, 16)
        whole = np.concatenate([half, half[:, ::-1]], axis=1)
        self.assertEqual(repetition.symmetry_error(whole, "left-right"), 0)
        self.assertEqual(repetition.symmetry_error(whole.transpose(1, 0, 2), "up-down"), 0)
        self.assertAlmostEqual(repetition.symmetry_error(whole, "up-down"), 2, delta=0.2)
        turned = np.concatenate([half, half[::-1, ::-1]], axis=1)
        self.assertEqual(repetition.symmetry_error(turned, "rotate-180"), 0)
        self.assertGreater(repetition.symmetry_error(turned, "left-right"), 1)
        self.assertAlmostEqual(repetition.symmetry_error(whole, "both"),
                               0.5 * repetition.symmetry_error(whole, "up-down"))
        both = np.concatenate([whole, whole[::-1]])
        for kind in repetition.KINDS:
            self.assertEqual(repetition.symmetry_error(both, kind), 0)

    def test_noise_opposites_and_one_colour(self):
        for kind in repetition.KINDS:
            self.assertAlmostEqual(repetition.symmetry_error(noise(64, 64), kind), 2, delta=0.1)
        opposite = np.array([[[0] * 3, [255] * 3]], np.uint8)
        self.assertEqual(repetition.symmetry_error(opposite, "left-right"), 4)
        self.assertEqual(repetition.symmetry_error(np.full((4, 4, 3), 9, np.uint8), "both"), 0)


class Holes(unittest.TestCase):
    def test_where_it_is(self):
        hole = repetition.centred_hole((100, 60), 0.4)
        self.assertEqual((hole.top, hole.left, hole.height, hole.width), (30, 18, 40, 24))
        mask = hole.mask((100, 60, 3))
        self.assertEqual((mask.sum(), mask[30, 18], mask[29, 18]), (40 * 24, True, False))

    def test_error(self):
        truth = noise(50, 50)
        hole = repetition.centred_hole(truth.shape, 0.5)
        self.assertEqual(repetition.hole_error(truth, truth, hole), (0, 0))
        flat, more = truth.copy(), truth.copy()
        hole.of(flat)[:] = np.rint(hole.of(truth).mean(axis=(0, 1)))
        self.assertAlmostEqual(repetition.hole_error(flat, truth, hole)[1], 1, places=3)
        hole.of(more)[:] = noise(25, 25, seed=5)
        self.assertAlmostEqual(repetition.hole_error(more, truth, hole)[1], 2, delta=0.1)
        off = np.zeros((4, 4, 3), np.uint8)
        self.assertEqual(repetition.hole_error(off + np.uint8(3), off,
                                               repetition.Hole(0, 0, 2, 2))[0], 9)

    def test_known_pixels(self):
        given = noise(20, 20)
        hole, result = repetition.centred_hole(given.shape, 0.5), given.copy()
        hole.of(result)[:] = 0
        self.assertTrue(repetition.known_kept(result, given, hole))
        result[0, 0, 2] ^= 1
        self.assertFalse(repetition.known_kept(result, given, hole))
        self.assertFalse(repetition.known_kept(given[:10], given, hole))

    def test_phase(self):
        truth = grid(120, 120, 20, 24)
        hole = repetition.centred_hole(truth.shape, 0.4)
        found = repetition.phase(truth, truth, hole, 20, 24)
        self.assertAlmostEqual(found["phase"], 1)
        self.assertEqual(found["shift"], [0, 0])
        moved = np.roll(truth, (5, -3), axis=(0, 1))  # what belongs 5 higher and 3 further right
        found = repetition.phase(moved, truth, hole, 20, 24)
        self.assertEqual(found["shift"], [-5, 3])
        self.assertAlmostEqual(found["best"], 1)
        self.assertAlmostEqual(found["phase"], 0.5 * np.cos(np.pi / 4), delta=0.03)
        opposite = np.roll(truth, (10, 12), axis=(0, 1))
        self.assertAlmostEqual(repetition.phase(opposite, truth, hole, 20, 24)["alike"], -1)
        self.assertLess(repetition.phase(opposite, truth, hole, 20, 24)["phase"], 0)
        flat = repetition.phase(0 * truth, truth, hole, 20, 24)
        self.assertEqual((flat["phase"], flat["best"]), (0, 0))

    def test_phase_looks_no_further_than_the_picture(self):
        truth = grid(40, 40, 60, 60)
        hole = repetition.Hole(2, 0, 30, 40)
        found = repetition.phase(truth, truth, hole, 60, 60)
        self.assertEqual((found["shift"], found["phase"]), ([0, 0], 1))


if __name__ == "__main__":
    unittest.main()
