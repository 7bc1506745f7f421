"""Calibration error and Brier score: by their definitions, and scikit-learn's."""

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics.functional import brier_score, expected_calibration_error

IGNORED = 255


@st.composite
def predictions(draw, classes=(1, 2, 3, 6)):
    """True ids and probabilities; one channel where there is one class."""
    count = draw(st.sampled_from(classes))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    logits = rng.normal(size=(*shape, max(2, count))) * draw(st.sampled_from([0.1, 1, 2, 30]))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    # Ids as likely as the shares say: bins miss them to either side.
    mask = (shares.cumsum(-1) < rng.random(shape)[..., None]).sum(-1).clip(0, max(2, count) - 1)
    return mask, shares[..., 1:] if count == 1 else shares


def slow_calibration(mask, shares, bins):
    total, pixels = 0.0, mask.size
    for number in range(bins):
        inside = [
            (shares[place].max(), shares[place].argmax() == mask[place])
            for place in np.ndindex(mask.shape)
            if number < shares[place].max() * bins <= number + 1
        ]
        if inside:
            confidence, accuracy = np.mean(np.array(inside, float), axis=0)
            total += len(inside) / pixels * abs(accuracy - confidence)
    return total


@given(predictions(classes=(2, 3, 6)), st.sampled_from([1, 5, 15]))
def test_the_error_is_the_mean_gap_of_the_bins(case, bins):
    mask, shares = case
    found = expected_calibration_error(mask, shares, bins=bins)
    assert found.error == pytest.approx(slow_calibration(mask, shares, bins), abs=1e-12)
    assert found.pixels.sum() == mask.size
    gaps = np.nan_to_num(np.abs(found.accuracy - found.confidence))
    assert found.error == pytest.approx((gaps * found.pixels).sum() / mask.size, abs=1e-12)


@given(predictions(classes=(2,)))
def test_the_bins_are_those_of_scikit_learn(case):
    mask, shares = (a.reshape(-1, *a.shape[2:]) for a in case)
    confidence, right = shares.max(-1), shares.argmax(-1) == mask
    if not 0 < right.sum() < len(right):
        return
    found = expected_calibration_error(mask, shares, bins=10)
    accuracy, mean = sklearn.calibration.calibration_curve(right, confidence, n_bins=10)
    np.testing.assert_allclose(found.accuracy[found.pixels > 0], accuracy)
    np.testing.assert_allclose(found.confidence[found.pixels > 0], mean)


@given(predictions())
def test_the_brier_score_is_the_squared_error_of_all_classes(case):
    mask, shares = case
    if shares.shape[-1] == 1:
        binary = sklearn.metrics.brier_score_loss(mask.ravel(), shares.ravel(), pos_label=1)
        assert brier_score(mask, shares) == pytest.approx(2 * binary)
        shares = np.concatenate([1 - shares, shares], -1)
    expected = ((shares - np.eye(shares.shape[-1])[mask]) ** 2).sum(-1).mean()
    assert brier_score(mask, shares) == pytest.approx(expected)


@given(predictions())
def test_one_channel_is_the_probability_of_class_1(case):
    mask, shares = case
    if shares.shape[-1] == 1:
        both = np.concatenate([1 - shares, shares], -1)
        assert brier_score(mask, shares) == brier_score(mask, both)
        one, other = (expected_calibration_error(mask, s) for s in (shares, both))
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


@given(predictions(), st.integers(0, 2**31))
def test_ignored_pixels_are_deleted_pixels_whatever_was_predicted_there(case, seed):
    mask, shares = case
    kept = np.random.default_rng(seed).random(mask.shape) < 0.7
    masked, anything = np.where(kept, mask, IGNORED), np.where(kept[..., None], shares, np.nan)
    for score in (brier_score, lambda *a: expected_calibration_error(*a).error):
        np.testing.assert_array_equal(
            score(masked, anything, IGNORED), score(mask[kept], shares[kept])
        )


def test_too_sure_and_too_unsure_do_not_cancel():
    confidence, right = np.array([0.6] * 2 + [0.8] * 5), np.array([1] * 5 + [0] * 2)
    shares = np.stack([1 - confidence, confidence], -1)
    found = expected_calibration_error(right, shares, bins=10)
    assert found.error == pytest.approx((2 * 0.4 + 5 * 0.2) / 7)


def test_certain_predictions_are_at_the_ends():
    mask = np.array([0, 1, 2])
    right, wrong = np.eye(3)[mask], np.eye(3)[[1, 2, 0]]
    assert (brier_score(mask, right), brier_score(mask, wrong)) == (0, 2)
    errors = [expected_calibration_error(mask, shares).error for shares in (right, wrong)]
    assert errors == [0, 1]


def test_without_pixels_there_is_no_score():
    mask, shares = np.full(3, 255), np.full((3, 2), 0.5)
    assert np.isnan(brier_score(mask, shares, 255))
    found = expected_calibration_error(mask, shares, 255)
    assert np.isnan(found.error) and np.isnan(found.accuracy).all()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_softmax_of_less_precision_is_taken(dtype):
    logits = np.random.default_rng(0).normal(size=(50, 150)).astype(np.float32)
    shares = (np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)).astype(dtype)
    assert 0 < brier_score(np.zeros(50, int), shares) < 2


@pytest.mark.parametrize(
    ("mask", "shares", "message"),
    [
        ([0, 1], [[2.0, -1.0], [0, 1]], r"lie in \[0, 1\], received -1.0 to 2.0; logits become"),
        ([0, 1], [[0.5, np.nan], [0, 1]], r"probabilities must lie in \[0, 1\]"),
        ([0, 1], [[0.5, 0.2], [0, 1]], "sum to 1 over the classes, received sums from 0.7 to 1"),
        ([0, 1], [0.5, 0.5], "one more axis of classes, received mask"),
        ([0, 1], [[0.5, 0.5]], "one more axis of classes, received mask"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], r"mask has ids \[2\] outside 0..1"),
    ],
)
@pytest.mark.parametrize("score", [brier_score, expected_calibration_error])
def test_what_are_no_probabilities_is_refused(score, mask, shares, message):
    with pytest.raises(ValueError, match=message):
        score(mask, shares)


def test_bins_are_counted():
    with pytest.raises(ValueError, match="bins must be a whole number >= 1, received 0"):
        expected_calibration_error([0], [[1.0, 0.0]], bins=0)
