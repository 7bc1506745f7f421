"""boundary_error: pixels and wrong ones by their distance from another class."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, scenes

from semseg.metrics.functional import BoundaryError, boundary_error, trimap_confusion


def slow_counts(truth, pred, widest):
    """Each pixel against every other one."""
    pixels, wrong = np.zeros((2, widest + 1), int)
    valid = [(y, x) for y, x in np.ndindex(truth.shape) if truth[y, x] != IGNORED]
    for y, x in valid:
        squares = [
            (y - v) ** 2 + (x - u) ** 2 for v, u in valid if truth[v, u] != truth[y, x]
        ]  # fmt: skip
        place = min(widest, math.isqrt(min(squares) - 1)) if squares else widest
        pixels[place] += 1
        wrong[place] += pred[y, x] != truth[y, x]
    return pixels, wrong


@given(scenes(side=(1, 9)), st.sampled_from([1, 3, 20]))
def test_the_counts_are_those_of_every_pair_of_pixels(case, widest):
    truth, pred, count = case
    found = boundary_error(truth, pred, count, IGNORED, widest=widest)
    pixels, wrong = slow_counts(truth, pred, widest)
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_array_equal(found.wrong, wrong)
    assert found.pixels.dtype == found.wrong.dtype == np.int64
    expected = [w / p if p else np.nan for p, w in zip(pixels, wrong, strict=True)]
    np.testing.assert_array_equal(found.error, expected)


@given(scenes(), st.integers(1, 6))
def test_the_first_places_together_are_the_trimap_and_all_are_the_picture(case, width):
    truth, pred, count = case
    found = boundary_error(truth, pred, count, IGNORED, widest=6)
    band = trimap_confusion(truth, pred, count, IGNORED, width=width)
    assert found.pixels[:width].sum() == band.sum()
    assert found.wrong[:width].sum() == band.sum() - np.trace(band)
    valid = truth != IGNORED
    assert found.pixels.sum() == valid.sum()
    assert found.wrong.sum() == (truth != pred)[valid].sum()


def test_pictures_of_a_batch_and_of_several_sizes_add_up():
    rng = np.random.default_rng(0)
    truth, pred = rng.integers(0, 3, (2, 4, 8, 9))
    found = [boundary_error(t, p, 3, widest=4) for t, p in zip(truth, pred, strict=True)]
    added = BoundaryError(*map(sum, zip(*found, strict=True)))
    whole = boundary_error(truth, pred, 3, widest=4)
    np.testing.assert_array_equal(added.pixels, whole.pixels)
    np.testing.assert_array_equal(added.error, whole.error)


def test_far_distances_are_told_apart_exactly():
    truth = np.zeros((1, 1200), int)
    truth[0, 0] = 1
    pred = truth.copy()
    pred[0, 1000] = 1
    found = boundary_error(truth, pred, 2, widest=1100)
    assert found.pixels[:1100].tolist() == [2] + [1] * 1099
    assert found.pixels[-1] == 99 and np.flatnonzero(found.wrong).tolist() == [999]


def test_errors():
    with pytest.raises(ValueError, match="widest must be an int >= 1, received 0"):
        boundary_error([[0]], [[0]], 2, widest=0)
    with pytest.raises(ValueError, match="mask and pred must have shape"):
        boundary_error([0, 1], [0, 1], 2)
