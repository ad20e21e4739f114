#!/usr/bin/python3
"""Measures what painting one picture by several machines costs, and from that models more of them.

  ranks.py [--limn build/limn] [--exchanges build/exchanges_bench] [--rounds 3] [--iterations 3]
      [--size 2048] [--tile 512] [--seconds 570] [--markdown docs/large-pictures.md]
      [--json OUT.json]

The machines are network namespaces of this one (tools/hosts.sh), with links shaped to 1 and to
10 Gbit/s, and unshaped. They share its cores. So what ranks exchange is measured by itself
(exchanges.cc), and paintings only for what they can show on so few cores:

  exchanges   three hosts, no network to run: a tile's gradient from one to all others, in turns
  iterations  three hosts with a thread each: the same picture over links of each rate
  efficiency  two processes with a thread each, on one host and on two, against one process with
              one thread

Iterations are timed by limn itself, as its progress tells; what they exchange, as the switch counts
it. All runs of a recipe go on from one checkpoint, and have to find the same losses, to the last
bit. A round runs everything once, so that a slow minute falls on all alike; times are the medians
of all iterations of all rounds.

The model is of an iteration with one evaluation, of a square picture of 100 megapixels by machines
like this one with all of its cores. See model().

Exit status: 0 measured, 77 something needed is not here, 2 bad usage.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "tools"))
from compare_torch import describe_machine, machine_text, warn_if_busy
from kit import command, needs, page as markdown
from kit.command import EXAMPLES, Failure, say

MAKER = "bench/ranks.py"
HOSTS = PROJECT / "tools" / "hosts.sh"
RATES = {"1 Gbit/s": "1gbit", "10 Gbit/s": "10gbit", "not shaped": ""}  # as tc has them
HOST_COUNT = 3
SECONDS = 300  # that one run may take
STOPPED = 130  # limn's exit status when it was asked to stop
BEGUN = 3  # iterations before those that are timed, in which L-BFGS finds its steps

# Cut as src/network/tiling.cc does it, for layers up to relu5_1.
STRIDE = 16  # of the deepest layer
HALO = 80
VALUE_BYTES = 12  # of three floats: a pixel's gradient

# What is exchanged for each pixel of the picture besides the tiles' results where the history of
# L-BFGS is divided among the ranks: its direction, three floats, each part of which one rank has.
DIRECTION_BYTES = 12

RECIPES = {
    "`gram`, Adam": ("--recipe", "gram", "--optimiser", "adam", "--learning-rate", "0.02"),
    "`limn` (L-BFGS)": ("--recipe", "limn"),
}
ADAM, LBFGS = RECIPES
# The same without what the tiles do: no layer is read, so no network runs.
WITHOUT_TILES = ("--content-weight", "0", "--style-weight", "0", "--neighbours-weight", "0",
                 "--balance", "fixed")

AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
ON_ONE_HOST = ("--bind-to", "none")

# Ways to broadcast: what Open MPI chooses, and in parts that are handed on while others follow.
BROADCASTS = {
    "as Open MPI chooses": (),
    "in a pipeline of 1 MB": ("--mca", "coll_tuned_use_dynamic_rules", "1",
                              "--mca", "coll_tuned_bcast_algorithm", "3",
                              "--mca", "coll_tuned_bcast_algorithm_segmentsize", str(1 << 20)),
}
EXCHANGED = {"side": 1168, "tasks": 6, "rounds": 3}  # of tiles of 1024: 16 MB each

MODEL_SIDE = 10_000
MODEL_TILE = 1024
MODEL_MACHINES = (1, 4, 16, 64)
LINE_BYTES = {"1 Gbit/s": 125e6, "10 Gbit/s": 1250e6}  # a second
MODEL_RATES = tuple(LINE_BYTES)


# ------------------------------------------------------------------------------------- tiles --

def rounded_up(length):
    return math.ceil(length / STRIDE) * STRIDE


def cores(side, tile):
    """The sides of the tiles along one side of the picture: [(begin, end)]."""
    if tile >= side:
        return [(0, side)]
    longest = max(STRIDE, tile // STRIDE * STRIDE)
    count = math.ceil(side / longest)
    equal = math.ceil(side / count)
    inner = rounded_up(max(equal - equal // 4, (side - 2 * HALO) // count))
    first = max(STRIDE, rounded_up((side - (count - 2) * inner) // 2))
    begins = [0, *range(first, side - STRIDE + 1, inner)][:count]
    return list(zip(begins, begins[1:] + [side]))


def patches(width, height, tile):
    """The pixels of all tiles with their halos, row by row."""
    def lengths(side):
        return [min(side, end + HALO) - max(0, begin - HALO) for begin, end in cores(side, tile)]
    return [down * across for down in lengths(height) for across in lengths(width)]


def turns(pixels, ranks):
    """The pixels that the slowest rank has to run, if all wait for each other after each turn."""
    return sum(max(pixels[i:i + ranks]) for i in range(0, len(pixels), ranks))


# ------------------------------------------------------------------------------------ running --

def on_hosts(count, rate, words):
    """The command that runs these words on the first of so many hosts."""
    return (["env", f"RATE={rate}"] if rate else []) + [HOSTS, count, *words]


def run(words):
    """What a command writes to standard output."""
    words = [str(word) for word in words]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(words)}\ntook longer than {SECONDS} s") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)}\nended with status {done.returncode}:\n{done.stderr}")
    return done.stdout


def received_bytes():
    """What all hosts have received so far; 0 where there are none."""
    if "LIMN_HOSTS" not in os.environ:
        return 0
    ports = json.loads(run(["ip", "-n", "switch", "-s", "-j", "link", "show"]))
    return sum(port["stats64"]["tx"]["bytes"] for port in ports
               if port["ifname"].startswith("port"))


def events_of(words):
    """Starts limn. Yields (the process, each event of its progress); raises Failure if it fails."""
    words = [str(word) for word in words]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    others = []
    for line in process.stderr:
        try:
            event = json.loads(line)
        except ValueError:
            others.append(line)
            continue
        if event["event"] == "progress":
            yield process, event
        elif event["event"] == "error":
            others.append(event["message"])
    if process.wait() not in (0, STOPPED):
        raise Failure(f"{' '.join(words)}\nended with status {process.returncode}:\n" +
                      "".join(others))


def watch(last, words):
    """Runs limn up to an iteration, on the hosts themselves or where there are none, and prints as
    JSON what was known after each iteration that it told of."""
    known = []
    for process, event in events_of(words):
        known.append({"iteration": event["iteration"], "seconds": event["seconds"],
                      "total": event["losses"]["total"], "width": event["width"],
                      "height": event["height"], "bytes": received_bytes()})
        if event["iteration"] >= last:
            process.kill()  # there is no need to write a picture
            break
    print(json.dumps(known))


def prepare(options, folder, recipe):
    """Begins a painting; returns (its checkpoint, the iterations done). What comes before the first
    iteration takes as long as many iterations."""
    checkpoint = folder / f"{list(RECIPES).index(recipe)}.limn"
    done, asked = 0, False
    words = paint_words(options, folder, recipe)
    for process, event in events_of([*words, "--checkpoint", checkpoint, "--checkpoint-every",
                                     SECONDS, "--threads", options.threads]):
        if event["iteration"] >= BEGUN and not asked:
            process.send_signal(signal.SIGTERM)
            asked = True
        done = event["iteration"]
    return checkpoint, done


def paint_words(options, folder, recipe):
    return [options.limn, "paint", options.photo, options.painting, *RECIPES[recipe],
            "--size", options.size, "--tile", options.tile, "--smallest", 0, "--seed", 1,
            "--iterations", 1000, "--progress", "json", "-o", folder / "painting.png"]


def go_on(options, folder, begun, threads, ranks=1, hosts=1, rate=""):
    """Some iterations of a painting that has been begun. See pieces()."""
    checkpoint, done = begun
    copy = folder / "copy.limn"
    copy.unlink(missing_ok=True)
    os.link(checkpoint, copy)  # limn replaces it, and does not write into it
    words = [options.limn, "resume", copy, "--threads", threads, "--progress", "json"]
    if ranks > 1:
        words = ["mpirun", *(ON_ONE_HOST if hosts == 1 else ()), "-n", ranks, *words]
    # The first iteration may choose what later ones keep.
    first, last = done + 1, done + 1 + options.iterations
    watching = ["/usr/bin/python3", __file__, "--watch", last, *words]
    return pieces(json.loads(run(on_hosts(hosts, rate, watching) if hosts > 1 else watching)),
                  first, last, hosts)


def without_tiles(options, folder, recipe):
    """Some iterations of the same painting, as far as no tiles are needed."""
    words = [*paint_words(options, folder, recipe), *WITHOUT_TILES, "--threads", options.threads]
    last = 40  # they are short, and limn tells of ten a second at most
    return pieces(json.loads(run(["/usr/bin/python3", __file__, "--watch", last, *words])), 10,
                  last, 1)


def pieces(known, first, last, hosts):
    """What one iteration takes, each time between two of which limn told: seconds, and bytes as a
    host receives them if it gets nothing twice."""
    found = {"totals": {event["iteration"]: event["total"] for event in known},
             "width": known[-1]["width"], "height": known[-1]["height"],
             "seconds": [], "bytes": []}
    for a, b in zip(known, known[1:]):
        iterations = b["iteration"] - a["iteration"]
        if first <= a["iteration"] < b["iteration"] <= last:
            found["seconds"].append((b["seconds"] - a["seconds"]) / iterations)
            found["bytes"].append((b["bytes"] - a["bytes"]) / iterations / max(1, hosts - 1))
    if not found["seconds"]:
        raise Failure("the iterations are too short to be told apart: choose a larger --size")
    return found


# ---------------------------------------------------------------------------------- measuring --

def measure_exchanges(options):
    """{rate: {way: [bytes a second of each round]}} of what all tiles hand out."""
    floats = 3 * EXCHANGED["side"]**2
    size = 4 * floats * EXCHANGED["tasks"]
    found = {}
    for rate, shaped in RATES.items():
        found[rate] = {}
        for way, flags in BROADCASTS.items():
            words = ["mpirun", "-n", HOST_COUNT, *flags, options.exchanges, "turns", floats,
                     EXCHANGED["tasks"], EXCHANGED["rounds"]]
            seconds = json.loads(run(on_hosts(HOST_COUNT, shaped, words)))
            found[rate][way] = [size / second for second in seconds]
            say(f"exchanges, {rate}, {way}: " +
                ", ".join(f"{each / 1e6:.0f} MB/s" for each in found[rate][way]))
    return found


def paintings_of_a_round(options, folder, begun):
    """Yields (recipe, what, iterations) of all that is painted in a round."""
    for recipe in RECIPES:
        yield recipe, "1 host", go_on(options, folder, begun[recipe], 1)
        yield recipe, "2 processes", go_on(options, folder, begun[recipe], 1, 2)
        yield recipe, "2 hosts", go_on(options, folder, begun[recipe], 1, 2, 2)
        yield recipe, "all threads", go_on(options, folder, begun[recipe], options.threads)
        yield recipe, "without tiles", without_tiles(options, folder, recipe)
    for rate, shaped in RATES.items():
        yield ADAM, rate, go_on(options, folder, begun[ADAM], 1, HOST_COUNT, HOST_COUNT, shaped)


def check_totals(totals, recipe, what, painted):
    """All have to find the same losses after the same iterations, to the last bit."""
    if what == "without tiles":
        return
    for iteration, total in painted["totals"].items():
        if totals.setdefault((recipe, iteration), total) != total:
            raise Failure(f"{recipe}, {what}: iteration {iteration} has the loss {total}, not "
                          f"{totals[recipe, iteration]}")


def measure_paintings(options, folder, begin):
    """{(recipe, what): [iterations of each round]}."""
    begun = {recipe: prepare(options, folder, recipe) for recipe in RECIPES}
    say(f"begun after {time.monotonic() - begin:.0f} s")
    runs, totals = collections.defaultdict(list), {}
    for number in range(1, options.rounds + 1):
        round_begin = time.monotonic()
        for recipe, what, painted in paintings_of_a_round(options, folder, begun):
            check_totals(totals, recipe, what, painted)
            runs[recipe, what].append(painted)
            say(f"round {number}, {recipe}, {what}: " +
                ", ".join(f"{second:.2f} s" for second in painted["seconds"]) +
                f"; {statistics.median(painted['bytes']) / 1e6:.1f} MB")
        now = time.monotonic()
        if now + (now - round_begin) > begin + options.seconds:
            break
    return runs


def median(runs, what="seconds"):
    return statistics.median(value for painted in runs for value in painted[what])


def evaluations(runs, recipe):
    """How many an iteration has: all exchange alike, and one of Adam's has one."""
    return median(runs[recipe, "2 hosts"], "bytes") / median(runs[ADAM, "2 hosts"], "bytes")


