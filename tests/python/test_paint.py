"""Paintings: bit for bit the command's, callbacks, threads, memory."""
import gc
import os
import resource
import signal
import sys
import threading
import weakref

import numpy as np
import pytest
from PIL import Image

import limn
from conftest import QUICK, drawn, repeating, samples16


# ---- the same as the command ----

def save(**pictures):
    for name, picture in pictures.items():
        Image.fromarray(picture).save(f"{name}.png")


FLAGS = ("--iterations", 3, "--threads", 1)


@pytest.mark.parametrize("settings", [
    {"size": 48}, {"size": 48, "strength": 0.8, "seed": 3}, {"size": 64, "colors": "content"},
    {"size": 48, "style_scale": 1.5, "border": 0}, {"size": 0, "init": "noise", "tile": 32},
], ids=str)
def test_paints_like_the_command(settings, photo, painting, command, in_folder):
    save(photo=photo, painting=painting)
    flags = [text for name, value in settings.items()
             for text in (f"--{name.replace('_', '-')}", value)]
    expected = command("paint", "photo.png", "painting.png", *FLAGS, *flags)
    painted = limn.paint(photo, painting, **QUICK, **settings)
    np.testing.assert_array_equal(samples16(painted.picture), expected)
    from_files = limn.paint("photo.png", "painting.png", **QUICK, **settings)
    np.testing.assert_array_equal(from_files.picture, painted.picture)


def test_recipes_and_pictures_of_16_bits_like_the_command(photo, painting, command, in_folder):
    deep = photo.astype(np.uint16) * 257 + np.uint16(100) * (photo < 200)
    limn.write_image(deep, "photo.png", bits=16)
    save(painting=painting)
    expected = command("paint", "photo.png", "painting.png", "--recipe", "gram", "--size", 48,
                       *FLAGS)
    painted = limn.paint(deep, Image.fromarray(painting), "gram", size=48, **QUICK)
    np.testing.assert_array_equal(samples16(painted.picture), expected)


def test_blends_and_masks_like_the_command(photo, painting, command, in_folder):
    mask, keep = np.zeros((48, 64), np.uint8), np.zeros((48, 64), np.uint8)
    mask[:, :32] = 255
    keep[:9] = 200
    source = np.zeros((56, 60), np.uint8)
    source[:30] = 255
    other = drawn(70, 50, 4)
    save(photo=photo, painting=painting, other=other, mask=mask, keep=keep, source=source)
    expected = command("paint", "photo.png", "painting.png", "other.png", "--size", 64, *FLAGS,
                       "--mask-content", "mask.png", "--mask-style", "source.png", "--mask-keep",
                       "keep.png")
    painted = limn.paint(photo, [limn.Style(painting, to=mask, from_=source), other], size=64,
                         mask_keep=keep, **QUICK)
    # A mask's grey in a file is a mean of three channels, which may round otherwise.
    difference = samples16(painted.picture).astype(int) - expected
    assert abs(difference).max() <= 1
    blended = limn.paint(photo, [painting, other], size=48, blend=[0.3, 0.7], **QUICK)
    expected = command("paint", "photo.png", "painting.png", "other.png", "--size", 48, *FLAGS,
                       "--blend", "0.3,0.7")
    np.testing.assert_array_equal(samples16(blended.picture), expected)


def test_a_folder_is_one_style(photo, painting, command, in_folder):
    os.mkdir("album")
    save(photo=photo, **{"album/a": painting, "album/b": drawn(70, 50, 4)})
    (in_folder / "album/.hidden").write_text("no picture")
    expected = command("paint", "photo.png", "album", "--size", 48, *FLAGS)
    painted = limn.paint(photo, "album", size=48, **QUICK)
    np.testing.assert_array_equal(samples16(painted.picture), expected)
    together = limn.paint(photo, limn.Style([painting, drawn(70, 50, 4)]), size=48, **QUICK)
    np.testing.assert_array_equal(together.picture, painted.picture)
    os.mkdir("empty")
    with pytest.raises(limn.FileError, match="empty"):
        limn.paint(photo, in_folder / "empty")


