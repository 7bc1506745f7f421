"""The least value, shares of classes as targets, probabilities in the place of logits."""

import numpy as np
import pytest
from hypothesis import given
from keras import ops
from loss_laws import (
    IGNORE,
    batch,
    both_forms,
    close,
    every_loss,
    few,
    in_numpy,
    losses_with,
    seeds,
    tf,
)

from semseg.losses import Lovasz


@losses_with(lambda law: law.least)
@both_forms
def test_a_sure_and_right_prediction_has_loss_0(law, channels):
    ids, logits = batch(10, channels)
    signs = np.where(ids == 1, 1.0, -1.0)[..., None] if channels == 1 else np.eye(3)[ids % 3]
    assert float(law.make(ignore_class=IGNORE)(ids, 200.0 * signs)) == pytest.approx(0, abs=1e-5)
    assert float(law.make(ignore_class=IGNORE)(ids, logits)) > 0.01


@losses_with(lambda law: law.soft)
@both_forms
@few
@given(seed=seeds)
def test_shares_of_one_class_are_ids(law, channels, seed):
    ids, logits = batch(seed, channels, ignored=False)
    shares = np.eye(3)[ids] if channels == 3 else ids[..., None].astype(float)
    close(in_numpy(law.make(), shares, logits), in_numpy(law.make(), ids, logits), atol=1e-6)


@losses_with(lambda law: law.soft)
@few
@given(seed=seeds)
def test_shares_of_one_class_are_ids_with_weights_too(law, seed):
    ids, logits = batch(seed, 3, ignored=False)
    weights = np.random.default_rng(seed).choice([0.0, 0.5, 2.0], ids.shape).astype(np.float32)
    loss = law.make(class_weights=[1, 2, 5])
    found = in_numpy(loss, np.eye(3, dtype=np.float32)[ids], logits, weights)
    close(found, in_numpy(loss, ids, logits, weights), atol=1e-6)


@losses_with(lambda law: law.soft)
@pytest.mark.parametrize("without_class", [0.0, np.nan])
def test_shares_of_pixels_without_class_may_be_anything(law, without_class):
    ids, logits = batch(16, 3)
    kept = ids != IGNORE
    shares = np.where(kept[..., None], np.eye(3)[ids % 3], without_class).astype(np.float32)
    found = in_numpy(law.make(), shares, logits, kept.astype(np.float32))
    close(found, in_numpy(law.make(ignore_class=IGNORE), ids, logits), atol=1e-6)


@losses_with(lambda law: law.soft and law.of == "regions")
@few
@given(seed=seeds)
def test_a_prediction_equal_to_a_soft_target_has_loss_0(law, seed):
    _, logits = batch(seed, 3)
    shares = np.asarray(ops.softmax(logits))
    assert float(law.make()(shares, logits)) == pytest.approx(0, abs=1e-5)


@every_loss
def test_targets_that_are_no_shares_are_an_error_and_nan_in_a_graph(law):
    _, logits = batch(13, 3)
    loss = law.make()
    if not law.soft:
        with pytest.raises(ValueError, match="needs ids"):
            loss(np.full(logits.shape, 1 / 3), logits)
        return
    traced = tf.function(loss.__call__)
    for bad in (np.ones(3), np.array([2, -1, 0.0]), np.array([np.nan, 0, 1])):
        target = np.broadcast_to(bad, logits.shape).astype(np.float32)
        with pytest.raises(ValueError, match="must hold shares >= 0 that sum to 1"):
            loss(target, logits)
        assert np.isnan(traced(tf.constant(target), tf.constant(logits)))


@every_loss
@both_forms
def test_probabilities_are_taken_as_logits_are(law, channels):
    ids, logits = batch(14, channels)
    if channels == 1 and isinstance(law.make(), Lovasz):
        return  # the hinge is one of logits
    p = ops.sigmoid(logits) if channels == 1 else ops.softmax(logits)
    found = law.make(ignore_class=IGNORE, from_logits=False)(ids, p)
    assert float(found) == pytest.approx(
        float(law.make(ignore_class=IGNORE)(ids, logits)), rel=1e-5
    )
