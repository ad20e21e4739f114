#!/usr/bin/env python3
"""The film strip: what waits and its order, what is finished, and what one can do with each.

    strip.py LIMN [TEST...]
"""
import sys

import samples
from browser import Keys, wait_for
from page import IDLE
from run import expect_equal, run, served


def queue(page):
    """The ids of what waits, in the order in which the server will paint."""
    jobs = page.server.json("GET", "/api/v1/jobs?state=waiting&order=queue")[1]["jobs"]
    return [job["id"] for job in jobs]


def waiting(page):
    return [number for number, state in page.strip().items() if state == "waiting"]


def three_waiting(page):
    """A page whose strip has three jobs of somebody else."""
    numbers = [page.server.submit(photo=samples.photo(tint=tint)) for tint in (0, 20, 40)]
    page.open(IDLE)
    for number in numbers:
        page.wait_job(number, "waiting")
    return numbers


def moved(page, wanted, what):
    wait_for(lambda: [n for n in queue(page) if n in wanted] == wanted, f"the queue {what}")
    wait_for(lambda: [n for n in waiting(page) if n in wanted] == wanted, f"the strip {what}")


@served(workers=0)
def waiting_jobs_are_reordered_by_keys_and_menu(page):
    a, b, c = three_waiting(page)
    moved(page, [a, b, c], "as they were submitted")
    item = page.roles("button", within=page.job_selector(a), starts="Show")[0]
    page.browser.js("arguments[0].focus()", item)
    page.browser.chord(Keys.ALT, Keys.ARROW_RIGHT)
    moved(page, [b, a, c], "with the first one later")
    page.browser.chord(Keys.ALT, Keys.ARROW_RIGHT)  # the focus went along
    moved(page, [b, c, a], "with it last")
    page.browser.chord(Keys.ALT, Keys.ARROW_LEFT)
    moved(page, [b, a, c], "with it one back")
    page.act(c, "Move earlier")
    moved(page, [b, c, a], "after Move earlier")


@served(workers=0)
def a_job_is_moved_before_the_page_knows_its_place(page):
    """It is in the strip from its first event on; where the queue has it, the server says later."""
    a = page.server.submit()
    page.open(IDLE)
    page.wait_job(a, "waiting")
    page.expected += ("ERR_BLOCKED_BY_CLIENT",)
    page.browser.block("*order=queue*")
    b = page.server.submit(photo=samples.photo(tint=20))
    page.wait_job(b, "waiting")
    page.act(b, "Move earlier")
    wait_for(lambda: queue(page) == [b, a], "the queue with the new one first")


@served(workers=0)
def an_old_order_does_not_replace_a_new_one(page):
    a = page.server.submit()
    page.open(IDLE)
    page.wait_job(a, "waiting")
    wait_held, let_go = page.hold_answer("order=queue")
    b = page.server.submit(photo=samples.photo(tint=20))
    wait_held()
    page.act(b, "Move earlier")
    moved(page, [b, a], "after the answer that is not held")
    let_go()
    page.wait_drawn()
    expect_equal([b, a], [n for n in waiting(page) if n in (a, b)], "the strip's order")


@served(workers=0)
def waiting_jobs_are_reordered_by_dragging(page):
    a, b, c = three_waiting(page)
    page.browser.drag_item(*(page.browser.one(page.job_selector(number)) for number in (a, c)))
    wait_for(lambda: queue(page)[0] != a, "the first one to be later")
    expect_equal(3, len([n for n in queue(page) if n in (a, b, c)]), "jobs that wait")
    wait_for(lambda: [n for n in waiting(page) if n in (a, b, c)]
             == [n for n in queue(page) if n in (a, b, c)], "the strip in the queue's order")


@served(workers=0)
def a_waiting_job_is_cancelled_and_retried(page):
    number = page.server.submit()
    page.open(IDLE)
    page.wait_job(number, "waiting")
    page.act(number, "Cancel")
    page.wait_job(number, "cancelled")
    page.server.wait_for_state(number, "cancelled")
    page.act(number, "Retry")
    page.wait_job(number, "waiting")
    page.server.wait_for_state(number, "waiting")


def a_failed_job_says_why_and_can_be_retried(page):
    page.expected.append("/inputs/0")  # its photo cannot be shown either
    number = page.server.submit(photo=b"no picture at all")
    page.server.wait_for_state(number, "failed")
    page.open(IDLE)
    page.wait_job(number, "failed")
    page.show(number)
    page.wait_status("failed")
    reason = page.server.job(number)["reason"]
    page.says("canvas-error", reason)
    expect_equal("alert", page.find("alert", within="main").get_attribute("role"), "its role")
    revision = page.server.job(number)["revision"]
    page.press("Retry")
    wait_for(lambda: page.server.job(number)["revision"] > revision, "another attempt")
    page.wait_job(number, "failed")


