"""Brightness, Contrast, Gamma: one table for a row of them, rounded and clipped once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Brightness, Compose, Contrast, Gamma
from semseg.data.transforms.values import ValueOperation

limits = st.floats(0, 1)
gammas = st.sampled_from([Gamma((0.5, 0.5)), Gamma((2, 2)), Gamma((0.7, 1.4))])
chains = st.lists(
    st.builds(Brightness, limits) | st.builds(Contrast, limits) | gammas, min_size=1, max_size=4
)
seeds = st.integers(0, 2**32 - 1)
MASK = np.zeros((6, 7), np.uint8)


def picture(dtype, seed=0):
    values = np.random.default_rng(seed).random((6, 7, 3))
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (values * top).astype(dtype)
    image[0, :2] = [[0] * 3, [top] * 3]
    return image


def direct(chain, image, rng, span=None):
    """The formulas on every pixel in float64, without a table and without rounding.

    `span` is (low, high, middle), by default that of the values before each step.
    """
    values = image.astype(np.float64)
    for step in chain:
        low, high, middle = span or (values.min(), values.max(), values.mean())
        if isinstance(step, Gamma):
            weakest, strongest = step.power
            power = weakest * (strongest / weakest) ** rng.random()
            values = low + (high - low) * ((values - low) / (high - low)).clip(0, 1) ** power
            continue
        factor = 1 + step.limit * (2 * rng.random() - 1)
        origin = middle if isinstance(step, Contrast) else 0
        values = origin + (values - origin) * factor
    return values


@given(chain=chains, seed=seeds, dtype=st.sampled_from(["uint8", "uint16"]))
def test_a_chain_of_integers_is_the_formula_rounded_and_clipped_once(chain, seed, dtype):
    image, top = picture(dtype), np.iinfo(dtype).max
    shown, _ = Compose(chain)(image, MASK, np.random.default_rng(seed))
    expected = direct(chain, image, np.random.default_rng(seed), (0, top, top / 2)).clip(0, top)
    assert shown.dtype == dtype
    # float32 has 24 bits: it may round to the other side of a half.
    assert np.abs(shown - expected).max() <= 0.5 + top * 4e-6


@given(chain=chains, seed=seeds, dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_a_chain_of_floats_is_its_steps_one_by_one(chain, seed, dtype):
    image = (picture(dtype) * 3 - 1).astype(dtype)
    together, _ = Compose(chain)(image, MASK, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    for step in chain:
        image, _ = step(image, MASK, rng)
    np.testing.assert_array_equal(together, image)


def test_gamma_clips_no_float_that_brightness_has_moved_out_of_the_old_range():
    image = picture("float32")
    chain = Compose([Brightness(1.0), Gamma((1, 1))])
    brighter = [chain(image, MASK, np.random.default_rng(seed))[0].max() for seed in range(20)]
    assert max(brighter) > 1.5


@given(chain=chains, seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_floats_are_stretched_around_their_mean_and_never_clipped(chain, seed, dtype):
    image = picture(dtype) * 3 - 1
    shown, _ = Compose(chain)(image, MASK, np.random.default_rng(seed))
    expected = direct(chain, image, np.random.default_rng(seed))
    assert shown.dtype == dtype
    np.testing.assert_allclose(shown, expected, atol=1e-3)


@given(seed=seeds)
def test_two_roundings_would_be_noticed(seed):
    """The check above must tell one table from two."""
    chain, image = [Brightness(0.9), Contrast(0.9)], picture("uint8")
    rng = np.random.default_rng(7)
    twice, mask = image, MASK
    for step in chain:
        twice, mask = step(twice, mask, rng)
    once = direct(chain, image, np.random.default_rng(7), (0, 255, 127.5)).clip(0, 255)
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
    message = rf"^Brightness\(\): image must be uint8, uint16 or floating point, received {dtype}"
    with pytest.raises(TypeError, match=message):
        Brightness()(picture("uint8").astype(dtype), MASK, np.random.default_rng(0))


@pytest.mark.parametrize("kind", [Brightness, Contrast])
@pytest.mark.parametrize("limit", [-0.1, 1.5, float("nan")])
def test_a_limit_must_lie_in_0_to_1(kind, limit):
    with pytest.raises(
        ValueError, match=rf"limit of {kind.__name__} must lie in \[0, 1\], .*{limit}"
    ):
        kind(limit)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_gamma_keeps_black_and_white_and_moves_what_is_between(power):
    image = np.array([[[0, 64, 128, 255]]], np.uint8)
    shown = Gamma((power, power))(image, MASK[:1, :1], np.random.default_rng(0))[0][0, 0]
    np.testing.assert_allclose(shown, (image[0, 0] / 255) ** power * 255, atol=0.51)


def test_gamma_leaves_a_flat_float_image_as_it_is():
    image = np.full((6, 7, 3), 0.3)
    shown = Gamma()(image, MASK, np.random.default_rng(0))[0]
    np.testing.assert_allclose(shown, image, rtol=1e-6)


@pytest.mark.parametrize("power", [2, (0, 1), (2, 1), (-1, 1)])
def test_a_power_must_be_a_pair_above_0(power):
    with pytest.raises(
        ValueError, match=r"power of Gamma must be \(low, high\) with 0 < low <= high"
    ):
        Gamma(power)


def test_an_operation_must_say_how_it_adjusts():
    with pytest.raises(NotImplementedError):
        ValueOperation()(picture("uint8"), MASK, np.random.default_rng(0))
