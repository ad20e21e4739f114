"""The teacher: VGG-19 (Simonyan and Zisserman, arXiv 1409.1556) to relu5_1, with max pooling."""

import pathlib

import torch
from torch import nn

from kit import vgg
from network import TAPS

ROWS = vgg.rows_of(vgg.BLOCKS["vgg19"])


class Teacher(nn.Module):
    """filters as vgg.py has them, down to the last tap."""

    def __init__(self, filters):
        super().__init__()
        for conv, (kernel, bias) in filters.items():
            self.register_buffer(f"kernel_{conv}", torch.from_numpy(kernel))
            self.register_buffer(f"bias_{conv}", torch.from_numpy(bias))
        self.channels = {tap: len(filters[tap[4:]][1]) for tap in TAPS}

    @torch.no_grad()
    def forward(self, x):
        """What network.to_input gives -> {tap: (N, C, H, W)}, features after the ReLU."""
        return self.features(x)

    def features(self, x):
        """The same, with gradients by x."""
        filters = lambda conv: (getattr(self, f"kernel_{conv}"), getattr(self, f"bias_{conv}"))
        return vgg.features(ROWS, filters, x.to(self.kernel_1_1.dtype), wanted=TAPS)


def read(path):
    """The teacher in the .h5 that Keras publishes."""
    return Teacher(vgg.read_vgg19(path))


def narrow(seed, width=8):
    """A teacher of random filters and few channels, for tests."""
    return Teacher(vgg.random_filters("vgg19", seed, width, input_unit=64))


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
