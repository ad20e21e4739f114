"""Weights files of every format, written by the format's own Python library or in a few lines.

A writer is called (path, filters), with filters as vgg.py has them; what else it takes are the ways
in which published files differ.
"""

import collections
import json
import pickle

import numpy as np

from kit.vgg import (RGB_MINUS_MEAN, channels_first, channels_last, layer_names,
                     torchvision_indices, write_tensors)

# What goes with the convolutions in published files, made small: readers must pass over it.
FULLY_CONNECTED = ("fc6", "fc7", "fc8")


def network_of(filters):
    return "vgg19" if "3_4" in filters else "vgg16"


def rounded(filters, dtype):
    """The filters as `dtype` keeps them, in float32 again."""
    return {conv: tuple(part.astype(dtype).astype(np.float32) for part in pair)
            for conv, pair in filters.items()}


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


# ------------------------------------------------------------------------ MatConvNet's .mat --

def mat_convolution(name, kernel, bias, pad):
    """A convolution's structure, the filters in its third field."""
    pair = np.empty((1, 2), dtype=object)
    pair[0, 0], pair[0, 1] = kernel, bias[None]
    return {"name": name, "type": "conv", "weights": pair,
            "size": np.array(kernel.shape, np.float64), "pad": pad, "stride": np.ones(2),
            "precious": 0.0, "dilate": 1.0, "opts": np.empty((1, 0), dtype=object)}


def write_mat(path, filters, dtype=np.float32, compressed=False):
    """A cell array `layers` of structures."""
    from scipy.io import savemat
    layers = []
    for name in layer_names(network_of(filters)):
        if name.startswith("conv") and name[4:] in filters:
            kernel, bias = filters[name[4:]]
            layers.append(mat_convolution(name, channels_last(kernel).astype(dtype),
                                          bias.astype(dtype), np.ones(4)))
        elif name.startswith("relu"):
            layers.append({"name": name, "type": "relu", "leak": 0.0, "precious": 0.0})
        elif name.startswith("pool"):
            layers.append({"name": name, "type": "pool", "method": "max", "pool": np.full(2, 2.0),
                           "stride": np.full(2, 2.0), "pad": np.zeros(4), "precious": 0.0})
    layers += [mat_convolution(name, np.ones((1, 1, 4, 2), dtype), np.zeros(2, dtype), np.zeros(4))
               for name in FULLY_CONNECTED]
    cells = np.empty((1, len(layers)), dtype=object)
    cells[0, :] = layers
    classes = np.empty((1, 2), dtype=object)
    classes[0, :] = ["n01440764", "n01443537"]
    meta = {"classes": {"name": classes}, "normalization": {
        "imageSize": np.array([224.0, 224.0, 3.0]),
        "averageImage": np.array(RGB_MINUS_MEAN.mean).reshape(1, 1, 3)}}
    savemat(path, {"layers": cells, "meta": meta}, do_compression=compressed)


# ------------------------------------------------------------------------- VGG-16's .npz --

def write_npz(path, filters, dtype=np.float32, compressed=False):
    arrays = {}
    for conv, (kernel, bias) in filters.items():
        arrays[f"conv{conv}_W"] = channels_last(kernel).astype(dtype)
        arrays[f"conv{conv}_b"] = bias.astype(dtype)
    for name in FULLY_CONNECTED:
        arrays[f"{name}_W"], arrays[f"{name}_b"] = np.ones((4, 2), dtype), np.zeros(2, dtype)
    (np.savez_compressed if compressed else np.savez)(path, **arrays)


# ------------------------------------------------------------------------- VGG-19's .npy --

def write_object(path, value, protocol):
    """Any value, pickled, as np.save writes it, which chooses the protocol itself."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump(np.array(value, dtype=object), file, protocol=protocol)


def write_npy(path, filters, dtype=np.float32, protocol=3):
    """A pickled dict of kernel and bias."""
    write_object(path, {f"conv{conv}": [channels_last(kernel).astype(dtype), bias.astype(dtype)]
                        for conv, (kernel, bias) in filters.items()}, protocol)


# ----------------------------------------------------------------------- torchvision's .pth --

def write_pth(path, filters, dtype=np.float32, zipped=True):
    """zipped: the container of PyTorch 1.6 and later; otherwise the older one."""
    import torch
    places = torchvision_indices(network_of(filters))
    state = collections.OrderedDict()
    for conv, (kernel, bias) in filters.items():
        state[f"features.{places[conv]}.weight"] = torch.from_numpy(kernel.astype(dtype))
        state[f"features.{places[conv]}.bias"] = torch.from_numpy(bias.astype(dtype))
    for place in (0, 3, 6):
        state[f"classifier.{place}.weight"] = torch.ones(2, 4)
        state[f"classifier.{place}.bias"] = torch.zeros(2)
    torch.save(state, path, _use_new_zipfile_serialization=zipped)


# ----------------------------------------------------------------------------- .safetensors --

def write_safetensors(path, filters, dtype=np.float32, metadata=None):
    """Eight bytes of length, a JSON header, the tensors one after the other; torchvision's names.
    """
    places = torchvision_indices(network_of(filters))
    write_tensors(path, {f"features.{places[conv]}.{part}": array.astype(dtype)
                         for conv, pair in filters.items()
                         for part, array in zip(("weight", "bias"), pair)}, metadata)


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
