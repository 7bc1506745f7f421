"""read_image: a picture's file gives exactly what it holds."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from image_files import COLOURS, encoded, saved, saved_palette, smooth
from PIL import Image, ImageOps

from semseg.data.reading import IMAGE_SUFFIXES, read_image, read_mask

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0]
IDS = RNG.integers(0, 4, (5, 7), dtype=np.uint8)

EXACT = [".png", ".bmp", ".tif", ".tiff", ".webp"]
LOSSLESS = {".webp": {"lossless": True}}
OPAQUE, CLEAR = (np.full((5, 7), 255, np.uint8), np.where(IDS == 0, 0, 255).astype(np.uint8))
ORIENTATION = 0x0112


@pytest.mark.parametrize("suffix", EXACT)
def test_colours_come_as_rgb_and_unchanged(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", RGB, **LOSSLESS.get(suffix, {}))
    image = read_image(path)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_comes_as_rgb(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", smooth(), quality=98, subsampling=0)
    np.testing.assert_allclose(read_image(path).astype(int), smooth(), atol=4)
    assert suffix in IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_grey_picture_has_one_channel(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a{suffix}", GREY))
    np.testing.assert_array_equal(image, GREY[..., None])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_kept(tmp_path, suffix, channels):
    values = RNG.integers(0, 65536, (5, 7, channels)).astype(np.uint16)
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), values[..., ::-1])
    image = read_image(path)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, values)


def test_a_float_picture_keeps_its_values(tmp_path):
    values = RNG.normal(size=(5, 7)).astype(np.float32)
    image = read_image(saved(tmp_path / "a.tif", values))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, values[..., None])


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_palette_picture_gives_its_colours(tmp_path, suffix):
    image = read_image(saved_palette(tmp_path / f"a{suffix}", IDS))
    np.testing.assert_array_equal(image, COLOURS[IDS])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_opaque_alpha_is_dropped(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", np.dstack([RGB, OPAQUE]), **LOSSLESS.get(suffix, {}))
    np.testing.assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_opaque_alpha_of_a_grey_picture_is_dropped(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", np.dstack([GREY, OPAQUE]))
    np.testing.assert_array_equal(read_image(path), GREY[..., None])


def test_opaque_alpha_of_16_bits_is_dropped(tmp_path):
    values = RNG.integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    opaque = np.full((5, 7), 65535, np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([values[..., ::-1], opaque]))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), values)


def transparent_files(folder):
    yield saved(folder / "rgba.png", np.dstack([RGB, CLEAR]))
    yield saved(folder / "rgba.tif", np.dstack([RGB, CLEAR]))
    yield saved(folder / "rgba.webp", np.dstack([RGB, CLEAR]), lossless=True)
    yield saved(folder / "grey.png", np.dstack([GREY, CLEAR]))
    yield saved_palette(folder / "palette.png", IDS, transparency=int(IDS[0, 0]))
    yield saved(folder / "key.png", RGB, transparency=tuple(RGB[0, 0].tolist()))
    yield saved(folder / "greykey.png", GREY, transparency=int(GREY[0, 0]))


def test_transparency_is_an_error_in_whatever_way_it_is_stored(tmp_path):
    for path in transparent_files(tmp_path):
        with pytest.raises(ValueError, match=rf"transparent pixels.*{path.name}; flatten it"):
            read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_exif_rotation_is_applied_to_pictures_and_masks_alike(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / f"a{suffix}", RGB, exif=exif, **LOSSLESS.get(suffix, {}))
    with Image.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    np.testing.assert_array_equal(read_image(path), expected)
    np.testing.assert_array_equal(read_mask(path), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_to_a_jpeg(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / "a.jpg", smooth(), exif=exif, quality=98, subsampling=0)
    with Image.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file)).astype(int)
    np.testing.assert_allclose(read_image(path), expected, atol=4)


def test_exif_behind_the_pixels_of_a_png_counts_too(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + body))
    data = encoded(RGB, "png")
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])  # before IEND
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(RGB, -1))


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_a_turned_tiff_is_refused(tmp_path, read):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = saved(tmp_path / "a.tif", GREY, exif=exif)
    with pytest.raises(ValueError, match=r"TIFF is stored turned \(orientation 6\).*a\.tif; save"):
        read(path)


@pytest.mark.parametrize("form", ["grey", "alpha", "palette"])
def test_exif_rotation_is_applied_in_every_mode(tmp_path, form):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn clockwise
    path = tmp_path / "a.png"
    turned = lambda array: np.rot90(array, -1)  # noqa: E731
    if form == "grey":
        saved(path, GREY, exif=exif)
        np.testing.assert_array_equal(read_image(path)[..., 0], turned(GREY))
        np.testing.assert_array_equal(read_mask(path), turned(GREY))
    elif form == "alpha":
        saved(path, np.dstack([RGB, OPAQUE]), exif=exif)
        np.testing.assert_array_equal(read_image(path), turned(RGB))
    else:
        saved_palette(path, IDS, exif=exif)
        np.testing.assert_array_equal(read_image(path), turned(COLOURS[IDS]))
        np.testing.assert_array_equal(read_mask(path), turned(IDS))