def gains(runs, recipe, two):
    """How many times as fast two ranks are, in each round."""
    return [median([alone]) / median([both])
            for alone, both in zip(runs[recipe, "1 host"], runs[recipe, two])]


# -------------------------------------------------------------------------------------- model --

def model(runs, exchanges, options):
    """{(recipe, rate, machines): seconds of an iteration}, by a model from what was measured here:

      turns x what a tile takes + what every machine does whole + the history's share + exchanges

    With P pixels, N machines and the tiles' pixels Q with their halos, and each time as measured on
    all cores of this machine:
      turns      of N tiles at a time, the last of them with fewer; seconds per pixel of Q
      whole      all of an iteration of Adam that is not of tiles, per pixel of P
      history    what L-BFGS takes beyond that, divided by N, as ranks divide its history
      exchanges  12 Q bytes of gradients, the sums of each tile as measured, and the direction of
                 L-BFGS, over the speed of the faster way to broadcast among three hosts. How that
                 speed changes with more machines is not known.
    """
    painted = runs[ADAM, "1 host"][0]
    width, height = painted["width"], painted["height"]
    pixels, tiles = width * height, patches(width, height, options.tile)
    large, large_tiles = MODEL_SIDE**2, patches(MODEL_SIDE, MODEL_SIDE, MODEL_TILE)
    whole = {recipe: median(runs[recipe, "without tiles"]) / pixels for recipe in RECIPES}
    seconds = {}
    for recipe in RECIPES:
        of_tiles = ((median(runs[recipe, "all threads"]) - whole[recipe] * pixels)
                    / evaluations(runs, recipe))
        sums = median(runs[ADAM, "2 hosts"], "bytes") - VALUE_BYTES * sum(tiles)
        exchanged = VALUE_BYTES * sum(large_tiles) + sums / len(tiles) * len(large_tiles)
        history = max(0, whole[recipe] - whole[ADAM])
        if recipe == LBFGS:
            exchanged += DIRECTION_BYTES * large
        for rate in MODEL_RATES:
            speed = max(statistics.median(speeds) for speeds in exchanges[rate].values())
            for machines in MODEL_MACHINES:
                seconds[recipe, rate, machines] = (
                    of_tiles / sum(tiles) * turns(large_tiles, machines) +
                    (whole[ADAM] + history / machines) * large +
                    (exchanged / speed if machines > 1 else 0))
    return seconds


