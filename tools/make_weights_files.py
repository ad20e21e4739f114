#!/usr/bin/env python3
"""Makes weights files for tests, each with the programs that make such files. They hold VGG's first
convolution.

    tools/make_weights_files.py [FOLDER, or tests/]

FOLDER/weights/files: by PyTorch and NumPy, with the values of the tests' sample_weights.
FOLDER/fuzz/corpus: what fuzzing begins with, every format. What a fuzzer found stays as it is.
"""

import argparse
import collections
import json
import pathlib
import struct
import sys
import tempfile

import numpy as np
import torch
from torch import nn

from kit import command, vgg
from kit import weight_writers as writers


def values(begin, *shape):
    """Multiples of 1/512 below 4, which 16 bits hold exactly."""
    numbers = np.arange(begin, begin + int(np.prod(shape)))
    return ((numbers % 4001 - 2000) / 512).astype(np.float32).reshape(shape)


KERNEL = values(0, 64, 3, 3, 3)  # [out][in][y][x]
BIAS = values(64 * 27, 64)


def state_dict(names, convert=lambda tensor: tensor):
    return collections.OrderedDict((name, convert(torch.from_numpy(array.copy())))
                                   for name, array in zip(names, (KERNEL, BIAS)))


def pytorch_files(folder):
    torchvision = ("features.0.weight", "features.0.bias")
    torch.save(state_dict(torchvision), folder / "zip.pth")
    torch.save(state_dict(torchvision), folder / "stream.pth",
               _use_new_zipfile_serialization=False)
    # As a training program keeps it: parameters, among other things, from nn.DataParallel.
    parallel = state_dict(["module." + name for name in torchvision],
                          lambda tensor: nn.Parameter(tensor.half(), requires_grad=False))
    torch.save({"epoch": 7, "loss": 0.25, "done": True, "state_dict": parallel,
                "notes": [None, "x"]}, folder / "checkpoint_half.pth", pickle_protocol=4)
    # A checkpoint with everything that training programs keep, after a step of the optimiser.
    model = nn.Sequential(nn.Conv2d(3, 64, 3))
    model.load_state_dict(state_dict(("0.weight", "0.bias"), lambda tensor: tensor.half().float()))
    optimiser = torch.optim.SGD(model.parameters(), lr=0, momentum=0.9)
    model(torch.ones(1, 3, 8, 8)).sum().backward()
    optimiser.step()
    torch.save({"epoch": 3, "args": argparse.Namespace(lr=0.1, device=torch.device("cpu")),
                "best": np.float64(0.5), "seen": collections.defaultdict(int, {"a": 1}),
                "optimizer": optimiser.state_dict(), "scheduler": None, "shape": (1, 2),
                "net": {"backbone": collections.OrderedDict(
                    ("_orig_mod.module.features." + name, value.half())
                    for name, value in model.state_dict().items())}}, folder / "training.pth")
    # Views of one storage, one of them permuted.
    both = torch.from_numpy(np.concatenate([BIAS, KERNEL.transpose(0, 2, 3, 1).ravel()])).half()
    torch.save({"conv1_1.weight": both[64:].view(64, 3, 3, 3).permute(0, 3, 1, 2),
                "conv1_1.bias": both[:64]},
               folder / "views_half_stream.pth", _use_new_zipfile_serialization=False)
    torch.save(state_dict(torchvision, lambda tensor: tensor.bfloat16()), folder / "bfloat.pth")
    torch.save(nn.Sequential(nn.ReLU()), folder / "whole_model.pth")


def numpy_files(folder):
    kernel = KERNEL.transpose(2, 3, 1, 0)  # [y][x][in][out]
    np.savez(folder / "half.npz", conv1_1_W=np.ascontiguousarray(kernel.astype(np.float16)),
             conv1_1_b=BIAS.astype(np.float16), fc8_b=np.zeros(3, np.int32))
    np.savez_compressed(folder / "deflated.npz", conv1_1_W=np.ascontiguousarray(kernel),
                        conv1_1_b=BIAS)
    np.savez(folder / "fortran.npz", conv1_1_W=np.asfortranarray(kernel.astype(">f4")),
             conv1_1_b=BIAS.astype(">f8"))


