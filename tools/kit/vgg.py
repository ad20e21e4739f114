"""VGG-16, VGG-19 and networks of their shape, in PyTorch, and the weights files that hold them.

Filters are {"1_1": (kernel (out, in, 3, 3), bias (out,)), ...}, float32 NumPy arrays, whatever a
file's own layout is. Readers give them as they were trained: for the channel order and unit of that
file. Layers are called "conv1_1" before the ReLU, "relu1_1" after it, and "pool1".
"""

import json
import math
import os
import pathlib
import re
import struct
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions between poolings


@dataclass(frozen=True)
class Convention:
    """Network input channel c is (scale * RGB[order[c]] - mean[c]) / deviation[c], RGB in 0..1."""
    order: str
    scale: float
    mean: tuple
    deviation: tuple = (1.0, 1.0, 1.0)

    def to_input(self, rgb):
        """(..., 3, H, W) RGB in 0..1 as the network reads it."""
        column = lambda values: torch.tensor(values, dtype=rgb.dtype).reshape(3, 1, 1)
        ordered = rgb.flip(-3) if self.order == "bgr" else rgb
        return (self.scale * ordered - column(self.mean)) / column(self.deviation)


CAFFE = Convention("bgr", 255.0, (103.939, 116.779, 123.68))
RGB_MINUS_MEAN = Convention("rgb", 255.0, CAFFE.mean[::-1])
TORCHVISION = Convention("rgb", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


# ------------------------------------------------------------------------------- the network --

def rows_of(counts):
    """Rows from top to bottom for so many convolutions in each block: ("conv", "1_1"), ...,
    ("pool", "1"), ..."""
    rows = []
    for block, count in enumerate(counts, start=1):
        rows += [("conv", f"{block}_{i}") for i in range(1, count + 1)] + [("pool", f"{block}")]
    return rows


def convolutions(network):
    """["1_1", "1_2", "2_1", ...]"""
    return [row for kind, row in rows_of(BLOCKS[network]) if kind == "conv"]


def layer_names(network):
    """["conv1_1", "relu1_1", "conv1_2", ..., "pool1", ...]"""
    return [name + row for kind, row in rows_of(BLOCKS[network])
            for name in (("conv", "relu") if kind == "conv" else ("pool",))]


def pooled(x, pooling):
    """2x2 pooling with stride 2. An odd last row or column is dropped by max pooling; average
    pooling keeps it and divides by the number of cells that exist."""
    if pooling == "max":
        return F.max_pool2d(x, 2)
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def features(rows, filters, x, pooling="max", wanted=None):
    """{layer: features} of x (N, 3, H, W) as the network reads it, no further than the deepest that
    is wanted. filters(row): kernel and bias of a convolution, tensors."""
    found = {}

    def keep(name):
        kept = wanted is None or name in wanted
        if kept:
            found[name] = x
        return kept

    for kind, row in rows:
        if wanted is not None and len(found) == len(set(wanted)):
            break
        if kind == "pool":
            x = pooled(x, pooling)
        else:
            x = F.conv2d(x, *filters(row), padding=1)
            x = F.relu(x, inplace=not keep("conv" + row))
        keep(("pool" if kind == "pool" else "relu") + row)
    return found


def gram(F):
    """F F^T over all positions: (..., C, H, W) -> (..., C, C)."""
    flat = F.flatten(-2)
    return flat @ flat.transpose(-1, -2)


def mean_gram(F):
    """The same, divided by the number of positions."""
    return gram(F) / (F.shape[-2] * F.shape[-1])


@dataclass
class Tap:
    """R (C_s, C_s) takes the features of `layer` to such that stand for another network's, which
    has so many channels: squared distances of R F and of their Gram matrices are that one's."""
    layer: str
    R: object
    channels: int


@dataclass
class Network:
    """rows from top to bottom, the filters of their convolutions, and what they read. taps, of a
    network that imitates another: layer of that one's -> Tap."""
    rows: list
    filters: dict
    convention: Convention
    taps: dict = field(default_factory=dict)

    def features(self, rgb, pooling):
        """All features of (3, H, W) RGB in 0..1, by layer, (C, H, W). Of a network that imitates
        another, those at its taps, by the other's names."""
        filters = lambda row: (torch.from_numpy(part).to(rgb.dtype) for part in self.filters[row])
        found = features(self.rows, filters, self.convention.to_input(rgb)[None], pooling)
        return ({tap: found[at.layer][0] for tap, at in self.taps.items()} or
                {name: f[0] for name, f in found.items()})

    def compared(self, found, name):
        """What losses compare of the features at a layer, and the channels they divide by."""
        f = found[name]
        if not self.taps:
            return f, f.shape[0]
        tap = self.taps[name]
        return torch.einsum("ij,jhw->ihw", torch.from_numpy(tap.R).to(f.dtype), f), tap.channels


def vgg_network(name, filters):
    """The network of that name, ending where the filters end. The filters must be all those of the
    upper rows and no others."""
    rows, names = rows_of(BLOCKS[name]), convolutions(name)
    if not filters or set(names[:len(filters)]) != set(filters):
        raise SystemExit(f"the weights hold convolutions {sorted(filters)}, not those of {name}")
    if len(filters) < len(names):
        rows = rows[:rows.index(("conv", names[len(filters)]))]
    return Network(rows, filters, CAFFE)


def use_all_cores():
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    if "openblas" not in pathlib.Path("/proc/self/maps").read_text():
        print("note: PyTorch runs without OpenBLAS (libopenblas0-pthread), so this will take long")


# ------------------------------------------------------------------------------- made filters --

def random_filters(network, seed, width=64, input_unit=1):
    """He-normal kernels, by which features neither fade nor grow with depth, and small biases.
    width: channels of the first block; input_unit: what the network's input is measured in."""
    draw, filters, channels = np.random.default_rng(seed), {}, 3
    for conv in convolutions(network):
        out = width * min(8, 1 << int(conv[0]) - 1)
        kernel = draw.standard_normal((out, channels, 3, 3), dtype=np.float32)
        unit = input_unit if channels == 3 else 1
        filters[conv] = (kernel * np.float32(math.sqrt(2 / (9 * channels)) / unit),
                         draw.standard_normal(out, dtype=np.float32) * np.float32(0.1))
        channels = out
    return filters


def vgg16_of(vgg19):
    """VGG-16 of trained VGG-19's layers: without the fourth of blocks 3, 4 and 5."""
    return {conv: vgg19[conv] for conv in convolutions("vgg16")}


def with_red_first(filters):
    """The same network for RGB minus mean, from one for BGR minus mean."""
    kernel, bias = filters["1_1"]
    return {**filters, "1_1": (np.ascontiguousarray(kernel[:, ::-1]), bias)}


def for_torchvision(filters):
    """A network for torchvision's input that computes what `filters` do for BGR minus Caffe's mean,
    but at the borders, where the padding is of another colour."""
    mean, deviation = np.array(TORCHVISION.mean), np.array(TORCHVISION.deviation)
    kernel, bias = (part.astype(np.float64) for part in with_red_first(filters)["1_1"])
    offset = 255 * mean - np.array(RGB_MINUS_MEAN.mean)
    return {**filters, "1_1": (
        (kernel * (255 * deviation).reshape(1, 3, 1, 1)).astype(np.float32),
        (bias + np.einsum("oiyx,i->o", kernel, offset)).astype(np.float32))}


# ---------------------------------------------------------------------------- reading weights --

def channels_last(kernel):
    """(out, in, y, x) -> (y, x, in, out), as TensorFlow, Keras and MatConvNet have it."""
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


def channels_first(kernel):
    """The way back, in float32."""
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), dtype=np.float32)


