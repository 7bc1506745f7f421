"""Counting pairs and adding to limbs: whole numbers, exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.metrics.counting import LIMB_BITS, add_to_limbs, count_pairs, predicted_ids


def slow_counts(truth, prediction, num_classes, ignore_class):
    """One pixel after the other."""
    counts, invalid = np.zeros((num_classes, num_classes), int), 0
    for true, guess in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        if true == ignore_class:
            continue
        if 0 <= true < num_classes and 0 <= guess < num_classes:
            counts[true, guess] += 1
        else:
            invalid += 1
    return counts, invalid


@st.composite
def id_pairs(draw):
    """Truth and prediction with invalid and ignored ids on both sides."""
    num_classes = draw(st.sampled_from([2, 3, 11]))
    ignore = draw(st.sampled_from([None, -1, 255, num_classes]))
    shape = draw(st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    values = [*range(num_classes), -1, 255, num_classes, -(2**31), 2**31 - 1]
    return rng.choice(values, shape), rng.choice(values, shape), num_classes, ignore


def same_counts(function, case):
    counts, invalid = function(*case)
    slow, slow_invalid = slow_counts(*case)
    np.testing.assert_array_equal(np.asarray(counts), slow)
    assert int(invalid) == slow_invalid


@given(id_pairs())
def test_pairs_are_counted_as_the_slow_loop_counts_them(case):
    same_counts(count_pairs, case)


def test_swapped_axes_are_noticed():
    case = (np.array([0, 0, 1]), np.array([1, 1, 0]), 2, None)
    same_counts(count_pairs, case)
    with pytest.raises(AssertionError):
        same_counts(lambda truth, guess, *rest: count_pairs(guess, truth, *rest), case)


@settings(max_examples=5)
@given(id_pairs())
def test_xla_counts_the_same(case):
    tf = pytest.importorskip("tensorflow")
    truth, prediction, num_classes, ignore = case
    compiled = tf.function(
        lambda t, p: count_pairs(t, p, num_classes, ignore), jit_compile=True, autograph=False
    )
    same_counts(lambda *_: compiled(tf.constant(truth), tf.constant(prediction)), case)


limb = st.integers(0, 2**LIMB_BITS - 1)
counts_of_an_update = st.integers(0, 2**31 - 2**20 - 1)


@given(limb, st.integers(0, 2**30), counts_of_an_update)
def test_limbs_add_like_whole_numbers(low, high, count):
    def cell(value):
        return np.array([value], np.int32)

    new_low, new_high = (
        np.asarray(limb).item() for limb in add_to_limbs(cell(low), cell(high), cell(count))
    )
    assert 0 <= new_low < 2**LIMB_BITS
    assert (new_high << LIMB_BITS) + new_low == (high << LIMB_BITS) + low + count


@given(st.lists(counts_of_an_update, max_size=20))
def test_any_series_of_updates_is_exact_beyond_int32(counts):
    low, high = np.zeros((1,), np.int32), np.zeros((1,), np.int32)
    for count in counts:
        low, high = add_to_limbs(low, high, np.array([count], np.int32))
    total = (np.asarray(high).astype(np.int64) << LIMB_BITS) + np.asarray(low)
    assert total.item() == sum(counts)


@given(st.integers(0, 2**31))
def test_several_channels_give_the_largest_and_one_channel_its_threshold(seed):
    scores = np.random.default_rng(seed).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(predicted_ids(scores, 0.0)), scores.argmax(-1))
    for threshold in (0.0, 0.5):
        ids = np.asarray(predicted_ids(scores[..., :1], threshold))
        np.testing.assert_array_equal(ids, scores[..., 0] > threshold)


def test_a_score_at_the_threshold_is_class_0():
    assert np.asarray(predicted_ids(np.array([[0.5]], np.float32), 0.5)).tolist() == [0]
