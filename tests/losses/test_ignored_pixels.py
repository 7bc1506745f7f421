"""What is ignored, or has weight 0, is deleted: in the value and in the gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from loss_laws import (
    IGNORE,
    any_poison,
    batch,
    both_forms,
    close,
    every_loss,
    few,
    in_numpy,
    losses_with,
    seeds,
)

from semseg.losses import Crossentropy, HardPixels


def ignored_is_deleted(make, ids, logits, poison):
    kept = ids != IGNORE
    logits[~kept] = poison
    value, gradient = in_numpy(make(ignore_class=IGNORE), ids, logits)
    assert not gradient[~kept].any()
    if not kept.any():
        assert value == 0
        return
    alone = in_numpy(make(), ids[kept][None, None], logits[kept][None, None])
    close((value, gradient[kept]), (alone[0], alone[1][0, 0]), atol=1e-6)


@losses_with(lambda law: not law.place)
@both_forms
@few
@given(seed=seeds, height=st.integers(1, 3), poison=any_poison)
def test_ignored_pixels_are_deleted_pixels(law, channels, seed, height, poison):
    ignored_is_deleted(law.make, *batch(seed, channels, (2, height, 2)), poison)


@losses_with(lambda law: law.place)
@both_forms
@few
@given(seed=seeds, poison=any_poison)
def test_what_lies_under_ignored_pixels_changes_nothing(law, channels, seed, poison):
    ids, logits = batch(seed, channels, (2, 3, 3))
    loss = law.make(ignore_class=IGNORE)
    clean = in_numpy(loss, ids, logits)
    logits[ids == IGNORE] = poison
    close(in_numpy(loss, ids, logits), clean)
    assert not clean[1][ids == IGNORE].any()


@every_loss
@both_forms
@pytest.mark.parametrize("poison", [0.0, np.nan])
def test_ignored_pixels_alone_give_no_loss_and_no_gradient(law, channels, poison):
    ids = np.full((2, 3, 3), IGNORE)
    logits = np.full((2, 3, 3, channels), poison, np.float32)
    value, gradient = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    assert value == 0 and not gradient.any()


class Leaking(Crossentropy):
    """A twin that multiplies by the mask: 0 * NaN is NaN."""

    def call(self, y_true, y_pred):
        ids = ops.cast(y_true["mask"], "int32")
        valid = ops.cast(ids != IGNORE, "float32")
        ids = ops.where(valid > 0, ids, 0)
        losses = ops.sparse_categorical_crossentropy(ids, y_pred, from_logits=True) * valid
        return losses * (ops.cast(ops.size(valid), "float32") / ops.maximum(ops.sum(valid), 1))


class Diluted(Crossentropy):
    """A twin that divides by the number of all pixels."""

    def _divisor(self, divisor):
        return None


@pytest.mark.parametrize(("twin", "poison"), [(Leaking, np.nan), (Diluted, 0.0)])
def test_the_law_notices_a_broken_twin(twin, poison):
    ignored_is_deleted(Crossentropy, *batch(0, 3), poison)
    with pytest.raises(AssertionError):
        ignored_is_deleted(twin, *batch(0, 3), poison)


@losses_with(lambda law: not law.place)
@both_forms
@few
@given(seed=seeds, poison=any_poison)
def test_pixels_of_weight_0_are_deleted_pixels_of_a_region(law, channels, seed, poison):
    ids, logits = batch(seed, channels, (2, 3, 3), ignored=False)
    weights = (np.random.default_rng(seed).random(ids.shape) < 0.7).astype(np.float32)
    logits[weights == 0] = poison
    value, gradient = in_numpy(law.make(), ids, logits, weights)
    assert np.isfinite(value) and not gradient[weights == 0].any()
    if law.of == "regions":
        marked = np.where(weights > 0, ids, IGNORE)
        close((value, gradient), in_numpy(law.make(ignore_class=IGNORE), marked, logits))


@losses_with(lambda law: law.of == "regions" and not law.place)
@both_forms
@few
@given(seed=seeds)
def test_a_pixel_of_weight_2_is_two_pixels_of_a_region(law, channels, seed):
    ids, logits = batch(seed, channels, (1, 1, 6), ignored=False)
    weights = np.array([[[2, 1, 1, 2, 1, 1]]], np.float32)
    twice = np.repeat(np.arange(6), weights[0, 0].astype(int))
    value = law.make()(ids, logits, weights)
    assert float(value) == pytest.approx(
        float(law.make()(ids[:, :, twice], logits[:, :, twice])), rel=1e-5
    )


@every_loss
def test_one_weight_a_picture_is_a_factor_of_its_loss(law):
    pooled = {"pooling": "image"} if law.of == "regions" else {}
    if isinstance(law.make(), HardPixels):
        pooled = {"share": 1.0}
    loss = law.make(ignore_class=IGNORE, **pooled)
    ids, logits = batch(11, 3)
    ids[ids == IGNORE] = 0  # equally many valid pixels in both
    first, second = (float(loss(ids[i : i + 1], logits[i : i + 1])) for i in range(2))
    weighted = float(loss(ids, logits, np.array([2.0, 0.5], np.float32)))
    assert weighted == pytest.approx((2 * first + 0.5 * second) / 2, rel=1e-5)


@every_loss
def test_weights_of_another_shape_are_an_error(law):
    ids, logits = batch(12, 3)
    for shape in [(3,), (2, 3), (2, 4, 3), (2, 3, 4, 2)]:
        with pytest.raises(ValueError, match="sample_weight must hold one number a picture"):
            law.make(ignore_class=IGNORE)(ids, logits, np.ones(shape, np.float32))
