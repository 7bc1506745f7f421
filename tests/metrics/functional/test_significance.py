"""bootstrap and compare: what they draw, and that they hold what they promise."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics.functional import bootstrap, class_iou, compare, pixel_accuracy, significance


@st.composite
def matrices(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    images, classes = draw(st.integers(1, 9)), draw(st.integers(2, 4))
    return rng.integers(0, draw(st.sampled_from([2, 50])), (images, classes, classes))


def mean_iou(confusion):
    iou = class_iou(confusion)
    return np.nan if np.isnan(iou).all() else np.nanmean(iou)


def with_errors(share_right, images=40, seed=0):
    """(images, 2, 2) matrices of 100 pixels a class."""
    right = np.random.default_rng(seed).binomial(100, share_right, (images, 2))
    return np.array([[[r, 100 - r], [100 - s, s]] for r, s in right])


def resampled(confusions, n, seed=5):
    """Draws with replacement, one after the other."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield confusions[rng.integers(0, len(confusions), len(confusions))].sum(0)


@given(matrices())
def test_the_value_is_the_score_of_the_set(confusions):
    whole = confusions.sum(0)
    for score, expected in (
        ("mean_iou", mean_iou(whole)),
        ("pixel_accuracy", pixel_accuracy(whole)),
        ("class_iou", class_iou(whole)),
    ):
        value, low, high = bootstrap(confusions, 20, score=score)
        np.testing.assert_allclose(value, expected)
        assert np.shape(value) == np.shape(low) == np.shape(high)
        assert np.all((low <= high) | np.isnan(low))


@pytest.mark.parametrize(
    ("score", "slow"), [("mean_iou", mean_iou), ("pixel_accuracy", pixel_accuracy)]
)
def test_the_interval_is_that_of_draws_with_replacement(score, slow):
    rng = np.random.default_rng(1)
    confusions = with_errors(rng.random((25, 2)), images=25)
    expected = np.quantile([slow(c) for c in resampled(confusions, 4000)], [0.05, 0.95])
    found = bootstrap(confusions, 4000, score=score, level=0.9)
    np.testing.assert_allclose(found[1:], expected, atol=0.006)


def test_about_19_of_20_intervals_hold_the_truth():
    held = 0
    for seed in range(200):
        _, low, high = bootstrap(with_errors(0.7, seed=seed), 200, score="pixel_accuracy")
        held += low <= 0.7 <= high
    assert 180 <= held <= 198


def test_images_that_are_alike_leave_no_doubt():
    confusions = np.repeat([[[6, 2], [1, 3]]], 9, axis=0)
    value, low, high = bootstrap(confusions)
    assert low == value == high


def test_a_class_that_is_absent_has_no_interval():
    confusions = np.zeros((5, 3, 3), int)
    confusions[:, 0, 0] = confusions[0, 1, 1] = 4
    found = bootstrap(confusions, score="class_iou")
    assert found.value[:2].tolist() == [1, 1] and found.low[1] == found.high[1] == 1
    assert np.isnan([found.value[2], found.low[2], found.high[2]]).all()
    assert bootstrap(confusions).value == 1


def test_a_seed_gives_the_same_draws_in_blocks_of_any_size(monkeypatch):
    a, b = (with_errors(share, seed=seed) for share, seed in ((0.8, 0), (0.7, 1)))
    expected = bootstrap(a, 30, seed=4), compare(a, b, 30, seed=4)
    monkeypatch.setattr(significance, "_BLOCK", 7)
    assert (bootstrap(a, 30, seed=4), compare(a, b, 30, seed=4)) == expected
    assert bootstrap(a, 30, seed=5)[1:] != expected[0][1:]


def slow_p_value(a, b):
    """By exchanging every subset of the images."""
    observed = abs(mean_iou(a.sum(0)) - mean_iou(b.sum(0)))
    as_large = 0
    for swaps in product([False, True], repeat=len(a)):
        swap = np.array(swaps)[:, None, None]
        one, other = np.where(swap, b, a).sum(0), np.where(swap, a, b).sum(0)
        as_large += abs(mean_iou(one) - mean_iou(other)) >= observed - 1e-12
    return as_large / 2 ** len(a)


