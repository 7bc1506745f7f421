"""What every loss promises. A new loss is one line in LOSSES."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from semseg.losses import Crossentropy

tf = pytest.importorskip("tensorflow")

IGNORE = 255

# Each makes a loss from an ignored id; each takes masks of two classes.
LOSSES = {
    "crossentropy": Crossentropy,
    "smoothed": functools.partial(Crossentropy, label_smoothing=0.1),
    "weighted": functools.partial(Crossentropy, class_weights=[0.5, 3]),
    "of probabilities": functools.partial(Crossentropy, from_logits=False),
}
every_loss = pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)
both_forms = pytest.mark.parametrize("channels", [1, 2])
any_poison = st.sampled_from([0.0, 1e30, -1e30, np.inf, -np.inf, np.nan])


def batch(seed, channels, shape=(2, 3, 4)):
    """A mask of two classes with ignored pixels, and scores that any loss takes."""
    rng = np.random.default_rng(seed)
    ids = rng.choice([0, 1, IGNORE], shape).astype(np.int32)
    return ids, rng.uniform(0.1, 0.9, (*shape, channels)).astype(np.float32)


def value_and_gradient(loss, ids, scores):
    scores = tf.convert_to_tensor(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        value = loss(ids, scores)
    return value, tape.gradient(value, scores)


def ignored_is_deleted(make, ids, scores, poison):
    kept = ids != IGNORE
    scores[~kept] = poison
    value, gradient = map(np.asarray, value_and_gradient(make(IGNORE), ids, scores))
    assert not gradient[~kept].any()
    if not kept.any():
        assert value == 0
        return
    deleted = value_and_gradient(make(None), ids[kept][None, None], scores[kept][None, None])
    assert float(value) == pytest.approx(float(deleted[0]), rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(gradient[kept], deleted[1][0, 0], rtol=1e-5, atol=1e-7)


@every_loss
@both_forms
@settings(max_examples=12)
@given(seed=st.integers(0, 2**31), height=st.integers(1, 3), poison=any_poison)
def test_ignored_pixels_are_deleted_pixels(make, channels, seed, height, poison):
    ignored_is_deleted(make, *batch(seed, channels, (2, height, 2)), poison)


@every_loss
@both_forms
@pytest.mark.parametrize("poison", [0.0, np.nan])
def test_ignored_pixels_alone_give_no_loss_and_no_gradient(make, channels, poison):
    ids = np.full((2, 3, 3), IGNORE)
    ignored_is_deleted(make, ids, np.zeros((2, 3, 3, channels), np.float32), poison)


class Leaking(Crossentropy):
    """A twin that multiplies by the mask: 0 * NaN is NaN."""

    def call(self, y_true, y_pred):
        valid = ops.cast(ops.cast(y_true, "int32") != IGNORE, "float32")
        ids = ops.where(valid > 0, ops.cast(y_true, "int32"), 0)
        losses = ops.sparse_categorical_crossentropy(ids, y_pred, from_logits=True) * valid
        return losses * (ops.cast(ops.size(valid), "float32") / ops.maximum(ops.sum(valid), 1))


class Diluted(Crossentropy):
    """A twin that divides by the number of all pixels."""

    def _scale(self, weights):
        return 1.0


@pytest.mark.parametrize(("twin", "poison"), [(Leaking, np.nan), (Diluted, 0.0)])
def test_the_law_notices_a_broken_twin(twin, poison):
    ignored_is_deleted(Crossentropy, *batch(0, 2), poison)
    with pytest.raises(AssertionError):
        ignored_is_deleted(twin, *batch(0, 2), poison)


@every_loss
@both_forms
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_compiled_calls_give_what_eager_calls_give(make, channels, jit_compile):
    both = functools.partial(value_and_gradient, make(IGNORE))
    any_size = (tf.TensorSpec((None,) * 3, tf.int32), tf.TensorSpec((None, None, None, channels)))
    compiled = tf.function(both, input_signature=any_size, jit_compile=jit_compile)
    ids, scores = batch(3, channels)
    scores[ids == IGNORE] = np.nan
    # With one shape XLA compiles once; the second batch holds ignored pixels alone.
    for mask in (ids, np.full_like(ids, IGNORE)):
        eager, graph = both(mask, scores), compiled(mask, scores)
        np.testing.assert_allclose(graph[0], eager[0], rtol=1e-5)
        np.testing.assert_allclose(graph[1], eager[1], rtol=1e-5, atol=1e-8)


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores_are_summed_in_float32(make, dtype):
    ids, scores = batch(4, 2, (2, 40, 50))
    half = ops.cast(scores, dtype)
    value = make(IGNORE)(ids, half)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    same = make(IGNORE)(ids, ops.cast(half, "float32"))
    assert float(value) == pytest.approx(float(same), rel=1e-6)


@every_loss
def test_call_keeps_an_axis_so_that_keras_divides_by_the_replicas(make):
    ids, scores = batch(5, 2)
    assert len(make(IGNORE).call(ids, scores).shape) >= 1


@every_loss
def test_the_configuration_comes_back_in_a_compiled_model(make, tmp_path):
    loss = make(IGNORE)
    model = keras.Sequential([keras.Input((None, None, 2)), keras.layers.Conv2D(2, 1)])
    model.compile("sgd", loss)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").loss
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert keras.saving.get_registered_name(type(loss)).startswith("semseg.losses>")


@every_loss
@pytest.mark.parametrize("bad", [2, -1, 254, 0.5, 254.6, 255.4, np.nan, 2.0**33])
def test_labels_that_are_no_class_are_an_error_and_nan_in_a_graph(make, bad):
    loss, scores = make(IGNORE), tf.fill((1, 1, 3, 2), 0.5)
    labels = tf.constant([[[0.0, IGNORE, bad]]])
    with pytest.raises(ValueError, match="y_true (has ids|must hold whole class ids)"):
        loss(labels, scores)
    assert np.isnan(tf.function(loss.__call__)(labels, scores))


@every_loss
def test_shapes_that_would_broadcast_are_refused(make):
    scores = np.full((2, 4, 4, 2), 0.5, np.float32)
    for shape in [(2, 4, 4, 1), (2, 4, 4, 2), (4, 4), (2, 1, 4), (2, 4, 5), (1, 4, 4)]:
        with pytest.raises(ValueError, match="y_true must be ids"):
            make(IGNORE)(np.zeros(shape, int), scores)
