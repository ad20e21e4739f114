#!/usr/bin/python3
"""The student: a small network of VGG's shape, and what it costs.

  network.py [SPEC]       # GFLOP at 512 x 512 and number of weights

3 x 3 convolutions with zero padding, each followed by a ReLU, in five levels with 2 x 2 max pooling
between them. A spec gives the widths of the convolutions, levels divided by '/', convolutions by
',', and WxN for N convolutions of width W: "16x2/32x2/64x3/160x3/256" is conv1_1 and conv1_2 of 16
channels, and so on to conv5_1 of 256. limn keeps channels in blocks of 16, so widths are multiples
of 16.

The student reads what its teacher reads: BGR, 0..255, minus the mean of ImageNet (limn's "caffe").

At each tap, a layer of the teacher's that losses read, a linear map Q [C][C_s] without bias takes
the student's C_s channels to the teacher's C. Q belongs to training; export.py folds it away.
"""

import math
import pathlib
import re
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import torch
import torch.nn.functional as F
from torch import nn

from kit import command, vgg

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
LEVELS = 5
BLOCK = 16  # channels that limn keeps side by side
MOST_WIDTH = 512
MOST_CONVOLUTIONS = 8  # in a level

# The built-in network's. VGG-19 to relu5_1 takes 189 GFLOP at 512 x 512; this one a fifteenth, with
# 1.6 million weights.
DEFAULT_SPEC = "16x2/32,48/64,96/128,160x2/256,224"
DEFAULT_TAPS = "relu2_1=2_2 relu3_1=3_2 relu4_1=4_2 relu4_2=4_3 relu5_1=5_2"

# conv1_1 is trained on inputs divided by this, so that its weights are as large as other layers'
# and Adam's steps fit them all. A power of two, so that exporting it into the weights is exact; and
# a factor alone leaves zero padding zero.
INPUT_UNIT = 64.0


def parse_spec(text):
    """"16x2/32" -> [[16, 16], [32]]. Raises ValueError for what is not a network with all taps."""
    levels = []
    for level in text.split("/"):
        widths = []
        for part in level.split(","):
            found = re.fullmatch(r"(\d{1,4})(?:x(\d))?", part.strip())
            if not found:
                raise ValueError(f"network '{text}': '{part}' should be a width, or WIDTHxCOUNT")
            widths += [int(found[1])] * int(found[2] or 1)
        if not 1 <= len(widths) <= MOST_CONVOLUTIONS:
            raise ValueError(f"network '{text}': a level should have 1 to {MOST_CONVOLUTIONS} "
                             f"convolutions, but '{level}' has {len(widths)}")
        for width in widths:
            if width % BLOCK or not BLOCK <= width <= MOST_WIDTH:
                raise ValueError(f"network '{text}': a width should be a multiple of {BLOCK} up to "
                                 f"{MOST_WIDTH}, but one is {width}")
        levels.append(widths)
    if len(levels) != LEVELS:
        raise ValueError(f"network '{text}' should have {LEVELS} levels, but it has {len(levels)}")
    return levels


def convolutions(levels):
    """[("1_1", in, out), ...] from top to bottom."""
    rows, channels = [], 3
    for level, widths in enumerate(levels, start=1):
        for i, width in enumerate(widths, start=1):
            rows.append((f"{level}_{i}", channels, width))
            channels = width
    return rows


def parse_taps(text, levels):
    """Where the student imitates each of the teacher's layers: {"relu5_1": "5_2", ...}. The layer
    of the same name unless the text says otherwise ("relu5_1=5_2 relu4_1=4_2")."""
    places = {tap: tap[4:] for tap in TAPS}
    for part in text.split():
        tap, _, place = part.partition("=")
        if tap not in places:
            raise ValueError(f"tap '{part}' should begin with one of {', '.join(TAPS)}")
        places[tap] = place
    known = [id for id, _, _ in convolutions(levels)]
    for tap, place in places.items():
        if place not in known:
            raise ValueError(f"{tap} should be read at one of the student's convolutions "
                             f"{', '.join(known)}, but it is to be read at '{place}'")
    return places


def to_input(pictures):
    """(N, 3, H, W) RGB in 0..255 -> what both networks read."""
    mean = torch.tensor(vgg.CAFFE.mean, dtype=pictures.dtype, device=pictures.device)
    return pictures.flip(1) - mean.reshape(3, 1, 1)


