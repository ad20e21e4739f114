#!/usr/bin/env python3
"""Settings as text and as a link, and several of them beside each other to choose from.

    settings.py LIMN [TEST...]
"""
import sys

import samples
from browser import Keys, wait_for
from page import QUICK
from run import expect, expect_equal, run


def strength(page):
    return float(page.value(page.find("slider", "Strength")))


def recipe(page):
    """The text box with the recipe, open and filled."""
    page.more()
    box = page.find("textbox", "Recipe as text")
    wait_for(lambda: "strength" in box.get_attribute("value"), "the recipe as text")
    return box


def write(page, box, old, new):
    """Changes a part of the text, at once: the page checks it whenever nobody writes."""
    text = box.get_attribute("value")
    expect(old in text, f"{old!r} is not in the recipe")
    at = text.index(old)
    page.browser.js("arguments[0].focus(); arguments[0].setSelectionRange(arguments[1],"
                    " arguments[1] + arguments[2])", box, at, len(old))
    page.browser.cdp("Input.insertText", text=new)


def line_with(text, word):
    return next(line for line in text.splitlines() if line.strip().startswith(word))


def the_recipe_follows_the_sliders_and_they_follow_it(page):
    page.open()
    box = recipe(page)
    page.set_slider("Strength", Keys.END)
    wait_for(lambda: line_with(box.get_attribute("value"), "strength").split("=")[1].split()[0]
             in ("1", "1.0"), "the strength in the text")
    write(page, box, line_with(box.get_attribute("value"), "strength"), "strength = 0.25")
    wait_for(lambda: strength(page) == 0.25, "the slider to follow the text")
    wait_for(lambda: page.live_requests()[-1]["settings"].get("balance") == {"strength": 0.25},
             "a preview with it")
    wait_for(lambda: [job for job in page.server.jobs("done") if
                      page.server.job(job["id"])["settings"]["balance"]["strength"] == 0.25],
             "a picture with it")


def an_error_in_the_recipe_is_said_at_its_line(page):
    page.expected.append("422")
    page.open()
    page.wait_shows("job")
    box = recipe(page)
    before = strength(page)
    line = line_with(box.get_attribute("value"), "strength")
    number = box.get_attribute("value").splitlines().index(line) + 1
    write(page, box, line, "strenght = 0.9")
    page.says("recipe-error", "strenght")
    alert = page.find("alert", within='aside, [role="complementary"]')
    expect(str(number) in alert.text, f"line {number} is not named in {alert.text!r}")
    expect_equal("true", box.get_attribute("aria-invalid"), "the box's aria-invalid")
    expect_equal(before, strength(page), "the strength")
    write(page, box, "strenght = 0.9", "strength = 0.9")
    wait_for(lambda: page.text("recipe-error") == "", "no error any more")
    wait_for(lambda: strength(page) == 0.9, "the slider to follow the text")


def a_link_carries_the_settings(page):
    page.browser.allow("clipboard-read", "clipboard-write")
    page.open()
    page.set_slider("Strength", *[Keys.ARROW_RIGHT] * 7)
    page.choose_radio("Matched")
    value = strength(page)
    wait_for(lambda: f"balance.strength={value:g}" in page.browser.js("return location.hash"),
             "the strength in the address")
    page.more()
    page.press("Copy link")
    link = wait_for(lambda: page.browser.js_async("return await navigator.clipboard.readText()"),
                    "the link on the clipboard")
    expect(link.startswith(f"http://{page.server.host}/"), f"the link is {link!r}")
    expect(page.server.token not in link, "the link has the token in it")
    page.browser.new_tab()
    page.browser.driver.get(link)
    page.wait_ready()
    expect_equal(value, strength(page), "the strength in another tab")
    expect(page.browser.js("return arguments[0].checked ?? arguments[0].ariaChecked === 'true'",
                           page.find("radio", "Matched")), "the colours are others")


