"""Weights files of every format, written and read by the format's own Python library.

Filters are {"1_1": (kernel (out, in, 3, 3), bias (out,)), ...}, float32 NumPy arrays, whatever the
file's own layout. A writer is called (path, filters); a reader gives filters back as they were
trained: in the channel order and unit of that file.
"""

import collections
import json
import math
import pickle
import re
import struct

import numpy as np

from systems import CONVOLUTIONS, layer_names

# What goes with the convolutions in published files, made small: readers must pass over it.
FULLY_CONNECTED = ("fc6", "fc7", "fc8")


def convolutions(network):
    """["1_1", "1_2", "2_1", ...]"""
    return [name[4:] for name in layer_names(network) if name.startswith("conv")]


def random_filters(network, seed):
    """He-normal kernels, by which features neither fade nor grow with depth, and small biases."""
    draw, filters, channels = np.random.default_rng(seed), {}, 3
    for conv in convolutions(network):
        out = min(512, 64 << (int(conv[0]) - 1))
        kernel = draw.standard_normal((out, channels, 3, 3), dtype=np.float32)
        filters[conv] = (kernel * np.float32(math.sqrt(2 / (9 * channels))),
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
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    kernel, bias = (part.astype(np.float64) for part in with_red_first(filters)["1_1"])
    offset = 255 * mean - np.array([123.68, 116.779, 103.939])
    return {**filters, "1_1": (
        (kernel * (255 * deviation).reshape(1, 3, 1, 1)).astype(np.float32),
        (bias + np.einsum("oiyx,i->o", kernel, offset)).astype(np.float32))}


def rounded(filters, dtype):
    """The filters as `dtype` keeps them, in float32 again."""
    return {conv: tuple(part.astype(dtype).astype(np.float32) for part in pair)
            for conv, pair in filters.items()}


def channels_last(kernel):
    """(out, in, y, x) -> (y, x, in, out), as TensorFlow, Keras and MatConvNet have it."""
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


def channels_first(kernel):
    """The way back."""
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), dtype=np.float32)


# ----------------------------------------------------------------------------- Keras's .h5 --

def keras_name(conv):
    return f"block{conv[0]}_conv{conv[2]}"


def write_h5(path, filters, dtype=np.float32, deeper=False, under="", libver="earliest",
             **storage):
    """`deeper`: the datasets are one group further down, as newer Keras writes them. `under`: the
    group that holds all layers. storage: how datasets are kept, as h5py's create_dataset has it."""
    import h5py
    with h5py.File(path, "w", libver=libver) as file:
        root = file.require_group(under) if under else file
        root.attrs["layer_names"] = np.array([keras_name(conv).encode() for conv in filters])
        for conv, (kernel, bias) in filters.items():
            name = keras_name(conv)
            group = root.create_group(name)
            names = [f"{name}/kernel:0", f"{name}/bias:0"] if deeper else \
                [f"{name}_W_1:0", f"{name}_b_1:0"]
            group.attrs["weight_names"] = np.array([part.encode() for part in names])
            for part, array in zip(names, (channels_last(kernel), bias)):
                group.create_dataset(part, data=array.astype(dtype), **storage)


def read_h5(path):
    import h5py
    kernels, biases = {}, {}

    def visit(name, item):
        found = re.search(r"block(\d)_conv(\d)", name)
        if found and isinstance(item, h5py.Dataset):
            (kernels if item.ndim == 4 else biases)[f"{found[1]}_{found[2]}"] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return {conv: (channels_first(kernel), biases[conv].astype(np.float32))
            for conv, kernel in sorted(kernels.items())}


# ------------------------------------------------------------------------ MatConvNet's .mat --

def write_mat(path, filters, dtype=np.float32, compressed=False):
    """A cell array `layers` of structures, the filters in the third field of a convolution's."""
    from scipy.io import savemat
    network = "vgg19" if "3_4" in filters else "vgg16"
    layers = []
    for name in layer_names(network):
        if name.startswith("conv") and name[4:] in filters:
            kernel, bias = filters[name[4:]]
            pair = np.empty((1, 2), dtype=object)
            pair[0, 0], pair[0, 1] = channels_last(kernel).astype(dtype), bias[None].astype(dtype)
            layers.append({"name": name, "type": "conv", "weights": pair,
                           "size": np.array([kernel.shape[i] for i in (2, 3, 1, 0)], np.float64),
                           "pad": np.ones(4), "stride": np.ones(2), "precious": 0.0,
                           "dilate": 1.0, "opts": np.empty((1, 0), dtype=object)})
        elif name.startswith("relu"):
            layers.append({"name": name, "type": "relu", "leak": 0.0, "precious": 0.0})
        elif name.startswith("pool"):
            layers.append({"name": name, "type": "pool", "method": "max", "pool": np.full(2, 2.0),
                           "stride": np.full(2, 2.0), "pad": np.zeros(4), "precious": 0.0})
    for name in FULLY_CONNECTED:
        pair = np.empty((1, 2), dtype=object)
        pair[0, 0], pair[0, 1] = np.ones((1, 1, 4, 2), dtype), np.zeros((1, 2), dtype)
        layers.append({"name": name, "type": "conv", "weights": pair, "size": np.ones(4),
                       "pad": np.zeros(4), "stride": np.ones(2), "precious": 0.0,
                       "dilate": 1.0, "opts": np.empty((1, 0), dtype=object)})
    cells = np.empty((1, len(layers)), dtype=object)
    cells[0, :] = layers
    classes = np.empty((1, 2), dtype=object)
    classes[0, :] = ["n01440764", "n01443537"]
    meta = {"classes": {"name": classes}, "normalization": {
        "imageSize": np.array([224.0, 224.0, 3.0]),
        "averageImage": np.array([123.68, 116.779, 103.939]).reshape(1, 1, 3)}}
    savemat(path, {"layers": cells, "meta": meta}, do_compression=compressed)


