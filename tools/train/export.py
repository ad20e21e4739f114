#!/usr/bin/python3
"""Writes a trained student as .safetensors, its maps Q folded.

  export.py OUT/final.pt -o builtin.safetensors [--float32]

Losses read features F_s only through distances: of Gram matrices, |Q (G_a - G_b) Q^T|, and of
features, |Q (F_a - F_b)|. Both depend on Q through Q^T Q alone, so with Q^T Q = R^T R the square
map R, [C_s][C_s] and upper triangular, serves as well as Q, [C][C_s]. R is the triangular factor of
Q = U R (a QR decomposition), signs chosen so that its diagonal is not negative: the Cholesky factor
of Q^T Q, got without squaring Q's condition and without a ridge for channels that Q ignores.

The file holds, for the convolutions down to the last tap and in their order,
  convL_I.weight  [out][in][3][3]
  convL_I.bias    [out]
and for each tap, named as the teacher's layer,
  tap.reluL_I     [C_s][C_s]: R, zero below its diagonal; R F_s is in the teacher's units
Channels are scaled so that half precision serves them all (balance), which changes no R F_s.
and as metadata (strings)
  network         "builtin"
  channel_order, scale, mean, deviation    the input convention, as in any file that limn writes
  widths          the student's spec ("16x2/32x2/..."), expanded: "16,16/32,32/..."
  taps            where each tap is read: "relu1_1=1_1 ... relu5_1=5_1"
  teacher_channels  "relu1_1=64 ...": what a Gram loss that divides by channels must divide by, so
                  that it keeps VGG-19's units
  pooling, imitates, training, attribution, license
"""

import json
import os
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy as np
import torch

from kit import command, vgg
import checkpoint
import network

HALF_END = 65504.0
COLUMN_NORM = 64.0  # leaves the student's features some 10 large, and R and kernels about 1
MOST_POWER = 12  # of two, by which a channel is scaled
# Relative errors allowed in squared distances: of the identity, computed in double precision; and
# of half precision, whose values are off by up to 2^-11, to the fourth power in a Gram distance.
IDENTITY_LIMIT = 1e-5
HALF_LIMIT = 4 * 2.0**-11

ATTRIBUTION = ("Imitates VGG-19 by Karen Simonyan and Andrew Zisserman (Visual Geometry Group, "
               "University of Oxford), https://www.robots.ox.ac.uk/~vgg/research/very_deep/, "
               "CC BY 4.0. Trained from a random start on VGG-19's features; no weight is copied.")


# ------------------------------------------------------------------------------------- folding --

def fold(Q):
    """[C][C_s] float64, C >= C_s -> R [C_s][C_s], upper triangular, R^T R = Q^T Q."""
    C, C_s = Q.shape
    if C < C_s:
        raise ValueError(f"a tap should have at most as many channels as the teacher's layer, {C}, "
                         f"but it has {C_s}")
    R = np.linalg.qr(Q, mode="r")
    return np.where(np.diag(R) < 0, -1.0, 1.0)[:, None] * R


def balance(tensors, places):
    """Moves scale between a tap's map and its convolution, in place, so that every column of R has
    a norm near COLUMN_NORM whatever the channel's size: half precision then neither overflows in R
    nor loses small channels. A ReLU lets a factor above 0 through, so the next convolution divided
    by it computes the same; factors are powers of two, so nothing is rounded. Returns {tap: factor
    of each channel}."""
    ids = [name[4:-7] for name in tensors if name.endswith(".weight")]
    factors = {}
    for place in set(places.values()):
        maps = [tensors[f"tap.{tap}"] for tap, at in places.items() if at == place]
        norms = np.max([np.linalg.norm(R, axis=0) for R in maps], axis=0)
        powers = np.log2(np.where(norms > 0, norms, COLUMN_NORM) / COLUMN_NORM)
        factor = 2.0**np.clip(np.round(powers), -MOST_POWER, MOST_POWER)
        for R in maps:
            R /= factor
        factors.update({tap: factor for tap, at in places.items() if at == place})
        tensors[f"conv{place}.weight"] *= factor[:, None, None, None]
        tensors[f"conv{place}.bias"] *= factor
        after = ids[ids.index(place) + 1:]
        if after:
            tensors[f"conv{after[0]}.weight"] /= factor[:, None, None]
    return factors


def distances(map, F_a, F_b):
    """(Gram distance, content distance), squared, of features mapped; float64."""
    a, b = map @ F_a, map @ F_b
    return ((a @ a.T - b @ b.T)**2).sum(), ((a - b)**2).sum()


