#!/usr/bin/python3
"""The best maps Q for a trained student, in closed form; train.py does this when its plan ends.

  refit.py OUT/checkpoint.pt --weights vgg19.h5 --pictures FOLDER... -o OUT/final.pt

With F_s and F the features of student and teacher over many crops, Q = (F F_s^T) (F_s F_s^T)^-1 has
the least squared error. Training's own Q lags behind it by what Adam's last steps leave. Where a
channel of the student is as good as silent, that would make its column of Q huge for no gain; a
ridge holds it at training's Q instead.
"""

import argparse
import sys

sys.dont_write_bytecode = True
import torch  # noqa: E402

import checkpoint  # noqa: E402
import data  # noqa: E402
import network  # noqa: E402
import teacher as teachers  # noqa: E402

FIRST_STEP = 1 << 41  # beyond training's and evaluation's steps: crops of their own
RIDGE = 1e-3  # of the mean square of a channel


@torch.no_grad()
def refit(student, teacher, source, crops, side, batch=8, device="cpu", ridge=RIDGE):
    """Sets every Q of the student from this many crops of the source."""
    products = {}  # tap -> [F_s F_s^T, F F_s^T]; float64
    for step in range(-(-crops // batch)):
        x = network.to_input(source.batch(FIRST_STEP + step, batch, side).to(device))
        x = x.contiguous(memory_format=torch.channels_last)  # as the teacher's kernels are
        targets, features = teacher(x), student(x)
        for tap in network.TAPS:
            F_s = features[tap].float().transpose(0, 1).flatten(1)
            F = targets[tap].float().transpose(0, 1).flatten(1)
            # Products of one batch in float32, which rounds as the features are rounded anyway.
            new = [(F_s @ F_s.T).double(), (F @ F_s.T).double()]
            old = products.get(tap, [0, 0])
            products[tap] = [old[0] + new[0], old[1] + new[1]]
    for tap, (A, B) in products.items():
        hold = ridge * A.diagonal().mean()
        held = A + hold * torch.eye(len(A), dtype=A.dtype, device=A.device)
        aim = B + hold * student.Q(tap).double()
        student.set_Q(tap, torch.linalg.solve(held, aim.T).T.float())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--weights", required=True, help="VGG-19 as Keras publishes it (.h5)")
    parser.add_argument("--pictures", nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--painted", nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--crops", type=int, default=1024)
    parser.add_argument("-o", "--out", required=True)
    arguments = parser.parse_args()
    try:
        state = checkpoint.load(arguments.checkpoint)
        teacher = teachers.prepared(
            teachers.Teacher(teachers.read_keras_filters(arguments.weights)),
            teachers.default_precision("cpu"))
        settings = state["settings"]
        source = data.Source(data.Pictures(arguments.pictures, held_out=False),
                             data.Pictures(arguments.painted, held_out=False),
                             settings["synthetic_share"], settings["painted_share"],
                             settings["seed"])
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    student = checkpoint.student_of(state)
    refit(student, teacher, source, arguments.crops, settings["crop"])
    state["student"] = student.state_dict()
    state["refitted"] = True
    checkpoint.save(arguments.out, state)


if __name__ == "__main__":
    main()
