#!/usr/bin/python3
"""Makes the first files of tests/fuzz/corpus: for each format VGG's first convolution, as the
format's own library writes it. What a fuzzer found besides stays as it is.

    tools/make_fuzz_corpus.py
"""
import json
import pathlib
import struct
import sys
import tempfile

import numpy as np

TOOLS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS / "parity"))
import weight_files as wf  # noqa: E402

CORPUS = TOOLS.parent / "tests" / "fuzz" / "corpus"
FILTERS = {"1_1": (np.full((64, 3, 3, 3), 0.5, np.float32), np.ones(64, np.float32))}


def path(reader, name):
    (CORPUS / reader).mkdir(parents=True, exist_ok=True)
    return CORPUS / reader / name


def tensorflow_js(dtype):
    """The two files in one, as tests/fuzz/reading.cc takes them apart: model.json, 0, the shard."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        wf.write_tfjs(folder / "model.json", FILTERS, dtype)
        model = json.loads((folder / "model.json").read_text())
        shards = [folder / name for group in model["weightsManifest"] for name in group["paths"]]
        data = b"".join(shard.read_bytes() for shard in shards)
        model["weightsManifest"] = [{"paths": ["shard.bin"], "weights": [
            entry for group in model["weightsManifest"] for entry in group["weights"]]}]
        return json.dumps(model).encode() + b"\0" + data


def main():
    half = np.float16
    wf.write_h5(path("keras_h5", "early"), FILTERS, half)
    wf.write_h5(path("keras_h5", "early_gzip"), FILTERS, deeper=True, compression="gzip",
                shuffle=True, fletcher32=True)
    wf.write_h5(path("keras_h5", "latest_gzip"), FILTERS, libver="latest", compression="gzip")
    wf.write_mat(path("matconvnet", "plain"), FILTERS)
    wf.write_mat(path("matconvnet", "packed"), FILTERS, compressed=True)
    wf.write_npz(path("numpy_npz", "stored"), FILTERS, half)
    wf.write_npz(path("numpy_npz", "deflated"), FILTERS, compressed=True)
    for protocol in (2, 3, 5):
        wf.write_npy(path("numpy_npy", f"protocol{protocol}"), FILTERS, half, protocol)
    wf.write_pth(path("pytorch_pth", "zip"), FILTERS, half)
    wf.write_pth(path("pytorch_pth", "stream"), FILTERS, half, zipped=False)
    wf.write_caffemodel(path("caffemodel", "now"), FILTERS)
    wf.write_caffemodel(path("caffemodel", "old"), FILTERS, old=True)
    wf.write_safetensors(path("safetensors", "half"), FILTERS, half)
    metadata = {"network": "vgg16", "channel_order": "bgr", "scale": "255",
                "mean": "103.9 116.7 123.6", "deviation": "1 1 1"}
    wf.write_safetensors(path("safetensors", "metadata"), FILTERS, half, metadata)
    wf.write_tensors(path("safetensors", "builtin"), {
        "conv1_1.weight": np.full((16, 3, 3, 3), 0.5, half), "conv1_1.bias": np.ones(16, half),
        "tap.relu1_1": np.triu(np.full((16, 16), 0.5, half))},
        {"network": "builtin", "channel_order": "bgr", "scale": "255", "mean": "103.9 116.7 123.6",
         "deviation": "1 1 1", "widths": "16,32/48/16/16,16/16", "taps": "relu1_1=1_1",
         "teacher_channels": "relu1_1=64", "pooling": "max", "imitates": "VGG-19",
         "training": "{}", "attribution": "", "license": ""})
    path("safetensors", "empty").write_bytes(struct.pack("<Q", 2) + b"{}")
    for dtype in ("float32", "uint8"):
        path("tensorflow_js", dtype).write_bytes(tensorflow_js(dtype))


if __name__ == "__main__":
    main()
