"""Any image becomes the 8-bit RGB that a person wants to see."""

import numpy as np
import pytest

from semseg.viz._images import as_rgb, shown_as

RNG = np.random.default_rng(0)

STRETCHED = (
    "Brightness is stretched: the darkest 1 % of a picture's values are black, "
    "the brightest 1 % white."
)


def test_uint8_rgb_stays_what_it_is():
    image = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(as_rgb(image), image)


@pytest.mark.parametrize("channels", [1, 2])
def test_one_or_two_channels_show_the_first_in_grey(channels):
    image = RNG.integers(0, 256, (5, 7, channels), dtype=np.uint8)
    np.testing.assert_array_equal(as_rgb(image), np.repeat(image[..., :1], 3, axis=-1))


@pytest.mark.parametrize("channels", [4, 9])
def test_of_many_channels_the_first_three_are_shown(channels):
    image = RNG.integers(0, 256, (5, 7, channels), dtype=np.uint8)
    np.testing.assert_array_equal(as_rgb(image), image[..., :3])


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float16", "float32", "float64"])
def test_other_numbers_are_stretched_from_their_darkest_to_their_brightest_percent(dtype):
    ramp = np.arange(1001).reshape(1, -1, 1).astype(dtype)
    shown = as_rgb(ramp)[0, :, 0].astype(int)
    assert shown[:11].tolist() == [0] * 11
    assert shown[990:].tolist() == [255] * 11
    assert (np.diff(shown) >= 0).all()
    assert shown[500] in (127, 128)


def test_the_stretch_does_not_depend_on_scale_or_offset():
    image = RNG.normal(size=(40, 30, 3))
    difference = as_rgb(image).astype(int) - as_rgb(1000 * image - 7)
    assert abs(difference).max() <= 1


def test_large_pictures_are_stretched_in_pieces_without_seams():
    image = np.tile(np.linspace(0, 1, 300, dtype=np.float32)[:, None, None], (1, 700, 1))
    shown = as_rgb(image)[..., 0].astype(int)
    assert (np.diff(shown, axis=0) >= 0).all()
    assert (np.diff(shown, axis=1) == 0).all()


def test_a_few_bright_pixels_on_even_ground_do_not_vanish():
    image = np.zeros((50, 50, 1), np.float32)
    image[3, 4] = 0.2
    shown = as_rgb(image)
    assert shown[3, 4].tolist() == [255] * 3
    assert shown[0, 0].tolist() == [0] * 3


@pytest.mark.parametrize("value", [0.0, 7.5, np.nan, np.inf])
def test_pictures_of_one_value_are_drawn(value):
    shown = as_rgb(np.full((3, 4, 1), value))
    assert shown.shape == (3, 4, 3)
    assert len(np.unique(shown)) == 1


def test_values_that_are_no_numbers_are_black_and_infinite_ones_extreme():
    image = np.linspace(0, 1, 100).reshape(10, 10, 1)
    image[0, :4, 0] = np.nan, np.inf, -np.inf, 1e300
    assert as_rgb(image)[0, :4, 0].tolist() == [0, 255, 0, 255]


@pytest.mark.parametrize(
    ("dtype", "channels", "said"),
    [
        ("uint8", 3, ""),
        ("uint8", 1, ""),
        ("bool", 1, ""),
        ("uint8", 2, "Of 2 channels the picture shows channel 1."),
        ("uint8", 4, "Of 4 channels the picture shows channels 1 to 3."),
        ("uint16", 1, STRETCHED),
        ("float32", 5, STRETCHED + " Of 5 channels the picture shows channels 1 to 3."),
    ],
)
def test_what_was_done_to_a_picture_is_said(dtype, channels, said):
    assert shown_as([np.zeros((2, 3, channels), dtype)]) == said


def test_what_was_done_to_several_is_said_once():
    images = [np.zeros((2, 3, 4), dtype) for dtype in ("uint8", "uint16", "uint16")]
    assert shown_as(images) == STRETCHED + " Of 4 channels the picture shows channels 1 to 3."


def test_booleans_are_black_and_white():
    assert as_rgb(np.array([[[True], [False]]]))[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 4, 5, 3)), r"image must be one picture .*received a batch of shape \(2, 4"),
        (np.zeros((4, 5)), r"image must have shape \(height, width, channels\)"),
        (np.zeros((0, 5, 3)), "image must not be empty"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        as_rgb(image)


def test_texts_are_refused_as_an_image():
    with pytest.raises(TypeError, match="image must be an array of numbers"):
        as_rgb(np.full((2, 2, 3), "x"))
