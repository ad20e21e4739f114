#!/usr/bin/python3
"""How good limn's built-in network is, judged by VGG-19.

  judge.py --limn build/limn --vgg19 vgg19.h5 [--markdown docs/built-in-network.md]
  judge.py ... --pair PHOTO PAINTING --pair PHOTO PAINTING --size 256
  judge.py ... --way small=small.safetensors --way wide=wide.safetensors --networks small wide

Every pair of photo and painting is painted by the command limn in several ways, one after another:
with the built-in network and with VGG-19, each for --iterations and for --seconds, and for
--iterations with a network of the built-in one's shape whose convolutions are random (floor.py).
Each --way adds a candidate, painted for both. The pictures are then judged by VGG-19 in PyTorch;
figures.py says how. The seconds are worth something only where the machine has nothing else to do.

What is painted is kept: the same command goes on where the last one ended, and a picture is painted
again only if its files or settings have changed. --out receives
  pictures/PAIR/WAY.png, .json    the paintings, what they took
  results.json                    every figure, means, goals
  sheets/sheet-N.jpg              photo, painting and paintings side by side
--markdown puts tables into a page, between two marks.

Exit status: 0 done, whatever was found; 1 something failed; 2 bad usage; 130 interrupted.
"""

import pathlib
import shlex
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from kit import command, images, page, painter, sheet, vgg
from kit import pairs as pairing
from kit.command import EXAMPLES, PROJECT, say
import data
import figures
import floor
import goals
import teacher as teachers

NETWORKS = ("builtin", "vgg19", "random")


# --------------------------------------------------------------------------------------- ways --

def network_in(path):
    """What limn calls the network in a file of weights: a .safetensors says it."""
    if vgg.is_safetensors(path):
        return vgg.read_tensors(path)[1].get("network", "vgg19")
    return "vgg19"


def own_network(limn):
    """(flags, digest) of the network that is built into limn: it changes with the program."""
    return ("--network", "builtin"), painter.program_digest(limn)


def from_file(path):
    """(flags, digest) of weights in a file."""
    return ("--network", network_in(path), "--weights", str(path)), pairing.digest(path)


