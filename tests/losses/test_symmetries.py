"""What a loss may not look at: the order of classes, pictures and pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_laws import (
    IGNORE,
    batch,
    both_forms,
    close,
    every_loss,
    few,
    in_numpy,
    of_regions,
    seeds,
)


@every_loss
@few
@given(seed=seeds, shift=st.floats(-20, 20))
def test_a_shift_of_all_logits_changes_nothing_for_a_softmax(law, seed, shift):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(seed, 3)
    logits = logits.astype(np.float64)
    close(in_numpy(loss, ids, logits + shift), in_numpy(loss, ids, logits), atol=1e-9)


@every_loss
def test_a_shift_changes_the_loss_of_one_logit(law):
    ids, logits = batch(3, 1, ignored=False)
    assert float(law.make()(ids, logits + 1)) != pytest.approx(float(law.make()(ids, logits)))


@every_loss
@few
@given(seed=seeds)
def test_permuting_classes_permutes_the_gradient(law, seed):
    loss = law.make(ignore_class=IGNORE)
    ids, logits = batch(seed, 3)
    order = np.random.default_rng(seed).permutation(3)
    renamed = np.where(ids == IGNORE, IGNORE, np.argsort(order)[np.minimum(ids, 2)])
    value, gradient = in_numpy(loss, ids, logits)
    close(in_numpy(loss, renamed, logits[..., order]), (value, gradient[..., order]), atol=1e-6)


@every_loss
@both_forms
@few
@given(seed=seeds)
def test_the_order_of_images_and_pixels_does_not_matter(law, channels, seed):
    loss = law.make(ignore_class=IGNORE)
    ids, logits = batch(seed, channels, (3, 2, 3))
    value, gradient = in_numpy(loss, ids, logits)
    turned = in_numpy(loss, ids[::-1, ::-1].copy(), logits[::-1, ::-1].copy())
    close(turned, (value, gradient[::-1, ::-1]), atol=1e-6)
    if law.place:
        return
    order = np.random.default_rng(seed).permutation(ids.size)
    mixed = ids.reshape(-1)[order].reshape(ids.shape)
    logits = logits.reshape(-1, channels)[order].reshape(logits.shape)
    expected = gradient.reshape(-1, channels)[order].reshape(gradient.shape)
    close(in_numpy(loss, mixed, logits), (value, expected), atol=1e-6)


@of_regions
@both_forms
@few
@given(seed=seeds)
def test_pooled_by_image_a_batch_is_the_mean_of_its_images(law, channels, seed):
    loss = law.make(ignore_class=IGNORE, pooling="image")
    ids, logits = batch(seed, channels, (3, 2, 3))
    singles = [float(loss(ids[i : i + 1], logits[i : i + 1])) for i in range(3)]
    assert float(loss(ids, logits)) == pytest.approx(np.mean(singles), rel=1e-5, abs=1e-7)