def read_h5(path):
    """As Keras publishes them."""
    import h5py
    kernels, biases = {}, {}

    def visit(name, item):
        found = re.search(r"block(\d)_conv(\d)", name)
        if found and isinstance(item, h5py.Dataset):
            (kernels if item.ndim == 4 else biases)[f"{found[1]}_{found[2]}"] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return {conv: (channels_first(kernel), biases[conv].astype(np.float32))
            for conv, kernel in sorted(kernels.items()) if conv in biases}


def read_vgg19(path):
    """Keras's VGG-19 down to conv5_1. Raises ValueError where it is not all there."""
    found, filters, channels = read_h5(path), {}, 3
    for conv in convolutions("vgg19"):
        shape = (min(512, 64 << int(conv[0]) - 1), channels, 3, 3)
        if conv not in found or found[conv][0].shape != shape:
            raise ValueError(f"'{path}' should hold VGG-19, but conv{conv} is missing or not of "
                             f"shape {shape}")
        filters[conv], channels = found[conv], shape[0]
        if conv == "5_1":
            return filters


def read_mat(path):
    """MatConvNet's."""
    from scipy.io import loadmat
    filters = {}
    for layer in loadmat(path)["layers"][0]:
        name = str(layer[0][0]["name"][0])
        if name.startswith("conv"):
            kernel, bias = layer[0][0][2][0]
            filters[name[4:]] = (channels_first(kernel), bias.ravel().astype(np.float32))
    return filters


