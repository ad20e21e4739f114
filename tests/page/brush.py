#!/usr/bin/env python3
"""The brush: where the photo stays, where which style goes; size, softness, erase, undo.

    brush.py LIMN [TEST...]
"""
import sys

import samples
from browser import Keys, wait_for
from run import expect, expect_equal, names, run

MIDDLE, ABOVE = (0.5, 0.5), (0.5, 0.4)


def ready_to_brush(page, brush=None):
    page.open_pair()
    page.wait_painted()
    page.press("Brush")
    if brush:
        page.choose("Brush for", brush)


def mask_values(page, upload, *points):
    """The mask's grey values, 0 to 1, at points given as shares of its width and height."""
    return page.browser.js_async("""
        const [upload, points] = arguments;
        const answer = await fetch(`/api/v1/uploads/${upload}/picture?width=2048`);
        const image = await createImageBitmap(await answer.blob());
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
        context.drawImage(image, 0, 0);
        return points.map(([x, y]) => context.getImageData(
            Math.floor(x * (image.width - 1)), Math.floor(y * (image.height - 1)), 1, 1).data[0]
            / 255);""", upload, points)


def job_with(page, role):
    """Waits for a finished job that has a mask in this role; returns the job and the upload."""
    def found():
        for job in page.server.jobs("done"):
            masks = [each for each in job["inputs"] if each["role"] == role]
            if masks:
                return page.server.job(job["id"]), [mask.get("upload") for mask in masks]
        return None
    return wait_for(found, f"a picture painted with {role}")


def what_is_kept_stays_as_in_the_photo(page):
    ready_to_brush(page, "Keep the photo here")
    page.set_slider("Softness", Keys.HOME)
    before = page.pixels()
    page.stroke((0.4, 0.5), MIDDLE, (0.6, 0.5))
    wait_for(lambda: page.differs_from(before) > 0.005, "the stroke to be seen")
    wait_for(page.mask, "the mask to be sent")
    _, (mask,) = job_with(page, "mask-keep")
    inside, outside = mask_values(page, mask, MIDDLE, (0.02, 0.02))
    expect(inside > 0.95, f"the mask is {inside} under the brush")
    expect(outside < 0.05, f"the mask is {outside} far from the brush")
    number = page.server.jobs("done")[0]["id"]
    distance = page.browser.js_async("""
        const [job] = arguments;
        const pixels = async (address) => {
          const image = await createImageBitmap(await (await fetch(address)).blob());
          const context = new OffscreenCanvas(96, 72).getContext('2d');
          context.drawImage(image, 0, 0, 96, 72);
          return (x, y) => [...context.getImageData(x, y, 1, 1).data];
        };
        const painted = await pixels(`/api/v1/jobs/${job}/result`);
        const photo = await pixels(`/api/v1/jobs/${job}/inputs/0`);
        const far = (x, y) => {
          const there = painted(x, y);
          return Math.max(...photo(x, y).map((value, i) => Math.abs(value - there[i])));
        };
        return [far(48, 36), Math.max(...[...Array(60).keys()].map((i) => far(10 + i, 4)))];""",
        number)
    expect(distance[0] <= 2, f"under the brush the picture is {distance[0]} from the photo")
    expect(distance[1] > 8, "far from the brush nothing was painted")


def a_style_goes_where_it_is_painted(page):
    ready_to_brush(page)
    page.give("painting-add", "second.png", samples.painting(tint=1))
    page.wait_picture("painting", "second.png")
    page.choose("Brush for", "Only here: second")
    page.stroke((0.4, 0.5), (0.6, 0.5))
    job, masks = job_with(page, "mask-content")
    paintings = names(job, "painting")
    expect_equal(["painting.png", "second.png"], paintings, "the paintings")
    painted_on = masks[paintings.index("second.png")] if len(masks) > 1 else masks[0]
    inside, outside = mask_values(page, painted_on, MIDDLE, (0.02, 0.02))
    expect(inside > 0.9 and outside < 0.1, f"its mask is {inside} inside and {outside} outside")


def a_part_of_a_painting_is_its_style(page):
    ready_to_brush(page, "Only this part of painting")
    page.stroke((0.45, 0.5), (0.55, 0.5))
    _, (mask, *_) = job_with(page, "mask-style")
    inside, = mask_values(page, mask, MIDDLE)
    expect(inside > 0.9, f"its mask is {inside} under the brush")


def strokes_are_undone_redone_and_cleared(page):
    ready_to_brush(page, "Keep the photo here")
    clean = page.pixels()
    page.stroke((0.4, 0.5), MIDDLE)
    page.stroke(MIDDLE, (0.6, 0.55))
    wait_for(page.mask, "the mask to be sent")
    expect_equal(2, page.strokes(), "strokes")
    within = page.BRUSH
    page.press("Undo", within)
    wait_for(lambda: page.strokes() == 1, "one stroke")
    page.browser.chord(Keys.CONTROL, "z")
    wait_for(lambda: page.strokes() == 0, "none")
    wait_for(lambda: page.mask() == "", "no mask")
    page.press("Redo", within)
    wait_for(lambda: page.strokes() == 1, "one again")
    page.press("Clear", within)
    wait_for(lambda: page.strokes() == 0 and page.mask() == "", "nothing")
    page.wait_status("done")
    wait_for(lambda: page.differs_from(clean) < 0.02, "the picture without strokes")


def brushes_have_a_size_a_soft_edge_and_an_eraser(page):
    ready_to_brush(page, "Keep the photo here")
    page.set_slider("Brush size", Keys.HOME, *[Keys.ARROW_RIGHT] * 5)
    page.set_slider("Softness", Keys.HOME)
    page.stroke(MIDDLE, MIDDLE)
    small = wait_for(page.mask, "the mask of a small dot")
    page.press("Undo", page.BRUSH)
    page.set_slider("Brush size", Keys.END)
    page.stroke(MIDDLE, MIDDLE)
    large = wait_for(lambda: page.mask() not in ("", small) and page.mask(), "that of a large one")
    near = [(x / 200, 0.5) for x in range(100)]  # from the left edge to the middle
    def cover(upload):
        return sum(value > 0.5 for value in mask_values(page, upload, *near))
    expect(cover(small) < cover(large), f"{cover(small)} and {cover(large)} under the brush")
    page.press("Undo", page.BRUSH)
    page.set_slider("Softness", Keys.END)
    page.stroke(MIDDLE, MIDDLE)
    soft = wait_for(lambda: page.mask() not in ("", small, large) and page.mask(), "a soft one")
    def greys(upload):
        return sum(0.1 < value < 0.9 for value in mask_values(page, upload, *near))
    expect(greys(soft) > greys(large) + 3, f"{greys(soft)} and {greys(large)} half-covered places")
    page.press("Erase")
    expect(page.pressed("Erase"), "the eraser is not chosen")
    page.set_slider("Softness", Keys.HOME)
    page.stroke(MIDDLE, MIDDLE)
    wait_for(lambda: page.mask() not in ("", soft), "another mask")
    if page.mask():
        inside, = mask_values(page, page.mask(), MIDDLE)
        expect(inside < 0.1, f"{inside} is left where it was erased")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, what_is_kept_stays_as_in_the_photo, a_style_goes_where_it_is_painted,
        a_part_of_a_painting_is_its_style, strokes_are_undone_redone_and_cleared,
        brushes_have_a_size_a_soft_edge_and_an_eraser))