def read_mat(path):
    from scipy.io import loadmat
    filters = {}
    for layer in loadmat(path)["layers"][0]:
        name = str(layer[0][0]["name"][0])
        if name.startswith("conv"):
            pair = layer[0][0][2][0]
            filters[name[4:]] = (channels_first(pair[0]), pair[1].ravel().astype(np.float32))
    return filters


# ------------------------------------------------------------------------- VGG-16's .npz --

def write_npz(path, filters, dtype=np.float32, compressed=False):
    arrays = {}
    for conv, (kernel, bias) in filters.items():
        arrays[f"conv{conv}_W"] = channels_last(kernel).astype(dtype)
        arrays[f"conv{conv}_b"] = bias.astype(dtype)
    for name in FULLY_CONNECTED:
        arrays[f"{name}_W"], arrays[f"{name}_b"] = np.ones((4, 2), dtype), np.zeros(2, dtype)
    (np.savez_compressed if compressed else np.savez)(path, **arrays)


def read_npz(path):
    with np.load(path) as file:
        return {name[4:7]: (channels_first(file[name]), file[name[:-1] + "b"].astype(np.float32))
                for name in file.files if re.fullmatch(r"conv\d_\d_W", name)}


# ------------------------------------------------------------------------- VGG-19's .npy --

def write_npy(path, filters, dtype=np.float32, protocol=3):
    """A pickled dict of kernel and bias, as np.save writes it (which has protocol 3)."""
    layers = {f"conv{conv}": [channels_last(kernel).astype(dtype), bias.astype(dtype)]
              for conv, (kernel, bias) in filters.items()}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump(np.array(layers, dtype=object), file, protocol=protocol)


# ----------------------------------------------------------------------- torchvision's .pth --

def torchvision_indices(network):
    """Convolution -> its place among torchvision's `features`, where every layer counts."""
    return {name[4:]: i for i, name in enumerate(layer_names(network)) if name.startswith("conv")}


def write_pth(path, filters, dtype=np.float32, zipped=True):
    """zipped: the container of PyTorch 1.6 and later; otherwise the older one."""
    import torch
    places = torchvision_indices("vgg19" if "3_4" in filters else "vgg16")
    state = collections.OrderedDict()
    for conv, (kernel, bias) in filters.items():
        state[f"features.{places[conv]}.weight"] = torch.from_numpy(kernel.astype(dtype))
        state[f"features.{places[conv]}.bias"] = torch.from_numpy(bias.astype(dtype))
    for place in (0, 3, 6):
        state[f"classifier.{place}.weight"] = torch.ones(2, 4)
        state[f"classifier.{place}.bias"] = torch.zeros(2)
    torch.save(state, path, _use_new_zipfile_serialization=zipped)


def read_pth(path):
    import torch
    state = torch.load(path, map_location="cpu")
    kernels = {int(name.split(".")[1]): state[name].numpy() for name in state
               if re.fullmatch(r"features\.\d+\.weight", name)}
    network = "vgg19" if len(kernels) == sum(CONVOLUTIONS["vgg19"]) else "vgg16"
    return {conv: (kernels[place].astype(np.float32),
                   state[f"features.{place}.bias"].numpy().astype(np.float32))
            for conv, place in torchvision_indices(network).items()}


# ----------------------------------------------------------------------------- .safetensors --

def write_safetensors(path, filters, dtype=np.float32, metadata=None):
    """Eight bytes of length, a JSON header, the tensors one after the other; torchvision's names.
    """
    places = torchvision_indices("vgg19" if "3_4" in filters else "vgg16")
    write_tensors(path, {f"features.{places[conv]}.{part}": array.astype(dtype)
                         for conv, pair in filters.items()
                         for part, array in zip(("weight", "bias"), pair)}, metadata)