def identity_error(Q, R, seed=0):
    """The largest relative difference between squared distances under Q and under R, over random
    features: positive ones, as ReLUs give, and nearly equal ones, whose distances are small."""
    draw = np.random.default_rng(seed)
    cells = 2 * Q.shape[1]
    worst = 0.0
    for nearness in (1.0, 1.0, 0.01):
        F_a = np.maximum(draw.standard_normal((Q.shape[1], cells)), 0)
        F_b = F_a + nearness * (np.maximum(draw.standard_normal(F_a.shape), 0) - F_a)
        for ours, theirs in zip(distances(R, F_a, F_b), distances(Q, F_a, F_b)):
            worst = max(worst, abs(ours - theirs) / theirs if theirs else abs(ours))
    return worst


# ------------------------------------------------------------------------------------ students --

def tensors_of(student):
    """Everything the file holds, float64, and the factors of balance."""
    tensors = {}
    for i, (id, _, _) in enumerate(student.rows[:student.last + 1]):
        conv = student.convs[id]
        unit = network.INPUT_UNIT if i == 0 else 1.0
        tensors[f"conv{id}.weight"] = conv.weight.detach().double().numpy() / unit
        tensors[f"conv{id}.bias"] = conv.bias.detach().double().numpy()
    for tap in network.TAPS:
        tensors[f"tap.{tap}"] = fold(student.Q(tap).detach().double().numpy())
    return tensors, balance(tensors, student.places)


def check(student, tensors, factors, type):
    """Raises ValueError unless every R gives the distances of its Q and all values fit the type.
    Returns the worst error of the identity and the worst with R rounded to the type."""
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all() or type == np.float16 and abs(tensor).max() > HALF_END:
            raise ValueError(f"'{name}' has values that are not finite numbers of {type.__name__}")
    exact = rounded = 0.0
    for tap in network.TAPS:
        Q = student.Q(tap).detach().double().numpy() / factors[tap]
        R = tensors[f"tap.{tap}"]
        exact = max(exact, identity_error(Q, R))
        rounded = max(rounded, identity_error(Q, R.astype(type).astype(np.float64)))
    if exact > IDENTITY_LIMIT or rounded > max(IDENTITY_LIMIT, HALF_LIMIT):
        raise ValueError(f"distances under R should be those under Q, but differ by {exact:.1e} "
                         f"({rounded:.1e} with R as written)")
    return exact, rounded


def metadata_of(state, student):
    mean = " ".join(map(str, vgg.CAFFE.mean))
    pairs = lambda values: " ".join(f"{tap}={values[tap]}" for tap in network.TAPS)
    settings = state["settings"]
    training = {"steps": state["step"], "minutes": round(state["seconds"] / 60, 1),
                "batch": settings["batch"], "crop": settings["crop"], "seed": settings["seed"],
                "teacher_sha256": state["teacher_sha256"], "refitted": state.get("refitted", False),
                "held_out_errors": state.get("held_out", {})}
    return {"format": "pt", "network": "builtin", "channel_order": "bgr", "scale": "255",
            "mean": mean, "deviation": "1 1 1",
            "widths": "/".join(",".join(map(str, level)) for level in student.levels),
            "taps": pairs(student.places), "teacher_channels": pairs(state["teacher_channels"]),
            "pooling": "max", "imitates": "VGG-19", "training": json.dumps(training),
            "attribution": ATTRIBUTION, "license": "CC-BY-4.0"}


def read_student(path):
    """The student of an exported file, with R as its Q (rows of zeros below)."""
    written, metadata = vgg.read_student(path)
    levels = network.parse_spec(metadata["widths"])
    places = {tap: at.layer[4:] for tap, at in written.taps.items()}
    channels = {tap: at.channels for tap, at in written.taps.items()}
    student = network.Student(levels, places, channels)
    with torch.no_grad():
        for i, (id, (kernel, bias)) in enumerate(written.filters.items()):
            unit = network.INPUT_UNIT if i == 0 else 1.0
            student.convs[id].weight.copy_(torch.from_numpy(kernel * unit))
            student.convs[id].bias.copy_(torch.from_numpy(bias))
        for tap, at in written.taps.items():
            student.maps[tap].zero_()
            student.maps[tap][:len(at.R)] = torch.from_numpy(at.R)
    return student


def export(state, path, type=np.float16):
    """Writes the student of a checkpoint; returns check's errors."""
    student = checkpoint.student_of(state)
    tensors, factors = tensors_of(student)
    errors = check(student, tensors, factors, type)
    vgg.write_tensors(path, {name: tensor.astype(type) for name, tensor in tensors.items()},
                      metadata_of(state, student))
    return errors


def main():
    parser = command.parser(__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("-o", "--out", required=True)
    parser.add_argument("--float32", action="store_true", help="instead of half precision")
    options = parser.parse_args()
    exact, rounded = export(checkpoint.load(options.checkpoint), options.out,
                            np.float32 if options.float32 else np.float16)
    print(f"{options.out}: {os.path.getsize(options.out) / 1e6:.2f} MB; squared distances under R "
          f"differ from those under Q by at most {exact:.1e}, as written {rounded:.1e}")


if __name__ == "__main__":
    with command.errors_told():
        main()
