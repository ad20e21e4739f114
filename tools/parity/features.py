#!/usr/bin/python3
"""VGG-16 and VGG-19 with random weights: features and Gram matrices of limn against PyTorch's.

  features.py --limn-dump build/dump_evaluation [--network vgg16 vgg19]
  features.py --limn-dump build/dump_evaluation --quick     what ctest runs: a size for each pooling

For max and average pooling and for two odd sizes, which every pooling meets with a row or a column
too many: the features of all layers, and a style loss of one layer at a time, which is its Gram
matrices and nothing else. PyTorch has them in double precision. The weights are random, so that no
layer's channels are silent, and come as a .npz.

Exit status: 0 all within their limit, 1 some figure is not, 77 something needed is not here, 2 bad
usage.
"""

import itertools
import pathlib
import sys
import tempfile

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import command, needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import errors, painter, vgg, weight_writers
import pictures

LIMIT = 1e-4  # relative L2; rounding through 16 convolutions in float32 costs some 1e-6
SIZES = ((53, 75), (61, 97))  # (rows, columns)


def write_pictures(size, folder):
    """Writes photo.png, painting.png and picture.png of that size; the last is the first mirrored.
    Returns the painting and the last as the .npz's network reads them, in float64."""
    rows, columns = size
    taken = lambda make: np.rint(255 * make(100)[20:20 + rows, 10:10 + columns]).astype(np.uint8)
    photo, painting = taken(pictures.photo), taken(pictures.painting)
    arrays = (photo, painting, photo[:, ::-1])
    for name, array in zip(painter.PICTURES, arrays):
        Image.fromarray(array).save(folder / f"{name}.png")
    mean = np.array(vgg.RGB_MINUS_MEAN.mean)
    return [torch.from_numpy((array - mean).transpose(2, 0, 1).copy())[None]
            for array in arrays[1:]]


def style_layers(network):
    """One of each block and kind: before the ReLU in odd blocks, after it in even ones."""
    last = {conv[0]: conv for conv in vgg.convolutions(network)}
    return [("conv" if int(block) % 2 else "relu") + conv for block, conv in last.items()]


def compare(options, network, filters, weights, size, pooling, folder):
    """{name: error} of every layer's features, and of one style loss in each block."""
    tensors = {conv: [torch.from_numpy(part).double() for part in pair]
               for conv, pair in filters.items()}
    painting, ours = (
        vgg.features(vgg.rows_of(vgg.BLOCKS[network]), tensors.get, x, pooling)
        for x in write_pictures(size, folder))
    found = {}
    for layer in style_layers(network):
        report, dump = painter.dump_evaluation(
            options.limn_dump, folder, "dump", "--weights", weights, "--recipe", "gram",
            "--network", network, "--pooling", pooling, "--content-weight", 0, "--style-weight", 1,
            "--style-layers", f"{layer}:1")
        difference = vgg.mean_gram(ours[layer]) - vgg.mean_gram(painting[layer])
        found[f"style loss of {layer}"] = abs(report["style"] / float((difference**2).mean()) - 1)
    return {**found, **{name: errors.relative_error(np.load(dump / f"features_{name}.npy"),
                                                    f[0].numpy()) for name, f in ours.items()}}


def main():
    parser = command.parser(__doc__)
    parser.add_argument("--limn-dump", required=True, metavar="PROGRAM",
                        help="build/dump_evaluation")
    parser.add_argument("--network", nargs="+", choices=["vgg16", "vgg19"], default=["vgg16"])
    parser.add_argument("--quick", action="store_true", help="one size for each pooling")
    options = parser.parse_args()
    needs.files(limn_dump=options.limn_dump)
    vgg.use_all_cores()
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for network in options.network:
            filters = vgg.random_filters(network, seed=9)
            weights = folder / f"{network}_weights.npz"
            weight_writers.write_npz(weights, filters)
            pairs = zip if options.quick else itertools.product
            for size, pooling in pairs(SIZES, ("max", "average")):
                title = f"{network}, {pooling} pooling, {size[1]} x {size[0]}"
                found = compare(options, network, filters, weights, size, pooling, folder)
                worst = max(found, key=found.get)
                command.say(f"{title}: {len(found)} figures, the largest {found[worst]:.1e} of "
                            f"{worst}")
                failed += [f"{title}: {name} {error:.1e}" for name, error in found.items()
                           if not error <= LIMIT]
    errors.end(failed, f"all figures are within their limit, {LIMIT:.0e}")


if __name__ == "__main__":
    with command.errors_told():
        main()
