#!/usr/bin/python3
"""Tests of the judge of seams, on arrays; they need no limn and take seconds.

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
import seams

TILE = 64
HEIGHT, WIDTH = 150, 200


def noise():
    return np.random.default_rng(4).integers(60, 190, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def seen(picture):
    return [found["share"] > repetition.SPREAD for found in seams.judge(picture, TILE)]


class Cuts(unittest.TestCase):
    # Worked by hand: 1024 + 16 in 5 tiles of 1040 / 5 = 208; 200 + 16 in 4, of 54, rounded to 64.
    def test_tiles_are_about_equal_and_begin_at_multiples_of_the_step(self):
        self.assertEqual(seams.cuts(1024, 256), [200, 408, 616, 824])
        self.assertEqual(seams.cuts(200, TILE), [56, 120, 184])

    def test_what_is_too_narrow_for_a_tile_goes_to_the_last(self):
        self.assertEqual(seams.cuts(177, TILE), [56, 120])  # not 184: 1 pixel would be left


class Borders(unittest.TestCase):
    def test_none_is_seen_in_noise(self):
        self.assertEqual(seen(noise()), [False] * 5)

    def test_a_step_at_a_border_is(self):
        picture = noise()
        picture[:, seams.cuts(WIDTH, TILE)[1]:] += 50
        self.assertEqual(seen(picture), [False, True, False, False, False])

    def test_a_step_elsewhere_is_not(self):
        picture = noise()
        picture[seams.cuts(HEIGHT, TILE)[0] + 9:] += 50
        self.assertEqual(seen(picture), [False] * 5)

    def test_what_is_shown_lies_around_a_crossing(self):
        left, top, right, bottom = seams.crossing(np.zeros((800, 1024, 3), np.uint8), 256)
        self.assertTrue(any(left < cut < right for cut in seams.cuts(1024, 256)))
        self.assertTrue(any(top < cut < bottom for cut in seams.cuts(800, 256)))


if __name__ == "__main__":
    unittest.main()
