"""Saturation and Hue: linear, luma stays, greys stay."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Hue, Saturation
from semseg.data.transforms.colors import ColorOperation

LUMA = np.array([0.299, 0.587, 0.114])
MASK = np.zeros((5, 6), np.uint8)
seeds = st.integers(0, 9999)
dtypes = st.sampled_from(["uint8", "uint16", "float32", "float64", "float16"])


def picture(dtype="uint8", seed=0, middle=False):
    """Random colours; in the middle of the range nothing is clipped."""
    values = np.random.default_rng(seed).random((5, 6, 3))
    values = 0.4 + 0.2 * values if middle else values
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    return (values * top).astype(dtype), top


@given(seed=seeds, dtype=dtypes)
def test_a_saturation_blends_with_grey(seed, dtype):
    image, top = picture(dtype, seed)
    shown = Saturation(0.8)(image, MASK, np.random.default_rng(seed))[0]
    factor = 1 + 0.8 * (2 * np.random.default_rng(seed).random() - 1)
    grey = (image.astype(float) @ LUMA)[..., None]
    expected = grey + factor * (image - grey)
    assert shown.dtype == dtype
    if image.dtype.kind == "u":
        np.testing.assert_allclose(shown, expected.clip(0, top), atol=1)
    else:
        np.testing.assert_allclose(shown, expected, atol=2e-3)


@given(seed=seeds, dtype=dtypes)
def test_a_turn_of_hue_keeps_luma_and_greys(seed, dtype):
    image = picture(dtype, seed, middle=True)[0]
    image[0] = image[0, :, :1]  # greys
    shown = Hue(40)(image, MASK, np.random.default_rng(seed))[0].astype(float)
    close = 1.5 if image.dtype.kind == "u" else 3e-3
    np.testing.assert_allclose(shown @ LUMA, image.astype(float) @ LUMA, atol=close)
    np.testing.assert_allclose(shown[0], image[0], atol=close)


@pytest.mark.parametrize("degrees", [15, 60])
def test_a_turn_of_hue_is_about_that_many_degrees(degrees):
    """Against HSV, which turns in another plane: the same way round, about as far."""
    image = np.array([[[0.6, 0.4, 0.4], [0.4, 0.6, 0.4], [0.4, 0.4, 0.6]]])
    for seed in range(8):
        shown = Hue(degrees)(image, MASK[:1, :3], np.random.default_rng(seed))[0]
        angle = degrees * (2 * np.random.default_rng(seed).random() - 1)
        for before, after in zip(image[0], shown[0], strict=True):
            turned = 360 * (colorsys.rgb_to_hsv(*after)[0] - colorsys.rgb_to_hsv(*before)[0])
            turned = (turned + 180) % 360 - 180
            assert abs(abs(turned) - abs(angle)) < 0.45 * abs(angle) + 1


@pytest.mark.parametrize("kind", [Hue, Saturation])
@pytest.mark.parametrize("channels", [1, 4])
def test_other_numbers_of_channels_are_refused(kind, channels):
    message = rf"{kind.__name__}\(\): colours can only be changed in images of 3 channels \(RGB\), "
    with pytest.raises(ValueError, match=message + f"received {channels} channels; leave it out"):
        kind()(np.zeros((5, 6, channels), np.uint8), MASK, np.random.default_rng(0))


def test_other_arguments_are_refused():
    with pytest.raises(ValueError, match=r"degrees of Hue must lie in \[0, 180\], received 181"):
        Hue(181)
    with pytest.raises(ValueError, match=r"limit of Saturation must lie in \[0, 1\]"):
        Saturation(-0.1)
    with pytest.raises(TypeError, match="received int32"):
        Hue()(np.zeros((5, 6, 3), np.int32), MASK, np.random.default_rng(0))
    with pytest.raises(NotImplementedError):
        ColorOperation()(np.zeros((5, 6, 3), np.uint8), MASK, np.random.default_rng(0))