def what_is_deleted_can_be_had_back_for_a_while(page):
    number = page.server.submit()
    page.server.wait_for_state(number, "done")
    page.open(IDLE)
    page.wait_job(number, "done")
    page.act(number, "Delete")
    page.press("Undo", page.job_selector(number))
    page.wait_job(number, "done")
    page.browser.js("sixSecondsLater()")
    # Asked by the page itself, so that it would have asked to delete it before.
    status = page.browser.js_async("return (await fetch(arguments[0])).status",
                                   f"/api/v1/jobs/{number}")
    page.browser.read_logs()
    expect_equal([], [each["url"] for each in page.browser.requests
                      if each["method"] == "DELETE"], "deleted all the same:")
    expect_equal(200, status, "asking for it")
    page.act(number, "Delete")
    page.button("Undo", page.job_selector(number))
    expect_equal(200, page.server.ask("GET", f"/api/v1/jobs/{number}")[0], "asking for it")
    page.browser.js("sixSecondsLater()")
    wait_for(lambda: page.server.ask("GET", f"/api/v1/jobs/{number}")[0] == 404, "it to be gone")
    wait_for(lambda: number not in page.strip(), "the strip without it")


def same_again_brings_back_settings_and_pictures(page):
    number = page.server.submit(photo=samples.photo(tint=9), painting=samples.painting(tint=4),
                                settings={"picture": {"size": 80}, "optimiser": {"iterations": 3},
                                          "balance": {"strength": 0.8}})
    page.server.wait_for_state(number, "done")
    page.open(IDLE)
    page.wait_job(number, "done")
    before = page.names("photo")
    page.act(number, "Same again with these settings")
    wait_for(lambda: abs(float(page.value(page.find("slider", "Strength"))) - 0.8) < 1e-6,
             "the strength of that job")
    wait_for(lambda: page.names("photo") != before, "the photo of that job")
    def same():
        return [each for each in page.server.jobs("done") if each["id"] != number
                and page.server.job(each["id"])["settings"]["balance"]["strength"] == 0.8]
    again = page.server.job(wait_for(same, "a picture with these settings")[0]["id"])
    first = page.server.job(number)
    expect_equal(80, again["settings"]["picture"]["size"], "its size")
    for role in ("photo", "painting"):
        expect_equal([each["upload"] for each in first["inputs"] if each["role"] == role],
                     [each["upload"] for each in again["inputs"] if each["role"] == role],
                     f"its {role}")


def a_finished_picture_is_shown_and_left_again(page):
    number = page.server.submit(size=48)
    page.server.wait_for_state(number, "done")
    page.open()
    page.wait_shows("job")
    page.wait_status("done")
    page.show(number)
    wait_for(lambda: page.data("canvas", "size") == "48x36", "the older picture")
    page.press("Back to the current picture")
    wait_for(lambda: page.data("canvas", "size") != "48x36", "the current picture")


@served(workers=0)
def older_pictures_are_shown_when_asked_for(page):
    """More than fit the first list."""
    photo, painting = (page.server.upload(each) for each in (samples.photo(), samples.painting()))
    for _ in range(130):
        _, job = page.server.json("POST", "/api/v1/jobs", {"photo": photo, "painting": [painting]})
        page.server.json("POST", f"/api/v1/jobs/{job['id']}/cancel")
    page.open(IDLE)
    wait_for(lambda: list(page.strip().values()).count("cancelled") >= 10, "the newest ones")
    def all_there():
        for button in page.roles("button", "Show older"):
            button.click()
        return list(page.strip().values()).count("cancelled") == 130
    wait_for(all_there, "all 130 of them")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, waiting_jobs_are_reordered_by_keys_and_menu,
        a_job_is_moved_before_the_page_knows_its_place,
        an_old_order_does_not_replace_a_new_one, waiting_jobs_are_reordered_by_dragging,
        a_waiting_job_is_cancelled_and_retried, a_failed_job_says_why_and_can_be_retried,
        what_is_deleted_can_be_had_back_for_a_while, same_again_brings_back_settings_and_pictures,
        a_finished_picture_is_shown_and_left_again, older_pictures_are_shown_when_asked_for))
