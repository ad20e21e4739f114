#!/usr/bin/python3
"""Measures how soon `limn serve` shows a picture after a setting has changed.

  live.py --limn build/limn --photo photo.jpg --painting painting.jpg [--second another.jpg]
      [--count 50] [--size 256] [--change strength|scale|colors|share|each] [--job]

Starts a server of its own, uploads the pictures, asks for one preview (the cold one), and then for
`count` more, with a setting changed each time and the last one still being painted: as a slider
does. Prints the milliseconds from the request to the first picture, median and 95th percentile;
then those to the last picture, undisturbed; and the memory of the painters. With --job a picture of
1024 pixels is painted meanwhile.

Exit status: 0 measured, 1 the server failed.
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))
from live_client import Live  # noqa: E402
from server import Server  # noqa: E402


def settings(change, number):
    """The settings of a slider's position number `number`: all of them differ."""
    part = number % 50 / 50
    kinds = {"strength": {"balance": {"strength": 0.2 + 0.6 * part}},
             "scale": {"style": {"scale": [0.6 + 0.8 * part]}},
             "colors": {"picture": {"colors": ("style", "content", "matched")[number % 3]},
                        "balance": {"strength": 0.2 + 0.6 * part}},
             "share": {"style": {"blend": [0.2 + 0.6 * part, 0.8 - 0.6 * part]}}}
    return kinds[change] if change != "each" else list(kinds.values())[number % 3]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def line_of(name, seconds):
    print(f"{name:34} median {1000 * statistics.median(seconds):6.0f} ms   "
          f"p95 {1000 * percentile(seconds, 0.95):6.0f} ms   of {len(seconds)}", flush=True)


def painters_memory(server):
    """Resident bytes of each live painter: the children that are told 'serve live'."""
    found = []
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            command = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if b"live" in command:
                statm = pathlib.Path(f"/proc/{child}/statm").read_text(encoding="ascii")
                found.append(int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return found


def upload(server, path):
    with open(path, "rb") as file:
        status, _, text = server.ask("POST", "/api/v1/uploads", file.read(),
                                     {"Content-Type": "application/octet-stream"})
    if status != 201:
        raise RuntimeError(f"{path}: {status} {text}")
    return json.loads(text)["id"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for flag in ("--limn", "--photo", "--painting"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--second", help="another painting, for --change share")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pause", type=float, default=0.4, help="seconds between two changes")
    parser.add_argument("--change", default="strength",
                        choices=("strength", "scale", "colors", "share", "each"))
    parser.add_argument("--job", action="store_true")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, {options.change}, "
          f"size {options.size}")
    with Server(options.limn, workers=1 if options.job else 0) as server:
        pictures = {"photo": upload(server, options.photo),
                    "painting": [upload(server, painting)
                                 for painting in (options.painting, options.second) if painting]}
        if options.job:
            status, _ = server.json("POST", "/api/v1/jobs", dict(
                pictures, settings={"picture": {"size": 1024}}))
            if status != 201:
                raise RuntimeError(f"the job was answered {status}")
            time.sleep(5)

        def ask(number):
            return Live(server, dict(pictures, size=options.size, seat="slider",
                                     settings=settings(options.change, number)))

        with ask(0) as live:
            cold = live.first()
            print(f"cold: first picture after {1000 * cold:.0f} ms", flush=True)
            list(live.rest())
        firsts, lasts = [], []
        previous = None
        for number in range(1, options.count + 1):
            live = ask(number)
            firsts.append(live.first())
            if previous:
                previous.close()
            previous = live
            time.sleep(options.pause)
        previous.close()
        line_of("to the first picture", firsts)
        for number in range(5):
            with ask(100 + number) as live:
                live.first()
                list(live.rest())
                lasts.append(live.since_asked())
        line_of("to the last picture", lasts)
        print("memory of painters: " +
              ", ".join(f"{bytes_ / 1e6:.0f} MB" for bytes_ in painters_memory(server)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        print(f"live.py: {error}", file=sys.stderr)
        sys.exit(1)
