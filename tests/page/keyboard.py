#!/usr/bin/env python3
"""The page by keyboard alone, and what a screen reader is told.

    keyboard.py LIMN [TEST...]
"""
import sys

from browser import Keys, wait_for
from page import QUICK
from run import again, expect, expect_equal, run

FOCUSED = """
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e), r = e.getBoundingClientRect();
    e.dataset.visited ??= (window.visits = (window.visits ?? 0) + 1);
    return {number: +e.dataset.visited, tag: e.tagName, name: e.ariaLabel ?? e.textContent.trim(),
            type: e.type ?? '', seen: r.width > 0 && r.height > 0,
            ring: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
                  || style.boxShadow !== 'none'
                  || [...(e.labels ?? []), e.parentElement].some((other) => {
                       const s = getComputedStyle(other);
                       return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
                     })};
"""

# What can be reached by Tab in one way or another: of radios of one name, one; not what a menu or
# a toolbar goes through by arrows (tabindex -1 inside something that has a place of its own).
REACHABLE = """
    const groups = new Set();
    return [...document.querySelectorAll(
        'button, input, select, textarea, a[href], summary, [tabindex]')].filter((e) => {
      if (!e.checkVisibility({visibilityProperty: true})) return false;
      if (e.disabled || e.tabIndex < 0) return false;
      if (e.closest('[inert]') || e.type === 'file' && e.tabIndex < 0) return false;
      if (e.type !== 'radio') return true;
      if (groups.has(e.name)) return false;
      groups.add(e.name);
      return true;
    }).filter((e) => !arguments[0] || !e.dataset.visited)
      .map((e) => `${e.tagName} ${e.ariaLabel ?? e.textContent.trim().slice(0, 30)}`);
"""


def tab_to(page, name, role=None, most=120):
    """Presses Tab until the focus is on something of this name; the element."""
    for _ in range(most):
        page.browser.keys(Keys.TAB)
        element = page.browser.driver.switch_to.active_element
        if element.accessible_name.startswith(name) and role in (None, element.aria_role):
            return element
    raise AssertionError(f"{most} times Tab, and never on {name!r}")


def a_picture_is_painted_without_a_mouse(page):
    """From an example to a finished picture, to its file."""
    page.open()
    photo = page.names("photo")
    example = tab_to(page, "Example")
    while f"{example.get_attribute('data-name')}.jpg" in photo:
        example = tab_to(page, "Example")
    chosen = f"{example.get_attribute('data-name')}.jpg"
    page.browser.keys(Keys.ENTER)
    wait_for(lambda: page.names("photo") == [chosen], "the example as the photo")
    slider = tab_to(page, "Strength", "slider")
    page.browser.keys(Keys.HOME)
    wait_for(lambda: float(page.value(slider)) == 0, "no strength")
    tab_to(page, "Paint", "button")
    page.browser.keys(Keys.ENTER)
    def painted():
        jobs = [page.server.job(job["id"]) for job in page.server.jobs("done")]
        return [job for job in jobs if job["settings"]["balance"]["strength"] == 0]
    number = wait_for(painted, "the picture")[0]["id"]
    page.wait_job(number, "done")
    item = page.roles("button", within=page.job_selector(number), starts="Actions for")[0]
    page.browser.js("arguments[0].focus()", item)
    page.browser.keys(Keys.ENTER)
    page.find("menu")
    expect_equal("menuitem", page.browser.driver.switch_to.active_element.aria_role,
                 "the role of what has the focus in a menu")
    for _ in range(20):
        if page.browser.driver.switch_to.active_element.accessible_name == "Download PNG":
            break
        page.browser.keys(Keys.ARROW_DOWN)
    page.browser.keys(Keys.ENTER)
    expect(page.browser.downloaded().endswith(".png"), "no PNG came")


def menus_close_and_give_the_focus_back(page):
    page.open()
    page.wait_shows("job")
    number = page.wait_for_own_job()["id"]
    page.wait_job(number, "done")
    item = page.roles("button", within=page.job_selector(number), starts="Actions for")[0]
    page.browser.js("arguments[0].focus()", item)
    page.browser.keys(Keys.ENTER)
    page.find("menu")
    page.browser.keys(Keys.ESCAPE)
    page.gone("menu")
    expect(page.browser.driver.switch_to.active_element.accessible_name.startswith("Actions for"),
           "the focus is somewhere else")


