"""Soft targets in metrics: the largest share counts, what has no share is not there."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics import BoundaryF1, ClassIoU, MeanIoU, PixelAccuracy


def shares_of(masks, num_classes):
    """One-hot targets; nothing where a pixel has no class."""
    return (masks[..., None] == np.arange(num_classes)).astype(np.float32)


@given(
    seed=st.integers(0, 999),
    num_classes=st.sampled_from([2, 5]),
    ignore_class=st.sampled_from([None, 255]),
    dtype=st.sampled_from(["float32", "float16", "bfloat16"]),
    graph=st.booleans(),
)
def test_they_count_as_their_likeliest_ids(seed, num_classes, ignore_class, dtype, graph):
    rng = np.random.default_rng(seed)
    ids = [*range(num_classes)] + ([255] if ignore_class else [])
    masks = rng.choice(ids, (2, 5, 6))
    other = shares_of(rng.integers(0, num_classes, masks.shape), num_classes)
    shares = np.where(
        (masks == 255)[..., None], 0, 0.7 * shares_of(masks, num_classes) + 0.3 * other
    )
    logits = rng.normal(size=(2, 5, 6, num_classes)).astype(np.float32)
    hard, soft = (MeanIoU(num_classes, ignore_class) for _ in range(2))
    hard.update_state(masks, logits)
    target = keras.ops.cast(shares, dtype)
    if graph and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.function(soft.update_state)(target, logits)
    else:
        soft.update_state(target, logits)
    np.testing.assert_array_equal(soft.confusion(), hard.confusion())
    assert soft.invalid_pixels == 0


def test_weights_go_with_them():
    masks = np.random.default_rng(0).integers(0, 3, (2, 4, 5))
    logits = np.random.default_rng(1).normal(size=(2, 4, 5, 3))
    weights = np.random.default_rng(2).random((2, 4, 5)).round(2)
    hard, soft = (ClassIoU(1, 3) for _ in range(2))
    hard.update_state(masks, logits, weights)
    soft.update_state(shares_of(masks, 3), logits, weights)
    np.testing.assert_array_equal(soft.confusion(), hard.confusion())


WRONG = {
    "another sum": [0.5, 0.2, 0.2],
    "below 0": [1.5, -0.5, 0.0],
    "not a number": [np.nan, 0.5, 0.5],
    "nothing, and no ignored id": [0.0, 0.0, 0.0],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_share_is_an_error_or_counted(wrong):
    shares = shares_of(np.zeros((1, 2, 3), int), 3)
    shares[0, 1, 2] = wrong
    logits = np.eye(3, dtype=np.float32)[np.zeros((1, 2, 3), int)]
    metric = PixelAccuracy(3)
    message = r"soft targets .* must be shares >= 0 that sum to 1 .* received others in 1 pixels"
    with pytest.raises(ValueError, match=message):
        metric.update_state(shares, logits)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.function(metric.update_state)(shares, logits)
        assert metric.invalid_pixels == 1
        assert float(metric.result()) == pytest.approx(5 / 6), "an invalid label raised a score"


def test_an_ignored_id_below_0_hides_no_share_that_is_none():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("eager metrics raise")
    import tensorflow as tf

    shares = shares_of(np.zeros((1, 2, 3), int), 3)
    shares[0, 1, 2] = np.nan
    logits = np.eye(3, dtype=np.float32)[np.zeros((1, 2, 3), int)]
    metric = PixelAccuracy(3, ignore_class=-1)
    tf.function(metric.update_state)(shares, logits)
    assert metric.invalid_pixels == 1
    assert float(metric.result()) == pytest.approx(5 / 6)


def test_they_have_no_boundary():
    shares = shares_of(np.zeros((1, 8, 8), int), 3)
    with pytest.raises(ValueError, match="boundary_f1 needs ids: soft targets, as of MixUp, have"):
        BoundaryF1(3).update_state(shares, shares)


def test_ids_of_that_shape_are_still_ids():
    """Clips of three pictures and three classes: told by the dtype, not by a value."""
    ids = np.random.default_rng(0).integers(0, 3, (2, 4, 5, 3))
    metric = PixelAccuracy(3)
    metric.update_state(ids, ids)
    assert metric.confusion().sum() == 120
