"""The states that the page can be in, each brought about as a person would: what axe-core looks at
(axe.py), and what tools/page_screenshots.py shows.

A state is a function that gets a `Page` and leaves it there. They are independent of each other.
"""
import samples
from browser import Keys, wait_for
from page import EXAMPLES, LONG

GOOD = "picture.size=512&optimiser.iterations=40"  # quick, and still a picture to look at


def picture(folder, name):
    return (EXAMPLES / folder / name).read_bytes()


def give(page, photo="harbour.jpg", painting="oil.jpg"):
    page.give("photo", photo, picture("photos", photo))
    page.give("painting", painting, picture("paintings", painting))
    page.wait_picture("photo", photo)
    page.wait_picture("painting", painting)


def finished(page, settings):
    page.open(settings)
    page.wait_status("done")
    page.wait_shows("job")


def empty(page, settings):
    """No photo and no painting: what to drop where."""
    page.open(settings)
    for place in ("photo", "painting"):
        for name in page.names(place):
            page.press(f"Remove {page.plain(name)}", page.hook(f"place-{place}"))
    page.wait_status("idle")


def sketching(page, settings):
    """A live preview that is being painted."""
    page.open(settings)
    give(page)
    page.wait_shows("live")


def painting(page, settings):
    """A picture at full size, with progress and time left, and others that wait."""
    page.open(LONG)
    page.wait_status("painting")
    for tint in (0, 40):
        page.server.submit(photo=samples.photo(tint=tint))
    wait_for(lambda: list(page.strip().values()).count("waiting") == 2, "two that wait")
    page.says("progress-text", "left")


def done(page, settings):
    """A finished picture, and others in the strip."""
    for photo, style in (("street.jpg", "stained_glass.jpg"), ("still_life.jpg", "woodcut.jpg"),
                       ("harbour.jpg", "pointillism.jpg")):
        page.server.submit(picture("photos", photo), picture("paintings", style), size=128,
                           iterations=12, names=(photo, style))
    wait_for(page.server.idle, "three pictures")
    page.open(settings)
    give(page, "landscape.jpg", "oil.jpg")
    page.wait_status("done")
    page.wait_shows("job")
    wait_for(page.server.idle, "nothing at work")


def before_and_after(page, settings):
    finished(page, settings)
    page.press("Before and after")
    page.find("slider", "Before and after")


def brushing(page, settings):
    """Two paintings with their shares, the brush, and a mask."""
    page.open(settings)
    page.give("painting-add", "woodcut.jpg", picture("paintings", "woodcut.jpg"))
    page.wait_picture("painting", "woodcut.jpg")
    page.wait_status("done")
    page.press("Brush")
    page.stroke((0.35, 0.4), (0.5, 0.5), (0.6, 0.4))
    wait_for(page.mask, "the mask to be sent")


def more(page, settings):
    """The disclosure with the recipe as text."""
    finished(page, settings)
    page.more()
    box = page.find("textbox", "Recipe as text")
    wait_for(lambda: "strength" in box.get_attribute("value"), "the recipe")


def comparing(page, settings):
    page.open(settings)
    page.wait_status("done")
    page.more()
    page.press("Compare")
    page.find("region", "Comparison")
    wait_for(lambda: all(cell.get_attribute("data-state") == "done"
                         for cell in page.browser.all(page.hook("cell"))), "its pictures")


def filling(page, settings):
    """The mode that fills a hole, with one painted."""
    page.open(f"kind=inpaint&{settings}")
    page.find("toolbar", "Brush")
    page.stroke((0.4, 0.5), (0.5, 0.55))
    wait_for(lambda: page.shows() in ("live", "job"), "the hole to be filled")


def texture(page, settings):
    page.open(f"kind=texture&{settings}")
    page.wait_shows("job")
    page.wait_status("done")


def season(page, settings):
    page.open(f"kind=season&{settings}")
    page.wait_shows("job")
    page.wait_status("done")


def failed(page, settings):
    """A picture that is none, in its place; a failed job, with its reason on the canvas."""
    number = page.server.submit(photo=b"no picture at all")
    page.server.wait_for_state(number, "failed")
    page.open(settings)
    page.expected += ["422", "/inputs/0"]
    page.give("photo", "notes.png", b"These are no pixels.\n")
    page.wait_picture("photo", "notes.png", "failed")
    page.wait_job(number, "failed")
    page.show(number)
    page.wait_status("failed")


def away(page, settings):
    """The server does not answer."""
    finished(page, settings)
    page.expected += ["net::ERR_", "503"]
    page.server.end()
    page.wait_status("away")


def menu(page, settings):
    """A finished picture's actions, and the list of keys."""
    finished(page, settings)
    page.browser.js("document.activeElement.blur()")
    page.browser.keys("?")
    page.find("region", "Keys")
    number = wait_for(lambda: [n for n, s in page.strip().items() if s == "done"], "one")[0]
    actions = page.find("button", within=page.job_selector(number), starts="Actions for")
    actions.send_keys(Keys.ENTER)
    page.find("menu")


def dropping(page, settings):
    """Files are held over the page."""
    page.open(settings)
    page.wait_shows("job")
    page.drag_in("body", {"a.png": samples.photo()}, drop=False)
    wait_for(lambda: page.browser.one(page.hook("drop-targets")).is_displayed(), "the targets")


def restored(page, settings):
    """A picture painted by limn was dropped, and a picture of the strip deleted: both say Undo."""
    number = page.server.submit()
    page.server.wait_for_state(number, "done")
    page.open(settings)
    result = page.server.ask("GET", f"/api/v1/jobs/{number}/result")[2]
    page.drag_in(page.hook("place-photo"), {"painted.png": result})
    page.says("note", "Painted by limn")
    page.wait_job(number, "done")
    page.act(number, "Delete")
    page.button("Undo", page.job_selector(number))


def locked(page, settings):
    """Without the token."""
    page.expected.append("401")
    page.open(settings, token=False, ready=False)
    page.find("heading", "limn")


# The ten that are shown; axe-core looks at the others as well.
SHOWN = (empty, sketching, painting, done, before_and_after, brushing, more, comparing, filling,
         failed)
ALL = SHOWN + (texture, season, away, menu, dropping, restored, locked)
