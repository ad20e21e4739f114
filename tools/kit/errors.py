"""How far numbers are from those they should be, and whether so far is allowed."""

import math
import sys
from dataclasses import dataclass

import numpy as np


def relative_error(value, reference):
    """|value - reference| / |reference| in L2, of numbers or arrays; infinite where shapes differ.
    Against a reference of exactly zero it is 0 for exactly zero and infinite for anything else."""
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    if value.shape != reference.shape:
        return math.inf
    norm, distance = np.linalg.norm(reference), np.linalg.norm(value - reference)
    if norm == 0:
        return 0.0 if distance == 0 else math.inf
    return float(distance / norm)


def largest_error(value, reference):
    """The largest difference relative to the reference's largest number; infinite where shapes
    differ."""
    if value.shape != reference.shape:
        return math.inf
    distance = np.abs(value.astype(np.float64) - reference).max()
    return float(distance / np.abs(reference).max())


@dataclass
class Line:
    """One figure of a table: how far off it is and how far it may be. value: the reference's loss
    or L2 norm; torch_error: how far PyTorch in float32 is off; worse_only: a negative error is
    better, however large."""
    name: str
    error: float
    limit: float
    value: float = 0.0
    torch_error: float = 0.0
    note: str = ""
    worse_only: bool = False

    def passed(self):
        return (self.error if self.worse_only else abs(self.error)) <= self.limit  # false for NaN


def end(failed, well):
    """Says what failed, or that all is well, and ends the program accordingly."""
    print("\nFAILED: " + ", ".join(failed) if failed else f"\n{well}")
    sys.exit(1 if failed else 0)
