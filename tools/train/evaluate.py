#!/usr/bin/python3
"""How well a student imitates VGG-19 on pictures that training never saw.

  evaluate.py OUT/final.pt --weights vgg19.h5 --pictures FOLDER...
  evaluate.py builtin.safetensors --weights vgg19.h5 --pictures FOLDER...

For each tap:
  least    what no network of so many channels at the tap could beat on these crops: the share of
           VGG's features outside of as many of their principal directions
  error    squared error of the imitated features relative to the second moment of VGG's. For an
           exported file, whose Q is folded into R, that of U R F_s with the best U of orthonormal
           columns, which changes no loss.
  style    Gram distances between crops, and
  content  squared distances of features between crops: mean of the student's over mean of VGG's
           (1 = in VGG's units), and the correlation of the two over all pairs.

Held out is one picture in 20, by its name; --all takes every picture, for folders that training was
not given.
"""

import itertools
import json
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import torch

from kit import command, vgg
import checkpoint
import data
import export
import network
import teacher as teachers


def inputs(batches, device="cpu"):
    return (network.to_input(pictures.to(device)) for pictures in batches)


def imitation_errors(student, teacher, batches, device="cpu"):
    """{tap: error} over batches of pictures: sum |Q F_s - F|^2 / sum |F|^2."""
    energy = lambda F: float(F.square().sum(dtype=torch.float64))

    def energies(tap, F, F_s):
        F = F.float() / student.rms(tap)
        return [energy(student.imitated(tap, F_s.float()) - F), energy(F)]

    found = network.summed(inputs(batches, device), (teacher, student), energies)
    return {tap: error / moment for tap, (error, moment) in found.items()}


def pair_distances(items):
    """Squared distances of all pairs of (N, ...) items."""
    return torch.stack([(a - b).double().square().sum()
                        for a, b in itertools.combinations(items, 2)])


def correlation(a, b):
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


def distance_figures(student, teacher, batches):
    """{tap: {"style": (ratio, correlation), "content": ...}} over the pairs within each batch."""
    def distances(tap, F, F_s):
        mapped, F = student.rms(tap) * student.imitated(tap, F_s.float()), F.float()
        grams = (vgg.mean_gram(of.double()) for of in (mapped, F))
        return [[pair_distances(of)] for of in (*grams, mapped, F)]

    def compared(ours, theirs):
        ours, theirs = torch.cat(ours), torch.cat(theirs)
        return float(ours.mean() / theirs.mean()), correlation(ours, theirs)

    found = network.summed(inputs(batches), (teacher, student), distances)
    return {tap: {"style": compared(*lists[:2]), "content": compared(*lists[2:])}
            for tap, lists in found.items()}


@torch.no_grad()
def turn_to_teacher(student, teacher, batches):
    """Turns the maps R of an exported student to the teacher's axes: Q = U R with the U of
    orthonormal columns that has the least squared error."""
    products = network.summed(inputs(batches), (teacher, student), lambda tap, F, F_s: [
        (network.flat(F) @ network.flat(F_s).T).double()])
    for tap, (product,) in products.items():
        R = student.Q(tap)[:student.maps[tap].shape[1]].double()  # below its rows Q is zero
        left, _, right = torch.linalg.svd(product @ R.T, full_matrices=False)
        student.set_Q(tap, (left @ right @ R).float())


def least_errors(teacher, channels, batches):
    """{tap: error} of the best linear image of so many channels: {tap: channels}."""
    products = network.summed(inputs(batches), (teacher,), lambda tap, F: [
        (network.flat(F) @ network.flat(F).T).double()])
    found = {}
    for tap, (product,) in products.items():
        energies = torch.linalg.eigvalsh(product)  # ascending
        left_out = max(0, len(energies) - channels[tap])
        found[tap] = float(energies[:left_out].clamp(min=0).sum() / energies.sum())
    return found


def evaluate(path, teacher, pictures, batches, batch, side):
    """All figures of a checkpoint or an exported file, as a dictionary."""
    make = lambda step: data.evaluation_batch(pictures, step, batch, side)
    if vgg.is_safetensors(path):
        student = export.read_student(path)
        # Turned by other crops than those it is judged by.
        turn_to_teacher(student, teacher, (make(batches + step) for step in range(batches)))
    else:
        student = checkpoint.student_of(checkpoint.load(path))
    student.eval()
    errors = imitation_errors(student, teacher, (make(step) for step in range(batches)))
    distances = distance_figures(student, teacher, (make(step) for step in range(batches)))
    channels = {tap: student.maps[tap].shape[1] for tap in network.TAPS}
    least = least_errors(teacher, channels, (make(step) for step in range(batches)))
    return {tap: {"error": errors[tap], "least": least[tap], **distances[tap]}
            for tap in network.TAPS}


def main():
    parser = command.parser(__doc__)
    parser.add_argument("file")
    data.add_inputs(parser)
    parser.add_argument("--all", action="store_true", help="not only held-out pictures")
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8, help="crops in a batch")
    parser.add_argument("--side", type=int, default=256, help="of a crop, in pixels")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pictures = data.Pictures(options.pictures, held_out=None if options.all else True)
    if not len(pictures):
        raise ValueError("none of the pictures is held out; give more, or --all")
    figures = evaluate(options.file, teachers.read(options.weights), pictures, options.batches,
                       options.batch, options.side)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{options.file}: {options.batches * options.batch} crops of {len(pictures)} pictures at "
          f"{options.side} px")
    print("tap        error   least   style ratio, correlation   content ratio, correlation")
    for tap, row in figures.items():
        print("{:8} {:7.3f} {:7.3f}   {:11.3f}  {:11.3f}   {:13.3f}  {:11.3f}".format(
            tap, row["error"], row["least"], *row["style"], *row["content"]))


if __name__ == "__main__":
    with command.errors_told():
        main()
