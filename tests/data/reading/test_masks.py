"""read_mask: a mask's file gives the ids or colours it holds, at every depth."""

import cv2
import numpy as np
import pytest
from image_files import grey_png, saved, saved_palette

from semseg.data.reading import read_image, read_mask

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0]
IDS = RNG.integers(0, 4, (5, 7), dtype=np.uint8)

EXACT = [".png", ".bmp", ".tif", ".tiff", ".webp"]
LOSSLESS = {".webp": {"lossless": True}}
OPAQUE, CLEAR = (np.full((5, 7), 255, np.uint8), np.where(IDS == 0, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_mask_gives_its_ids_at_every_depth(tmp_path, bits):
    ids = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    path = saved_palette(tmp_path / "a.png", ids, size=2**bits, bits=bits)
    mask = read_mask(path)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, ids)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_grey_mask_gives_its_ids_at_every_depth(tmp_path, bits):
    ids = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(grey_png(ids, bits))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), ids)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_grey_picture_of_few_bits_spans_the_whole_range(tmp_path, bits):
    values = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(grey_png(values, bits))
    expected = values * (255 // (2**bits - 1))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 0], expected)


def test_a_transparent_palette_entry_does_not_cost_a_mask_its_ids(tmp_path):
    path = saved_palette(tmp_path / "a.png", IDS, transparency=0)
    np.testing.assert_array_equal(read_mask(path), IDS)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_grey_mask_gives_its_ids(tmp_path, suffix):
    np.testing.assert_array_equal(read_mask(saved(tmp_path / f"a{suffix}", IDS)), IDS)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_ids_of_16_bits_are_kept(tmp_path, suffix):
    ids = RNG.integers(0, 65536, (5, 7)).astype(np.uint16)
    mask = read_mask(saved(tmp_path / f"a{suffix}", ids))
    assert mask.dtype == np.uint16
    np.testing.assert_array_equal(mask, ids)


def test_fractions_in_a_float_mask_are_not_cut_off(tmp_path):
    values = np.array([[0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "a.tif", values)), values)


@pytest.mark.parametrize("suffix", EXACT)
def test_a_coloured_mask_gives_rgb(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", RGB, **LOSSLESS.get(suffix, {}))
    np.testing.assert_array_equal(read_mask(path), RGB)


@pytest.mark.parametrize("opacity", [OPAQUE, CLEAR])
def test_a_mask_with_alpha_is_refused(tmp_path, opacity):
    path = saved(tmp_path / "a.png", np.dstack([RGB, opacity]))
    with pytest.raises(ValueError, match=r"mask must hold ids or 8-bit RGB.*mode RGBA.*a\.png"):
        read_mask(path)


def test_a_coloured_mask_of_16_bits_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), RGB.astype(np.uint16) * 257)
    with pytest.raises(ValueError, match=r"8-bit RGB.*3 channels of uint16.*a\.png"):
        read_mask(tmp_path / "a.png")
