#!/usr/bin/env python3
"""The page on a phone: its layout, and fingers.

    phone.py LIMN [TEST...]
"""
import sys

from browser import PHONE, wait_for
from run import again, expect, expect_equal, run

LEAST = 44  # CSS pixels: what a finger meets


def painted(page, window=PHONE):
    page.open(window=window)
    page.wait_painted()


@again
def the_canvas_is_on_top_and_nothing_sticks_out(page):
    painted(page)
    expect(page.browser.js("return matchMedia('(pointer: coarse)').matches"), "no finger here")
    width, height, scroll = page.browser.js(
        "return [innerWidth, innerHeight, document.documentElement.scrollWidth]")
    expect_equal(PHONE[:2], (width, height), "the window")
    expect(scroll <= width, f"the page is {scroll} wide in a window of {width}")
    left, top, canvas_width, canvas_height = page.box(page.test("canvas"))
    expect(left >= 0 and left + canvas_width <= width, "the canvas sticks out")
    expect(canvas_width > 0.9 * width, f"the canvas is {canvas_width} of {width} wide")
    expect(0.3 * height < canvas_height < 0.7 * height, f"it is {canvas_height} high")
    below = [page.box(page.test(f"place-{place}"))[1] for place in ("photo", "painting")]
    controls = page.box(page.find("region", "Controls"))[1]
    strip = page.box(page.find("region", "Pictures"))[1]
    expect(top < min(below) <= max(below) <= controls < strip,
           f"from above: canvas {top}, places {below}, controls {controls}, strip {strip}")


SMALL = """
    const least = arguments[0];
    return [...document.querySelectorAll('button, input, select, textarea, a[href], [role=slider]')]
        .filter((e) => e.checkVisibility({visibilityProperty: true, opacityProperty: false}))
        .map((e) => {
          // A label is part of what a finger may meet.
          const boxes = [e, ...(e.labels ?? [])].map((one) => one.getBoundingClientRect());
          return {name: e.ariaLabel ?? e.labels?.[0]?.textContent ?? e.textContent,
                  type: e.type ?? e.tagName, width: Math.max(...boxes.map((b) => b.width)),
                  height: Math.max(...boxes.map((b) => b.height)),
                  file: e.type === 'file' && e.tabIndex < 0};
        })
        .filter(({width, height, file}) => !file && width > 1
                && (width < least - 0.5 || height < least - 0.5))
        .map(({name, type, width, height}) =>
            `${type} "${name.trim().slice(0, 30)}" ${Math.round(width)}x${Math.round(height)}`);
"""


@again
def what_is_touched_is_large_enough(page):
    painted(page)
    expect_equal([], page.browser.js(SMALL, LEAST), f"things under {LEAST} pixels")
    page.press("More")
    page.find("complementary", "More")
    expect_equal([], page.browser.js(SMALL, LEAST), f"things under {LEAST} pixels with More open")
    scroll, width = page.browser.js("return [document.documentElement.scrollWidth, innerWidth]")
    expect(scroll <= width, f"with More open the page is {scroll} wide in a window of {width}")


def zoom(page):
    return float(wait_for(lambda: page.text("zoom"), "the zoom to be said").rstrip("% ").strip())


@again
def two_fingers_zoom_and_one_pans(page):
    painted(page)
    fit = zoom(page)
    x, y = page.on_canvas(0.5, 0.5)
    def spread(by):
        return [(x - by, y), (x + by, y)]
    page.browser.touch(spread(30), spread(50), spread(80), spread(120))
    wait_for(lambda: zoom(page) > fit * 2, "a larger picture")
    before = page.pixels()
    page.browser.touch([(x, y)], [(x + 20, y + 10)], [(x + 60, y + 30)], [(x + 110, y + 60)])
    wait_for(lambda: page.differs_from(before) > 0.02, "the picture to move with the finger")
    page.browser.touch(spread(120), spread(80), spread(40), spread(10))
    wait_for(lambda: zoom(page) < fit * 2, "a smaller picture")
    expect_equal(1, page.browser.js("return visualViewport.scale"), "the zoom of the page itself")


@again
def a_finger_paints_a_mask(page):
    painted(page)
    page.press("Brush")
    page.find("toolbar", "Brush")
    x, y = page.on_canvas(0.5, 0.5)
    page.browser.touch([(x - 40, y)], [(x - 20, y)], [(x, y)], [(x + 40, y)])
    wait_for(lambda: page.strokes() == 1, "a stroke")
    wait_for(page.mask, "the mask to be sent")
    fit = zoom(page)
    page.browser.touch([(x - 30, y), (x + 30, y)], [(x - 60, y), (x + 60, y)],
                       [(x - 110, y), (x + 110, y)])
    wait_for(lambda: zoom(page) > fit, "two fingers to zoom all the same")
    expect_equal(1, page.strokes(), "strokes")


@again
def a_tap_moves_a_slider_and_paints(page):
    painted(page)
    slider = page.find("slider", "Strength")
    page.browser.js("arguments[0].scrollIntoView({block: 'center'})", slider)
    left, top, width, height = page.box(slider)
    requests = len(page.live_requests())
    page.browser.touch([(left + 0.9 * width, top + height / 2)])
    wait_for(lambda: float(page.value(slider)) > 0.8, "the slider to go where it was touched")
    wait_for(lambda: len(page.live_requests()) > requests, "a new preview")
    page.wait_shows("job")


@again
def before_and_after_by_finger(page):
    painted(page)
    slider, middle, (x, y) = page.handle()
    page.browser.touch([(x, y)], [(x + 20, y)], [(x + 60, y)], [(x + 100, y)])
    wait_for(lambda: float(page.value(slider)) > middle + 5, "the handle to follow the finger")


@again
def it_fits_when_it_is_turned(page):
    painted(page, window=(915, 412, True))
    width, height, scroll = page.browser.js(
        "return [innerWidth, innerHeight, document.documentElement.scrollWidth]")
    expect(scroll <= width, f"the page is {scroll} wide in a window of {width}")
    _, _, canvas_width, canvas_height = page.box(page.test("canvas"))
    expect(canvas_width > 150 and canvas_height > 150,
           f"the canvas is {canvas_width} x {canvas_height}")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, the_canvas_is_on_top_and_nothing_sticks_out, what_is_touched_is_large_enough,
        two_fingers_zoom_and_one_pans, before_and_after_by_finger, it_fits_when_it_is_turned,
        # These paint others.
        a_finger_paints_a_mask, a_tap_moves_a_slider_and_paints))