@again
def everything_is_reached_and_the_focus_is_seen(page):
    page.open()
    page.wait_painted()
    page.more()
    page.browser.js("document.activeElement.blur(); window.scrollTo(0, 0)")
    reachable = len(page.browser.js(REACHABLE, False))
    expect(reachable > 25, f"there are only {reachable} things to reach")
    visited = {}
    for _ in range(2 * reachable + 20):
        page.browser.keys(Keys.TAB)
        at = page.browser.js(FOCUSED)
        if at is None:  # from the last thing to the first
            continue
        if at["number"] == 1 and len(visited) > 1:
            break
        visited[at["number"]] = at
    unseen = [at for at in visited.values() if not (at["ring"] or at["tag"] == "CANVAS")]
    names = [(at["tag"], at["name"][:30]) for at in unseen]
    expect(not unseen, f"the focus cannot be seen on {names}")
    hidden = [at for at in visited.values() if not at["seen"]]
    expect(not hidden, f"the focus goes to what is not there: {hidden}")
    expect_equal([], page.browser.js(REACHABLE, True), "what Tab does not reach")


@again
def keys_are_listed(page):
    page.open()
    page.wait_shows("job")
    page.browser.js("document.activeElement.blur()")
    page.browser.keys("?")
    page.find("region", "Keys")
    expect_equal("true", page.button("Keys").get_attribute("aria-expanded"), "aria-expanded")
    page.browser.keys(Keys.ESCAPE)
    page.gone("region", "Keys")
    box = page.find("slider", "Strength")
    page.press("More")
    text = page.find("textbox", "Recipe as text")
    wait_for(lambda: text.get_attribute("value") != "", "the recipe")
    page.browser.js("arguments[0].focus()", text)
    page.browser.keys("?", "1", "+")  # typed text is no command
    expect(not page.roles("region", "Keys"), "? in a text box opened the list of keys")
    expect("?1+" in text.get_attribute("value"), "it was not typed either")
    page.expected.append("422")
    expect(box.is_displayed(), "the controls are gone")


def changes_of_state_are_said(page):
    """A live region tells what a painting does, and not each per cent."""
    page.browser.on_each_visit("""
        window.saidAll = [];
        new MutationObserver(() => {
          const text = document.querySelector('[data-test="said"]')?.textContent.trim();
          if (text && text !== saidAll.at(-1)) saidAll.push(text);
        }).observe(document, {subtree: true, childList: true, characterData: true});""")
    page.open_pair()
    page.wait_painted()
    region = page.test("said")
    expect(page.browser.js("return arguments[0].ariaLive ?? arguments[0].getAttribute('role')",
                           region) in ("polite", "status"), "it is not polite")
    said = page.browser.js("return saidAll")
    expect(any("one" in text for text in said), f"nothing said that it is done: {said}")
    expect(len(said) < 25, f"it said {len(said)} things")
    canvas = page.find("img", starts="", within="main")
    expect(len(canvas.accessible_name) > 5, f"the canvas is named {canvas.accessible_name!r}")


@again
def landmarks_and_headings_are_in_order(page):
    page.open()
    page.find("heading", "limn")
    for role in ("banner", "main", "navigation"):
        page.find(role)
    for name in ("Controls", "Pictures", "Photo", "Painting"):
        page.find("region", name)
    expect(page.browser.js("return document.documentElement.lang").startswith("en"), "no language")
    expect(page.browser.driver.title.startswith("limn") or "limn" in page.browser.driver.title,
           f"the title is {page.browser.driver.title!r}")


def nothing_moves_for_those_who_want_no_motion(page):
    page.browser.prefer(reduced_motion=True)
    page.open(QUICK + "&optimiser.iterations=40")
    page.wait_shows("live")
    moving = """
        return document.getAnimations().filter((a) => a.playState === 'running'
            && (a.effect.getComputedTiming().duration > 20)).map((a) =>
            a.animationName ?? a.transitionProperty)"""
    expect_equal([], page.browser.js(moving), "what moves while it paints")
    page.press("More")
    expect_equal([], page.browser.js(moving), "what moves when the disclosure opens")
    page.wait_status("done")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, menus_close_and_give_the_focus_back, everything_is_reached_and_the_focus_is_seen,
        keys_are_listed, landmarks_and_headings_are_in_order,
        a_picture_is_painted_without_a_mouse, changes_of_state_are_said,
        nothing_moves_for_those_who_want_no_motion))
