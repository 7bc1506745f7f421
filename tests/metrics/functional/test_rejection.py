"""reject_curve: the scores of what is kept, whatever the order and the ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics.functional import confusion_matrix, reject_curve, scores


@given(seed=st.integers(0, 999), points=st.integers(1, 9), levels=st.integers(1, 40))
def test_each_point_is_the_score_of_the_pixels_below_a_doubt(seed, points, levels):
    rng = np.random.default_rng(seed)
    mask, pred = rng.integers(0, 3, (2, 5, 6))
    mask[rng.random(mask.shape) < 0.2] = 255
    mask[0, 0] = 1
    doubt = rng.integers(0, levels, mask.shape) / levels
    curve = reject_curve(mask, pred, doubt, 3, 255, points=points)
    counted = mask != 255
    assert curve.kept[-1] == 1
    assert (np.diff(curve.kept) > 0).all() and len(curve.kept) <= points
    by_threshold = {
        float((doubt[counted] <= t).mean()): (
            mask[counted & (doubt <= t)],
            pred[counted & (doubt <= t)],
        )
        for t in np.unique(doubt[counted])
    }
    for kept, accuracy, mean_iou in zip(*curve, strict=True):
        expected = scores(confusion_matrix(*by_threshold[kept], 3))
        assert (accuracy, mean_iou) == (expected.pixel_accuracy, expected.mean_iou)
    for i, wanted in enumerate(np.arange(1, points + 1) / points):
        assert (curve.kept >= wanted - 1e-12).any(), i


@pytest.mark.parametrize("num_classes", [19, 150, 255])
def test_masks_of_bytes_are_scored_as_wide_ones(num_classes):
    mask = np.random.default_rng(0).integers(0, num_classes, (40, 40), dtype=np.uint8)
    doubt = np.random.default_rng(1).random(mask.shape)
    curve = reject_curve(mask, mask, doubt, num_classes, points=3)
    np.testing.assert_array_equal(curve.mean_iou, 1)
    np.testing.assert_array_equal(curve.pixel_accuracy, 1)


def test_the_order_of_the_pixels_plays_no_part():
    rng = np.random.default_rng(0)
    mask, pred = rng.integers(0, 3, (2, 50))
    doubt = rng.integers(0, 5, 50)
    order = rng.permutation(50)
    first = reject_curve(mask, pred, doubt, 3)
    second = reject_curve(mask[order], pred[order], doubt[order], 3)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_doubt_that_knows_the_errors_gives_a_falling_curve_and_one_without_a_flat_point():
    mask = np.zeros(100, int)
    pred = np.arange(100) % 4 == 0
    curve = reject_curve(mask, pred.astype(int), pred, 2, points=4)
    assert curve.kept.tolist() == [0.75, 1] and curve.pixel_accuracy.tolist() == [1, 0.75]
    assert reject_curve(mask, pred.astype(int), mask, 2).pixel_accuracy.tolist() == [0.75]


def test_errors():
    with pytest.raises(ValueError, match=r"doubt must have the shape of mask, \(2,\), received"):
        reject_curve([0, 1], [0, 1], [0.1], 2)
    with pytest.raises(ValueError, match="doubt must have numbers .* received NaN in them"):
        reject_curve([0, 1], [0, 1], [0.1, np.nan], 2)
    with pytest.raises(ValueError, match="doubt must have numbers .* received none"):
        reject_curve([9, 9], [0, 1], [0.1, 0.2], 2, 9)
    with pytest.raises(ValueError, match="points must be an int >= 1, received 0"):
        reject_curve([0, 1], [0, 1], [0.1, 0.2], 2, points=0)