def the_next_visit_goes_on_where_this_one_ended(page):
    page.open()
    page.give("photo", "mine.png", samples.photo())
    page.wait_picture("photo", "mine.png")
    page.set_slider("Strength", Keys.END)
    page.wait_painted()
    before = {job["id"] for job in page.server.jobs("done")}
    page.open(settings="")
    expect_equal(["mine.png"], page.names("photo"), "the photo")
    expect_equal(1, strength(page), "the strength")
    page.wait_painted()
    expect_equal(before, {job["id"] for job in page.server.jobs("done")}, "what is painted")


def another_link_in_the_same_tab_is_followed(page):
    page.open()
    page.browser.js("location.hash = '#kind=paint&balance.strength=0.3&picture.size=96'")
    wait_for(lambda: strength(page) == 0.3, "the strength of the new link")


def a_link_that_is_wrong_does_no_harm(page):
    page.expected.append("422")
    page.open("kind=%3Cscript%3E&balance.strength=lots&picture.size=-5&__proto__.x=1&nothing=1&=&%")
    expect(0 <= strength(page) <= 1, f"the strength is {strength(page)}")
    expect_equal(None, page.browser.js("return ({}).x ?? null"), "a setting of all objects")
    page.more()
    page.press("Reset settings")
    wait_for(lambda: strength(page) == 0.5, "the default strength")
    wait_for(lambda: page.shows() in ("live", "job"), "a picture after all")


def settings_are_reset(page):
    page.open(QUICK + "&balance.strength=0.9")
    expect_equal(0.9, strength(page), "the strength of the link")
    page.more()
    page.press("Reset settings")
    wait_for(lambda: strength(page) == 0.5, "the default strength")
    expect("0.9" not in page.browser.js("return location.hash"), "it is still in the link")


def values_are_compared_and_one_is_taken(page):
    page.open_pair()
    page.wait_sketched()
    page.more()
    page.choose("Compare by", "Strength")
    count = page.find("spinbutton", "How many")
    count.send_keys(Keys.CONTROL + "a")
    count.send_keys("3")
    page.press("Compare")
    page.find("region", "Comparison")
    cells = lambda: page.browser.all(page.hook("cell"))
    wait_for(lambda: len(cells()) == 3, "three cells")
    wait_for(lambda: all(cell.get_attribute("data-state") == "done" for cell in cells()),
             "three pictures")
    names = [cell.accessible_name for cell in cells()]
    expect(len(set(names)) == 3 and all(name.startswith("Strength ") for name in names),
           f"the cells are named {names}")
    values = sorted({request["settings"].get("balance", {}).get("strength", 0.5)
                     for request in page.live_requests()})
    expect(len(values) >= 3, f"previews were asked for with the strengths {values}")
    wanted = float(names[0].split()[-1])
    cells()[0].click()
    wait_for(lambda: abs(strength(page) - wanted) < 0.006, f"the strength {wanted}")
    page.gone("region", "Comparison")


def a_comparison_is_closed_by_its_button_and_escape(page):
    page.open_pair()
    page.wait_sketched()
    page.more()
    before = strength(page)
    page.press("Compare")
    page.find("region", "Comparison")
    page.press("Close comparison")
    page.gone("region", "Comparison")
    page.more()
    page.press("Compare")
    page.find("region", "Comparison")
    page.browser.keys(Keys.ESCAPE)
    page.gone("region", "Comparison")
    expect_equal(before, strength(page), "the strength")


def a_sheet_is_painted_at_full_size(page):
    page.open_pair("kind=paint&picture.size=48&optimiser.iterations=2")
    page.more()
    page.press("Compare")
    page.find("region", "Comparison")
    page.press("Paint the sheet")
    job = wait_for(lambda: [job for job in page.server.jobs("done") if job["kind"] == "sweep"],
                   "the sheet")[0]
    expect("vary" in page.server.job(job["id"])["flags"], "it varies nothing")
    page.wait_job(job["id"], "done")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, the_recipe_follows_the_sliders_and_they_follow_it,
        an_error_in_the_recipe_is_said_at_its_line, a_link_carries_the_settings,
        the_next_visit_goes_on_where_this_one_ended,
        another_link_in_the_same_tab_is_followed, a_link_that_is_wrong_does_no_harm,
        settings_are_reset, values_are_compared_and_one_is_taken,
        a_comparison_is_closed_by_its_button_and_escape, a_sheet_is_painted_at_full_size))
