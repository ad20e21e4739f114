#!/usr/bin/python3
"""Which of limn's recipes people would prefer: pairs painted in several ways, judged and shown.

  preference.py --limn build/limn --vgg19 vgg19.h5 --in FOLDER ... [--way NAME=FLAGS ...]
  preference.py ... --blind                    adds sheets that do not say which way is which
  preference.py ... --verdicts VERDICTS.txt    counts what was written while looking at them

The first way is what the others are compared with. The pairs are those of pairs.txt whose pictures
are in the folders (examples/ is always looked in). Judged by distances that no recipe minimises
(distances.py) and by the style of figures.py. A line of the verdicts is a pair's number on the
blind sheets and what is better: the letter, or "=".

What is painted is kept: the same command goes on where the last one ended. --out receives
  pictures/PAIR/WAY.png   the paintings
  results.json            every figure
  sheets/                 all ways side by side, named
  blind/                  all ways side by side, shuffled; key.json says how
--markdown puts the table into a page, between two marks.

Exit status: 0 done; 1 something failed; 2 bad usage; 130 interrupted.
"""

import json
import math
import pathlib
import random
import shlex
import string
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from kit import command, images, page, painter, sheet, vgg
from kit import pairs as pairing
from kit.command import EXAMPLES, say
import distances
import figures
import teacher as teachers

MAKER = "tools/quality/preference.py"
PAIRS = pathlib.Path(__file__).with_name("pairs.txt")
FIGURES = ("sliced", "structure", "palette", "style")
SHUFFLE_SEED = 5


def read_pairs(path, folders):
    """[Chosen] of the lines whose pictures are there, and how many are not."""
    found, missing = [], 0
    files = {file.stem: file for folder in folders for file in pairing.in_folder(folder)}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        photo, painting = line.split()
        if photo in files and painting in files:
            found.append(pairing.Chosen(files[photo], files[painting]))
        else:
            missing += 1
    return found, missing


# ------------------------------------------------------------------------------------- judging --

def judged(options, teacher, ways, pair):
    """{way: figures} of a pair, painted where it is not yet."""
    folder = options.out / "pictures" / pair.name
    common = painter.common_settings(options.limn, pair, options.size)
    records = {way.name: painter.painted(options.limn, way, pair, common, folder) for way in ways}
    photo, painting = (images.array(images.read_resized(path, options.size))
                       for path in (pair.photo, pair.painting))
    judges = distances.Judge(teacher, photo, painting), figures.Pair(teacher, photo, painting)
    found = {}
    for way in ways:
        picture = images.array(images.read(folder / f"{way.name}.png"))
        of = judges[0].judge(picture) | judges[1].judge(picture)
        found[way.name] = {figure: of[figure] for figure in FIGURES}
        found[way.name]["seconds"] = records[way.name]["seconds"]
    return found


def ratio(results, way, first, figure):
    """The geometric mean over the pairs of a figure's ratio to the first way's."""
    logs = [math.log(of[way][figure] / of[first][figure]) for of in results.values()]
    return math.exp(sum(logs) / len(logs))


def table(results, ways):
    first = ways[0].name
    rows = []
    for name in (way.name for way in ways):
        nearer = sum(of[name]["sliced"] < of[first]["sliced"] for of in results.values())
        kept = sum(of[name]["structure"] <= 1.15 * of[first]["structure"]
                   for of in results.values())
        seconds = sorted(of[name]["seconds"] for of in results.values())
        rows.append([f"`{name}`", *(f"{ratio(results, name, first, figure):.2f}"
                                    for figure in FIGURES),
                     "" if name == first else f"{nearer} of {len(results)}",
                     "" if name == first else f"{kept} of {len(results)}",
                     f"{seconds[len(seconds) // 2]:.1f}"])
    head = ["way", *FIGURES, "nearer to the painting", "structure at most 1.15 times", "seconds"]
    return page.table(head, rows)


# -------------------------------------------------------------------------------------- sheets --

