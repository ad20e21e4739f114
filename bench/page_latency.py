#!/usr/bin/python3
"""Measures in a browser how soon the page of limn serve answers.

  page_latency.py [--limn build/limn] [--moves 50] [--full 50] [--others 15] [--visits 10]
      [--size 512] [--markdown docs/page.md] [--json OUT.json]

A move is an arrow key on the slider Strength, from 0.50 to 0.51 and so on (what has been painted
once is not painted again), pressed when the picture before is done and nothing works. From that
key's event, which the browser stamps, until
  first picture    the canvas has changed and shows a live preview: looked at in each frame that the
                   browser draws, so to a sixtieth of a second
  preview          the last picture of the live preview
  full picture     the page says that the picture at full size is done; for the first --full moves
Then --others moves of each other control, with two paintings: stroke size, colours, a painting's
share; only their previews. A visit is one of a new browser profile's, as far as the cache
goes, to a server that runs: from the navigation until the page is ready, and until the canvas shows
the first painting. Photo, painting and all other settings are the page's own. Over loopback, in
headless Chromium without a GPU, which shares the machine's cores with limn.

Exit status: 0 measured, 77 something needed is not here, 2 bad usage.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "tests" / "page"))
import states
from browser import Browser, Keys, missing, wait_for
from run import opened
from compare_torch import describe_machine, machine_text, warn_if_busy
from kit import command, page as markdown
from kit.command import say

MAKER = "bench/page_latency.py"
MOST_MOVES = 50
COLOURS = ("Photo’s", "Matched", "Painting’s")
SECOND = "woodcut.jpg"


def key(slider):
    """An arrow key on a slider."""
    return lambda page, number: page.find("slider", slider).send_keys(Keys.ARROW_RIGHT)


# A move, its number given, of each control besides Strength.
CONTROLS = {"Stroke size": key("Stroke size"),
            "Colours": lambda page, number: page.choose_radio(COLOURS[number % len(COLOURS)]),
            "Share of oil": key("Share of oil")}
MINUTES = 900  # seconds that a picture at full size may take

# Looks at the canvas in each frame from the next slider event on; `probe` holds what it saw.
PROBE = """
    const canvas = document.querySelector('[data-test="canvas"]');
    const status = document.querySelector('[data-test="status"]');
    const small = new OffscreenCanvas(48, 48).getContext('2d', {willReadFrequently: true});
    const look = () => {
      small.drawImage(canvas, 0, 0, 48, 48);
      return new Uint32Array(small.getImageData(0, 0, 48, 48).data.buffer);
    };
    const still = look();
    const same = (picture) => picture.every((value, i) => value === still[i]);
    const probe = window.probe = {start: null, first: null, preview: null, full: null};
    addEventListener('input', (event) => { probe.start ??= event.timeStamp; },
                     {capture: true, once: true});
    let frame = canvas.dataset.frame;
    const step = () => {
      if (window.probe !== probe) return;
      const now = performance.now();
      if (probe.start !== null && canvas.dataset.frame !== frame) {
        frame = canvas.dataset.frame;
        if (canvas.dataset.shows === 'live') {
          if (probe.first === null && !same(look())) probe.first = now;
          probe.preview = now;
        }
      }
      if (probe.first !== null && status.dataset.state === 'done' &&
          canvas.dataset.shows === 'job') {
        probe.full = now;
        return;
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
"""

# When the page was ready, and when the canvas first showed a painting, since the navigation began.
VISIT = """
    window.visit = {ready: null, painting: null};
    const look = () => {
      const canvas = document.querySelector('[data-test="canvas"]');
      if ('ready' in document.documentElement.dataset) visit.ready ??= performance.now();
      if (canvas?.dataset.shows === 'live') visit.painting ??= performance.now();
      if (visit.painting === null) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
"""


def quiet(page):
    """The picture of before is done, and neither the page nor the server works."""
    wait_for(lambda: page.status() in ("done", "idle", "cancelled") and page.server.idle(),
             "the picture before to be done", MINUTES)


def measure_moves(page, options):
    """[{"first", "preview", "full"}], in milliseconds since the slider's event."""
    page.open(f"picture.size={options.size}")
    moves = []
    for number in range(options.moves):
        quiet(page)
        page.browser.js(PROBE)
        page.find("slider", "Strength").send_keys(Keys.ARROW_RIGHT)
        wait_for(lambda: page.browser.js("return window.probe.first"), "a changed picture")
        if number < options.full:
            wait_for(lambda: page.browser.js("return window.probe.full"), "the full picture",
                     MINUTES)
        else:
            wait_for(lambda: page.status() in ("waiting", "painting"), "the end of the preview",
                     MINUTES)
        seen = page.browser.js("return window.probe")
        if number >= options.full:
            page.press("Cancel")
        moves.append({what: seen[what] - seen["start"] for what in ("first", "preview", "full")
                      if seen[what] is not None})
        say(f"move {number + 1}: " + ", ".join(f"{what} {ms:.0f} ms" for what, ms in
                                               moves[-1].items()))
    return moves


def measure_controls(page, options):
    """{control: [{"first", "preview"}]}, in milliseconds since the control's event. Pictures at
    full size are off, and an example is the second painting."""
    page.open(f"picture.size={options.size}")
    page.give("painting-add", SECOND, states.picture("paintings", SECOND))
    page.wait_picture("painting", SECOND)
    quiet(page)
    page.by_hand_only()
    found = {}
    for control, move in CONTROLS.items():
        found[control] = []
        for number in range(options.others):
            page.browser.js(PROBE)
            move(page, number)
            wait_for(lambda: page.browser.js("return window.probe.first"), "a changed picture")
            page.says("status", "Sketched")
            seen = page.browser.js("return window.probe")
            found[control].append({what: seen[what] - seen["start"]
                                   for what in ("first", "preview")})
            say(f"{control} {number + 1}: " + ", ".join(
                f"{what} {ms:.0f} ms" for what, ms in found[control][-1].items()))
    return found


def measure_visits(browser, options):
    """[{"ready", "painting"}], in milliseconds since the navigation began."""
    visits = []
    with opened(options.limn, browser) as page:
        browser.forget()
        browser.on_each_visit(VISIT)
        for number in range(options.visits):
            browser.cdp("Network.clearBrowserCache")
            page.open(f"picture.size={options.size}")
            wait_for(lambda: browser.js("return window.visit.painting"), "the first painting")
            visits.append(browser.js("return window.visit"))
            say(f"visit {number + 1}: " + ", ".join(f"{what} {ms:.0f} ms" for what, ms in
                                                    visits[-1].items()))
            page.by_hand_only()  # the next visit is not to meet a painter at work
        browser.driver.get("about:blank")
    return visits


def percentile(values, share):
    """The least value that `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def row(what, samples):
    seconds = [each / 1000 for each in samples]
    return [what, f"{statistics.median(seconds):.2f} s", f"{percentile(seconds, 0.95):.2f} s",
            str(len(seconds))]


def report(moves, others, visits, options, machine):
    rows = [row(text, [each[what] for each in of if what in each])
            for text, of, what in (
                ("Strength moved to first changed picture", moves, "first"),
                *((f"{control} to first changed picture", of, "first")
                  for control, of in others.items()),
                ("Strength moved to last picture of the preview", moves, "preview"),
                (f"Strength moved to full picture ({options.size} pixels)", moves, "full"),
                ("first visit to page ready", visits, "ready"),
                ("first visit to first painting", visits, "painting"))
            if any(what in each for each in of)]
    return (markdown.table(["", "median", "p95", "of"], rows) + "\n\n" +
            f"{machine_text(machine)}; headless Chromium on the same cores, over loopback. "
            f"`{MAKER}` measures this.")


def arguments():
    parser = command.parser(__doc__)
    parser.add_argument("--limn", default=PROJECT / "build" / "limn", type=command.existing_file)
    parser.add_argument("--moves", default=50, type=int)
    parser.add_argument("--full", default=50, type=int, help="moves that wait for the full picture")
    parser.add_argument("--others", default=15, type=int, help="moves of each other control")
    parser.add_argument("--visits", default=10, type=int)
    parser.add_argument("--size", default=512, type=int)
    parser.add_argument("--markdown", help="a page that gets the table between two marks")
    parser.add_argument("--json", type=argparse.FileType("w"))
    options = parser.parse_args()
    if not 1 <= options.moves <= MOST_MOVES:
        parser.error(f"--moves: the slider has {MOST_MOVES} values above its default")
    options.limn, options.threads = str(options.limn), len(os.sched_getaffinity(0))
    return options


def main():
    options = arguments()
    if missing():
        say(f"skipped: {missing()}")
        return 77
    machine = describe_machine(options)
    warn_if_busy(machine)
    with Browser() as browser:
        visits = measure_visits(browser, options)
        with opened(options.limn, browser) as page:
            browser.forget()
            moves = measure_moves(page, options)
            others = measure_controls(page, options)
            browser.driver.get("about:blank")
    text = report(moves, others, visits, options, machine)
    say("\n" + text)
    if options.markdown:
        markdown.splice(options.markdown, text, MAKER)
    if options.json:
        json.dump({"machine": machine, "moves": moves, "others": others, "visits": visits},
                  options.json, indent=1)
    return 0


if __name__ == "__main__":
    with command.errors_told():
        sys.exit(main())