@pytest.mark.parametrize("seed", range(4))
def test_the_p_value_is_that_of_all_exchanges(seed):
    rng = np.random.default_rng(seed)
    a, b = (with_errors(rng.uniform(0.6, 0.9, (8, 2)), 8, seed + k) for k in (0, 9))
    found = compare(a, b, 5000)
    assert found.difference == pytest.approx(mean_iou(a.sum(0)) - mean_iou(b.sum(0)))
    assert found.p_value == pytest.approx(slow_p_value(a, b), abs=0.03)


@given(matrices(), st.integers(0, 2**31))
def test_comparing_the_other_way_round_turns_the_sign(a, seed):
    rng = np.random.default_rng(seed)
    b = np.stack([[rng.permutation(row) for row in image] for image in a])
    for score in ("mean_iou", "pixel_accuracy", "class_iou"):
        one, other = compare(a, b, 50, score=score), compare(b, a, 50, score=score)
        np.testing.assert_allclose(one.difference, -np.asarray(other.difference))
        np.testing.assert_allclose(one.low, -np.asarray(other.high), atol=1e-12)
        np.testing.assert_array_equal(one.p_value, other.p_value)


def test_a_model_is_not_better_than_itself():
    confusions = with_errors(0.8)
    assert compare(confusions, confusions) == (0, 0, 0, 1)


def test_a_class_that_no_truth_has_tells_nothing_of_models_that_err_alike():
    truth = [[[9, 0, 0], [0, 9, 0], [0, 0, 0]]] * 2
    one, other = np.array(truth), np.array(truth)
    one[0, 0, 2] = other[1, 0, 2] = 1  # class 2 predicted once by each, on another picture
    one[0, 0, 0] = other[1, 0, 0] = 8
    found = compare(one, other, score="class_iou")
    assert found.difference[2] == 0
    assert found.p_value[2] == 1


def test_a_p_value_is_never_0_and_small_for_a_clear_difference():
    found = compare(with_errors(0.9), with_errors(0.7, seed=1), 999)
    assert found.p_value == 1 / 1000 and 0 < found.low < found.difference < found.high


def test_equal_models_are_called_different_in_about_one_case_of_twenty():
    called = sum(
        compare(with_errors(0.8, 12, seed), with_errors(0.8, 12, 1000 + seed), 99).p_value <= 0.05
        for seed in range(300)
    )
    assert 5 <= called <= 28


def test_images_hard_for_both_models_do_not_hide_a_small_difference():
    """Unpaired intervals overlap widely here; the paired test sees 3 of 100 pixels on each."""
    hardness = np.random.default_rng(0).uniform(0.3, 0.97, (40, 2))
    a = np.array([[[r, 100 - r], [100 - s, s]] for r, s in (hardness * 100).astype(int)])
    b = a + [[-3, 3], [3, -3]]
    assert bootstrap(a).low < bootstrap(b).high
    assert compare(a, b).p_value < 0.01


GOOD = np.ones((3, 2, 2), int)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap(GOOD[0]), r"shape \(N, C, C\), one matrix an image, received \(2, 2\)"),
        (lambda: bootstrap(np.ones((3, 2, 1))), r"received \(3, 2, 1\)"),
        (lambda: bootstrap(-GOOD), "confusions must hold counts >= 0, received -1"),
        (lambda: bootstrap(GOOD * np.nan), "confusions must hold counts >= 0, received nan"),
        (lambda: bootstrap(GOOD, score="dice"), "score must be one of mean_iou, pixel_accuracy"),
        (lambda: bootstrap(GOOD, 0), "n must be a whole number of draws >= 1, received 0"),
        (lambda: bootstrap(GOOD, level=95), r"level must lie in \(0, 1\), received 95"),
        (lambda: compare(GOOD, GOOD[:2]), r"received \(images, classes\) \(3, 2\) and \(2, 2\)"),
        (
            lambda: compare(GOOD, GOOD + np.arange(3)[:, None, None]),
            "2 images have other true pixels, the first at index 1; score both models on one list",
        ),
        (lambda: compare(GOOD, -GOOD), "confusions_b must hold counts >= 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