def test_textures_like_the_command(command, in_folder):
    bricks = repeating(80, 60, 12)
    save(bricks=bricks)
    flags = ("--iterations", 4, "--threads", 1)
    quick = {"iterations": 4, "threads": 1}
    expected = command("texture", "bricks.png", "--size", "96x64", *flags)
    painted = limn.texture(bricks, (96, 64), **quick)
    np.testing.assert_array_equal(samples16(painted.picture), expected)
    assert 12 in painted.recipe.style.shifts_across, "the exemplar's period"
    expected = command("texture", "bricks.png", "--size", 48, "--shifts", "8", "--tileable", *flags)
    painted = limn.texture(bricks, 48, style_shifts=[8], tileable=True, **quick)
    np.testing.assert_array_equal(samples16(painted.picture), expected)


def test_holes_like_the_command(command, in_folder):
    wall = repeating(80, 64, 16)
    hole = np.zeros((64, 80), np.uint8)
    hole[20:40, 30:50] = 255
    save(wall=wall, hole=hole, other=drawn(70, 60, 3))
    flags = ("--iterations", 4, "--threads", 1)
    quick = {"iterations": 4, "threads": 1}
    expected = command("inpaint", "wall.png", "--hole", "hole.png", *flags)
    painted = limn.inpaint(wall, hole, **quick)
    np.testing.assert_array_equal(samples16(painted.picture), expected)
    outside = hole == 0
    np.testing.assert_array_equal(samples16(painted.picture)[outside], wall[outside] * 257)
    expected = command("inpaint", "wall.png", "--hole", "hole.png", "--from", "other.png", *flags)
    painted = limn.inpaint(wall, hole > 0, drawn(70, 60, 3), **quick)
    np.testing.assert_array_equal(samples16(painted.picture), expected)


def test_seasons_like_the_command(photo, painting, command, in_folder):
    save(photo=photo, painting=painting)
    expected = command("season", "photo.png", "painting.png", "--size", 48, *FLAGS)
    painted = limn.season(photo, painting, size=48, **QUICK)
    np.testing.assert_array_equal(samples16(painted.picture), expected)
    assert painted.recipe.name == "season"


def test_what_is_not_for_textures_and_holes(photo):
    for wrong in ({"strength": 0.5}, {"mask_keep": photo[..., 0]}, {"initial": photo}):
        with pytest.raises(TypeError, match="there is no setting"):
            limn.texture(photo, 48, **wrong)
    with pytest.raises(TypeError, match="there is no setting 'size'"):
        limn.inpaint(photo, photo[..., 0] > 100, size=48)
    with pytest.raises(limn.UsageError, match="black everywhere"):
        limn.inpaint(photo, np.zeros((48, 64)))
    with pytest.raises(limn.UsageError, match="white everywhere"):
        limn.inpaint(photo, np.ones((48, 64)))
    for size in (0, -3, (5, 0), 100_001):
        with pytest.raises(limn.UsageError, match="pixels"):
            limn.texture(photo, size)
    for size in (2.5, "48", (1, 2, 3)):
        with pytest.raises((TypeError, ValueError)):
            limn.texture(photo, size)


# ---- what comes back ----

def test_painted(painted, in_folder):
    assert painted.picture.shape == (36, 48, 3) and painted.picture.dtype == np.float32
    assert 0 <= painted.picture.min() and painted.picture.max() <= 1
    assert painted.outcome == "finished" and not painted.unchanged
    assert [record.iteration for record in painted.history] == [0, 1, 2, 3]
    losses = painted.history[2].losses
    assert losses.total == pytest.approx(losses.content + losses.style + losses.total_variation)
    assert painted.recipe.picture.size == 48 and painted.seconds > 0
    assert painted.image().size == (48, 36)
    assert painted._repr_png_().startswith(b"\x89PNG")
    assert "48 x 36, finished" in repr(painted)
    painted.save("out.png", bits=16)
    np.testing.assert_array_equal(samples16(limn.read_image("out.png")), samples16(painted.picture))


def test_limits(photo, painting):
    assert limn.paint(photo, painting, size=48, threads=1, seconds=1e-6).outcome == "out of time"
    assert limn.paint(photo, painting, size=48, threads=1, iterations=0).iteration == 0


def test_the_first_picture(photo, painting):
    first = limn.paint(photo, painting, size=48, iterations=0, border=0, initial=painting)
    np.testing.assert_allclose(first.picture, limn.resized(painting, 48, 36), atol=1e-6)


