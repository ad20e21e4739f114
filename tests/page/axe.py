#!/usr/bin/env python3
"""axe-core finds nothing on any state of the page: light and dark, on a desktop and on a phone. Nor
does anything stick out at the side.

    axe.py LIMN [STATE...]

axe-core is not in Debian: tools/setup.sh axe puts it into build/axe; LIMN_AXE names it elsewhere.
"""
import functools
import os
import pathlib
import sys

import states
from browser import DESKTOP, PHONE, wait_for
from page import IDLE, QUICK
from run import again, expect, run

AXE = pathlib.Path(os.environ.get("LIMN_AXE") or pathlib.Path(__file__).resolve().parents[2] /
                   "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js")

LOOK = """
    // One state in both schemes: only contrast depends on the colours.
    const result = await axe.run(document, arguments[0] ?
        {runOnly: {type: 'rule', values: ['color-contrast']}} : {resultTypes: ['violations']});
    return result.violations.flatMap(({id, help, nodes}) => nodes.map((node) =>
        `${id} (${help}): ${node.html.slice(0, 160)} ` +
        `${node.any.concat(node.all)[0]?.message ?? ''}`));
"""


def look(page, window, scheme, only_contrast):
    page.browser.shape(window)
    page.browser.prefer(scheme, reduced_motion=True)  # nothing half faded
    if not page.browser.js("return 'axe' in window"):
        page.browser.js(AXE.read_text(encoding="utf-8"))
    wait_for(lambda: page.browser.js("return !document.getAnimations().some("
                                     "(a) => a.playState === 'running')"), "nothing to move")
    where = f"{scheme}, {window[0]} wide"
    return [f"{where}: {found}" for found in page.browser.js_async(LOOK, only_contrast)]


def sticks_out(page, window):
    wide, inside = page.browser.js("return [document.documentElement.scrollWidth, innerWidth]")
    return [f"the page is {wide} wide in a window of {window[0]}"] if wide > inside else []


# These look at one finished picture, whichever: the last of them ends the server.
OF_ANY_PICTURE = (states.before_and_after, states.more, states.comparing, states.menu,
                  states.dropping, states.locked, states.away)


def test_of(state):
    @functools.wraps(state)
    def test(page):
        state(page, QUICK + ("&size=128x128" if state is states.texture else ""))
        found = []
        for window in (DESKTOP, PHONE):
            found += look(page, window, "light", False) + look(page, window, "dark", True)
            found += sticks_out(page, window)
        if found:
            raise AssertionError(f"{len(found)} faults\n    " + "\n    ".join(found[:12]))
    return again(test) if state in OF_ANY_PICTURE else test


def axe_core_sees_faults(page):
    """Otherwise to find nothing would mean nothing."""
    page.open(IDLE)
    page.browser.js("""
        document.querySelector('h1').style.color = '#ddd';
        document.body.append(document.createElement('button'));""")
    found = "\n".join(look(page, DESKTOP, "light", False))
    for rule in ("color-contrast", "button-name"):
        expect(rule in found, f"the fault {rule!r} is not among what was found: {found!r}")


if __name__ == "__main__":
    if not AXE.is_file():
        print(f"skipped: {AXE} is not here; tools/setup.sh axe gets it")
        sys.exit(77)
    others = [state for state in states.ALL if state not in (states.done, *OF_ANY_PICTURE)]
    sys.exit(run(__doc__, axe_core_sees_faults,
                 *map(test_of, (*others, states.done, *OF_ANY_PICTURE))))
