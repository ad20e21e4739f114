#!/usr/bin/python3
"""The same weights in every format that limn reads, each read back by limn and compared.

  formats.py --limn build/limn [--network vgg19] [--keep FOLDER]

The files are written by the formats' own libraries (h5py, SciPy, NumPy, PyTorch) or, where that is
no more than a header, a few lines of weight_files.py. limn reads each and writes .safetensors of
float32, which must hold the very numbers: those of half precision rounded to it, quantised ones as
they stand for real ones. What limn takes for the input's convention is checked too.

Exit status: 0 all equal, 1 some file is refused or differs, 77 something needed is not here; 2 bad
usage.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Callable

try:
    import h5py
    import numpy as np
    import scipy
    import torch
    import weight_files as wf
    MISSING = None
except ImportError as error:
    MISSING = f"the Python module {error.name} is not installed"

SKIPPED = 77

CAFFE = ("bgr", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
RGB_MINUS_MEAN = ("rgb", 255.0, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
TORCHVISION = ("rgb", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclasses.dataclass(frozen=True)
class Case:
    """write: called (path, filters), and may return the filters as the file's numbers stand for
    them. kept: the type whose rounding the numbers take. tolerance: of the largest number, for a
    sum and a product that may be rounded in more than one order."""
    label: str
    file: str
    convention: tuple
    write: Callable
    kept: str = "float32"
    tolerance: float = 0.0


def cases():
    h5 = lambda **settings: lambda path, filters: wf.write_h5(path, filters, **settings)
    mat = lambda **settings: lambda path, filters: wf.write_mat(path, filters, **settings)
    npz = lambda **settings: lambda path, filters: wf.write_npz(path, filters, **settings)
    pth = lambda **settings: lambda path, filters: wf.write_pth(path, filters, **settings)
    tfjs = lambda dtype: lambda path, filters: wf.write_tfjs(path, filters, dtype)
    half, double = np.float16, np.float64
    return [
        Case("Keras, as published", "a.h5", CAFFE, h5()),
        Case("Keras, one group deeper", "b.h5", CAFFE, h5(deeper=True)),
        Case("Keras, whole model", "c.h5", CAFFE, h5(deeper=True, under="model_weights")),
        Case("Keras, chunks", "d.h5", CAFFE, h5(chunks=True)),
        Case("Keras, chunks and gzip", "e.h5", CAFFE, h5(chunks=True, compression="gzip")),
        Case("Keras, gzip, shuffle and checksum", "f.h5", CAFFE,
             h5(compression="gzip", compression_opts=1, shuffle=True, fletcher32=True)),
        Case("Keras, newest HDF5", "g.h5", CAFFE, h5(deeper=True, libver="latest")),
        Case("Keras, newest HDF5, chunks and gzip", "h.h5", CAFFE,
             h5(libver="latest", compression="gzip", compression_opts=1)),
        Case("Keras, half precision", "i.h5", CAFFE, h5(dtype=half), "float16"),
        Case("Keras, double precision", "j.h5", CAFFE, h5(dtype=double)),
        Case("MatConvNet", "a.mat", RGB_MINUS_MEAN, mat()),
        Case("MatConvNet, compressed", "b.mat", RGB_MINUS_MEAN, mat(compressed=True)),
        Case("MatConvNet, double precision", "c.mat", RGB_MINUS_MEAN, mat(dtype=double)),
        Case("NumPy", "a.npz", RGB_MINUS_MEAN, npz()),
        Case("NumPy, compressed", "b.npz", RGB_MINUS_MEAN, npz(compressed=True)),
        Case("NumPy, half precision", "c.npz", RGB_MINUS_MEAN, npz(dtype=half), "float16"),
        Case("NumPy, double precision", "d.npz", RGB_MINUS_MEAN, npz(dtype=double)),
        Case("NumPy, pickled dict", "a.npy", CAFFE, wf.write_npy),
        Case("NumPy, pickled dict in half precision", "b.npy", CAFFE,
             lambda path, filters: wf.write_npy(path, filters, half, protocol=5), "float16"),
        Case("PyTorch", "a.pth", TORCHVISION, pth()),
        Case("PyTorch, half precision", "b.pth", TORCHVISION, pth(dtype=half), "float16"),
        Case("PyTorch before 1.6", "c.pth", TORCHVISION, pth(zipped=False)),
        Case("PyTorch before 1.6, half precision", "d.pth", TORCHVISION,
             pth(dtype=half, zipped=False), "float16"),
        Case("safetensors", "a.safetensors", TORCHVISION, wf.write_safetensors),
        Case("safetensors, half precision", "b.safetensors", TORCHVISION,
             lambda path, filters: wf.write_safetensors(path, filters, half), "float16"),
        Case("Caffe", "a.caffemodel", CAFFE, wf.write_caffemodel),
        Case("Caffe, older layers", "b.caffemodel", CAFFE,
             lambda path, filters: wf.write_caffemodel(path, filters, old=True)),
        Case("TensorFlow.js", "a/model.json", CAFFE, tfjs("float32")),
        Case("TensorFlow.js, 16 bits", "b/model.json", CAFFE, tfjs("uint16"), tolerance=2**-23),
        Case("TensorFlow.js, 8 bits", "c/model.json", CAFFE, tfjs("uint8"), tolerance=2**-23),
    ]


def convention_of(metadata):
    """The convention in the metadata of limn's .safetensors; None where it is not all there."""
    numbers = lambda text: tuple(float(word) for word in text.split())
    try:
        return (metadata["channel_order"], float(metadata["scale"]), numbers(metadata["mean"]),
                numbers(metadata["deviation"]))
    except KeyError:
        return None