class Student(nn.Module):
    """levels as parse_spec gives them; places as parse_taps does; teacher_channels: {tap: C}."""

    def __init__(self, levels, places, teacher_channels):
        super().__init__()
        self.levels, self.places = levels, places
        self.rows = convolutions(levels)
        self.last = max(i for i, row in enumerate(self.rows) if row[0] in places.values())
        width = {id: out for id, _, out in self.rows}
        self.convs = nn.ModuleDict(
            {id: nn.Conv2d(fan_in, out, 3, padding=1) for id, fan_in, out in self.rows})
        for conv in self.convs.values():
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        # Of Q the trained part: Q = rms Q', where rms is the root of the second moment of the
        # teacher's features.
        self.maps = nn.ParameterDict()
        for tap in TAPS:
            C, C_s = teacher_channels[tap], width[places[tap]]
            self.maps[tap] = nn.Parameter(torch.randn(C, C_s) / math.sqrt(C_s))
            self.register_buffer(f"rms_{tap}", torch.ones(()))

    def set_rms(self, rms):
        for tap in TAPS:
            getattr(self, f"rms_{tap}").fill_(rms[tap])

    def rms(self, tap):
        return getattr(self, f"rms_{tap}")

    def Q(self, tap):
        """[C][C_s], in the teacher's units."""
        return self.rms(tap) * self.maps[tap]

    @torch.no_grad()
    def set_Q(self, tap, Q):
        self.maps[tap].copy_(Q / self.rms(tap))

    def forward(self, x):
        """What to_input gives -> {tap: (N, C_s, H, W)}, the student's features after the ReLU."""
        filters = lambda id: (self.convs[id].weight, self.convs[id].bias)
        layers = {tap: f"relu{place}" for tap, place in self.places.items()}
        found = vgg.features(vgg.rows_of(map(len, self.levels)), filters, x / INPUT_UNIT,
                             wanted=layers.values())
        return {tap: found[layer] for tap, layer in layers.items()}

    def imitated(self, tap, features):
        """Q' F_s: the teacher's features divided by rms, as the student has them."""
        return F.conv2d(features, self.maps[tap][:, :, None, None])


def relative_gram_distance(F_a, F_b):
    """Of the Gram matrices of each picture of a batch: sum |G_a - G_b|^2 / sum |G_b|^2."""
    G_a, G_b = vgg.gram(F_a), vgg.gram(F_b)
    return (G_a - G_b).square().sum() / G_b.square().sum()


def layer_losses(student, features, targets, gram=0.0, thin=False):
    """{tap: loss}: squared error of Q F_s relative to the second moment of the teacher's features,
    plus gram times the relative squared distance of Gram matrices. targets: {tap: (N, C, H, W)}.
    thin: in the first two levels at one cell in four, where neighbours are alike and cells so many
    that their losses cost more than the student. The differences are taken in the type that the
    features have, for losses of bfloat16 features are a matter of memory's speed; sums in float32.
    """
    losses = {}
    for tap in TAPS:
        step = 2 if thin and tap[4] in "12" else 1
        target = targets[tap][:, :, ::step, ::step] / student.rms(tap).to(targets[tap].dtype)
        imitated = student.imitated(tap, features[tap][:, :, ::step, ::step])
        error = torch.linalg.vector_norm(imitated - target, dtype=torch.float32)
        losses[tap] = error.square() / target.numel()
        if gram > 0:
            losses[tap] = losses[tap] + gram * relative_gram_distance(imitated.float(),
                                                                      target.float())
    return losses


@torch.no_grad()
def summed(batches, networks, of):
    """{tap: the sums over batches of the list that of(tap, features...) gives}. batches: what the
    networks read; features: at that tap, of each network."""
    totals = {}
    for x in batches:
        found = [network(x) for network in networks]
        for tap in TAPS:
            new = of(tap, *(features[tap] for features in found))
            totals[tap] = [a + b for a, b in zip(totals[tap], new)] if tap in totals else new
    return totals


def flat(F):
    """(N, C, H, W) -> (C, all positions)."""
    return F.transpose(0, 1).flatten(1)


def cost(levels, places, height=512, width=512):
    """(GFLOP of the convolutions, GFLOP of the tap maps, weights of the convolutions, weights of
    the tap maps). A tap map counts as applied at every cell, as for a content loss; a style loss
    needs it once for each Gram matrix, which is next to nothing."""
    flop = maps_flop = weights = maps_weights = 0
    for id, fan_in, out in convolutions(levels):
        cells = (height >> int(id[0]) - 1) * (width >> int(id[0]) - 1)
        flop += 2 * 9 * fan_in * out * cells
        weights += 9 * fan_in * out + out
        for place in places.values():
            if place == id:
                maps_flop += 2 * out * out * cells
                maps_weights += out * out
    return flop / 1e9, maps_flop / 1e9, weights, maps_weights


def describe(levels, places):
    gflop, maps_gflop, weights, maps_weights = cost(levels, places)
    vgg19 = cost(parse_spec("64x2/128x2/256x4/512x4/512"), {})[0]
    return (f"{len(convolutions(levels))} convolutions; at 512 x 512: {gflop:.2f} GFLOP, 1/"
            f"{vgg19 / gflop:.1f} of VGG-19 to relu5_1, and {maps_gflop:.2f} if every tap map were "
            f"applied to features\n{weights:,} weights and {maps_weights:,} of tap maps: "
            f"{2 * (weights + maps_weights) / 1e6:.2f} MB in half precision")


def main():
    parser = command.parser(__doc__)
    parser.add_argument("spec", nargs="?", default=DEFAULT_SPEC)
    parser.add_argument("--taps", default="", help="e.g. relu5_1=5_2")
    options = parser.parse_args()
    levels = parse_spec(options.spec)
    print(f"{options.spec}: {describe(levels, parse_taps(options.taps, levels))}")


if __name__ == "__main__":
    with command.errors_told():
        main()
