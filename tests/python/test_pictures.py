"""Pictures and masks in and out: types, shapes, strides, Pillow, files."""
import os

import numpy as np
import pytest
from PIL import Image

import limn
from conftest import drawn
from limn.pictures import as_pillow, mask_values, pixels


def test_types_mean_the_same():
    eight = drawn(20, 10, 1)
    expected = eight.astype(np.float32) / np.float32(255)
    assert pixels(eight).dtype == np.float32
    np.testing.assert_array_equal(pixels(eight), expected)
    np.testing.assert_array_equal(pixels(eight.astype(np.uint16) * 257), expected)
    np.testing.assert_array_equal(pixels((eight.astype(np.uint16) * 257).astype(">u2")), expected)
    np.testing.assert_array_equal(pixels(expected.astype(np.float64)), expected)
    np.testing.assert_array_equal(pixels(expected.tolist()), expected)


@pytest.mark.parametrize("strided", [
    np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1][::-1],
    lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, -1, 0)), 0, -1)])
def test_strides_do_not_matter(strided, photo):
    made = strided(photo)
    assert np.array_equal(limn.resized(made, 32, 24), limn.resized(photo, 32, 24))
    np.testing.assert_array_equal(pixels(made), pixels(photo))


@pytest.mark.parametrize("shape, message", [
    ((4, 5), r"its shape is \(4, 5\).*np.stack"),
    ((3, 40, 50), "channels last"),
    ((1, 4, 5, 3), r"picture\[0\]"),
    ((4, 5, 2), "but should be"),
    ((0, 5, 3), "no pixels"),
    ((), "but should be"),
])
def test_wrong_shapes(shape, message, painting):
    with pytest.raises(limn.UsageError, match=f"photo: .*{message}"):
        limn.paint(np.zeros(shape, np.float32), painting)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint32, np.complex64, object, "U3"])
def test_wrong_types(dtype, painting):
    with pytest.raises(TypeError, match="photo: has values of type"):
        limn.paint(np.zeros((8, 8, 3), dtype), painting)


@pytest.mark.parametrize("value, message", [
    (np.nan, "not finite"), (np.inf, "not finite"), (255.0, "divide those of 8 bits"),
    (-3.0, "should be in 0..1")])
def test_wrong_values(value, message, photo):
    picture = np.full((40, 40, 3), 0.5)
    picture[3, 4, 1] = value
    with pytest.raises(limn.UsageError, match=f"painting: .*{message}"):
        limn.paint(photo, picture)


def test_no_picture_at_all(painting):
    with pytest.raises(limn.UsageError):
        limn.paint(np.zeros((0, 0, 3)), painting)
    with pytest.raises(limn.UsageError):
        limn.paint(None, painting)


def test_too_large_for_memory(painting):
    huge = np.broadcast_to(np.uint8(0), (1, 1_000_001, 3))
    with pytest.raises(limn.ResourceError):
        limn.paint(huge, painting, size=0)
    with pytest.raises(MemoryError):
        limn.texture(painting, size=100_000)
    with pytest.raises(limn.ResourceError, match="--memory|needs"):
        limn.paint(drawn(64, 48, 1), painting, size=48, memory=1000)


def test_alpha():
    picture = np.dstack([drawn(20, 10, 1), np.full((10, 20), 255, np.uint8)])
    assert pixels(picture).shape == (10, 20, 3), "opaque everywhere"
    picture[:5, :, 3] = 7
    assert pixels(picture).shape == (10, 20, 4)
    floats = np.full((4, 4, 4), 0.5)
    floats[0, 0, 3] = 1.5
    with pytest.raises(limn.UsageError, match="alpha"):
        pixels(floats)


def test_alpha_of_the_photo_is_kept(photo, painting):
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    alpha[:, :20] = 0
    painted = limn.paint(np.dstack([photo, alpha]), painting, size=0, iterations=1, threads=1)
    np.testing.assert_array_equal(painted.picture[..., 3], alpha / np.float32(255))
    assert painted.image().mode == "RGBA"
    with pytest.raises(limn.UsageError, match="transparent"):
        limn.paint(np.dstack([photo, 0 * alpha]), painting, size=0)


