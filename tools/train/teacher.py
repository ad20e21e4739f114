"""The teacher: VGG-19 (Simonyan and Zisserman, arXiv 1409.1556) to relu5_1, with max pooling."""

import hashlib
import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from network import TAPS

# Convolutions of VGG-19 down to its last tap.
CONVOLUTIONS = ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3", "4_4",
                "5_1")


class Teacher(nn.Module):
    """filters: {"1_1": (kernel [out][in][3][3], bias [out]), ...}, arrays of float32."""

    def __init__(self, filters):
        super().__init__()
        for id in CONVOLUTIONS:
            kernel, bias = filters[id]
            self.register_buffer(f"kernel_{id}", torch.from_numpy(kernel))
            self.register_buffer(f"bias_{id}", torch.from_numpy(bias))
        self.channels = {tap: len(filters[tap[4:]][1]) for tap in TAPS}

    @torch.no_grad()
    def forward(self, x):
        """What network.to_input gives -> {tap: (N, C, H, W)}, features after the ReLU."""
        return self.features(x)

    def features(self, x):
        """The same, with gradients by x."""
        x = x.to(self.kernel_1_1.dtype)
        found = {}
        for i, id in enumerate(CONVOLUTIONS):
            if i and id.endswith("_1"):
                x = F.max_pool2d(x, 2)
            x = F.relu_(F.conv2d(x, getattr(self, f"kernel_{id}"), getattr(self, f"bias_{id}"),
                                 padding=1))
            if f"relu{id}" in TAPS:
                found[f"relu{id}"] = x
        return found


def read_keras_filters(path):
    """The filters in the .h5 that Keras publishes, whose kernels are (ky, kx, in, out). Raises
    ValueError where they are not those of VGG-19."""
    import h5py
    kernels, biases = {}, {}

    def visit(name, item):
        found = re.search(r"block(\d)_conv(\d)", name)
        if found and isinstance(item, h5py.Dataset):
            target = kernels if item.ndim == 4 else biases
            target[f"{found[1]}_{found[2]}"] = np.asarray(item, dtype=np.float32)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    filters, fan_in = {}, 3
    for id in CONVOLUTIONS:
        out = min(512, 64 << int(id[0]) - 1)
        if id not in kernels or kernels[id].shape != (3, 3, fan_in, out) or id not in biases:
            raise ValueError(f"'{path}' should hold VGG-19, but conv{id} is missing or not "
                             f"(3, 3, {fan_in}, {out})")
        filters[id] = (np.ascontiguousarray(kernels[id].transpose(3, 2, 0, 1)), biases[id])
        fan_in = out
    return filters


def default_precision(device):
    """bfloat16 where the processor multiplies matrices of it several times faster than float32."""
    if device != "cpu":
        return "bfloat16"
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if "amx_bf16" in flags else "float32"


def prepared(teacher, precision, device="cpu"):
    """The teacher on the device, computing in "float32" or "bfloat16"."""
    return teacher.to(device, getattr(torch, precision), memory_format=torch.channels_last)


def random_filters(seed, width=8):
    """Filters of a narrow VGG-19 for tests, of variance 2 / (9 in) so that features keep their
    size with depth, and the first layer divided by what its input is multiplied by."""
    draw = np.random.default_rng(seed)
    filters, fan_in = {}, 3
    for id in CONVOLUTIONS:
        out = width * min(8, 1 << int(id[0]) - 1)
        size = (2 / (9 * fan_in)) ** 0.5 / (64 if fan_in == 3 else 1)
        filters[id] = (draw.normal(0, size, (out, fan_in, 3, 3)).astype(np.float32),
                       draw.normal(0, 0.1, out).astype(np.float32))
        fan_in = out
    return filters


def digest(path):
    """SHA-256 of a file, in hexadecimal."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            sha.update(part)
    return sha.hexdigest()
