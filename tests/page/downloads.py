#!/usr/bin/env python3
"""A picture leaves the page, in each format, and comes back to it with its settings.

    downloads.py LIMN [TEST...]
"""
import os
import sys

import samples
from browser import Keys, wait_for
from run import again, expect, expect_equal, names, run

# What a menu offers, what the file's name ends in, how its bytes are read, bits a sample. A PNG is
# the picture as it was painted.
FORMATS = (("PNG", ".png", samples.png_size, 16), ("JPEG", ".jpg", samples.jpeg_size, 8),
           ("TIFF, 16 bits", (".tif", ".tiff"), samples.tiff_size, 16))


def painted(page):
    page.open_pair()
    page.wait_painted()
    return page.wait_for_own_job()["id"]


def check_download(page, ending, read, bits):
    path = page.browser.downloaded()
    with open(path, "rb") as file:
        data = file.read()
    name = os.path.basename(path)
    os.remove(path)
    expect(name.endswith(ending), f"the file is named {name!r}")
    expect(name.startswith("photo-painting"), f"{name!r} does not say what it is")
    expect_equal((96, 72, bits), read(data), f"{name}: width, height, bits")


def pictures_are_downloaded_in_each_format(page):
    number = painted(page)
    for item, ending, read, bits in FORMATS:
        page.press("Download", within="main")
        page.press(item, role="menuitem")
        check_download(page, ending, read, bits)
    page.wait_job(number, "done")
    for item, ending, read, bits in FORMATS:
        page.act(number, f"Download {item}")
        check_download(page, ending, read, bits)


COPIED = """
    const [item] = await navigator.clipboard.read();
    const blob = await item.getType('image/png');
    const image = await createImageBitmap(blob);
    return [item.types.join(), image.width, image.height];"""


@again
def a_picture_is_copied(page):
    page.browser.allow("clipboard-read", "clipboard-write")
    number = painted(page)
    page.press("Copy", within="main")
    wait_for(lambda: "opied" in page.text("said") + page.text("note") + page.text("status"),
             "it to say that the picture is copied")
    kind, *size = page.browser.js_async(COPIED)
    expect("image/png" in kind, f"on the clipboard is {kind}")
    expect_equal([96, 72], size, "the size of what was copied")
    page.browser.js_async("await navigator.clipboard.writeText('nothing')")
    page.act(number, "Copy")
    def copied():
        return page.browser.js_async("return (await navigator.clipboard.read())[0].types.join()")
    wait_for(lambda: "image/png" in copied(), "the picture on the clipboard, from the strip")


def strength(page):
    return float(page.value(page.find("slider", "Strength")))


def a_picture_painted_by_limn_brings_its_settings(page):
    page.open()
    number = page.server.submit(settings={"picture": {"size": 64}, "optimiser": {"iterations": 3},
                                          "balance": {"strength": 0.9}})
    page.server.wait_for_state(number, "done")
    picture = page.server.ask("GET", f"/api/v1/jobs/{number}/result")[2]
    page.wait_shows("job")
    photo, before = page.names("photo"), strength(page)
    expect(abs(before - 0.9) > 0.01, "the strength is that of the picture already")
    page.drag_in(page.hook("place-photo"), {"painted.png": picture})
    page.says("note", "Painted by limn: its settings are back.")
    wait_for(lambda: abs(strength(page) - 0.9) < 1e-6, "the strength of the picture")
    expect_equal(photo, page.names("photo"), "the photo")
    page.press("Undo", page.hook("note"))
    wait_for(lambda: strength(page) == before, "the strength of before")
    page.drag_in(page.hook("canvas"), {"painted.png": picture})
    page.says("note", "Painted by limn")
    page.press("Use as the photo", page.hook("note"))
    wait_for(lambda: page.names("photo") == ["painted.png"], "it as the photo")
    expect_equal(before, strength(page), "the strength, for a picture that is a photo now,")


def a_name_from_outside_is_only_a_name(page):
    """A picture's name is shown as it is, wherever it is shown."""
    name = "<img src=x onerror=alert(1)>&amp;.png"
    page.open()
    page.give("photo", name, samples.photo())
    wait_for(lambda: page.names("photo") == [name], "the photo under its name")
    page.give("painting", "'\"<b>.png", samples.painting())
    wait_for(lambda: page.names("painting") == ["'\"<b>.png"], "the painting under its name")
    page.set_slider("Strength", Keys.HOME)
    job = wait_for(lambda: [job for job in page.server.jobs("done")
                            if names(job, "photo") == [name]], "its picture")[0]["id"]
    page.wait_job(job, "done")
    label = page.roles("button", within=page.job_selector(job), starts="Show")[0].accessible_name
    expect("<img src=x" in label, f"the strip names it {label!r}")
    page.press("Download", within="main")
    page.press("PNG", role="menuitem")
    path = page.browser.downloaded()
    expect(path.endswith(".png"), f"it is downloaded as {path!r}")
    expect_equal([], page.browser.all("img[onerror]"), "pictures made of a name")


if __name__ == "__main__":
    sys.exit(run(
        __doc__, pictures_are_downloaded_in_each_format, a_picture_is_copied,
        a_picture_painted_by_limn_brings_its_settings, a_name_from_outside_is_only_a_name))