def write_tensors(path, tensors, metadata=None):
    """{name: array of 16 or 32 bits} as safetensors."""
    header, parts, offset = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, array in tensors.items():
        data = array.tobytes()
        header[name] = {"dtype": {2: "F16", 4: "F32"}[array.dtype.itemsize],
                        "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.writelines([struct.pack("<Q", len(text)), text, *parts])


def read_safetensors(path):
    """(filters, metadata) of a file of float32."""
    with open(path, "rb") as file:
        bytes_ = file.read()
    length, = struct.unpack_from("<Q", bytes_)
    header = json.loads(bytes_[8:8 + length])
    metadata, arrays = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(bytes_[first:last], "<f4").reshape(entry["shape"])
    count = sum(array.ndim == 4 for array in arrays.values())
    network = "vgg19" if count == sum(CONVOLUTIONS["vgg19"]) else "vgg16"
    return {conv: (arrays[f"features.{place}.weight"], arrays[f"features.{place}.bias"])
            for conv, place in torchvision_indices(network).items()
            if f"features.{place}.weight" in arrays}, metadata


# ------------------------------------------------------------------------------ .caffemodel --

def varint(value):
    """A number in protobuf's groups of seven bits, the lowest first."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(groups) + bytes([value])


def field(number, value):
    """One field of a protobuf message: an int is a varint, text or bytes come with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(array, old):
    """BlobProto: data is field 5; the shape is field 7 (BlobShape, its dim field 1, packed), in old
    files fields 1 to 4 (num, channels, height, width)."""
    data = field(5, array.astype("<f4").tobytes())
    if old:
        shape = (1,) * (4 - array.ndim) + array.shape
        return b"".join(field(i, side) for i, side in enumerate(shape, start=1)) + data
    return field(7, field(1, b"".join(varint(side) for side in array.shape))) + data


def write_caffemodel(path, filters, old=False):
    """NetParameter: name is field 1; layers are field 100 (LayerParameter: name 1, type 2, blobs
    7), in old files field 2 (V1LayerParameter: name 4, type 5, an enumeration, blobs 6)."""
    parts = [field(1, "VGG_ILSVRC_19_layers" if "3_4" in filters else "VGG_ILSVRC_16_layers")]
    layers = [(f"conv{conv}", pair) for conv, pair in filters.items()]
    layers += [(name, (np.ones((2, 4), np.float32), np.zeros(2, np.float32)))
               for name in FULLY_CONNECTED]
    for name, pair in layers:
        convolution = name.startswith("conv")
        if old:
            layer = field(4, name) + field(5, 4 if convolution else 14)
            layer += b"".join(field(6, blob(array, old)) for array in pair)
        else:
            layer = field(1, name) + field(2, "Convolution" if convolution else "InnerProduct")
            layer += b"".join(field(7, blob(array, old)) for array in pair)
        parts.append(field(2 if old else 100, layer))
    with open(path, "wb") as file:
        file.writelines(parts)


# ----------------------------------------------------------------------------- TensorFlow.js --

def quantised(array, levels):
    """(integers, scale, min): the array in `levels` steps from its least to its largest value."""
    least, largest = float(array.min()), float(array.max())
    scale = (largest - least) / levels or 1.0
    return np.rint((array.astype(np.float64) - least) / scale), scale, least


def write_tfjs(path, filters, dtype="float32", shard_bytes=4 << 20):
    """model.json at `path` and shards beside it. dtype: float32, or uint8 or uint16: quantised.
    Returns the filters as the file's numbers stand for them."""
    kept, entries, data = {}, [], b""
    for conv, (kernel, bias) in filters.items():
        pair = []
        for part, array in (("kernel", channels_last(kernel)), ("bias", bias)):
            entry = {"name": f"{keras_name(conv)}/{part}", "shape": list(array.shape),
                     "dtype": "float32"}
            if dtype == "float32":
                data += array.astype("<f4").tobytes()
            else:
                steps, scale, least = quantised(array, np.iinfo(dtype).max)
                entry["quantization"] = {"dtype": dtype, "scale": scale, "min": least,
                                         "original_dtype": "float32"}
                data += steps.astype(np.dtype(dtype).newbyteorder("<")).tobytes()
                array = (steps * scale + least).astype(np.float32)
            entries.append(entry)
            pair.append(channels_first(array) if part == "kernel" else array)
        kept[conv] = tuple(pair)
    count = -(-len(data) // shard_bytes)
    paths = [f"{path.stem}-group1-shard{i}of{count}.bin" for i in range(1, count + 1)]
    for i, name in enumerate(paths):
        (path.parent / name).write_bytes(data[i * shard_bytes:(i + 1) * shard_bytes])
    path.write_text(json.dumps({
        "format": "layers-model", "generatedBy": "keras", "convertedBy": None,
        "modelTopology": {"model_config": {"class_name": "Model"}},
        "weightsManifest": [{"paths": paths, "weights": entries}]}))
    return kept


READERS = {".h5": read_h5, ".mat": read_mat, ".npz": read_npz, ".pth": read_pth}
