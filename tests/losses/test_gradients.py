"""Gradients lead downhill, are those of finite differences, and stay finite."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from keras import ops
from loss_laws import (
    IGNORE,
    LOSSES,
    batch,
    both_forms,
    compiled,
    every_loss,
    fast_for,
    few,
    in_numpy,
    seeds,
)


@every_loss
@both_forms
@few
@given(seed=seeds)
def test_a_step_against_the_gradient_lowers_the_loss(law, channels, seed):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(seed, channels)
    logits = logits.astype(np.float64)
    value, gradient = in_numpy(loss, ids, logits)
    steepness = (gradient**2).sum()
    if steepness > 1e-12:
        assert loss(ids, logits - 1e-6 * gradient) < value


@every_loss
@both_forms
def test_the_gradient_is_that_of_finite_differences(law, channels):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(21, channels, (1, 2, 3))
    logits, step = logits.astype(np.float64), 1e-6
    _, gradient = in_numpy(loss, ids, logits)
    for place in np.ndindex(logits.shape):
        ahead, behind = logits.copy(), logits.copy()
        ahead[place] += step
        behind[place] -= step
        rise = in_numpy(loss, ids, ahead)[0] - in_numpy(loss, ids, behind)[0]
        slope = float(rise) / (2 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-9)


# Logits of (class 0, class 1, class 2); of one logit the first counts.
extremes = [(1e4, -1e4, 0.0), (-1e4, 1e4, 1e4), (0.0, 0.0, 1e4)]
pictures = ([[0]], [[1]], [[IGNORE]], [[1, 1], [1, 1]], [[0, 1], [1, IGNORE]])


@every_loss
@both_forms
def test_extreme_logits_give_finite_values_and_gradients(law, channels):
    loss = law.make(ignore_class=IGNORE)
    for values, picture in itertools.product(extremes, pictures):
        ids = np.array([picture])
        logits = np.broadcast_to(values[:channels], (*ids.shape, channels)).astype(np.float32)
        value, gradient = in_numpy(loss, ids, logits)
        assert np.isfinite(value), (values, ids)
        assert np.isfinite(gradient).all(), (values, ids)


# What follows the cast to float32 is the same: one loss of each kind of formula; all nightly.
@fast_for(["Crossentropy", "Focal", "Dice", "Lovasz"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_extreme_logits_in_half_precision_give_finite_values_and_gradients(name, dtype):
    channels = 3
    run = compiled(LOSSES[name].make(ignore_class=IGNORE), channels, dtype)
    for values, picture in itertools.product(extremes, pictures):
        ids = np.array([picture])
        logits = ops.cast(np.broadcast_to(values[:channels], (*ids.shape, channels)), dtype)
        value, gradient = run(ids, logits)
        assert np.isfinite(value), (values, ids)
        assert np.isfinite(ops.cast(gradient, "float32")).all(), (values, ids)
