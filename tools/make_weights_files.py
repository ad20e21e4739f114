#!/usr/bin/env python3
"""Makes the weights files of tests/weights/files with the programs that make such files: PyTorch
and NumPy. They hold VGG's first convolution, whose values are those of the tests' sample_weights.

    tools/make_weights_files.py [FOLDER]
"""
import argparse
import collections
import pathlib
import pickle
import sys

import numpy as np
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "weights" / "files"


def values(begin, *shape):
    """Multiples of 1/512 below 4, which 16 bits hold exactly."""
    numbers = np.arange(begin, begin + int(np.prod(shape)))
    return ((numbers % 4001 - 2000) / 512).astype(np.float32).reshape(shape)


KERNEL = values(0, 64, 3, 3, 3)  # [out][in][y][x]
BIAS = values(64 * 27, 64)


def state_dict(names, convert=lambda tensor: tensor):
    return collections.OrderedDict(
        (name, convert(torch.from_numpy(array.copy()))) for name, array in zip(names, (KERNEL, BIAS)))


def pytorch_files(folder):
    torchvision = ("features.0.weight", "features.0.bias")
    torch.save(state_dict(torchvision), folder / "zip.pth")
    torch.save(state_dict(torchvision), folder / "stream.pth",
               _use_new_zipfile_serialization=False)
    # As a training program keeps it: parameters, among other things, from nn.DataParallel.
    parallel = state_dict(["module." + name for name in torchvision],
                          lambda tensor: nn.Parameter(tensor.half(), requires_grad=False))
    torch.save({"epoch": 7, "loss": 0.25, "done": True, "state_dict": parallel, "notes": [None, "x"]},
               folder / "checkpoint_half.pth", pickle_protocol=4)
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


def write_npy(path, value, protocol):
    """As np.save does, which has its protocol for itself."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump(np.array(value, dtype=object), file, protocol=protocol)


def npy_files(folder):
    kernel = np.ascontiguousarray(KERNEL.transpose(2, 3, 1, 0))
    half = {"conv1_1": [kernel.astype(np.float16), BIAS.astype(np.float16)]}
    np.save(folder / "dict.npy", {"conv1_1": [kernel, BIAS], "fc8": [np.ones((2, 3)), np.ones(3)]})
    write_npy(folder / "protocol2.npy", half, 2)
    write_npy(folder / "protocol4.npy", {"conv1_1": {"weights": half["conv1_1"][0],
                                                     "biases": half["conv1_1"][1]}}, 4)
    write_npy(folder / "protocol5.npy", {"conv1_1": (np.asfortranarray(kernel.astype(">f4")),
                                                     BIAS.astype(">f8"))}, 5)
    np.save(folder / "numbers.npy", BIAS)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    pytorch_files(folder)
    numpy_files(folder)
    npy_files(folder)
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:6} {file.name}")


if __name__ == "__main__":
    main()