def shuffled(pairs, ways):
    """{pair: [way names]} in the order of the blind sheets."""
    draw, names = random.Random(SHUFFLE_SEED), [way.name for way in ways]
    return {pair.name: draw.sample(names, len(names)) for pair in pairs}


def write_sheets(options, pairs, ways, orders, folder, blind):
    rows = []
    for number, pair in enumerate(pairs, start=1):
        row = [(f"{number}" if blind else pair.photo.stem, kind,
                images.read_resized(getattr(pair, kind), options.size))
               for kind in ("photo", "painting")]
        for letter, name in zip(string.ascii_uppercase, orders[pair.name]):
            path = options.out / "pictures" / pair.name / f"{name}.png"
            row.append((letter if blind else name, "", images.read(path)))
        rows.append(row)
    return sheet.write_sheets(rows, options.size, folder)


def count_verdicts(path, pairs, orders):
    """{way or "=": how often it was better}"""
    counts = {}
    for line in path.read_text().splitlines():
        if not line.strip():
            continue
        number, verdict = line.split()[:2]
        order = orders[pairs[int(number) - 1].name]
        better = "=" if verdict == "=" else order[string.ascii_uppercase.index(verdict)]
        counts[better] = counts.get(better, 0) + 1
    return counts


# ----------------------------------------------------------------------------------------- run --

def run(options, pairs):
    ways = [painter.Way(name, tuple(shlex.split(flags)), painter.program_digest(options.limn))
            for name, flags in options.way.items()]
    orders = shuffled(pairs, ways)
    if options.verdicts:
        print(json.dumps(count_verdicts(options.verdicts, pairs, orders), indent=2))
        return
    vgg.use_all_cores()
    teacher = teachers.read(options.vgg19)
    results = {}
    for number, pair in enumerate(pairs, start=1):
        results[pair.name] = judged(options, teacher, ways, pair)
        say(f"[{number}/{len(pairs)}] {pair.name}  " + "  ".join(
            f"{name}: {of['sliced']:.3f}, {of['structure']:.3f}"
            for name, of in results[pair.name].items()))
        painter.write_json(options.out / "results.json",
                           {"conditions": painter.conditions(options.limn), "pairs": results})
    text = table(results, ways)
    if options.markdown:
        page.splice(options.markdown, text, MAKER)
    names = {pair.name: [way.name for way in ways] for pair in pairs}
    write_sheets(options, pairs, ways, names, options.out / "sheets", blind=False)
    if options.blind:
        write_sheets(options, pairs, ways, orders, options.out / "blind", blind=True)
        painter.write_json(options.out / "blind" / "key.json", orders)
    print(f"\n{text}\n\n{options.out}")


def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn", required=True, metavar="PROGRAM")
    add("--vgg19", required=True, metavar="FILE", help="VGG-19 as Keras publishes it (.h5)")
    add("--in", dest="folders", nargs="+", type=pathlib.Path, default=[], metavar="FOLDER")
    add("--pairs", type=pathlib.Path, default=PAIRS, metavar="FILE")
    add("--way", nargs="+", default=[], metavar="NAME=FLAGS", action="extend",
        help="default: gram and limn")
    add("--size", type=int, default=512, help="longest side in pixels (default 512)")
    add("--blind", action="store_true")
    add("--verdicts", type=pathlib.Path, metavar="FILE")
    add("--out", type=pathlib.Path, default=pathlib.Path("build/preference"), metavar="FOLDER")
    add("--markdown", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    with command.usage_checked(parser):
        command.need_files(options.limn, options.vgg19, options.pairs)
        options.way = (command.pairs_of(options.way) if options.way else
                       {"gram": "--recipe gram", "limn": "--recipe limn"})
        pairs, missing = read_pairs(options.pairs, [*options.folders, EXAMPLES / "photos",
                                                    EXAMPLES / "paintings"])
        pairing.check(pairs)
        if missing:
            say(f"{missing} pairs are left out: their pictures are in none of the folders")
    return options, pairs


if __name__ == "__main__":
    with command.errors_told():
        run(*read_options())