def random_weights(options, teacher):
    """The floor's file. It is made once for a built-in network and a VGG-19."""
    origin = pairing.digest(options.builtin, options.vgg19, floor.__file__)
    path = options.out / f"random-{origin[:12]}.safetensors"
    if not path.exists():
        say(f"making {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        floor.write_random(options.builtin, teacher, [EXAMPLES], path)
    return path


def all_ways(options, teacher):
    """[Way] in the order of the tables."""
    sources = {}
    for name in options.networks:
        if name == "builtin" and not options.builtin_from_file:
            sources[name] = own_network(options.limn)
        elif name == "builtin":
            sources[name] = from_file(options.builtin)
        elif name == "vgg19":
            sources[name] = from_file(options.vgg19)
        elif name == "random":
            sources[name] = from_file(random_weights(options, teacher))
        else:
            sources[name] = from_file(options.way[name])
    ways = []
    if options.iterations:
        ways += [painter.Way(name, *source, iterations=options.iterations)
                 for name, source in sources.items()]
    if options.seconds:
        ways += [painter.Way(name, *source, seconds=options.seconds)
                 for name, source in sources.items() if name != "random"]
    if not ways:
        raise ValueError("the network 'random' is only painted with for --iterations")
    return ways


# ------------------------------------------------------------------------------------ judging --

def seen_in_training(path, folder):
    """Whether a picture of that name is in the folder and not held out of training."""
    return (pathlib.Path(folder) / path.name).exists() and not data.is_held_out(path.name)


def judge_pair(options, ways, teacher, pair):
    """Paints the pair in all ways and judges the pictures: the pair's entry in results.json."""
    common = painter.common_settings(options.limn, pair, options.size, options.flags)
    folder = options.out / "pictures" / pair.name
    records = {way.name: painter.painted(options.limn, way, pair, common, folder) for way in ways}
    photo, painting = (images.array(images.read_resized(path, options.size))
                       for path in (pair.photo, pair.painting))
    judge = figures.Pair(teacher, photo, painting)
    found = {}
    for way in ways:
        picture = images.array(images.read(folder / f"{way.name}.png"))
        found[way.name] = judge.judge(picture)
        record = records[way.name]
        found[way.name].update({key: value for key, value in record.items() if key != "settings"})
        say(f"{pair.name}  {way.label:26} style {found[way.name]['style']:.4f}  content "
            f"{found[way.name]['content']:.4f}  {record['iterations']:5} iterations "
            f"{record['seconds']:6.1f} s")
    return {"photo": str(pair.photo), "painting": str(pair.painting),
            "photo_name": pair.photo.stem, "painting_name": pair.painting.stem,
            "width": photo.shape[1], "height": photo.shape[0],
            "seen": any(seen_in_training(path, options.trained_on)
                        for path in (pair.photo, pair.painting)),
            "ways": found}


def conditions(options):
    """What the results depend on beside the pictures."""
    return {"size": options.size, "iterations": options.iterations, "seconds": options.seconds,
            "flags": options.flags, **painter.conditions(options.limn),
            "command": shlex.join(["tools/quality/judge.py", *sys.argv[1:]])}


def write_results(options, results):
    results["means"], results["goals"] = goals.means(results), goals.goals(results)
    painter.write_json(options.out / "results.json", results)
    if options.markdown:
        page.splice(options.markdown, goals.part(results), goals.JUDGE)


def sheet_row(options, name, pair):
    """The cells of a pair on a contact sheet."""
    folder = options.out / "pictures" / name
    row = [(pair[f"{kind}_name"], kind, images.read_resized(pair[kind], options.size))
           for kind in ("photo", "painting")]
    for way, found in pair["ways"].items():
        row.append((way, f"style {page.number(found['style'])}, content "
                         f"{page.number(found['content'])}, {found['seconds']:.1f} s",
                    images.read(folder / f"{way}.png")))
    return row


def run(options, chosen):
    vgg.use_all_cores()
    teacher = teachers.read(options.vgg19)
    ways = all_ways(options, teacher)
    program = painter.program_digest(options.limn)
    results = {"conditions": conditions(options),
               "ways": {way.name: {"network": way.network, "budget": way.budget,
                                   "label": way.label, "iterations": way.iterations,
                                   "seconds": way.seconds, "weights": way.digest} for way in ways},
               "pairs": {}}
    for pair in chosen:
        results["pairs"][pair.name] = judge_pair(options, ways, teacher, pair)
        write_results(options, results)
    rows = [sheet_row(options, name, pair) for name, pair in results["pairs"].items()]
    sheets = sheet.write_sheets(rows, options.size, options.out / "sheets")
    print("\n" + goals.ways_table(results) + "\n\n" + goals.goals_table(results))
    others = sum(found["program"] != program for pair in results["pairs"].values()
                 for found in pair["ways"].values())
    if others:
        print(f"\n{others} pictures and their seconds are of another build of limn; remove "
              f"{options.out}/pictures to have all painted by this one")
    print(f"\n{options.out}/results.json, {', '.join(map(str, sheets))}")


# ------------------------------------------------------------------------------------ options --

def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn", required=True, metavar="PROGRAM")
    add("--vgg19", required=True, metavar="FILE", help="VGG-19 as Keras publishes it (.h5)")
    add("--builtin", metavar="FILE", help="the built-in network as .safetensors: paint with this "
        "file; otherwise with the one that is in limn, and models/builtin.safetensors only gives "
        "the floor its shape")
    add("--way", nargs="+", default=[], metavar="NAME=FILE", action="extend", help="candidates")
    add("--networks", nargs="+", metavar="NAME", help="which of them to use, in this order "
        f"(default: {', '.join(NETWORKS)} and all candidates)")
    add("--pair", nargs=2, action="append", default=[], metavar=("PHOTO", "PAINTING"))
    add("--count", type=int, default=14, help="pairs, where none is given (default 14)")
    add("--shared", default=str(PROJECT.parent / "shared" / "images"), metavar="FOLDER",
        help="where content/ and style/ may hold pictures beside those of examples/")
    add("--trained-on", default=str(PROJECT.parent / "shared" / "training"), metavar="FOLDER",
        help="pictures of these names are marked in the tables unless they were held out")
    add("--size", type=int, default=384, help="longest side in pixels (default 384)")
    add("--iterations", type=int, default=200, help="0 leaves these ways out (default 200)")
    add("--seconds", type=float, default=20, help="0 leaves these ways out (default 20)")
    add("--flags", default="", help="given to limn in every way, as one word")
    add("--out", type=pathlib.Path, default=pathlib.Path("build/quality"), metavar="FOLDER")
    add("--markdown", type=pathlib.Path, metavar="FILE",
        help="the page whose part between the marks is replaced")
    options = parser.parse_args()
    with command.usage_checked(parser):
        return completed(options)


def completed(options):
    """The options with what follows from them, and the pairs. Raises ValueError or OSError for
    whatever can be known to fail before the first picture is painted."""
    options.flags = shlex.split(options.flags)
    options.builtin_from_file = bool(options.builtin)
    options.builtin = options.builtin or str(PROJECT / "models" / "builtin.safetensors")
    options.way = command.pairs_of(options.way)
    options.networks = options.networks or [*NETWORKS, *options.way]
    for name in options.networks:
        if name not in NETWORKS and name not in options.way:
            raise ValueError(f"there is no network '{name}'; there are "
                             f"{', '.join([*NETWORKS, *options.way])}")
    if set(options.way) & set(NETWORKS) or not all(options.way.values()):
        raise ValueError("--way should be NAME=FILE, with a name that is none of "
                         f"{', '.join(NETWORKS)}")
    command.need_files(options.limn, options.vgg19, *options.way.values())
    if options.builtin_from_file or "random" in options.networks:
        command.need_files(options.builtin)
    if options.size < 32 or options.iterations < 0 or options.seconds < 0 \
            or not (options.iterations or options.seconds):
        raise ValueError("--size should be 32 or more, and --iterations or --seconds above 0")
    if options.markdown and options.markdown.exists():
        page.spliced(options.markdown.read_text(), "", goals.JUDGE)
    chosen = [pairing.Chosen(*map(pathlib.Path, pair)) for pair in options.pair] or \
        pairing.choose([(EXAMPLES / "photos", EXAMPLES / "paintings"),
                        (pathlib.Path(options.shared) / "content",
                         pathlib.Path(options.shared) / "style")], options.count)
    pairing.check(chosen)
    return options, chosen


if __name__ == "__main__":
    with command.errors_told():
        run(*read_options())