def read_npz(path):
    """VGG-16 of NumPy arrays conv1_1_W, conv1_1_b, ..."""
    with np.load(path) as file:
        return {name[4:7]: (channels_first(file[name]), file[name[:-1] + "b"].astype(np.float32))
                for name in file.files if re.fullmatch(r"conv\d_\d_W", name)}


def torchvision_indices(network):
    """Convolution -> its place among torchvision's `features`, where every layer counts."""
    return {name[4:]: i for i, name in enumerate(layer_names(network)) if name.startswith("conv")}


def of_torchvision(arrays):
    """Filters of {"features.0.weight": array, ...}."""
    kernels = [name for name in arrays if re.fullmatch(r"features\.\d+\.weight", name)]
    network = "vgg19" if len(kernels) == sum(BLOCKS["vgg19"]) else "vgg16"
    return {conv: tuple(arrays[f"features.{place}.{part}"].astype(np.float32)
                        for part in ("weight", "bias"))
            for conv, place in torchvision_indices(network).items()
            if f"features.{place}.weight" in arrays}


def read_pth(path):
    """torchvision's."""
    return of_torchvision({name: tensor.numpy()
                           for name, tensor in torch.load(path, map_location="cpu").items()})


READERS = {".h5": read_h5, ".mat": read_mat, ".npz": read_npz, ".pth": read_pth}


# ------------------------------------------------------------------------------- .safetensors --

def is_safetensors(path):
    with open(path, "rb") as file:
        return file.read(9)[8:] == b"{"


def read_tensors(path):
    """({name: float32 array}, metadata) of a .safetensors file."""
    content = pathlib.Path(path).read_bytes()
    length, = struct.unpack_from("<Q", content)
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    metadata = header.pop("__metadata__", {})
    types = {"F32": np.float32, "F16": np.float16}
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]])
            .reshape(entry["shape"]).astype(np.float32) for name, entry in header.items()}, metadata


def write_tensors(path, tensors, metadata=None):
    """{name: array of 16 or 32 bits} as .safetensors: eight bytes of length, a JSON header, the
    tensors one after the other. Written beside and renamed."""
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": {2: "F16", 4: "F32"}[array.dtype.itemsize],
                        "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the data behind it is aligned to 8 bytes
    part = pathlib.Path(f"{path}.part")
    part.write_bytes(b"".join([struct.pack("<Q", len(text)), text,
                               *(array.tobytes() for array in tensors.values())]))
    os.replace(part, path)


def convention_of(metadata):
    """The convention in the metadata that limn writes; None where it is not all there."""
    numbers = lambda key: tuple(float(word) for word in metadata[key].split())
    try:
        return Convention(metadata["channel_order"], *numbers("scale"), numbers("mean"),
                          numbers("deviation"))
    except KeyError:
        return None


def read_student(path):
    """(Network, metadata) of a .safetensors file that holds one that imitates another. Raises
    ValueError for other files."""
    tensors, metadata = read_tensors(path)
    if metadata.get("network") != "builtin":
        raise ValueError(f"'{path}' should hold the network 'builtin'")
    pairs = lambda key: dict(pair.split("=") for pair in metadata[key].split())
    rows = rows_of(len(widths.split(",")) for widths in metadata["widths"].split("/"))
    while rows[-1][0] == "pool" or f"conv{rows[-1][1]}.weight" not in tensors:
        rows.pop()
    filters = {row: (tensors[f"conv{row}.weight"], tensors[f"conv{row}.bias"])
               for kind, row in rows if kind == "conv"}
    channels = pairs("teacher_channels")
    taps = {tap: Tap("relu" + place, tensors[f"tap.{tap}"], int(channels[tap]))
            for tap, place in pairs("taps").items()}
    return Network(rows, filters, convention_of(metadata), taps), metadata