def test_pillow(photo):
    image = Image.fromarray(photo)
    np.testing.assert_array_equal(pixels(image), pixels(photo))
    palette = image.quantize(16)
    np.testing.assert_array_equal(pixels(palette), pixels(np.asarray(palette.convert("RGB"))))
    grey = image.convert("L")
    np.testing.assert_array_equal(pixels(grey)[..., 2], np.asarray(grey) / np.float32(255))
    deep = Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000)
    np.testing.assert_array_equal(pixels(deep)[..., 0], pixels(np.stack([deep] * 3, -1).astype(
        np.uint16))[..., 0])
    image.putalpha(100)
    assert pixels(image).shape == (48, 64, 4)


def test_pillow_is_turned_upright(photo, in_folder):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(photo).save("turned.png", exif=exif)
    with Image.open("turned.png") as image:
        np.testing.assert_array_equal(pixels(image), pixels("turned.png"))
        assert pixels(image).shape == (64, 48, 3)


def test_files(photo, in_folder):
    Image.fromarray(photo).save("photo.png")
    for path in ("photo.png", in_folder / "photo.png", b"photo.png"):
        np.testing.assert_array_equal(limn.read_image(path), pixels(photo))
    limn.write_image(photo.astype(np.uint16) * 257, "deep.png", bits=16)
    np.testing.assert_array_equal(limn.read_image("deep.png"), pixels(photo))
    limn.write_image(photo, "photo.jpg")
    limn.write_image(photo, "small.jpg", quality=50)
    assert os.path.getsize("small.jpg") < os.path.getsize("photo.jpg")
    limn.write_image(photo, "unnamed", format="png", dpi=300)
    with Image.open("unnamed") as image:
        assert round(image.info["dpi"][0]) == 300


def test_names_of_any_bytes(photo, in_folder):
    name = os.fsdecode(b"caf\xe9.png")
    limn.write_image(photo, name)
    np.testing.assert_array_equal(limn.read_image(name), pixels(photo))
    with pytest.raises(limn.FileError, match=r"\\xe9"):
        limn.read_image(os.fsdecode(b"none\xe9.png"))
    with pytest.raises(limn.FileError, match="zero byte"):
        limn.read_image("a\0.png")


def test_files_that_are_not_there_or_not_pictures(photo, in_folder):
    with pytest.raises(OSError, match="missing.png"):
        limn.read_image("missing.png")
    (in_folder / "text.png").write_text("text")
    with pytest.raises(limn.FileError, match="text.png"):
        limn.paint("text.png", photo)
    with pytest.raises(limn.ResourceError):
        limn.write_image(photo, "photo.png")
        limn.read_image("photo.png", max_pixels=10)
    with pytest.raises(limn.UsageError, match="'.nothing'"):
        limn.write_image(photo, "out.nothing")
    with pytest.raises(limn.UsageError):
        limn.write_image(photo, "out.png", bits=9)


def test_notes_about_a_file_are_warnings(photo, in_folder):
    frames = [Image.fromarray(photo), Image.fromarray(255 - photo)]
    frames[0].save("two.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="two.gif"):
        limn.read_image("two.gif")
    assert limn.read_image("two.gif[1]").shape == photo.shape


def test_masks(in_folder):
    half = np.zeros((10, 20), bool)
    half[:, :10] = True
    for mask in (half, half.astype(np.uint8) * 255, half.astype(float),
                 Image.fromarray(half), Image.fromarray(half).convert("L")):
        np.testing.assert_array_equal(mask_values(mask), half.astype(np.float32))
    Image.fromarray(half).save("half.png")
    np.testing.assert_array_equal(limn.read_mask("half.png"), half.astype(np.float32))
    np.testing.assert_array_equal(mask_values("half.png"), half.astype(np.float32))
    with pytest.raises(limn.UsageError, match=r"mask_keep: its shape is \(4, 4, 3\)"):
        limn.paint(np.zeros((40, 40, 3)), np.zeros((40, 40, 3)), mask_keep=np.zeros((4, 4, 3)))
    with pytest.raises(limn.UsageError, match="0..1"):
        mask_values(np.full((4, 4), 1.5))


def test_rounding_is_the_library_s(photo, in_folder):
    picture = np.random.default_rng(1).random((40, 50, 3), np.float32) * 1.2 - 0.1
    limn.write_image(picture, "picture.png")
    with Image.open("picture.png") as written:
        np.testing.assert_array_equal(np.asarray(written), np.asarray(as_pillow(picture)))


def test_resized(photo):
    assert limn.resized(photo, 30, 20).shape == (20, 30, 3)
    with pytest.raises(limn.UsageError, match="0 x 20"):
        limn.resized(photo, 0, 20)
