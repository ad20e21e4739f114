#!/usr/bin/env python3
"""Texture, Fill and Season: what each needs, its preview, and its picture at full size.

    modes.py LIMN [TEST...]
"""
import sys

import samples
from browser import Keys, wait_for
from run import expect, expect_equal, names, run


def made(page, kind, size=None):
    """Waits for a finished job of this kind; returns it with its settings."""
    def found():
        jobs = [page.server.job(job["id"]) for job in page.server.jobs("done")]
        return [job for job in jobs if job["kind"] == kind]
    job = wait_for(found, f"a finished job of kind {kind}")[0]
    wait_for(lambda: page.status() == "done" and page.shows() == "job", "the page to show it")
    if size:
        expect_equal(size, page.data("canvas", "size"), "the size of the picture")
    return job


def live_of(page, kind):
    wait_for(lambda: [each for each in page.live_requests() if each.get("kind", "paint") == kind],
             f"a preview of kind {kind}")
    wait_for(lambda: page.shows() in ("live", "job"), "its first picture")


def a_texture_is_made_from_a_painting(page):
    page.open("kind=texture&optimiser.iterations=3")
    page.give("painting", "weave.png", samples.painting())
    page.wait_picture("painting", "weave.png")
    page.find("region", "Texture")
    expect(not page.roles("region", "Photo"), "there is a place for a photo")
    for name in ("Width", "Height"):
        page.set_slider(name, Keys.HOME)
    page.choose_radio("Tileable")
    live_of(page, "texture")
    wait_for(lambda: page.live_requests()[-1]["settings"].get("picture", {}).get("tileable"),
             "a preview that is tileable")
    page.press("Make")
    job = made(page, "texture")
    expect_equal(["exemplar"], [each["role"] for each in job["inputs"]], "its pictures")
    width, height = page.data("canvas", "size").split("x")
    expect_equal(f"{width}x{height}", job["flags"]["size"], "its size")
    expect(job["settings"]["picture"]["tileable"], "it is not tileable")


def tileable_edges_meet(page):
    """What is tileable differs from edge to edge no more than from pixel to pixel."""
    page.open("kind=texture&optimiser.iterations=12")
    page.give("painting", "weave.png", samples.painting(64, 64))
    page.wait_picture("painting", "weave.png")
    for name in ("Width", "Height"):
        page.set_slider(name, Keys.HOME)
    page.choose_radio("Tileable")
    page.press("Make")
    tileable = made(page, "texture")
    page.choose_radio("Plain")
    page.press("Make")
    plain = wait_for(lambda: [job for job in page.server.jobs("done")
                              if page.server.job(job["id"])["settings"] != tileable["settings"]],
                     "one with plain edges")[0]
    def seam(number):
        return page.browser.js_async("""
            const answer = await fetch(`/api/v1/jobs/${arguments[0]}/result`);
            const image = await createImageBitmap(await answer.blob());
            const {width, height} = image;
            const context = new OffscreenCanvas(width, height).getContext('2d');
            context.drawImage(image, 0, 0);
            const {data} = context.getImageData(0, 0, width, height);
            const step = (a, b) => {
              let sum = 0;
              for (let y = 0; y < height; ++y) for (let c = 0; c < 3; ++c)
                sum += Math.abs(data[(y * width + a) * 4 + c] - data[(y * width + b) * 4 + c]);
              return sum;
            };
            let inner = 0;
            for (let x = 1; x < width; ++x) inner += step(x - 1, x);
            return step(width - 1, 0) / (inner / (width - 1));""", number)
    expect(seam(tileable["id"]) < seam(plain["id"]),
           f"its seam is {seam(tileable['id'])} times a step; of the plain one {seam(plain['id'])}")


def a_hole_is_filled_where_the_brush_painted(page):
    page.open("kind=inpaint&optimiser.iterations=3")
    page.give("photo", "photo.png", samples.photo())
    page.wait_picture("photo", "photo.png")
    page.find("region", "Picture", within="nav")
    page.find("toolbar", "Brush")
    page.set_slider("Softness", Keys.HOME)
    page.stroke((0.45, 0.5), (0.55, 0.5))
    live_of(page, "inpaint")
    page.press("Fill")
    job = made(page, "inpaint", "96x72")
    expect_equal({"picture", "hole"}, {each["role"] for each in job["inputs"]}, "its pictures")
    corner = page.browser.js_async("""
        const [job] = arguments;
        const pixels = async (address) => {
          const image = await createImageBitmap(await (await fetch(address)).blob());
          const context = new OffscreenCanvas(96, 72).getContext('2d');
          context.drawImage(image, 0, 0, 96, 72);
          return context.getImageData(0, 0, 20, 20).data;
        };
        const inputs = (await (await fetch(`/api/v1/jobs/${job}`)).json()).inputs;
        const photo = inputs.findIndex((each) => each.role === 'picture');
        const a = await pixels(`/api/v1/jobs/${job}/result`);
        const b = await pixels(`/api/v1/jobs/${job}/inputs/${photo}`);
        return Math.max(...a.map((value, i) => Math.abs(value - b[i])));""", job["id"])
    expect(corner <= 2, f"what is outside of the hole changed by {corner}")


def fill_asks_for_a_hole_first(page):
    page.open("kind=inpaint&optimiser.iterations=3")
    page.wait_status("idle")
    expect(page.text("status") != "", "nothing says what to do")
    expect_equal([], [each for each in page.live_requests() if each.get("kind") == "inpaint"],
                 "previews without a hole")
    expect_equal([], page.server.jobs(), "jobs without a hole")


def a_season_goes_from_one_photo_to_another(page):
    page.open("kind=season&picture.size=96&optimiser.iterations=3")
    live_of(page, "season")
    page.give("photo", "photo.png", samples.photo())
    page.give("painting", "winter.png", samples.photo(tint=50))
    page.wait_picture("photo", "photo.png")
    page.wait_picture("painting", "winter.png")
    page.find("region", "Season")
    page.press("Paint")
    wait_for(lambda: [job for job in page.server.jobs("done")
                      if names(job, "photo") == ["photo.png"]],
             "the picture in that season")
    job = made(page, "season")
    expect_equal({"photo", "example"}, {each["role"] for each in job["inputs"]}, "its pictures")


def modes_keep_their_pictures(page):
    """Going to another mode and back loses nothing."""
    page.open_pair()
    page.wait_painted()
    page.choose_radio("Season")
    page.find("region", "Season")
    page.choose_radio("Texture")
    page.find("region", "Texture")
    page.choose_radio("Paint")
    page.find("region", "Painting")
    expect_equal((["photo.png"], ["painting.png"]),
                 (page.names("photo"), page.names("painting")), "the pictures of before")
    page.wait_shows("job")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, a_texture_is_made_from_a_painting, tileable_edges_meet,
        a_hole_is_filled_where_the_brush_painted, fill_asks_for_a_hole_first,
        a_season_goes_from_one_photo_to_another, modes_keep_their_pictures))