def npy_files(folder):
    kernel = np.ascontiguousarray(KERNEL.transpose(2, 3, 1, 0))
    half = {"conv1_1": [kernel.astype(np.float16), BIAS.astype(np.float16)]}
    np.save(folder / "dict.npy", {"conv1_1": [kernel, BIAS], "fc8": [np.ones((2, 3)), np.ones(3)]})
    writers.write_object(folder / "protocol2.npy", half, 2)
    named = dict(zip(("weights", "biases"), half["conv1_1"]))
    writers.write_object(folder / "protocol4.npy", {"conv1_1": named}, 4)
    other = np.asfortranarray(kernel.astype(">f4")), BIAS.astype(">f8")
    writers.write_object(folder / "protocol5.npy", {"conv1_1": other}, 5)
    np.save(folder / "numbers.npy", BIAS)


# ---------------------------------------------------------------------------- for the fuzzers --

ONES = {"1_1": (np.full((64, 3, 3, 3), 0.5, np.float32), np.ones(64, np.float32))}


def tensorflow_js(dtype):
    """The two files in one, as tests/fuzz/reading.cc takes them apart: model.json, 0, the shard."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        writers.write_tfjs(folder / "model.json", ONES, dtype)
        model = json.loads((folder / "model.json").read_text())
        shards = [folder / name for group in model["weightsManifest"] for name in group["paths"]]
        data = b"".join(shard.read_bytes() for shard in shards)
        model["weightsManifest"] = [{"paths": ["shard.bin"], "weights": [
            entry for group in model["weightsManifest"] for entry in group["weights"]]}]
        return json.dumps(model).encode() + b"\0" + data


def fuzz_corpus(folder):
    def path(reader, name):
        (folder / reader).mkdir(parents=True, exist_ok=True)
        return folder / reader / name

    half = np.float16
    writers.write_h5(path("keras_h5", "early"), ONES, half)
    writers.write_h5(path("keras_h5", "early_gzip"), ONES, deeper=True, compression="gzip",
                     shuffle=True, fletcher32=True)
    writers.write_h5(path("keras_h5", "latest_gzip"), ONES, libver="latest", compression="gzip")
    writers.write_mat(path("matconvnet", "plain"), ONES)
    writers.write_mat(path("matconvnet", "packed"), ONES, compressed=True)
    writers.write_npz(path("numpy_npz", "stored"), ONES, half)
    writers.write_npz(path("numpy_npz", "deflated"), ONES, compressed=True)
    for protocol in (2, 3, 5):
        writers.write_npy(path("numpy_npy", f"protocol{protocol}"), ONES, half, protocol)
    writers.write_pth(path("pytorch_pth", "zip"), ONES, half)
    writers.write_pth(path("pytorch_pth", "stream"), ONES, half, zipped=False)
    writers.write_caffemodel(path("caffemodel", "now"), ONES)
    writers.write_caffemodel(path("caffemodel", "old"), ONES, old=True)
    writers.write_safetensors(path("safetensors", "half"), ONES, half)
    metadata = {"network": "vgg16", "channel_order": "bgr", "scale": "255",
                "mean": "103.9 116.7 123.6", "deviation": "1 1 1"}
    writers.write_safetensors(path("safetensors", "metadata"), ONES, half, metadata)
    vgg.write_tensors(path("safetensors", "builtin"), {
        "conv1_1.weight": np.full((16, 3, 3, 3), 0.5, half), "conv1_1.bias": np.ones(16, half),
        "tap.relu1_1": np.triu(np.full((16, 16), 0.5, half))},
        {"network": "builtin", "channel_order": "bgr", "scale": "255", "mean": "103.9 116.7 123.6",
         "deviation": "1 1 1", "widths": "16,32/48/16/16,16/16", "taps": "relu1_1=1_1",
         "teacher_channels": "relu1_1=64", "pooling": "max", "imitates": "VGG-19",
         "training": "{}", "attribution": "", "license": ""})
    path("safetensors", "empty").write_bytes(struct.pack("<Q", 2) + b"{}")
    for dtype in ("float32", "uint8"):
        path("tensorflow_js", dtype).write_bytes(tensorflow_js(dtype))


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else command.PROJECT / "tests"
    files = folder / "weights" / "files"
    files.mkdir(parents=True, exist_ok=True)
    pytorch_files(files)
    numpy_files(files)
    npy_files(files)
    fuzz_corpus(folder / "fuzz" / "corpus")
    for file in sorted(files.iterdir()):
        print(f"{file.stat().st_size:6} {file.name}")


if __name__ == "__main__":
    main()
