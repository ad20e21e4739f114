#!/usr/bin/env python3
"""Photos and paintings: examples, drop, paste, choose, several of them, and what is no picture.

    pictures.py LIMN [TEST...]
"""
import sys

import samples
from browser import wait_for
from page import EXAMPLES, QUICK
from run import expect, expect_equal, names, run


def first_visit_paints_an_example(page):
    """The page is never empty: a painting appears, and sharpens from coarse to fine."""
    seen = page.record_canvas()
    page.open("picture.size=320&optimiser.iterations=12")
    for place in ("photo", "painting"):
        expect_equal(1, len(page.names(place)), f"pictures in the place of the {place}")
    wait_for(lambda: page.status() == "done", "the first painting to be done")
    sides = [max(width, height) for shows, width, height in seen() if shows == "live"]
    expect(len(sides) >= 2, f"the painting was shown {len(sides)} times before it was done")
    expect(sides[0] <= 128, f"the first picture was {sides[0]} pixels long, not at most 128")
    expect(sides[-1] > sides[0], f"the preview did not sharpen: {sides}")
    expect_equal(sides, sorted(sides), "from coarse to fine")
    shows, width, height = seen()[-1]
    expect_equal(("job", 320), (shows, max(width, height)), "the picture in the end")


def examples_replace_a_picture(page):
    page.open()
    for place in ("photo", "painting"):
        within = page.hook(f"place-{place}")
        before = page.names(place)
        example = wait_for(
            lambda: [e for e in page.browser.all(f"{within} {page.hook('example')}")
                     if f"{e.get_attribute('data-name')}.jpg" not in before], "another example")[0]
        name = f"{example.get_attribute('data-name')}.jpg"
        frame = page.frame()
        wait_for(lambda: page.browser.click(example), "a click on the example")
        wait_for(lambda: page.names(place) == [name], f"{name} in the place of the {place}")
        page.wait_picture(place, name)
        wait_for(lambda: page.frame() > frame, "a picture of it")


def choosing_replaces_a_picture(page):
    page.open()
    photo = (EXAMPLES / "photos" / "street.jpg").read_bytes()
    page.give("photo", "mine.jpg", photo)
    page.wait_picture("photo", "mine.jpg")
    expect_equal(["mine.jpg"], page.names("photo"), "photos")
    upload = page.data("photo", "upload")
    status, about = page.server.json("GET", f"/api/v1/uploads/{upload}")
    expect_equal(200, status, "asking for the upload")
    expect_equal(samples.jpeg_size(photo)[:2], (about["width"], about["height"]), "its size")
    # The buttons are what people press; the file chooser itself is the browser's.
    for name, within in (("Choose a photo", "place-photo"), ("Add a photo", "place-photo"),
                         ("Choose a painting", "place-painting"),
                         ("Add a painting", "place-painting")):
        page.button(name, page.hook(within))


def dropping_on_a_place_replaces_its_picture(page):
    page.open()
    for place, data in (("photo", samples.photo()), ("painting", samples.painting())):
        name = f"dropped-{place}.png"
        page.drag_in(page.hook(f"place-{place}"), {name: data})
        page.wait_picture(place, name)
        expect_equal([name], page.names(place), f"pictures in the place of the {place}")
    page.wait_shows("job")
    job = page.server.job(page.wait_for_own_job()["id"])
    for place in ("photo", "painting"):
        expect_equal([f"dropped-{place}.png"], names(job, place), f"the job's {place}")


def targets_over_the_canvas_say_where_a_drop_goes(page):
    page.open()
    photo = page.names("photo")
    files = {"a.png": samples.painting()}
    page.drag_in("body", files, drop=False)
    wait_for(lambda: page.browser.one(page.hook("drop-targets")).is_displayed(), "the targets")
    page.drag_in(page.hook("drop-painting"), files)
    page.wait_picture("painting", "a.png")
    expect_equal(["a.png"], page.names("painting"), "paintings")
    wait_for(lambda: not any(e.is_displayed() for e in page.browser.all(page.hook("drop-targets"))),
             "the targets to go")
    page.drag_in("body", {"b.png": samples.painting(tint=1)}, drop=False)
    page.drag_in(page.hook("drop-add-painting"), {"b.png": samples.painting(tint=1)})
    page.wait_picture("painting", "b.png")
    expect_equal(["a.png", "b.png"], page.names("painting"), "paintings")
    expect_equal(photo, page.names("photo"), "the photo, which nobody touched,")
    page.drag_in(page.hook("canvas"), {"c.png": samples.photo()})
    page.wait_picture("photo", "c.png")
    expect_equal(["c.png"], page.names("photo"), "what is dropped anywhere else is the photo:")


