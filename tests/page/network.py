#!/usr/bin/env python3
"""What goes over the wire: how little of it there is, slowly, and to nobody else.

    network.py LIMN [TEST...]

That no test asks another host, writes errors on the console or opens a dialog is looked at after
each test of all scripts (run() in page.py).
"""
import re
import sys

from browser import Keys, wait_for
from page import EXAMPLES, IDLE
from run import expect, expect_equal, names, run, served

MOST_BYTES = 200_000  # of a first visit, without pictures: what the project promises


def a_first_visit_is_small(page):
    page.browser.cdp("Network.clearBrowserCache")
    page.open()
    page.wait_shows("job")
    page.browser.read_logs()
    answers = [answer for answer in page.browser.answers.values()
               if answer["url"].startswith(f"http://{page.server.host}/")]
    pictures = [a for a in answers if a["kind"] in ("image/jpeg", "image/png", "multipart/mixed")]
    rest = [a for a in answers if a not in pictures]
    expect(any(a["kind"] == "text/javascript" and a["bytes"] > 100 for a in rest),
           f"no script was measured: {[(a['url'], a['kind'], a['bytes']) for a in rest][:5]}")
    total = sum(answer["bytes"] for answer in rest)
    print(f"       {total} bytes in {len(rest)} answers without pictures")
    expect(total < MOST_BYTES, f"a first visit takes {total} bytes")


def a_slow_connection_is_borne(page):
    """300 ms and 100 kB/s: what is chosen is seen before it has been sent."""
    page.open()
    page.wait_shows("job")
    page.browser.slow_down(latency_ms=300, bytes_per_second=100_000)
    data = (EXAMPLES / "photos" / "street.jpg").read_bytes()
    seen = page.browser.js("return performance.now()")
    page.browser.js("""
        window.uploadSeen = [];
        window.sentSeen = [];
        new MutationObserver(() => {
          const bar = document.getElementById('progress');
          const status = document.getElementById('status');
          if (status.dataset.state === 'uploading') {
            window.sentSeen.push(bar.getAttribute('aria-valuenow'));
          }
          const item = document.querySelector('[data-test="photo"]');
          const canvas = document.querySelector('[data-test="canvas"]');
          window.uploadSeen.push([item?.dataset.name, item?.dataset.state, canvas.dataset.shows]);
        }).observe(document.body, {subtree: true, childList: true, attributes: true});""")
    page.give("photo", "street.jpg", data)
    wait_for(lambda: ["street.jpg", "uploading", "photo"] in page.browser.js("return uploadSeen"),
             "the photo on the canvas while it is being sent")
    page.set_slider("Strength", Keys.HOME)
    page.wait_picture("photo", "street.jpg")
    expect(page.browser.js("return performance.now()") - seen > 1500, "the connection was not slow")
    shares = {int(share) for share in page.browser.js("return sentSeen") if share is not None}
    expect(any(0 < share < 100 for share in shares), f"how much was sent was told as {shares}")
    def last():
        jobs = [page.server.job(job["id"]) for job in page.server.jobs("done")]
        return [job for job in jobs if names(job, "photo") == ["street.jpg"]
                and job["settings"]["balance"]["strength"] == 0]
    wait_for(last, "the picture of the new photo with the new strength")
    wait_for(lambda: page.status() == "done" and page.shows() == "job", "the page to show it")


def a_page_that_comes_slowly_comes_whole(page):
    page.browser.cdp("Network.clearBrowserCache")
    page.browser.slow_down(latency_ms=200, bytes_per_second=50_000)
    page.open()
    page.browser.slow_down()
    page.wait_shows("job")


def without_the_token_it_says_how_to_come_in(page):
    page.expected.append("401")
    page.open(token=False, ready=False)
    heading = page.find("heading", "limn")
    expect_equal("H1", heading.tag_name.upper(), "the heading's element")
    expect("limn serve" in page.browser.one("body").text, "it does not say where the link is")
    expect(page.browser.driver.get_cookies() == [], "there is a cookie")


def nothing_is_written_into_the_page(page):
    """The policy allows the server's own scripts and styles only; nothing is inline."""
    status, fields, text = page.server.ask("GET", "/")
    expect_equal(200, status, "asking for the page")
    policy = {part.split()[0]: part.split()[1:]
              for part in fields["Content-Security-Policy"].split(";") if part.strip()}
    for kind in ("script-src", "style-src"):
        allowed = policy.get(kind, policy["default-src"])
        expect(set(allowed) <= {"'self'", "'none'"}, f"{kind} allows {allowed}")
    page_text = text.decode()
    expect(not re.search(r"<script(?![^>]*\bsrc=)", page_text), "an inline script")
    expect(not re.search(r"\s(on\w+|style)=", page_text), "an inline handler or style")
    page.open(IDLE)
    blocked = page.browser.js_async("""
        const violation = new Promise((done) =>
            document.addEventListener('securitypolicyviolation', (e) => done(e.violatedDirective)));
        const script = document.createElement('script');
        script.textContent = 'window.inlineRan = true';
        document.body.append(script);
        return [await violation, window.inlineRan ?? false];""")
    expect_equal(False, blocked[1], "an inline script ran:")
    page.expected.append("Content Security Policy")


@served(arguments=("--live", "0"))
def a_server_without_previews_paints_all_the_same(page):
    page.expected += ["503", "live"]
    page.open_pair()
    page.wait_shows("job")
    page.wait_for_own_job()
    expect(page.names("photo") == ["photo.png"], "the photo")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, a_first_visit_is_small, a_slow_connection_is_borne,
        a_page_that_comes_slowly_comes_whole, without_the_token_it_says_how_to_come_in,
        nothing_is_written_into_the_page, a_server_without_previews_paints_all_the_same))
