"""The cells of the gallery: every photo of examples/ in the manner of every painting there."""

import dataclasses
import pathlib
import statistics

from kit import images, painter
from kit import pairs as pairing
from kit.command import EXAMPLES


@dataclasses.dataclass(frozen=True)
class Cell:
    """One painted picture: photo and painting, the file, and what painter.py keeps of it."""
    pair: pairing.Chosen
    picture: pathlib.Path
    record: dict

    @property
    def seconds(self):
        return self.record["seconds"]

    def image(self):
        return images.read(self.picture)


def examples(kind):
    """The "photos" or "paintings" of the project's own making, by name."""
    return sorted((EXAMPLES / kind).glob("*.jpg"))


def all_pairs(photos, paintings):
    """Row after row: a photo in the manner of each painting."""
    return [pairing.Chosen(photo, painting) for photo in photos for painting in paintings]


def stem(pair):
    return f"{pair.photo.stem}-{pair.painting.stem}"


def default_way(limn):
    """limn as it is when it is given nothing but two pictures."""
    return painter.Way("builtin", (), painter.program_digest(limn))


def vgg19_way(limn, weights, seconds=0):
    """The same with VGG-19's weights, within so many seconds a picture; 0: as long as it takes."""
    digest = painter.program_digest(limn) + pairing.digest(weights)
    flags = ("--weights", str(pathlib.Path(weights).resolve()))
    if seconds:
        flags += ("--seconds", f"{seconds:g}")
        digest += f" {seconds:g} s"
    return painter.Way("vgg19", flags, digest)


def paint(limn, way, pairs, size, folder, again=False, say=print):
    """[Cell] for the pairs, painted one after another unless the same program painted them with the
    same settings before; `again` paints all. Without a size pictures have the recipe's. The folder
    receives PHOTO-PAINTING.png and what they took, PHOTO-PAINTING.json."""
    commons = [painter.common_settings(limn, pair, size) for pair in pairs]
    if again:
        for pair in pairs:
            (folder / f"{stem(pair)}.json").unlink(missing_ok=True)
    done = [painter.kept(way, common, folder, stem(pair)) for pair, common in zip(pairs, commons)]
    if any(done):
        say(f"{way.label}: {sum(map(bool, done))} of {len(pairs)} pictures are there already")
    cells, taken, left = [], [], sum(record is None for record in done)
    for i, (pair, common, record) in enumerate(zip(pairs, commons, done), start=1):
        if record is None:
            record = painter.painted(limn, way, pair, common, folder, stem(pair))
            taken.append(record["seconds"])
            left -= 1
            say(f"[{i}/{len(pairs)}] {pair.photo.stem}, {pair.painting.stem}, {way.label}: "
                f"{record['seconds']:.1f} s; {time_left(taken, left)}")
        cells.append(Cell(pair, folder / f"{stem(pair)}.png", record))
    return cells


def time_left(taken, left):
    """About how long `left` more pictures take, in words."""
    if not left:
        return "done"
    seconds = left * statistics.fmean(taken)
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


def span(cells):
    """"8.4 to 10.9", seconds."""
    times = [cell.seconds for cell in cells]
    return f"{min(times):.1f} to {max(times):.1f}"