def a_file_of_the_desktop_can_be_dropped(page):
    """The browser's own drag and drop, with a file from the disk, and its hit test."""
    page.open()
    path = page.file("desktop.png", samples.photo())
    left, top, width, height = page.box(page.test("place-photo"))
    data = {"items": [], "files": [path], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.browser.cdp("Input.dispatchDragEvent", type=kind, x=left + width / 2,
                         y=top + height / 2, data=data)
    page.wait_picture("photo", "desktop.png")


def pasting_gives_the_photo_or_the_painting(page):
    page.open()
    painting = page.names("painting")
    page.paste({"image.png": samples.photo()})
    wait_for(lambda: page.names("photo") == ["image.png"], "the pasted photo")
    page.says("note", "photo")
    expect_equal(painting, page.names("painting"), "paintings")
    page.press("Use as the painting", page.hook("note"))
    wait_for(lambda: page.names("painting") == ["image.png"], "it as the painting")
    wait_for(lambda: page.names("photo") != ["image.png"], "the photo of before")
    page.browser.js("arguments[0].focus()", page.button("Choose a painting"))
    page.paste({"image.png": samples.painting()})
    page.says("note", "painting")


def without_a_picture_it_says_what_to_drop_there(page):
    page.open()
    for place in ("photo", "painting"):
        within = page.hook(f"place-{place}")
        name = page.names(place)[0]
        page.press(f"Remove {page.plain(name)}", within)
        wait_for(lambda: not page.names(place), f"no {place}")
        page.says(f"place-{place}", "drop it here")
    expect("Drop a photo here" in page.browser.one("#stage").text, "the canvas says nothing")
    page.wait_status("idle")
    wait_for(lambda: page.shows() in ("empty", "photo"), "the canvas to show no painting")
    page.drag_in(page.hook("canvas"), {"one.png": samples.photo(), "two.png": samples.painting()})
    page.wait_picture("photo", "one.png")
    page.wait_picture("painting", "two.png")
    page.wait_shows("job")


def what_is_no_picture_is_said_where_it_happened(page):
    page.open()
    page.expected.append("422")
    page.drag_in(page.hook("place-photo"), {"notes.png": b"These are no pixels.\n"})
    page.wait_picture("photo", "notes.png", "failed")
    alert = page.find("alert", within=page.hook("photo"))
    expect("choose another" in alert.text, f"the alert says only {alert.text!r}")
    page.give("photo", "photo.png", samples.photo())
    page.wait_picture("photo", "photo.png")
    page.wait_shows("job")


def several_photos_are_painted_at_once(page):
    page.open(QUICK + "&picture.size=64")
    page.give("painting", "painting.png", samples.painting())
    page.give("photo", "1.png", samples.photo())
    page.give("photo-add", "2.png", samples.photo(tint=40))
    page.give("photo-add", "3.png", samples.photo(tint=80))
    for name in ("1.png", "2.png", "3.png"):
        page.wait_picture("photo", name)
    current = "[aria-pressed=true]"
    page.press("Show 2", page.hook("place-photo"))
    wait_for(lambda: page.browser.one(f"{page.hook('place-photo')} {current}").accessible_name
             == "Show 2", "the second photo to be the current one")
    page.press("Paint all 3 photos")
    def painted():
        jobs = page.server.jobs()
        return {name for job in jobs if job["state"] == "done" for name in names(job, "photo")}
    wait_for(lambda: painted() == {"1.png", "2.png", "3.png"}, "three pictures")
    wait_for(lambda: list(page.strip().values()).count("done") >= 3, "the strip to have them")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, first_visit_paints_an_example, examples_replace_a_picture,
        choosing_replaces_a_picture, dropping_on_a_place_replaces_its_picture,
        targets_over_the_canvas_say_where_a_drop_goes, a_file_of_the_desktop_can_be_dropped,
        pasting_gives_the_photo_or_the_painting, without_a_picture_it_says_what_to_drop_there,
        what_is_no_picture_is_said_where_it_happened, several_photos_are_painted_at_once))
