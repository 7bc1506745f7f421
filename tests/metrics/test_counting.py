"""Counting pairs of ids, with and without weights: the slow loop's numbers."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.metrics import limbs
from semseg.metrics.counting import count_pairs, predicted_ids


def slow_counts(truth, prediction, num_classes, ignore_class, weights=None):
    """One pixel after the other; the last row holds what is invalid, its weight and number."""
    counts = np.zeros((num_classes + 1, num_classes))
    weights = np.ones(truth.shape) if weights is None else weights
    for true, guess, weight in zip(
        truth.ravel().tolist(), prediction.ravel().tolist(), weights.ravel().tolist(), strict=True
    ):
        good = 0 <= weight < 2**20
        if true == ignore_class:
            continue
        if 0 <= true < num_classes and 0 <= guess < num_classes and good:
            counts[true, guess] += weight
        else:
            counts[-1, :2] += (weight if good else 1, 1)
    return counts


@st.composite
def id_pairs(draw):
    """Truth and prediction with invalid and ignored ids on both sides."""
    num_classes = draw(st.sampled_from([2, 3, 11]))
    ignore = draw(st.sampled_from([None, -1, 255, num_classes]))
    shape = draw(st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    values = [*range(num_classes), -1, 255, num_classes, -(2**31), 2**31 - 1]
    return rng.choice(values, shape), rng.choice(values, shape), num_classes, ignore


def weights_like(truth, seed=0):
    """Some are 0, some fractions, some no weights."""
    rng = np.random.default_rng(seed)
    odd = rng.choice([0, 1, 2.5, -1, np.nan, np.inf, 2**20], truth.shape)
    return np.where(rng.random(truth.shape) < 0.5, rng.random(truth.shape), odd).astype("float32")


def same_counts(function, case):
    counts = limbs.to_numpy(limbs.carried(function(*case)))
    np.testing.assert_allclose(counts, slow_counts(*case), rtol=1e-12, atol=1e-12)


@given(id_pairs())
def test_pairs_are_counted_as_the_slow_loop_counts_them(case):
    same_counts(count_pairs, case)
    same_counts(count_pairs, (*case, weights_like(case[0])))


def test_swapped_axes_are_noticed():
    case = (np.array([0, 0, 1]), np.array([1, 1, 0]), 2, None)
    same_counts(count_pairs, case)
    with pytest.raises(AssertionError):
        same_counts(lambda truth, guess, *rest: count_pairs(guess, truth, *rest), case)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_compiled_functions_of_any_length_count_the_same(jit_compile):
    tf = pytest.importorskip("tensorflow")
    any_length = [tf.TensorSpec((None,), dtype) for dtype in ("int32", "int32", "float32")]

    @tf.function(jit_compile=jit_compile, input_signature=any_length)
    def compiled(truth, guess, weights):
        return count_pairs(truth, guess, 11, 255), count_pairs(truth, guess, 11, 255, weights)

    for seed, length in ((0, 300), (1, 7), (2, 0)):
        rng = np.random.default_rng(seed)
        truth, guess = rng.choice([*range(11), -1, 99, 255], (2, length)).astype("int32")
        weights = weights_like(truth, seed)
        plain, weighted = compiled(truth, guess, weights)
        same_counts(lambda *_, found=plain: found, (truth, guess, 11, 255))
        same_counts(lambda *_, found=weighted: found, (truth, guess, 11, 255, weights))


def test_a_million_weights_of_a_tenth_lose_nothing():
    """Sums of float32 would be off by a hundredth."""
    ids = np.zeros(2**20 + 7, np.int32)
    weights = np.full(ids.shape, 0.1, np.float32)
    found = limbs.to_numpy(limbs.carried(count_pairs(ids, ids, 2, None, weights)))
    assert found[0, 0] == pytest.approx(float(weights[0]) * len(ids), rel=1e-15)
    assert weights.cumsum(dtype=np.float32)[-1] != pytest.approx(found[0, 0], rel=1e-6)


@given(st.integers(0, 2**31))
@settings(max_examples=10)
def test_several_channels_give_the_largest_and_one_channel_its_threshold(seed):
    scores = np.random.default_rng(seed).integers(-3, 4, (2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(predicted_ids(scores, 0.0)), scores.argmax(-1))
    for threshold in (0.0, 0.5):
        ids = np.asarray(predicted_ids(scores[..., :1], threshold))
        np.testing.assert_array_equal(ids, scores[..., 0] > threshold)


def test_the_compiled_argmax_takes_the_first_of_equal_scores():
    tf = pytest.importorskip("tensorflow")
    scores = np.random.default_rng(0).integers(0, 2, (3, 50, 7))
    for dtype in ("float32", "bfloat16", "float16"):
        logits = keras.ops.cast(scores, dtype)
        ids = tf.function(lambda logits: predicted_ids(logits, 0.0))(logits)
        np.testing.assert_array_equal(ids, scores.argmax(-1))


def test_a_score_at_the_threshold_is_class_0():
    assert np.asarray(predicted_ids(np.array([[0.5]], np.float32), 0.5)).tolist() == [0]
