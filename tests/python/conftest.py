"""What the tests of the Python module share: small pictures, and settings that are quick."""
import os
import pathlib
import subprocess

import numpy as np
import pytest

import limn

SOURCE = pathlib.Path(__file__).resolve().parents[2]
QUICK = {"iterations": 3, "threads": 1}


def drawn(width, height, seed):
    """A smooth picture, uint8, H x W x 3."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    waves = [np.sin(a * x + b * y + c) for a, b, c in random.uniform(-2, 2, (3, 3))]
    return (127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def repeating(width, height, period):
    """Stripes and dots that repeat themselves, uint8."""
    y, x = np.mgrid[:height, :width] % period
    pattern = np.where((x < 3) | (y < period // 3), 40, 210) + 3 * y
    return np.stack([pattern, pattern // 2, 255 - pattern], axis=-1).astype(np.uint8)


def samples16(picture):
    """A picture as the library writes it with 16 bits."""
    scaled = np.clip(picture, 0, 1) * np.float32(65535)
    return np.floor(scaled.astype(np.float64) + 0.5).astype(np.uint16)


@pytest.fixture(scope="session")
def photo():
    return drawn(64, 48, 1)


@pytest.fixture(scope="session")
def painting():
    return drawn(60, 56, 2)


@pytest.fixture(scope="session")
def painted(photo, painting):
    return limn.paint(photo, painting, size=48, **QUICK)


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """A folder of the test's own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command():
    """Runs the command limn; returns what it wrote to a 16-bit PNG, as uint16."""
    program = os.environ.get("LIMN")
    if not program:
        pytest.skip("LIMN does not name the command")

    def run(*arguments):
        subprocess.run([program, *map(str, arguments), "--bits", "16", "-o", "of_command.png"],
                       check=True, capture_output=True)
        return samples16(limn.read_image("of_command.png"))

    return run
