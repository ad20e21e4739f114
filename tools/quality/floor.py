"""The floor: a network of the built-in one's shape whose convolutions are random.

What such a network paints is what the shape alone is worth, without what was learnt. It is given
every other advantage. Its maps Q are fitted to VGG-19's features by least squares, as the trained
network's are. A poor fit has less variance than what it is fitted to, and its losses would count
for less than VGG-19's; so each map is then scaled until the distances that its loss reads, between
crops of pictures, are VGG-19's on average. The file is written by the same means as the trained
one.
"""

import json

import numpy as np
import torch

from kit import vgg
import data
import evaluate
import export
import network
import refit

SEED = 5
CROPS, SIDE = 256, 128  # of which Q is fitted; a quarter of them synthetic
SYNTHETIC_SHARE = 0.25
CONTENT_TAP = "relu4_2"  # where limn compares contents; at the others it compares styles
RIDGE = 1e-6  # of the mean square of a channel: only for channels that are silent
BATCHES = 4  # of 8 crops, over which distances are compared


def random_student(levels, places, channels):
    """He's initialisation, biases 0, as training begins."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        student = network.Student(levels, places, channels)
    for tap in network.TAPS:
        student.set_Q(tap, torch.zeros_like(student.Q(tap)))
    return student


def scale_distances(student, teacher, pictures, side):
    """Scales each Q until its Gram distances, at the content's tap distances of features, are the
    teacher's on average."""
    batches = [data.evaluation_batch(pictures, step, 8, side) for step in range(BATCHES)]
    for tap, figures in evaluate.distance_figures(student, teacher, batches).items():
        if tap == CONTENT_TAP:
            factor = figures["content"][0] ** -0.5
        else:  # a Gram distance goes with the fourth power of Q
            factor = figures["style"][0] ** -0.25
        student.set_Q(tap, factor * student.Q(tap))


def write_random(shape_of, teacher, folders, path, crops=CROPS, side=SIDE):
    """Writes a random network of the shape that the file `shape_of` has. Q is fitted to the teacher
    on crops of the pictures in the folders."""
    _, metadata = vgg.read_tensors(shape_of)
    if metadata.get("network") != "builtin":
        raise ValueError(f"'{shape_of}' should hold the network 'builtin'")
    levels = network.parse_spec(metadata["widths"])
    student = random_student(levels, network.parse_taps(metadata["taps"], levels),
                             teacher.channels)
    pictures = data.Pictures(folders)
    source = data.Source(pictures, synthetic_share=SYNTHETIC_SHARE, seed=SEED)
    refit.refit(student, teacher, source, crops, side, ridge=RIDGE)
    scale_distances(student, teacher, pictures, side)
    tensors, factors = export.tensors_of(student)
    export.check(student, tensors, factors, np.float16)
    metadata["training"] = json.dumps({"steps": 0, "seed": SEED, "refitted": True})
    metadata["attribution"] = "random convolutions, and maps fitted to VGG-19's features"
    vgg.write_tensors(path, {name: tensor.astype(np.float16) for name, tensor in tensors.items()},
                      metadata)
