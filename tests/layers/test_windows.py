"""Windows on arrays: equal to slow loops, whatever stands in the window."""

import numpy as np
import pytest
import slow_pooling
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.layers import windows

SPECIAL = [np.nan, -np.inf, np.inf, -1.0, 0.0, 1.0, 2.0]  # few values: most windows hold ties


@st.composite
def pictures(draw, values=SPECIAL):
    """A small picture of any size, and a window."""
    shape = draw(st.tuples(*(st.integers(1, n) for n in (2, 8, 8, 2))))
    seed = draw(st.integers(0, 2**31))
    x = np.random.default_rng(seed).choice(np.array(values, np.float32), shape)
    return x, draw(st.sampled_from([2, 3]))


def same_pooling(pooling, x, p):
    values, places = pooling(x, p)
    slow_values, slow_places = slow_pooling.pool(x, p)
    np.testing.assert_array_equal(np.asarray(values), slow_values)
    np.testing.assert_array_equal(np.asarray(places), slow_places)


@given(pictures())
def test_pooling_equals_the_slow_loop_with_ties_nan_and_infinities(case):
    same_pooling(windows.pool, *case)


def last_maximum_wins(x, p):
    values, places = windows.pool(x[:, ::-1, ::-1], p)
    return np.asarray(values)[:, ::-1, ::-1], p * p - 1 - np.asarray(places)[:, ::-1, ::-1]


def test_a_pooling_whose_last_maximum_wins_is_noticed():
    with pytest.raises(AssertionError):
        same_pooling(last_maximum_wins, np.ones((1, 4, 4, 1), np.float32), 2)


@given(pictures([-2.0, -1.0, 0.5, 3.0]))
def test_unpooling_and_taking_equal_the_slow_loops(case):
    x, p = case
    values, places = (np.asarray(a) for a in windows.pool(x, p))
    height, width = x.shape[1:3]
    picture = np.asarray(windows.unpool(values, places, p, height, width))
    np.testing.assert_array_equal(picture, slow_pooling.unpool(values, places, p, height, width))
    np.testing.assert_array_equal(
        np.asarray(windows.take(x, places, p)), slow_pooling.take(x, places, p)
    )


@given(pictures([-2.0, -1.0, 0.5, 3.0]))
def test_the_values_at_the_maxima_are_the_maxima(case):
    x, p = case
    values, places = windows.pool(x, p)
    np.testing.assert_array_equal(np.asarray(windows.take(x, places, p)), np.asarray(values))


@given(pictures([-2.0, -1.0, 0.5, 3.0]))
def test_what_was_unpooled_is_taken_back(case):
    x, p = case
    values, places = windows.pool(x, p)
    picture = windows.unpool(values, places, p, *x.shape[1:3])
    np.testing.assert_array_equal(np.asarray(windows.take(picture, places, p)), np.asarray(values))


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([2, 3]), st.integers(0, 2**31))
def test_pooling_equals_tensorflow_where_the_window_divides_the_size(rows, columns, p, seed):
    tf = pytest.importorskip("tensorflow")
    x = np.random.default_rng(seed).permutation(rows * columns * p * p * 3)
    x = x.reshape(1, rows * p, columns * p, 3).astype(np.float32)
    values, flat = tf.nn.max_pool_with_argmax(x, p, p, "SAME")
    own, places = windows.pool(x, p)
    np.testing.assert_array_equal(np.asarray(own), values)
    row, column = np.divmod(flat.numpy() // 3, columns * p)  # row-major over (y, x, channel)
    np.testing.assert_array_equal(np.asarray(places), row % p * p + column % p)


@settings(max_examples=10)
@given(pictures([-2.0, -1.0, 0.5, 3.0]))
def test_pooling_equals_pytorch_rounding_up(case):
    torch = pytest.importorskip("torch")
    x, p = case
    values = torch.nn.functional.max_pool2d(
        torch.from_numpy(x.transpose(0, 3, 1, 2)), p, ceil_mode=True
    )
    own, _ = windows.pool(x, p)
    np.testing.assert_array_equal(np.asarray(own), values.numpy().transpose(0, 2, 3, 1))


@pytest.mark.parametrize(("length", "p", "count"), [(1, 2, 1), (2, 2, 1), (3, 2, 2), (7, 3, 3)])
def test_sizes_are_rounded_up(length, p, count):
    assert windows.cells(length, p) == count


def test_the_largest_window_still_fits_into_a_byte():
    x = np.zeros((1, 16, 16, 1), np.float32)
    x[0, 15, 15, 0] = 1
    _, places = windows.pool(x, 16)
    assert np.asarray(places).tolist() == [[[[255]]]]
