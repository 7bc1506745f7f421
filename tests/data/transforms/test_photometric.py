"""Brightness and Contrast: one table for a chain, rounded and clipped once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Brightness, Compose, Contrast
from semseg.data.transforms.photometric import Photometric

limits = st.floats(0, 1)
chains = st.lists(
    st.builds(Brightness, limits) | st.builds(Contrast, limits), min_size=1, max_size=4
)
seeds = st.integers(0, 2**32 - 1)
MASK = np.zeros((6, 7), np.uint8)


def picture(dtype, seed=0):
    values = np.random.default_rng(seed).random((6, 7, 3))
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (values * top).astype(dtype)
    image[0, :2] = [[0] * 3, [top] * 3]
    return image


def direct(chain, image, middle, rng):
    """The formulas on every pixel in float64, without a table and without rounding."""
    values = image.astype(np.float64)
    for step in chain:
        factor = 1 + step.limit * (2 * rng.random() - 1)
        origin = middle if isinstance(step, Contrast) else 0
        values = origin + (values - origin) * factor
    return values


@given(chain=chains, seed=seeds, dtype=st.sampled_from(["uint8", "uint16"]))
def test_a_chain_of_integers_is_the_formula_rounded_and_clipped_once(chain, seed, dtype):
    image, top = picture(dtype), np.iinfo(dtype).max
    shown, _ = Compose(chain)(image, MASK, np.random.default_rng(seed))
    expected = direct(chain, image, top / 2, np.random.default_rng(seed)).clip(0, top)
    assert shown.dtype == dtype
    # float32 has 24 bits: it may round to the other side of a half.
    assert np.abs(shown - expected).max() <= 0.5 + top * 2e-6


@given(chain=chains, seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_floats_are_stretched_around_their_mean_and_never_clipped(chain, seed, dtype):
    image = picture(dtype) * 3 - 1
    shown, _ = Compose(chain)(image, MASK, np.random.default_rng(seed))
    expected = direct(chain, image, image.mean(), np.random.default_rng(seed))
    assert shown.dtype == dtype
    np.testing.assert_allclose(shown, expected, atol=1e-4)


@given(seed=seeds)
def test_two_roundings_would_be_noticed(seed):
    """The check above must tell one table from two."""
    chain, image = [Brightness(0.9), Contrast(0.9)], picture("uint8")
    rng = np.random.default_rng(7)
    twice, mask = image, MASK
    for step in chain:
        twice, mask = step(twice, mask, rng)
    once = direct(chain, image, 127.5, np.random.default_rng(7)).clip(0, 255)
    assert np.abs(twice - once).max() > 0.5 + 255 * 2e-6


@given(limit=limits, seed=seeds)
def test_brightness_multiplies_by_a_factor_within_the_limit(limit, seed):
    image = np.full((2, 2, 1), 100.0)
    factor = Brightness(limit)(image, MASK[:2, :2], np.random.default_rng(seed))[0] / 100
    assert ((1 - limit - 1e-6 <= factor) & (factor <= 1 + limit + 1e-6)).all()


@given(limit=limits, seed=seeds)
def test_contrast_leaves_the_middle_where_it_is(limit, seed):
    image = np.array([[[0, 127, 128, 255]]], np.uint8)
    shown = Contrast(limit)(image, MASK[:1, :1], np.random.default_rng(seed))[0][0, 0].astype(int)
    assert 126 <= shown[1] <= 128 and 127 <= shown[2] <= 129
    assert abs(shown[0] + shown[3] - 255) <= 1  # symmetric around 127.5


@pytest.mark.parametrize("kind", [Brightness, Contrast])
def test_both_directions_come_and_0_is_the_identity(kind):
    image = picture("uint8")
    rng = np.random.default_rng(0)
    means = [kind(0.5)(image, MASK, rng)[0][3:].std() for _ in range(40)]
    assert min(means) < image[3:].std() < max(means)
    np.testing.assert_array_equal(kind(0)(image, MASK, rng)[0], image)


@pytest.mark.parametrize("kind", [Brightness, Contrast])
def test_the_mask_comes_back_as_it_was(kind):
    mask = np.arange(42, dtype=np.uint8).reshape(6, 7)
    moved = kind(0.9)(picture("uint8"), mask, np.random.default_rng(0))[1]
    np.testing.assert_array_equal(moved, np.arange(42).reshape(6, 7))


@pytest.mark.parametrize("dtype", ["int32", "int16", "bool"])
def test_a_dtype_without_a_range_of_its_own_is_refused(dtype):
    message = rf"image must be uint8, uint16 or floating point for Brightness\(.*received {dtype}"
    with pytest.raises(TypeError, match=message):
        Brightness()(picture("uint8").astype(dtype), MASK, np.random.default_rng(0))


@pytest.mark.parametrize("kind", [Brightness, Contrast])
@pytest.mark.parametrize("limit", [-0.1, 1.5, float("nan")])
def test_a_limit_must_lie_in_0_to_1(kind, limit):
    with pytest.raises(ValueError, match=rf"limit must lie in \[0, 1\], received {limit}"):
        kind(limit)


def test_a_photometric_transform_must_say_how_it_adjusts():
    with pytest.raises(NotImplementedError):
        Photometric()(picture("uint8"), MASK, np.random.default_rng(0))