# ------------------------------------------------------------------------------------- report --

def range_text(values, unit, form=".0f"):
    return (f"{statistics.median(values):{form}} {unit} "
            f"({min(values):{form}} to {max(values):{form}})")


def limit_text(exchanges):
    """Whether there are links here that the cores cannot fill."""
    fastest = max(max(speeds) for ways in exchanges.values() for speeds in ways.values())
    slow = [rate for rate in MODEL_RATES if fastest < 0.9 * LINE_BYTES[rate]]
    if not slow:
        return ""
    return (f" These cores move at most {fastest / 1e6:.0f} MB/s among {HOST_COUNT} hosts, less "
            f"than links of {' and '.join(slow)} would carry: there they set the limit, in the "
            "table and in the model.")


def exchanges_table(runs, exchanges):
    rows = []
    for rate in RATES:
        speeds = [range_text([each / 1e6 for each in exchanges[rate][way]], "MB/s")
                  for way in BROADCASTS]
        rows.append([rate, *speeds, f"{median(runs[ADAM, rate]):.2f} s"])
    return markdown.table(["links", *(f"broadcasts {way}" for way in BROADCASTS),
                           f"iteration by {HOST_COUNT} hosts, {ADAM}"], rows)


def efficiency_table(runs, options):
    rows = []
    for recipe in RECIPES:
        for two in ("all threads", "2 processes", "2 hosts"):
            gain = gains(runs, recipe, two)
            rows.append([recipe, two, f"{median(runs[recipe, '1 host']):.2f} s",
                         f"{median(runs[recipe, two]):.2f} s",
                         f"{statistics.median(gain):.2f} ({min(gain):.2f} to {max(gain):.2f})",
                         f"{statistics.median(gain) / 2:.2f}"])
    return markdown.table(["recipe", "by", "1 thread", "by these", "times as fast",
                           "of the ideal 2"], rows)


