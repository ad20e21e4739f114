#!/usr/bin/python3
"""Takes pictures of the page of limn serve in its states, to be looked at, and those of the docs.

  page_screenshots.py [--limn build/limn] [--out build/page] [--state NAME]... [--all] [--docs]

Ten states (tests/page/states.py) at 1440 x 900, at 1920 x 1080 and on a phone, light and dark, as
OUT/STATE-WINDOW-SCHEME.png; --all takes those also that only the tests look at. --docs writes the
three of docs/page.md instead: docs/page/*.jpg.

Exit status: 0 done, 1 a state did not come about, 77 something needed is not here, 2 bad usage.
"""

import io
import os
import pathlib
import sys

os.environ.setdefault("LIMN_PATIENCE", "900")  # seconds: a large picture takes its time
PROJECT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "tests" / "page"))
import states
from browser import DESKTOP, PHONE, WIDE, Browser, NotYet, missing, wait_for
from run import opened
from kit import command
from kit.command import say

WINDOWS = {"1440": DESKTOP, "1920": WIDE, "phone": PHONE}
DOCS_SETTINGS = "picture.size=768"  # as large as the canvas
MOST_BYTES = 150_000  # of a picture of the docs; the repository carries it

# State, window, scheme, and the file of docs/page/ that shows it.
DOCS = ((states.done, "1440", "light", "painted.jpg"),
        (states.brushing, "1440", "dark", "brush.jpg"),
        (states.before_and_after, "phone", "light", "phone.jpg"))


def settled(page):
    """Nothing moves, all pictures are there, and the canvas has been drawn at its size."""
    wait_for(lambda: page.browser.js(
        "return [...document.images].every((image) => image.complete)"), "all pictures")
    wait_for(lambda: page.browser.js(
        "return !document.getAnimations().some((a) => a.playState === 'running')"), "rest")
    page.browser.js_async("await new Promise((done) => requestAnimationFrame(() =>"
                          "requestAnimationFrame(done)))")


def take(page, path):
    settled(page)
    page.browser.screenshot(path)
    say(path)


def take_all(browser, options, state):
    with opened(options.limn, browser) as page:
        browser.forget()
        browser.shape(DESKTOP)
        browser.prefer("light", reduced_motion=True)
        state(page, states.GOOD)
        for window, shape in WINDOWS.items():
            browser.shape(shape)
            for scheme in ("light", "dark"):
                browser.prefer(scheme, reduced_motion=True)
                take(page, options.out / f"{state.__name__}-{window}-{scheme}.png")
        browser.driver.get("about:blank")


def write_small(png, path):
    """As JPEG, of the best quality that MOST_BYTES allow."""
    from PIL import Image
    picture = Image.open(png).convert("RGB")
    for quality in range(92, 40, -4):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= MOST_BYTES:
            break
    path.write_bytes(data.getvalue())
    say(f"{path} {data.tell() // 1000} kB")


def take_docs(browser, options):
    folder = PROJECT / "docs" / "page"
    folder.mkdir(exist_ok=True)
    for state, window, scheme, name in DOCS:
        with opened(options.limn, browser) as page:
            browser.forget()
            browser.shape(WINDOWS[window])
            browser.prefer(scheme, reduced_motion=True)
            state(page, DOCS_SETTINGS)
            if state is states.brushing:  # the picture that follows, and not the sketch
                page.wait_shows("job")
                page.wait_status("done")
            png = options.out / f"docs-{name}.png"
            take(page, png)
            write_small(png, folder / name)
            browser.driver.get("about:blank")


def arguments():
    parser = command.parser(__doc__)
    parser.add_argument("--limn", default=PROJECT / "build" / "limn", type=command.existing_file)
    parser.add_argument("--out", default=PROJECT / "build" / "page", type=pathlib.Path)
    parser.add_argument("--state", action="append", choices=[s.__name__ for s in states.ALL])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    options.limn = str(options.limn)
    return options


def main():
    options = arguments()
    if missing():
        say(f"skipped: {missing()}")
        return 77
    options.out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with Browser() as browser:
        if options.docs:
            take_docs(browser, options)
            return 0
        for state in states.ALL if options.all or options.state else states.SHOWN:
            if options.state and state.__name__ not in options.state:
                continue
            try:
                take_all(browser, options, state)
            except NotYet as error:
                say(f"error: {state.__name__}: {error}")
                wrong = 1
    return wrong


if __name__ == "__main__":
    with command.errors_told():
        sys.exit(main())
