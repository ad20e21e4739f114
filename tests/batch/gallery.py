#!/usr/bin/env python3
"""The gallery that limn batch writes, in a browser: opened from the disk, by keyboard, in light and
dark, on a phone, and without its script.

    gallery.py LIMN [TEST...]

Exit status: 0 all passed, 1 one failed, 77 something is not on this machine.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "page"))
from browser import DESKTOP, PHONE, Browser, Keys, missing, wait_for

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
PHOTOS = ("harbour.jpg", "street.jpg")
PAINTINGS = ("ink_wash.jpg", "oil.jpg", "woodcut.jpg")
COUNT = len(PHOTOS) * len(PAINTINGS)
AXE = pathlib.Path(os.environ.get("LIMN_AXE") or EXAMPLES.parent / "build" / "axe" /
                   "node_modules" / "axe-core" / "axe.min.js")


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(wanted, found, what):
    expect(wanted == found, f"{what}: expected {wanted!r}, found {found!r}")


def paint(limn, folder):
    """The gallery of a batch, painted in an instant."""
    page = pathlib.Path(folder) / "prints" / "index.html"
    subprocess.run([limn, "batch", *(EXAMPLES / "photos" / name for name in PHOTOS), "--paintings",
                    *(EXAMPLES / "paintings" / name for name in PAINTINGS), "-o", page.parent,
                    "--html", page, "--size", "64", "--iterations", "1", "--quiet"], check=True)
    return page


SHOWN = """return [...document.querySelectorAll('.tile:not(.lead)')].filter(
    (tile) => tile.offsetParent !== null).map((tile) => tile.querySelector('img').alt)"""


def shown(browser):
    return browser.js(SHOWN)


def title(browser):
    """Of the picture that fills the window; None if there is none."""
    return browser.js("""const dialog = document.querySelector('dialog');
        return dialog.open ? dialog.querySelector('.title').textContent : null""")


def asks_nobody_for_anything(browser, page):
    browser.click(browser.all(".tile:not(.lead) a")[0])
    wait_for(lambda: title(browser), "a picture")
    wait_for(lambda: browser.js("return document.querySelector('.both img').src")
             .startswith("file:"), "the full picture")
    browser.read_logs()
    strange = [each["url"] for each in browser.requests
               if not each["url"].startswith(("file:", "data:"))]
    expect_equal([], strange, "requests")
    expect_equal([], browser.console, "errors on the console")


def shows_all_pictures_with_words(browser, page):
    expect_equal(COUNT, len(shown(browser)), "pictures")
    expect_equal("harbour, in the style of ink wash", shown(browser)[0], "the first one's words")
    expect(browser.js("return [...document.images].every((i) => i.hasAttribute('alt'))"),
           "a picture without an alt text")
    expect_equal("prints", browser.one("h1").text, "the title")


def works_by_keyboard(browser, page):
    browser.js("document.querySelector('.tile:not(.lead) a').focus()")
    browser.keys(Keys.ENTER)
    wait_for(lambda: title(browser) == "harbour, in the style of ink wash", "the first picture")
    browser.keys(Keys.ARROW_RIGHT)
    wait_for(lambda: title(browser) == "harbour, in the style of oil", "the second picture")
    browser.keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    wait_for(lambda: title(browser) == "street, in the style of woodcut", "the last picture")
    browser.js("document.querySelector('.both input').focus()")
    browser.keys(Keys.END)
    expect_equal("100%", browser.js("return document.querySelector('.both').style"
                                    ".getPropertyValue('--at')"), "how much of the photo is seen")
    expect_equal("true", browser.one(".peek").get_attribute("aria-pressed"), "the photo's button")
    browser.keys(Keys.ESCAPE)
    wait_for(lambda: title(browser) is None, "the page")
    expect_equal("street, in the style of woodcut",
                 browser.js("return document.activeElement.querySelector('img').alt"), "the focus")


def sorts_and_chooses(browser, page):
    browser.click(browser.all("#by label")[1])
    wait_for(lambda: shown(browser)[1] == "street, in the style of ink wash", "another order")
    expect_equal(len(PAINTINGS), len(browser.all("main .room")), "rooms")
    browser.click(browser.all("#styles button")[1])
    wait_for(lambda: len(shown(browser)) == len(PHOTOS), "one painting's pictures")
    expect(all("oil" in words for words in shown(browser)), "another painting's pictures")
    browser.click(browser.all("#photos button")[0])
    wait_for(lambda: shown(browser) == ["harbour, in the style of oil"], "one picture")
    browser.click(browser.js("return [...document.querySelectorAll('.tile:not(.lead)')].find("
                             "(tile) => tile.offsetParent !== null).querySelector('a')"))
    wait_for(lambda: title(browser), "a picture")
    expect_equal("1 / 1", browser.one(".count").text, "pictures to go through")


def fits_every_window(browser, page):
    for window in (DESKTOP, PHONE):
        browser.shape(window)
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            wide, inside = browser.js(
                "return [document.documentElement.scrollWidth, innerWidth]")
            expect(wide <= inside, f"the page is {wide} wide in a window of {inside}")
    browser.prefer("light")
    before = browser.js("return getComputedStyle(document.documentElement).backgroundColor")
    browser.click(browser.one("#theme"))
    after = browser.js("return getComputedStyle(document.documentElement).backgroundColor")
    expect(before != after, "the button changes nothing")


def has_no_fault_that_axe_finds(browser, page):
    if not AXE.is_file():
        print(f"     left out: {AXE} is not here; tools/setup.sh axe gets it")
        return
    browser.js(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        browser.prefer(scheme, reduced_motion=True)
        for state in ("page", "picture"):
            if state == "picture":
                browser.js("document.querySelector('.tile:not(.lead) a').click()")
            found = browser.js_async("return (await axe.run(document)).violations.flatMap("
                                     "({id, nodes}) => nodes.map((n) => `${id}: ${n.html}`));")
            expect_equal([], found, f"faults, {scheme}, {state}")
        browser.keys(Keys.ESCAPE)


def shows_all_without_its_script(browser, page):
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.driver.get(page.as_uri())
        links = browser.all(".tile a")
        expect_equal(COUNT, len(links), "pictures")
        expect_equal(False, browser.one("#theme").is_displayed(), "a button that does nothing")
        browser.driver.get(links[0].get_attribute("href"))
        expect(browser.driver.title, "the picture itself")
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


TESTS = (asks_nobody_for_anything, shows_all_pictures_with_words, works_by_keyboard,
         sorts_and_chooses, fits_every_window, has_no_fault_that_axe_finds,
         shows_all_without_its_script)


def main():
    if missing():
        print(f"skipped: {missing()}")
        return 77
    limn, *wanted = sys.argv[1:]
    failures = 0
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        page = paint(limn, folder)
        for test in TESTS:
            if wanted and test.__name__ not in wanted:
                continue
            browser.forget()
            browser.driver.get(page.as_uri())
            try:
                test(browser, page)
                print(f"ok   {test.__name__}", flush=True)
            except Exception:
                failures += 1
                print(f"FAIL {test.__name__}\n{traceback.format_exc()}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