def model_table(seconds):
    rows = [[str(machines), *(f"{markdown.number(seconds[recipe, rate, machines])} s"
                              for recipe in RECIPES for rate in MODEL_RATES)]
            for machines in MODEL_MACHINES]
    return markdown.table(["machines", *(f"{recipe}, {rate}" for recipe in RECIPES
                                         for rate in MODEL_RATES)], rows)


def report(runs, exchanges, seconds, options, machine):
    painted = runs[ADAM, "1 host"][0]
    width, height = painted["width"], painted["height"]
    tiles = patches(width, height, options.tile)
    side = EXCHANGED["side"]
    even = sum(tiles) / turns(tiles, 2) / 2
    gradient = VALUE_BYTES * sum(tiles) / 1e6
    parts = [
        f"Measured with {HOST_COUNT} and 2 network namespaces of one machine as hosts, over TCP. "
        f"Broadcasts: {EXCHANGED['tasks']} tiles' gradients of {VALUE_BYTES * side**2 / 1e6:.0f} "
        f"MB, in turn from each of {HOST_COUNT} hosts to all others, which add them up. "
        f"Iterations: {width} x {height} pixels in {len(tiles)} tiles of up to {options.tile}, the "
        f"built-in network, each host with one thread; {HOST_COUNT} hosts share "
        f"{machine['cores']} cores, so only the rows' differences say something there." +
        limit_text(exchanges),
        exchanges_table(runs, exchanges),
        f"One process with one thread, against one with {options.threads} threads, two processes "
        f"of one host, which exchange through memory, and two hosts, links not shaped. Tiles are "
        f"about equal: waiting for the larger of two alone leaves {even:.2f} of the ideal. The "
        f"gradients of all tiles are {gradient:.1f} MB.",
        efficiency_table(runs, options),
        f"By a model from these measurements, not measured: seconds of an iteration with one "
        f"evaluation, for {MODEL_SIDE} x {MODEL_SIDE} pixels in tiles of up to {MODEL_TILE} "
        f"({len(patches(MODEL_SIDE, MODEL_SIDE, MODEL_TILE))} of them), by machines like this one "
        f"with {options.threads} threads each. The model takes broadcasts among many machines to "
        f"be as fast as among {HOST_COUNT}, by the faster way, and L-BFGS's history to be divided "
        f"among them.",
        model_table(seconds),
        f"{machine_text(machine)}; {len(runs[ADAM, '1 host'])} rounds in turn, "
        f"{options.iterations} iterations each. `{MAKER}` measures this."]
    return "\n\n".join(parts)


