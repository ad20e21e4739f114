"""limn's own recipe against those of five published programs, in equal time.

Every recipe paints the same pairs at the same size for the same seconds, by `limn paint --seconds`.
"""

import dataclasses
import pathlib

from kit import painter
from kit import pairs as pairing

OURS = ("limn", "limn-vgg19")
REFERENCES = ("keras", "tensorflow", "gatys", "hundred-lines", "pytorch")
# What a recipe needs to paint with VGG-19 as Keras publishes it instead of its own weights.
FITTED = {
    "hundred-lines": ("--network", "vgg19"),
    # Its step is 0.003 of the standardised input; 0.225 is that input's deviation in 0..1.
    "pytorch": ("--space", "rgb", "--learning-rate", "0.000675"),
}
NOTES = {
    "hundred-lines": "made for VGG-16; here with VGG-19",
    "pytorch": "made for torchvision's VGG-19; here with Keras's, whose larger features give its "
               "style more weight",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A row of the table."""
    name: str  # of files
    label: str
    flags: tuple  # that choose recipe and network
    digest: str  # of program and weights
    note: str = ""


def entries(limn, vgg19, published):
    """[Entry]. published: {recipe: its own weights file} for those that are at hand."""
    program, weights = painter.program_digest(limn), pairing.digest(vgg19)
    full = lambda path: str(pathlib.Path(path).resolve())
    found = [Entry("limn", "`limn`, built-in network", ("--recipe", "limn"), program),
             Entry("limn-vgg19", "`limn`, VGG-19",
                   ("--recipe", "limn", "--weights", full(vgg19)), program + weights)]
    for name in REFERENCES:
        flags = ("--recipe", name, "--size-of", "longest-side", "--save-every", "0")
        if name in published:
            found.append(Entry(name, f"`{name}`", (*flags, "--weights", full(published[name])),
                               program + pairing.digest(published[name])))
        else:
            found.append(Entry(name, f"`{name}`",
                               (*flags, "--weights", full(vgg19), *FITTED.get(name, ())),
                               program + weights, NOTES.get(name, "")))
    return found


def paint(limn, entries_, pair, size, seconds, folder, say=print):
    """{entry's name: (picture, record)} of the pair; of an entry that limn refuses, (None, what it
    said)."""
    common = painter.common_settings(limn, pair, size)
    folder, found = folder / pair.name, {}
    for entry in entries_:
        try:
            way = painter.Way(entry.name, entry.flags, entry.digest, seconds=seconds)
            record = painter.painted(limn, way, pair, common, folder, entry.name)
        except painter.PaintingFailed as failure:
            found[entry.name] = None, str(failure).strip().splitlines()[-1]
            say(f"{pair.name}, {entry.name}: not painted: {found[entry.name][1]}")
            continue
        found[entry.name] = folder / f"{entry.name}.png", record
        say(f"{pair.name}, {entry.name}: {record['iterations']} iterations, "
            f"{record['seconds']:.1f} s")
    return found