def difference(found, expected):
    """The largest difference relative to the largest number of its tensor, or a line of text where
    layers or shapes differ."""
    if found.keys() != expected.keys():
        return f"layers {sorted(found)} were found"
    largest = 0.0
    for conv, pair in expected.items():
        for ours, theirs in zip(found[conv], pair):
            if ours.shape != theirs.shape:
                return f"conv{conv} has the shape {ours.shape}"
            distance = np.abs(ours.astype(np.float64) - theirs).max()
            largest = max(largest, float(distance / np.abs(theirs).max()))
    return largest


def check(case, limn, filters, folder):
    """(passed, what there is to say) of one file."""
    path = folder / case.file
    path.parent.mkdir(exist_ok=True)
    expected = case.write(path, filters) or wf.rounded(filters, case.kept)
    converted = folder / "converted.safetensors"
    converted.unlink(missing_ok=True)
    done = subprocess.run([limn, "model", "convert", path, "-o", converted], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        return False, done.stdout.strip().splitlines()[-1] if done.stdout else \
            f"status {done.returncode}"
    found, metadata = wf.read_safetensors(converted)
    distance = difference(found, expected)
    if isinstance(distance, str):
        return False, distance
    convention = convention_of(metadata)
    if convention != case.convention:
        return False, f"the input's convention was taken for {convention}"
    return distance <= case.tolerance, "equal" if distance == 0 else f"within {distance:.1e}"


def what_is_missing(options):
    """A line that says what is not here, or None."""
    if MISSING:
        return MISSING
    if not os.path.isfile(options.limn):
        return f"there is no program {options.limn}"
    help_text = subprocess.run([options.limn, "model", "convert", "--help"], capture_output=True)
    if b"limn model convert" not in help_text.stdout:
        return f"{options.limn} has no 'model convert'"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--limn", required=True, metavar="PROGRAM", help="build/limn")
    parser.add_argument("--network", choices=["vgg16", "vgg19"], default="vgg16")
    parser.add_argument("--only", metavar="TEXT", help="files whose name or label holds this text")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the files in this folder")
    options = parser.parse_args()
    missing = what_is_missing(options)
    if missing:
        print(f"skipped: {missing}")
        return SKIPPED
    filters = wf.random_filters(options.network, seed=3)
    print(f"{options.network} with h5py {h5py.__version__}, SciPy {scipy.__version__}, "
          f"NumPy {np.__version__}, PyTorch {torch.__version__}")
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for case in cases():
            if options.only and options.only not in f"{case.file} {case.label}":
                continue
            begun = time.monotonic()
            passed, word = check(case, options.limn, filters, folder)
            print(f"  {case.label:38}{case.file:16}{time.monotonic() - begun:6.1f} s  "
                  f"{'' if passed else 'FAILED: '}{word}", flush=True)
            failed += [] if passed else [case.label]
            if not options.keep:
                for file in folder.rglob("*"):
                    if file.is_file():
                        file.unlink()
    print("\nFAILED: " + ", ".join(failed) if failed else "\nevery file was read as it was written")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
