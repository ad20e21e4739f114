#!/usr/bin/python3
"""The best maps Q for a trained student, in closed form; train.py does this when its plan ends.

  refit.py OUT/checkpoint.pt --weights vgg19.h5 --pictures FOLDER... -o OUT/final.pt

With F_s and F the features of student and teacher over many crops, Q = (F F_s^T) (F_s F_s^T)^-1 has
the least squared error. Training's own Q lags behind it by what Adam's last steps leave. Where a
channel of the student is as good as silent, that would make its column of Q huge for no gain; a
ridge holds it at training's Q instead.
"""

import math
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import torch

from kit import command
import checkpoint
import data
import network
import teacher as teachers

# Beyond training's and evaluation's steps: crops of their own.
FIRST_STEP = 1 << 41
CALIBRATION_STEP = 1 << 42
RIDGE = 1e-3  # of the mean square of a channel


def inputs(source, first, crops, side, batch, device):
    """What the networks read of so many crops of the source, batch after batch."""
    for step in range(-(-crops // batch)):
        x = network.to_input(source.batch(first + step, batch, side).to(device))
        yield x.contiguous(memory_format=torch.channels_last)  # as the teacher's kernels are


def refit(student, teacher, source, crops, side, batch=8, device="cpu", ridge=RIDGE):
    """Sets every Q of the student from this many crops of the source."""
    def products(tap, F, F_s):
        F, F_s = network.flat(F.float()), network.flat(F_s.float())
        # Of one batch in float32, which rounds as the features are rounded anyway.
        return [(F_s @ F_s.T).double(), (F @ F_s.T).double()]

    found = network.summed(inputs(source, FIRST_STEP, crops, side, batch, device),
                           (teacher, student), products)
    for tap, (A, B) in found.items():
        hold = ridge * A.diagonal().mean()
        held = A + hold * torch.eye(len(A), dtype=A.dtype, device=A.device)
        aim = B + hold * student.Q(tap).detach().double()
        student.set_Q(tap, torch.linalg.solve(held, aim.T).T.float())


def calibrate(student, teacher, source, crops, side, batch, device="cpu"):
    """Before the first step of a student: sets each tap's rms, and fits the maps Q to the random
    student, which saves the first hundreds of steps."""
    moments = network.summed(inputs(source, CALIBRATION_STEP, crops, side, batch, device),
                             (teacher,), lambda tap, F: [float(F.float().square().mean()), 1])
    student.set_rms({tap: math.sqrt(max(1e-12, total / count))
                     for tap, (total, count) in moments.items()})
    refit(student, teacher, source, crops, side, batch, device)


def main():
    parser = command.parser(__doc__)
    parser.add_argument("checkpoint")
    data.add_inputs(parser)
    parser.add_argument("--painted", nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--crops", type=int, default=1024)
    parser.add_argument("-o", "--out", required=True)
    options = parser.parse_args()
    state = checkpoint.load(options.checkpoint)
    settings = state["settings"]
    teacher = teachers.prepared(teachers.read(options.weights), teachers.default_precision("cpu"))
    source = data.Source(*(data.Pictures(folders, held_out=False)
                           for folders in (options.pictures, options.painted)),
                         settings["synthetic_share"], settings["painted_share"], settings["seed"])
    student = checkpoint.student_of(state)
    refit(student, teacher, source, options.crops, settings["crop"])
    checkpoint.save(options.out, {**state, "student": student.state_dict(), "refitted": True})


if __name__ == "__main__":
    with command.errors_told():
        main()
