#!/usr/bin/python3
"""VGG-16 and VGG-19 with random weights: features and Gram matrices of limn against PyTorch's.

  features.py --limn-dump build/dump_evaluation [--network vgg16 vgg19]

For max and average pooling and for two odd sizes, which every pooling meets with a row or a column
too many: the features of all layers, before the ReLU, after it and after pooling; and a style loss
of one layer at a time, which is its Gram matrices and nothing else. The network is the one that
systems.py states, in double precision. The weights are random, so that no layer's channels are
silent, and come as a .npz.

Exit status: 0 all within their limits, 1 some figure is not, 77 something needed is not here (ctest
shows that as "skipped"); 2 bad usage.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from PIL import Image
    import pictures
    import weight_files
    from systems import CAFFE_MEAN, Vgg, column, gram, layer_names, positions
    MISSING = None
except ImportError as error:
    MISSING = f"the Python module {error.name} is not installed"

SKIPPED = 77
LIMIT = 1e-4  # relative L2; rounding through 16 convolutions in float32 costs some 1e-6
SIZES = ((53, 75), (61, 97))  # (rows, columns)


def write_pictures(size, folder):
    """Writes photo.png, painting.png and picture.png of that size; the last is the first mirrored.
    Returns their paths."""
    rows, columns = size
    taken = lambda make: np.rint(255 * make(100)[20:20 + rows, 10:10 + columns]).astype(np.uint8)
    photo, painting = taken(pictures.photo), taken(pictures.painting)
    paths = [folder / f"{name}.png" for name in ("photo", "painting", "picture")]
    for path, picture in zip(paths, (photo, painting, photo[:, ::-1])):
        Image.fromarray(picture).save(path)
    return paths


def network_input(path):
    """What the .npz's network reads: red, green, blue of 0..255 minus the mean, in float64."""
    rgb = torch.from_numpy(np.asarray(Image.open(path)).transpose(2, 0, 1).astype(np.float64))
    return rgb - column(CAFFE_MEAN, rgb)


def run_dump(options, network, weights, paths, pooling, style_layer, folder):
    """Runs dump_evaluation, with a style loss of that layer alone, mean (G/M - A/M')^2. Returns its
    evaluation.json. SystemExit with the program's own message if it fails."""
    folder.mkdir(exist_ok=True)
    command = [options.limn_dump, *paths, "--weights", weights, "--recipe", "limn", "--out", folder,
               "--network", network, "--pooling", pooling, "--content-weight", "0",
               "--style-weight", "1", "--style-layers", f"{style_layer}:1"]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(str(part) for part in command)}\n"
                         f"ended with status {done.returncode}:\n{done.stdout}")
    return json.loads((folder / "evaluation.json").read_text())


def relative_error(value, reference):
    if value.shape != reference.shape:
        return float("inf")
    return float(np.linalg.norm(value.astype(np.float64) - reference) / np.linalg.norm(reference))


def style_layers(network):
    """One of each block and kind: before the ReLU in odd blocks, after it in even ones."""
    convolutions = weight_files.convolutions(network)
    last = {conv[0]: conv for conv in convolutions}
    return [("conv" if int(block) % 2 else "relu") + conv for block, conv in last.items()]


def compare(options, network, filters, weights, size, pooling, folder):
    """{name: error} of every layer's features, and of one style loss in each block."""
    names = layer_names(network)
    paths = write_pictures(size, folder)
    vgg = Vgg(network, filters, pooling, torch.float64)
    with torch.no_grad():
        ours = vgg.features(network_input(paths[2]), names)
        painting = vgg.features(network_input(paths[1]), names)
    errors = {}
    for layer in style_layers(network):
        report = run_dump(options, network, weights, paths, pooling, layer, folder / "dump")
        F, S = ours[layer], painting[layer]
        style = float(((gram(F) / positions(F) - gram(S) / positions(S)) ** 2).mean())
        errors[f"style loss of {layer}"] = abs(report["style"] / style - 1)
    for name in names:
        errors[name] = relative_error(np.load(folder / "dump" / f"features_{name}.npy"),
                                      ours[name].numpy())
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--limn-dump", required=True, metavar="PROGRAM",
                        help="build/dump_evaluation")
    parser.add_argument("--network", nargs="+", choices=["vgg16", "vgg19"], default=["vgg16"])
    options = parser.parse_args()
    if not MISSING and not os.path.isfile(options.limn_dump):
        print(f"skipped: there is no program {options.limn_dump}")
        return SKIPPED
    if MISSING:
        print(f"skipped: {MISSING}")
        return SKIPPED
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for network in options.network:
            filters = weight_files.random_filters(network, seed=9)
            weights = folder / f"{network}_weights.npz"
            weight_files.write_npz(weights, filters)
            for size in SIZES:
                for pooling in ("max", "average"):
                    title = f"{network}, {pooling} pooling, {size[1]} x {size[0]}"
                    errors = compare(options, network, filters, weights, size, pooling, folder)
                    worst = max(errors, key=errors.get)
                    print(f"{title}: {len(errors)} figures, the largest {errors[worst]:.1e} of "
                          f"{worst}", flush=True)
                    failed += [f"{title}: {name} {error:.1e}" for name, error in errors.items()
                               if not error <= LIMIT]
    print("\nFAILED: " + "; ".join(failed) if failed else
          f"\nall figures are within their limit, {LIMIT:.0e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
