"""Paintings made by the command `limn`, timed, and kept so that a run can go on where it ended.

Seconds are those of the whole process, from its start to its end: reading weights and pictures and
writing the picture count. A way with so many seconds is a long run that is interrupted (SIGINT)
when they are over, upon which limn ends its iteration and writes the best picture so far; the
seconds kept say when it was done with that.
"""

import dataclasses
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

ENDLESS = 100_000  # iterations: more than any way does in its seconds
INTERRUPTED = 130  # limn's exit code
LINGERS = 120  # seconds an interrupted limn is given to end


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to paint: a network, and how long."""
    network: str  # as it is called in tables: "builtin", "vgg19", "random", or a candidate's name
    flags: tuple  # that make limn use it
    digest: str  # of its weights
    iterations: int = 0  # or
    seconds: float = 0

    @property
    def budget(self):
        return f"{self.seconds:g} s" if self.seconds else f"{self.iterations} iterations"

    @property
    def name(self):
        length = f"{self.seconds:g}s" if self.seconds else f"{self.iterations}it"
        return re.sub(r"[^\w.-]", "_", f"{self.network}-{length}")

    @property
    def label(self):
        return f"{self.network}, {self.budget}"


class PaintingFailed(Exception):
    pass


def read_kept(record_path, picture, settings):
    """The record of a picture that was painted with these very settings, or None."""
    try:
        record = json.loads(record_path.read_text())
    except (OSError, ValueError):
        return None
    same = isinstance(record, dict) and record.get("settings") == settings
    return record if same and picture.is_file() else None


def painted(limn, way, pair, common, folder):
    """The record of the pair painted in this way; folder/NAME.png is the picture. It is painted if
    it is not there yet. common: what every way has in common,
      {"size": pixels, "flags": [...], "photo": SHA-256, "painting": SHA-256, "program": SHA-256};
    all of it but the program decides whether a picture is still the same."""
    picture, record_path = folder / f"{way.name}.png", folder / f"{way.name}.json"
    settings = {key: value for key, value in common.items() if key != "program"}
    settings["way"] = json.loads(json.dumps(dataclasses.asdict(way)))
    kept = read_kept(record_path, picture, settings)
    if kept:
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    record_path.unlink(missing_ok=True)  # from here on the old picture is nobody's
    part, report = folder / f"{way.name}.part.png", folder / f"{way.name}.report.json"
    command = [limn, "paint", pair.photo, pair.painting, "-o", part, "--report", report, "--quiet",
               "--size", common["size"], "--iterations", way.iterations or ENDLESS,
               *way.flags, *common["flags"]]
    measured = run([str(word) for word in command], way.seconds, folder / f"{way.name}.log")
    record = {"settings": settings, "program": common["program"], **measured,
              **from_report(report)}
    report.unlink()
    os.replace(part, picture)
    write_json(record_path, record)
    return record


def run(command, seconds, log):
    """Runs limn, interrupting it after `seconds` unless they are 0. Returns what that took."""
    begin, used = time.monotonic(), processor_seconds()
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = finish(process, seconds)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    taken = {"seconds": time.monotonic() - begin,
             "processor_seconds": processor_seconds() - used}
    if code == -signal.SIGINT:
        raise PaintingFailed(f"limn had not begun to paint after {seconds:g} s; give it more")
    if code != 0 and not (seconds and code == INTERRUPTED):
        raise PaintingFailed(f"{' '.join(command)}\nended with status {code}:\n{log.read_text()}")
    log.unlink()
    return taken


def finish(process, seconds):
    """Waits for the process, interrupting it after so many seconds. Returns its exit code."""
    try:
        return process.wait(seconds or None)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(LINGERS)
    except subprocess.TimeoutExpired:
        raise PaintingFailed(f"limn was interrupted, but went on for {LINGERS} s") from None


def processor_seconds():
    """Of all processes waited for so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def from_report(path):
    """What is kept of limn's --report."""
    report = json.loads(path.read_text())
    return {"iterations": report["history"][-1]["iteration"],
            "best_iteration": report["best_iteration"],
            "first_iteration_at": report["history"][0]["seconds"],
            "outcome": report["outcome"]}


def write_json(path, value):
    """Written beside and renamed."""
    part = pathlib.Path(f"{path}.part")
    part.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(part, path)
