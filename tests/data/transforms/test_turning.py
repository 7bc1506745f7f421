"""Flip and Rotate90: exact, to the pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Flip, Rotate90

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))
dtypes = st.sampled_from(["uint8", "uint16", "int16", "float32", "float64", "int64", "bool"])


def picture(size, dtype="uint8", channels=3):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, (*size, channels)).astype(dtype)
    return image, rng.integers(0, 200, size).astype(np.uint8)


@given(size=sizes, dtype=dtypes, channels=st.sampled_from([1, 3, 5]))
def test_flip_exchanges_the_sides_exactly(size, dtype, channels):
    image, mask = picture(size, dtype, channels)
    rng = np.random.default_rng(0)
    for direction, turned in (("horizontal", np.s_[:, ::-1]), ("vertical", np.s_[::-1])):
        flipped, moved = Flip(1.0, direction)(image, mask, rng)
        np.testing.assert_array_equal(flipped, image[turned])
        np.testing.assert_array_equal(moved, mask[turned])


@given(size=sizes, dtype=dtypes, channels=st.sampled_from([1, 3, 5]), turns=st.integers(0, 3))
def test_rotate90_turns_counter_clockwise_as_numpy_does(size, dtype, channels, turns):
    image, mask = picture(size, dtype, channels)
    turned, moved = Rotate90(turns=(turns,))(image, mask, np.random.default_rng(0))
    np.testing.assert_array_equal(turned, np.rot90(image, turns))
    np.testing.assert_array_equal(moved, np.rot90(mask, turns))
    assert turned.flags.c_contiguous and moved.flags.c_contiguous


def test_rotate90_draws_each_turn_as_often():
    image, mask = picture((2, 3))
    rng = np.random.default_rng(0)
    seen = [Rotate90()(image, mask, rng)[1].tobytes() for _ in range(400)]
    assert len(set(seen)) == 4
    assert min(seen.count(s) for s in set(seen)) > 75


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_flip_flips_that_share(probability):
    image, mask = picture((2, 3))
    rng = np.random.default_rng(0)
    flip = Flip(probability)
    flips = sum(flip(image, mask, rng)[1][0, 0] == mask[0, 2] for _ in range(400))
    assert abs(flips / 400 - probability) < 0.07


def test_other_directions_and_turns_are_refused():
    with pytest.raises(ValueError, match="direction must be 'horizontal' or 'vertical', .*'left'"):
        Flip(direction="left")
    for turns in ((), (1, 4), (-1,)):
        with pytest.raises(ValueError, match=r"turns must be some of 0, 1, 2, 3, received \("):
            Rotate90(turns=turns)
