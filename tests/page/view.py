#!/usr/bin/env python3
"""The canvas: before and after, zoom, pan, actual size; by mouse, wheel and keys.

    view.py LIMN [TEST...]
"""
import sys

from browser import Keys, wait_for
from page import EXAMPLES
from run import again, expect, expect_equal, run


def painted(page):
    """A finished picture, larger than the canvas at actual size would need; the settled view."""
    page.open()
    page.wait_painted()


def zoom(page):
    """In per cent, as the page says it."""
    return float(wait_for(lambda: page.text("zoom"), "the zoom to be said").rstrip("% ").strip())


def focus_canvas(page):
    picture = page.find("group", "Picture")
    page.browser.js("arguments[0].focus()", picture)
    return picture


def changed(page, what, act, least=0.02):
    """Does something, and expects the canvas to look otherwise."""
    before = page.pixels()
    act()
    wait_for(lambda: page.differs_from(before) > least, f"the canvas to change: {what}")


@again
def before_and_after_by_keys(page):
    painted(page)
    after = page.pixels()
    page.press("Before and after")
    slider = page.find("slider", "Before and after")
    middle = float(page.value(slider))
    expect(0 < middle < 100, f"the slider begins at {middle}")
    wait_for(lambda: page.differs_from(after) > 0.1, "a part of the photo on the canvas")
    slider.send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: float(page.value(slider)) > middle, "the slider further right")
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    wait_for(lambda: float(page.value(slider)) < middle, "the slider further left")
    changed(page, "all photo or all painting", lambda: slider.send_keys(Keys.HOME), 0.1)
    one_end = page.pixels()
    slider.send_keys(Keys.END)
    wait_for(lambda: page.differs_from(one_end) > 0.3, "the other end of the slider")
    ends = (page.differs_from(after), )
    page.browser.js("arguments[0].focus()", slider)
    slider.send_keys(Keys.HOME)
    wait_for(lambda: page.differs_from(one_end) < 0.02, "the first end again")
    ends += (page.differs_from(after), )
    expect(min(ends) < 0.1 < max(ends), f"one end is the painting, the other the photo: {ends}")
    page.press("Before and after")
    page.gone("slider", "Before and after")
    wait_for(lambda: page.differs_from(after) < 0.02, "the painting alone")


@again
def before_and_after_by_mouse(page):
    painted(page)
    slider, middle, (x, y) = page.handle()
    before = page.pixels()
    page.browser.drag([(x, y), (x - 30, y), (x - 120, y)])
    wait_for(lambda: float(page.value(slider)) < middle - 5, "the handle to follow the mouse")
    wait_for(lambda: page.differs_from(before) > 0.02, "the canvas to follow the handle")
    expect_equal("Before and after", slider.accessible_name, "its name")


@again
def zoom_by_buttons_and_keys(page):
    painted(page)
    fit = zoom(page)
    page.press("Zoom in")
    wait_for(lambda: zoom(page) > fit, "a larger picture")
    larger = zoom(page)
    page.press("Zoom in")
    wait_for(lambda: zoom(page) > larger, "a larger one still")
    page.press("Zoom out")
    wait_for(lambda: abs(zoom(page) - larger) <= 1, "one step back")
    page.press("Fit")
    wait_for(lambda: zoom(page) == fit, "the whole picture")
    page.press("1:1, actual size")
    wait_for(lambda: zoom(page) == 100, "pixel for pixel")
    focus_canvas(page)
    page.browser.keys("+")
    wait_for(lambda: zoom(page) > 100, "larger by +")
    page.browser.keys("-")
    wait_for(lambda: zoom(page) == 100, "smaller by -")
    page.browser.keys("0")
    wait_for(lambda: zoom(page) == fit, "all of it by 0")
    page.browser.keys("1")
    wait_for(lambda: zoom(page) == 100, "actual size by 1")


@again
def zoom_by_wheel_stays_under_the_pointer(page):
    painted(page)
    fit = zoom(page)
    x, y = page.on_canvas(0.5, 0.5)
    changed(page, "zoomed in", lambda: page.browser.wheel(x, y, -400))
    expect(zoom(page) > fit, f"from {fit} % to {zoom(page)} % by the wheel")
    wait_for(lambda: page.browser.wheel(x, y, 3000) is None and zoom(page) <= fit, "smaller again")


@again
def pan_by_mouse_and_keys(page):
    painted(page)
    for _ in range(4):
        page.press("Zoom in")
    x, y = page.on_canvas(0.5, 0.5)
    start = page.pixels()
    changed(page, "dragged", lambda: page.browser.drag([(x, y), (x - 40, y), (x - 120, y - 60)]))
    page.browser.drag([(x - 120, y - 60), (x - 40, y), (x, y)])
    wait_for(lambda: page.differs_from(start) < 0.05, "the place of before")
    focus_canvas(page)
    changed(page, "arrow right", lambda: page.browser.keys(*[Keys.ARROW_RIGHT] * 4))
    changed(page, "arrow down", lambda: page.browser.keys(*[Keys.ARROW_DOWN] * 4))
    page.press("Brush")  # now dragging paints; with space it pans
    focus_canvas(page)
    page.browser.hold(" ")
    changed(page, "dragged with space",
            lambda: page.browser.drag([(x, y), (x + 40, y), (x + 120, y + 60)]))
    page.browser.let_go(" ")
    expect_equal(0, page.strokes(), "strokes")


@again
def actual_size_is_sharp(page):
    """At 1:1 each pixel of the picture is one of the screen's: nothing in between."""
    page.open()
    photo = EXAMPLES / "photos" / "street.jpg"
    page.give("photo", "street.jpg", photo.read_bytes())
    page.wait_picture("photo", "street.jpg")
    page.wait_painted()
    page.press("1:1, actual size")
    wait_for(lambda: zoom(page) == 100, "pixel for pixel")
    job = page.server.jobs("done")[0]["id"]
    def same():
        return page.browser.js_async("""
            const [job] = arguments;
            const image = await createImageBitmap(
                await (await fetch(`/api/v1/jobs/${job}/result`)).blob());
            const wanted = new OffscreenCanvas(image.width, image.height).getContext('2d');
            wanted.drawImage(image, 0, 0);
            const canvas = document.querySelector('[data-test="canvas"]');
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
            copy.drawImage(canvas, 0, 0);
            // Where it lies on the canvas: in the middle, to the pixel.
            for (const dx of [-1, 0, 1]) for (const dy of [-1, 0, 1]) {
              const x = Math.floor((canvas.width - image.width) / 2) + dx;
              const y = Math.floor((canvas.height - image.height) / 2) + dy;
              const a = copy.getImageData(x, y, image.width, image.height).data;
              const b = wanted.getImageData(0, 0, image.width, image.height).data;
              if (a.every((value, i) => Math.abs(value - b[i]) <= 1)) return true;
            }
            return false;""", job)
    wait_for(same, "the very pixels of the picture on the canvas")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, before_and_after_by_keys, before_and_after_by_mouse, zoom_by_buttons_and_keys,
        zoom_by_wheel_stays_under_the_pointer, pan_by_mouse_and_keys, actual_size_is_sharp))
