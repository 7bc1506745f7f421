"""trimap_confusion and trimap_accuracy: the confusion of what is near a boundary."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, scenes

from semseg.metrics.functional import confusion_matrix, trimap_accuracy, trimap_confusion


def slow_band(truth, width):
    """Valid pixels with a valid one of another class within `width`."""
    valid = np.argwhere(truth != IGNORED)
    band = np.zeros(truth.shape, bool)
    for place in valid:
        others = valid[truth[tuple(valid.T)] != truth[tuple(place)]]
        band[tuple(place)] = (((others - place) ** 2).sum(1) <= width**2 + 1e-9).any()
    return band


@given(scenes(), st.sampled_from([1, 2.0, 3.5, 10]))
def test_it_is_the_confusion_matrix_of_the_band(case, width):
    truth, pred, count = case
    band = slow_band(truth, width)
    expected = confusion_matrix(truth[band], pred[band], count)
    found = trimap_confusion(truth, pred, count, IGNORED, width=width)
    np.testing.assert_array_equal(found, expected)
    accuracy = trimap_accuracy(truth, pred, count, IGNORED, width=width)
    np.testing.assert_array_equal(accuracy, (truth == pred)[band].mean() if band.any() else np.nan)


@given(scenes())
def test_a_wider_band_holds_the_narrower_and_the_widest_holds_all(case):
    truth, pred, count = case
    found = [trimap_confusion(truth, pred, count, IGNORED, width=w) for w in (1, 2, 5, 30)]
    for narrow, wide in pairwise(found):
        assert (narrow <= wide).all()
    if len(set(truth[truth != IGNORED].tolist())) > 1:
        np.testing.assert_array_equal(found[-1], confusion_matrix(truth, pred, count, IGNORED))


def test_matrices_of_a_batch_add_up():
    rng = np.random.default_rng(0)
    truth, pred = rng.integers(0, 3, (2, 4, 8, 9))
    parts = [trimap_confusion(t, p, 3, width=1) for t, p in zip(truth, pred, strict=True)]
    np.testing.assert_array_equal(trimap_confusion(truth, pred, 3, width=1), sum(parts))


def test_a_width_below_a_pixel_is_refused():
    with pytest.raises(ValueError, match="width must be >= 1 pixel, received 0"):
        trimap_confusion(np.zeros((3, 3), int), np.zeros((3, 3), int), 2, width=0)