def test_evaluate(photo, painting, painted):
    found = limn.evaluate(photo, painting, painted.picture, "gram", balance="fixed")
    assert found.gradient.shape == painted.picture.shape
    assert np.linalg.norm(found.gradient) == pytest.approx(found.gradient_norm, rel=1e-5)
    in_tiles = limn.evaluate(photo, painting, painted.picture, "gram", balance="fixed", tile=32)
    assert in_tiles.losses.total == pytest.approx(found.losses.total, rel=1e-4)
    assert limn.evaluate(photo, painting, photo, "gram", size=32).gradient.shape == (24, 32, 3)


# ---- models ----

def test_models(photo, painting, painted, in_folder):
    model = limn.Model()
    assert model.network == "builtin"
    model.write("weights.safetensors")
    for same in (model, limn.Model("weights.safetensors"), "weights.safetensors"):
        again = limn.paint(photo, painting, size=48, model=same, **QUICK)
        np.testing.assert_array_equal(again.picture, painted.picture)
    with pytest.raises(limn.FileError, match="missing.h5"):
        limn.Model("missing.h5")
    with pytest.raises(limn.UsageError, match="vgg19"):
        limn.paint(photo, painting, "gatys")


# ---- callbacks ----

def test_progress(photo, painting, painted):
    seen = []

    def progress(now):
        assert now.picture().shape == now.best_picture().shape == (36, 48, 3)
        seen.append(now)

    again = limn.paint(photo, painting, size=48, progress=progress, **QUICK)
    np.testing.assert_array_equal(again.picture, painted.picture)
    assert [now.iteration for now in seen] == [0, 1, 2, 3]
    assert [now.losses for now in seen] == [record.losses for record in again.history]
    assert {(now.width, now.height) for now in seen} == {(48, 36)} and seen[0].iterations == 3
    with pytest.raises(limn.UsageError, match="iteration 3 is gone"):
        seen[-1].picture()


def test_stopping(photo, painting):
    stopped = limn.paint(photo, painting, size=48, progress=lambda now: now.iteration < 2, **QUICK)
    assert stopped.outcome == "stopped" and len(stopped.history) == 3


class Trouble(Exception):
    pass


def test_what_a_callback_raises_is_passed_on_and_nothing_leaks(photo, painting):
    held = []

    def progress(now):
        held.append(weakref.ref(now._run))
        raise Trouble

    with pytest.raises(Trouble) as caught:
        limn.paint(photo, painting, size=48, progress=progress, **QUICK)
    del caught
    gc.collect()
    assert len(held) == 1 and held[0]() is None


def test_control_c(photo, painting):
    def interrupt(now):
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        limn.paint(photo, painting, size=48, progress=interrupt, **QUICK)

    # And from outside, within an iteration.
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        limn.paint(photo, painting, size=64, iterations=1_000_000, plateau=0)


# ---- threads ----

def test_two_threads_paint_at_once(photo, painting, painted):
    pictures = {}
    threads = [threading.Thread(target=lambda n=n: pictures.update(
        {n: limn.paint(photo, painting, size=48, **QUICK).picture})) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2):
        np.testing.assert_array_equal(pictures[number], painted.picture)


def test_others_go_on_while_it_paints(photo, painting):
    """With a switch interval of minutes another thread runs only while the lock is released."""
    count, done = 0, threading.Event()

    def counting():
        nonlocal count
        while not done.is_set():
            count += 1
            done.wait(0.001)

    before = sys.getswitchinterval()
    sys.setswitchinterval(600)
    thread = threading.Thread(target=counting)
    try:
        thread.start()
        run = limn.Run(photo, painting, size=64, iterations=20, threads=1)
        count_before = count
        for _ in range(20):
            run._inner.step()
        count_after = count
    finally:
        sys.setswitchinterval(before)
        done.set()
        thread.join()
    assert count_after >= count_before + 5


# ---- memory ----

def test_fifty_paintings_take_no_more_memory_than_a_few(photo, painting):
    def resident():
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def paint(count):
        for _ in range(count):
            limn.paint(photo, painting, "gram", size=32, iterations=1, threads=1)
        gc.collect()
        return resident()

    settled = paint(10)
    # A painting holds some 10 MB; fifty that leak a twentieth of that would show.
    assert paint(40) < settled + 16 * 2**20


def test_references(photo, painting):
    picture, style = photo.copy(), painting.copy()
    counts = sys.getrefcount(picture), sys.getrefcount(style)
    for _ in range(3):
        limn.paint(picture, style, size=32, iterations=1, threads=1)
        with pytest.raises(limn.UsageError):
            limn.paint(picture, style, size=1)
    gc.collect()
    assert (sys.getrefcount(picture), sys.getrefcount(style)) == counts