# --------------------------------------------------------------------------------------- main --

def count_value(text):
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("should be within 1..1000")
    return value


def arguments():
    parser = command.parser(__doc__)
    parser.add_argument("--limn", default=PROJECT / "build" / "limn", type=command.existing_file)
    parser.add_argument("--exchanges", default=PROJECT / "build" / "exchanges_bench",
                        type=command.existing_file)
    parser.add_argument("--photo", default=EXAMPLES / "photos" / "landscape.jpg")
    parser.add_argument("--painting", default=EXAMPLES / "paintings" / "oil.jpg")
    parser.add_argument("--rounds", default=3, type=count_value)
    parser.add_argument("--seconds", default=570, type=int,
                        help="no round begins that would not be done by then")
    parser.add_argument("--iterations", default=3, type=count_value)
    parser.add_argument("--size", default=2048, type=int)
    parser.add_argument("--tile", default=512, type=int)
    parser.add_argument("--markdown", help="a page that gets the tables between two marks")
    parser.add_argument("--json", type=argparse.FileType("w"))
    options = parser.parse_args()
    options.limn = options.limn.resolve()
    options.exchanges = options.exchanges.resolve()
    options.threads = len(os.sched_getaffinity(0))
    os.environ |= AS_ROOT
    return options


def check_needs():
    if not shutil.which("mpirun"):
        needs.skip("there is no mpirun (Debian's openmpi-bin)")
    there = subprocess.run([HOSTS, "2", "true"], capture_output=True, text=True)
    if there.returncode != 0:
        needs.skip(there.stderr.strip())


def main():
    if sys.argv[1:2] == ["--watch"]:
        watch(int(sys.argv[2]), sys.argv[3:])
        return 0
    options = arguments()
    check_needs()
    machine = describe_machine(options)
    warn_if_busy(machine)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        exchanges = measure_exchanges(options)
        runs = measure_paintings(options, pathlib.Path(folder), begin)
    seconds = model(runs, exchanges, options)
    text = report(runs, exchanges, seconds, options, machine)
    say("\n" + text)
    if options.markdown:
        markdown.splice(options.markdown, text, MAKER)
    if options.json:
        json.dump({"machine": machine, "exchanges": exchanges,
                   "paintings": [{"recipe": recipe, "what": what, "rounds": rounds}
                                 for (recipe, what), rounds in runs.items()],
                   "model": [{"recipe": recipe, "rate": rate, "machines": machines,
                              "seconds": value}
                             for (recipe, rate, machines), value in seconds.items()]},
                  options.json, indent=1)
    return 0


if __name__ == "__main__":
    with command.errors_told():
        sys.exit(main())
