#!/usr/bin/python3
"""The same weights in every format that limn reads, each read back by limn and compared.

  formats.py --limn build/limn [--network vgg19] [--keep FOLDER]
  formats.py --limn build/limn --quick       what ctest runs

The files are written by the formats' own libraries (h5py, SciPy, NumPy, PyTorch) or, where that is
no more than a header, a few lines of weight_writers.py. Without SciPy, MatConvNet's are left out.
limn reads each and writes .safetensors of float32, which must hold the very numbers: those of half
precision rounded to it, quantised ones as they stand for real ones. What limn takes for the input's
convention is checked too. With --quick only the first file of each format is whole; the others end
after the third block, with one number in eight.

Exit status: 0 all equal, 1 some file is refused or differs, 77 something needed is not here, 2 bad
usage.
"""

import dataclasses
import functools
import math
import pathlib
import sys
import tempfile
import time
from typing import Callable

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import command, needs

needs.modules("h5py", "numpy", "torch")
import h5py
import numpy as np
import torch

from kit import errors, painter, vgg
from kit import weight_writers as writers
from kit.vgg import CAFFE, RGB_MINUS_MEAN, TORCHVISION


@dataclasses.dataclass(frozen=True)
class Case:
    """write: called (path, filters), and may return the filters as the file's numbers stand for
    them. kept: the type whose rounding the numbers take. tolerance: of the largest number, for a
    sum and a product that may be rounded in more than one order."""
    label: str
    file: str
    convention: vgg.Convention
    write: Callable
    kept: str = "float32"
    tolerance: float = 0.0


def written(write, *arguments, **settings):
    """A writer with its settings."""
    return lambda path, filters: write(path, filters, *arguments, **settings)


def cases():
    h5, mat, npz, npy, pth, safetensors, caffe, tfjs = (
        functools.partial(written, writer) for writer in (
            writers.write_h5, writers.write_mat, writers.write_npz, writers.write_npy,
            writers.write_pth, writers.write_safetensors, writers.write_caffemodel,
            writers.write_tfjs))
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
        Case("NumPy, pickled dict", "a.npy", CAFFE, npy()),
        Case("NumPy, pickled dict in half precision", "b.npy", CAFFE,
             npy(half, protocol=5), "float16"),
        Case("PyTorch", "a.pth", TORCHVISION, pth()),
        Case("PyTorch, half precision", "b.pth", TORCHVISION, pth(dtype=half), "float16"),
        Case("PyTorch before 1.6", "c.pth", TORCHVISION, pth(zipped=False)),
        Case("PyTorch before 1.6, half precision", "d.pth", TORCHVISION,
             pth(dtype=half, zipped=False), "float16"),
        Case("safetensors", "a.safetensors", TORCHVISION, safetensors()),
        Case("safetensors, half precision", "b.safetensors", TORCHVISION,
             safetensors(half), "float16"),
        Case("Caffe", "a.caffemodel", CAFFE, caffe()),
        Case("Caffe, older layers", "b.caffemodel", CAFFE, caffe(old=True)),
        Case("TensorFlow.js", "a/model.json", CAFFE, tfjs("float32")),
        Case("TensorFlow.js, 16 bits", "b/model.json", CAFFE, tfjs("uint16"), tolerance=2**-23),
        Case("TensorFlow.js, 8 bits", "c/model.json", CAFFE, tfjs("uint8"), tolerance=2**-23),
    ]


def difference(found, expected):
    """The largest difference relative to the largest number of its tensor; infinite where layers or
    shapes differ."""
    if found.keys() != expected.keys():
        return math.inf
    return max(errors.largest_error(ours, theirs) for conv, pair in expected.items()
               for ours, theirs in zip(found[conv], pair))


def check(case, limn, filters, folder):
    """(passed, what there is to say) of one file."""
    path, converted = folder / case.file, folder / "converted.safetensors"
    path.parent.mkdir(exist_ok=True)
    expected = case.write(path, filters) or writers.rounded(filters, case.kept)
    try:
        painter.run(limn, "model", "convert", path, "-o", converted)
    except painter.PaintingFailed as failure:
        return False, str(failure).strip().splitlines()[-1]
    tensors, metadata = vgg.read_tensors(converted)
    convention = vgg.convention_of(metadata)
    if convention != case.convention:
        return False, f"the input's convention was taken for {convention}"
    distance = difference(vgg.of_torchvision(tensors), expected)
    return distance <= case.tolerance, "equal" if distance == 0 else f"within {distance:.1e}"


def main():
    parser = command.parser(__doc__)
    parser.add_argument("--limn", required=True, metavar="PROGRAM", help="build/limn")
    parser.add_argument("--network", choices=["vgg16", "vgg19"], default="vgg16")
    parser.add_argument("--only", metavar="TEXT", help="files whose name or label holds this text")
    parser.add_argument("--quick", action="store_true", help="most files without blocks 4 and 5")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the files in this folder")
    options = parser.parse_args()
    needs.files(limn=options.limn)
    filters = vgg.random_filters(options.network, seed=3)
    beginning = {conv: pair for conv, pair in filters.items() if conv < "4"}
    print(f"{options.network} with h5py {h5py.__version__}, SciPy {needs.scipy_version()}, "
          f"NumPy {np.__version__}, PyTorch {torch.__version__}")
    failed = []
    for case in cases():
        if options.only and options.only not in f"{case.file} {case.label}":
            continue
        if case.file.endswith(".mat") and not needs.has_module("scipy"):
            command.say(f"  {case.label:38}{case.file:16}left out: SciPy, which writes it, is not "
                        "installed")
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(options.keep or temporary)
            folder.mkdir(parents=True, exist_ok=True)
            whole = case.file.startswith("a") or not options.quick
            passed, word = check(case, options.limn, filters if whole else beginning, folder)
        command.say(f"  {case.label:38}{case.file:16}{time.monotonic() - begun:6.1f} s  "
                    f"{'' if passed else 'FAILED: '}{word}")
        failed += [] if passed else [case.label]
    errors.end(failed, "every file was read as it was written")


if __name__ == "__main__":
    with command.errors_told():
        main()
