#!/usr/bin/env python3
"""The live preview: each control restarts it, and the picture at full size follows by itself.

    preview.py LIMN [TEST...]
"""
import sys

import samples
from browser import Keys, wait_for
from page import LONG
from run import expect, expect_equal, run, served


def restarts(page, what, move):
    """Moves something, and expects a new preview with another request, and a new picture."""
    requests, frame = len(page.live_requests()), page.frame()
    move()
    wait_for(lambda: len(page.live_requests()) > requests, f"a new preview after {what} changed")
    wait_for(lambda: page.frame() > frame, f"a new picture after {what} changed")
    return page.live_requests()[-1]


def every_control_restarts_the_preview(page):
    page.open_pair()
    page.wait_sketched()
    page.by_hand_only()
    for name, key in (("Strength", Keys.ARROW_RIGHT), ("Stroke size", Keys.ARROW_RIGHT)):
        before = page.live_requests()[-1]
        after = restarts(page, name, lambda n=name, k=key: page.set_slider(n, k))
        expect(before["settings"] != after["settings"], f"{name} is not in the preview's settings")
    for colours in ("Photo’s", "Matched", "Painting’s"):
        before = page.live_requests()[-1]
        after = restarts(page, f"Colours to {colours}", lambda c=colours: page.choose_radio(c))
        expect(before["settings"] != after["settings"], f"{colours} is not in the settings")
    page.give("painting-add", "second.png", samples.painting(tint=1))
    page.wait_picture("painting", "second.png")
    wait_for(lambda: len(page.live_requests()[-1].get("painting", [])) == 2,
             "a preview of two paintings")
    restarts(page, "the share of a painting",
             lambda: page.set_slider("Share of second", Keys.HOME))
    page.more()
    restarts(page, "Effort", lambda: page.set_slider("Effort", Keys.ARROW_RIGHT))
    restarts(page, "the seed", lambda: page.press("Another seed"))


@served(workers=0)
def the_size_is_that_of_the_full_picture(page):
    page.open_pair()
    page.wait_sketched()
    page.set_slider("Size", Keys.ARROW_RIGHT)
    text = page.find("slider", "Size").get_attribute("aria-valuetext")
    def sizes():
        jobs = [page.server.job(job["id"]) for job in page.server.jobs("waiting")]
        return {job["settings"]["picture"]["size"] for job in jobs}
    size, = wait_for(lambda: sizes() - {96}, "a job of another size")
    expect(size > 96, f"the size is {size}")
    expect_equal(f"{size} pixels", text, "the size as it is said")
    page.wait_status("waiting")
    page.press("Cancel")
    page.wait_status("cancelled")


def the_full_picture_follows_by_itself(page):
    page.open_pair()
    page.wait_painted()
    job = page.wait_for_own_job()
    expect_equal("page", job["client"], "the client of the job")
    expect_equal("96x72", page.data("canvas", "size"), "the size of the picture")
    page.set_slider("Strength", *[Keys.ARROW_RIGHT] * 5)
    strength = float(page.value(page.find("slider", "Strength")))
    wait_for(lambda: page.server.jobs()[0]["id"] != job["id"], "another job")
    newer = page.server.jobs()[0]["id"]
    page.server.wait_for_state(newer, "done")
    painted = page.server.job(newer)["settings"]["balance"]["strength"]
    expect(abs(painted - strength) < 1e-6, f"painted with strength {painted}, not {strength}")
    expect_equal("done", page.server.job(job["id"])["state"], "the job that was done before")


def what_is_superseded_is_gone(page):
    page.open_pair("kind=paint&picture.size=96&optimiser.iterations=20000")  # soon sketched
    first = page.wait_for_own_job("running")["id"]
    page.set_slider("Strength", Keys.HOME)
    wait_for(lambda: page.server.ask("GET", f"/api/v1/jobs/{first}")[0] == 404,
             "the job of before to be deleted")
    second = page.wait_for_own_job("running")["id"]
    expect(first != second, "the same job")
    wait_for(lambda: list(page.strip()) == [second], "the strip to have the new job only")
    page.press("Cancel")
    page.wait_status("cancelled")


@served(workers=0)
def what_paint_asked_for_is_never_deleted(page):
    page.open_pair()
    page.press("Paint")
    first = page.wait_for_own_job("waiting")["id"]
    page.set_slider("Strength", Keys.HOME)
    wait_for(lambda: len(page.server.jobs("waiting")) == 2, "a second job")
    expect(first in [job["id"] for job in page.server.jobs("waiting")], "the first one is gone")


def many_moves_end_with_the_last_one(page):
    """A slider that is dragged: superseded previews are dropped, and none comes late."""
    page.open_pair()
    page.wait_sketched()
    page.by_hand_only()
    slider = page.find("slider", "Strength")
    for key in [Keys.ARROW_RIGHT] * 12 + [Keys.ARROW_LEFT] * 5:
        slider.send_keys(key)
    value = float(page.value(slider))
    def last_strength():
        settings = page.live_requests()[-1]["settings"]
        return settings.get("balance", {}).get("strength", 0.5)
    wait_for(lambda: abs(last_strength() - value) < 1e-6, "a preview of the last value")
    page.says("status", "Sketched")
    page.press("Paint")
    job = wait_for(lambda: [job for job in page.server.jobs() if
                            abs(page.server.job(job["id"])["settings"]["balance"]["strength"]
                                - value) < 1e-6], "a job with the last value")[0]
    page.server.wait_for_state(job["id"], "done")


def progress_is_told_and_cancelling_keeps_the_picture(page):
    page.browser.on_each_visit("""
        window.cancels = new Set();
        new MutationObserver(() => {
          for (const button of document.querySelectorAll('#actions button')) {
            if (button.textContent === 'Cancel') cancels.add(button);
          }
        }).observe(document, {subtree: true, childList: true});""")
    page.open_pair(LONG)
    job = page.wait_for_own_job("running")["id"]
    page.wait_status("painting")
    bar = page.find("progressbar", "Progress")
    wait_for(lambda: float(bar.get_attribute("aria-valuenow") or 0) > 0, "progress")
    wait_for(lambda: "left" in page.text("progress-text"), "the time that is left")
    expect(any(c.isdigit() for c in page.text("progress-text")), page.text("progress-text"))
    wait_for(lambda: page.shows() == "job", "its picture so far")
    expect_equal(1, page.browser.js("return cancels.size"),
                 "buttons that cancel, one after another: whoever presses one meets the next")
    page.press("Cancel")
    page.wait_status("cancelled")
    page.server.wait_for_state(job, "cancelled")
    status, _, picture = page.server.ask("GET", f"/api/v1/jobs/{job}/result")
    expect_equal(200, status, "asking for the best picture")
    expect(len(picture) > 1000, "the best picture is empty")
    page.wait_job(job, "cancelled")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, every_control_restarts_the_preview, the_size_is_that_of_the_full_picture,
        the_full_picture_follows_by_itself, what_is_superseded_is_gone,
        what_paint_asked_for_is_never_deleted, many_moves_end_with_the_last_one,
        progress_is_told_and_cancelling_keeps_the_picture))
