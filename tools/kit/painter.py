"""limn's programs, run: paintings, timed and kept so that a run can go on where it ended, and dumps
of what limn computes.

Seconds are those of the whole process, from its start to its end: reading weights and pictures and
writing the picture count.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

from kit import pairs as pairing
from kit.command import Failure

PICTURES = ("photo", "painting", "picture")  # what dump_evaluation is given, in this order
ENDLESS = 100_000  # iterations: more than any way does in its seconds


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to paint: a network, and how long. Without iterations and seconds it is as long as
    limn itself, or what the flags say, will have it."""
    network: str  # as it is called in tables: "builtin", "vgg19", "random", or a candidate's name
    flags: tuple  # that make limn use it
    digest: str  # of its weights
    iterations: int = 0  # or
    seconds: float = 0

    @property
    def budget(self):
        if self.seconds:
            return f"{self.seconds:g} s"
        return f"{self.iterations} iterations" if self.iterations else ""

    @property
    def name(self):
        length = f"-{self.seconds:g}s" if self.seconds else f"-{self.iterations}it"
        return re.sub(r"[^\w.-]", "_", self.network + length * bool(self.budget))

    @property
    def label(self):
        return ", ".join(filter(None, (self.network, self.budget)))

    @property
    def length(self):
        """The flags that say how long. Seconds alone end it, not the recipe's iterations."""
        if self.seconds:
            return "--seconds", f"{self.seconds:g}", "--iterations", ENDLESS
        return ("--iterations", self.iterations) if self.iterations else ()


class PaintingFailed(Failure):
    """limn failed; the text has its command and its own words."""


def run(*words):
    """Runs a program to its end and returns what it said. Raises PaintingFailed."""
    words = list(map(str, words))
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise PaintingFailed(f"{' '.join(words)}\nended with status {done.returncode}:\n"
                             f"{done.stdout}")
    return done.stdout


def dump_evaluation(program, folder, name, *flags):
    """Runs build/dump_evaluation on the PICTURES of the folder. Returns its evaluation.json and
    where its arrays are."""
    dump = folder / name
    dump.mkdir(exist_ok=True)
    run(program, *(folder / f"{picture}.png" for picture in PICTURES), "--out", dump, *flags)
    return json.loads((dump / "evaluation.json").read_text()), dump


def read_kept(record_path, picture, settings):
    """The record of a picture that was painted with these very settings, or None."""
    try:
        record = json.loads(record_path.read_text())
    except (OSError, ValueError):
        return None
    same = isinstance(record, dict) and record.get("settings") == settings
    return record if same and picture.is_file() else None


def kept(way, common, folder, stem):
    """The record of a picture that is there already and was painted so, or None."""
    return read_kept(folder / f"{stem}.json", folder / f"{stem}.png", settings_of(way, common))


def settings_of(way, common):
    """What decides whether a picture is still the same."""
    settings = {key: value for key, value in common.items() if key != "program"}
    return {**settings, "way": json.loads(json.dumps(dataclasses.asdict(way)))}


def common_settings(limn, pair, size, flags=()):
    """What all ways to paint a pair have in common. Without a size the picture has the recipe's."""
    return {"size": size or 0, "flags": list(flags), "photo": pairing.digest(pair.photo),
            "painting": pairing.digest(pair.painting), "program": program_digest(limn)}


def outcome(report):
    """What is kept of limn's --report."""
    return {"iterations": report["history"][-1]["iteration"],
            "best_iteration": report["best_iteration"], "outcome": report["outcome"]}


def painted(limn, way, pair, common, folder, stem=None, told=outcome):
    """The record of the pair painted in this way; folder/STEM.png is the picture, where the stem is
    the way's name unless another is given. It is painted if it is not there yet. All of the common
    settings but the program decide whether a picture is still the same. told: what is kept of the
    report."""
    stem = stem or way.name
    picture, record_path = folder / f"{stem}.png", folder / f"{stem}.json"
    found = kept(way, common, folder, stem)
    if found:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    record_path.unlink(missing_ok=True)  # from here on the old picture is nobody's
    part, report = folder / f"{stem}.part.png", folder / f"{stem}.report.json"
    command = [limn, "paint", pair.photo, pair.painting, "-o", part, "--report", report, "--quiet",
               *(("--size", common["size"]) if common["size"] else ()), *way.length,
               *way.flags, *common["flags"]]
    begin, used = time.monotonic(), processor_seconds()
    run(*command)
    record = {"settings": settings_of(way, common), "program": common["program"],
              "seconds": time.monotonic() - begin,
              "processor_seconds": processor_seconds() - used,
              **told(json.loads(report.read_text()))}
    report.unlink()
    os.replace(part, picture)
    write_json(record_path, record)
    return record


def processor_seconds():
    """Of all processes waited for so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def program_digest(limn):
    """Of the program and, where it is built with one, of the library beside it."""
    limn = pathlib.Path(limn)
    return pairing.digest(limn, *sorted(limn.parent.glob("liblimn.so")))


def conditions(limn):
    """What times depend on beside the pictures: the program's version and the machine."""
    return {"limn": run(limn, "--version").strip(), "processor": processor(),
            "cores": len(os.sched_getaffinity(0)), "date": datetime.date.today().isoformat()}


def measured(conditions):
    """Where and when, in words."""
    return (f"{conditions['limn']}, on {conditions['cores']} cores of {conditions['processor']}, "
            f"{conditions['date']}")


def processor():
    """Its name, where the system tells it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write_json(path, value):
    """Written beside and renamed."""
    part = pathlib.Path(f"{path}.part")
    part.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(part, path)
