#!/usr/bin/env python3
"""The server ends and comes back, in the middle of a picture too; and two tabs of one server.

    restart.py LIMN [TEST...]
"""
import signal
import sys

from browser import Keys, wait_for
from page import IDLE, LONG, QUICK, Page
from run import HURRY, expect, expect_equal, run, served

# What a browser writes on its console when nobody answers.
AWAY = ("net::ERR_", "503")


def away_and_back(page, how):
    page.expected += AWAY
    page.server.end(how)
    page.wait_status("away")
    page.says("status", "The server is away; trying again")
    page.server.start_again()
    wait_for(lambda: page.status() != "away", "the page to find the server again")


def history_survives_a_restart(page):
    page.open_pair()
    page.wait_painted()
    number = page.wait_for_own_job()["id"]
    page.wait_job(number, "done")
    size, pixels = page.data("canvas", "size"), page.pixels()
    away_and_back(page, signal.SIGTERM)
    expect_equal({number: "done"}, page.strip(), "the strip of a page that stayed open")
    page.open(settings="")
    page.wait_job(number, "done")
    page.show(number)
    wait_for(lambda: page.shows() == "job" and page.data("canvas", "size") == size,
             "the picture of before")
    wait_for(lambda: page.differs_from(pixels) < 0.02, "the very picture of before")


def in_mid_job(page, how):
    page.open_pair(LONG)
    page.press("Paint")  # now: its sketch takes a while
    number = page.wait_for_own_job("running")["id"]
    wait_for(lambda: page.shows() == "job", "its picture so far")
    away_and_back(page, how)
    page.server.wait_for_state(number, "running")
    page.wait_job(number, "running")
    page.wait_status("painting")
    frame = page.frame()
    wait_for(lambda: page.frame() > frame, "the next picture of the job")
    expect_equal([number], [job["id"] for job in page.server.jobs()], "jobs")
    page.press("Cancel")
    page.server.wait_for_state(number, "cancelled")
    page.wait_job(number, "cancelled")


def a_job_goes_on_after_a_polite_end(page):
    in_mid_job(page, signal.SIGTERM)


def a_job_goes_on_after_a_kill(page):
    in_mid_job(page, signal.SIGKILL)


def what_was_moved_while_it_was_away_is_painted_when_it_is_back(page):
    page.open_pair()
    page.wait_painted()
    page.expected += AWAY
    page.server.end()
    page.set_slider("Strength", Keys.END)
    page.wait_status("away")
    page.server.start_again()
    wait_for(lambda: [job for job in page.server.jobs("done")
                      if page.server.job(job["id"])["settings"]["balance"]["strength"] == 1],
             "a picture with the strength that was set meanwhile")
    wait_for(lambda: page.shows() == "job" and page.status() == "done", "that picture")


def what_is_asked_for_while_the_lists_come_is_not_lost(page):
    page.open_pair()
    page.wait_painted()
    page.expected += AWAY
    wait_held, let_go = page.hold_answer("state=done")
    page.server.end()
    page.wait_status("away")
    page.server.start_again()
    wait_held()
    before = {job["id"] for job in page.server.jobs()}
    page.set_slider("Strength", Keys.END)
    wait_for(lambda: {job["id"] for job in page.server.jobs()} - before, "a job")
    let_go()
    wait_for(lambda: page.status() == "done" and page.shows() == "job", "its picture")
    expect_equal(2, len(page.strip()), "pictures in the strip")


def a_sketch_that_was_cut_off_is_painted_all_the_same(page):
    page.open_pair("kind=paint&picture.size=224&optimiser.iterations=24")
    page.wait_shows("live")
    page.expected += AWAY
    page.server.end(signal.SIGKILL)
    page.wait_status("away")
    page.server.start_again()
    page.wait_painted()


@served(workers=0)
def two_tabs_agree(page):
    page.open(IDLE)
    first = page.browser.driver.current_window_handle
    second_handle = page.browser.new_tab()
    page.browser.on_each_visit(HURRY)
    second = Page(page.browser, page.server)
    second.open(IDLE, token=False)  # the cookie is the browser's
    second.close()

    def both(condition, what):
        for handle in (first, second_handle):
            page.browser.driver.switch_to.window(handle)
            wait_for(condition, what)

    number, other = page.server.submit(), page.server.submit()
    both(lambda: {number, other} <= page.strip().keys(), "both jobs in both tabs")
    page.browser.driver.switch_to.window(second_handle)
    page.act(other, "Move earlier")
    both(lambda: [n for n in page.strip() if n in (number, other)] == [other, number],
         "the new order in both tabs")
    page.browser.driver.switch_to.window(first)
    page.act(number, "Cancel")
    both(lambda: page.strip().get(number) == "cancelled", "it cancelled in both tabs")
    page.browser.driver.switch_to.window(second_handle)
    page.act(number, "Delete")
    page.browser.js("sixSecondsLater()")
    both(lambda: number not in page.strip(), "it deleted in both tabs")
    page.browser.driver.switch_to.window(first)
    expect(page.server.ask("GET", f"/api/v1/jobs/{other}")[0] == 200, "the other one is gone")


def two_tabs_have_previews_of_their_own(page):
    """Each has its seat: one's slider does not end the other's preview."""
    page.open(QUICK)
    page.wait_sketched()
    page.browser.new_tab()
    page.open(QUICK + "&balance.strength=0.9", token=False)  # else it is painted already
    page.wait_sketched()
    seats = {request["seat"] for request in page.live_requests()}
    expect(len(seats) >= 2, f"seats: {seats}")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, history_survives_a_restart, a_job_goes_on_after_a_polite_end,
        a_job_goes_on_after_a_kill, what_is_asked_for_while_the_lists_come_is_not_lost,
        a_sketch_that_was_cut_off_is_painted_all_the_same,
        what_was_moved_while_it_was_away_is_painted_when_it_is_back,
        two_tabs_agree, two_tabs_have_previews_of_their_own))
