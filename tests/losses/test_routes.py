"""Every route gives the same: eager, graph, XLA, half precision, a saved model."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from loss_laws import (
    IGNORE,
    LOSSES,
    batch,
    both_forms,
    close,
    compiled,
    every_loss,
    fast_for,
    in_numpy,
    losses_with,
    value_and_gradient,
)


def same_as_eager(run, loss, channels):
    ids, logits = batch(3, channels)
    logits[ids == IGNORE] = np.nan
    # With one shape XLA compiles once; the second batch holds ignored pixels alone.
    for mask in (ids, np.full_like(ids, IGNORE)):
        close(run(mask, logits), value_and_gradient(loss, mask, logits), atol=1e-6)


@every_loss
@both_forms
def test_graphs_give_what_eager_calls_give(law, channels):
    loss = law.make(ignore_class=IGNORE)
    same_as_eager(functools.partial(in_numpy, loss), loss, channels)


# XLA compiles for seconds: one loss of each kind of formula (HardPixels holds the crossentropy).
# The others differ by arithmetic on numbers a class, or a pixel, and run nightly.
@fast_for(["HardPixels", "Dice", "Lovasz"], lambda law: law.xla)
def test_xla_gives_what_eager_calls_give(name):
    loss = LOSSES[name].make(ignore_class=IGNORE)
    same_as_eager(compiled(loss, 3, jit_compile=True), loss, 3)


@losses_with(lambda law: not law.xla)
def test_what_xla_cannot_compile_says_so(law):
    with pytest.raises(ValueError, match="jit_compile=False"):
        compiled(law.make(ignore_class=IGNORE), 3, jit_compile=True)(*batch(3, 3))


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_summed_in_float32(law, dtype):
    ids, logits = batch(4, 3, (2, 40, 50))
    half = ops.cast(logits, dtype)
    value = law.make(ignore_class=IGNORE)(ids, half)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    same = law.make(ignore_class=IGNORE)(ids, ops.cast(half, "float32"))
    assert float(value) == pytest.approx(float(same), rel=1e-6)


@every_loss
def test_call_keeps_an_axis_so_that_keras_divides_by_the_replicas(law):
    ids, logits = batch(5, 3)
    assert len(law.make(ignore_class=IGNORE).call(ids, logits).shape) >= 1


@every_loss
def test_the_configuration_comes_back(law):
    loss = law.make(ignore_class=IGNORE, class_weights=[1, 2, 3])
    config = keras.saving.serialize_keras_object(loss)
    assert config["registered_name"] == f"semseg.losses>{type(loss).__name__}"
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_the_configurations_come_back_in_a_compiled_model(tmp_path):
    losses = [law.make(ignore_class=IGNORE, class_weights=[1, 2, 3]) for law in LOSSES.values()]
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    model.compile("sgd", 0.5 * sum(losses))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").loss
    assert again.weights == [0.5] * len(losses)
    for one, other in zip(again.losses, losses, strict=True):
        assert one.get_config() == other.get_config()


@pytest.mark.parametrize("name", ["Crossentropy", "Lovasz"])
def test_it_trains_a_model_with_weights_of_pixels(name):
    law = LOSSES[name]
    ids, logits = batch(15, 3, (4, 4, 4))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(3, 1)])
    model.compile(keras.optimizers.SGD(0.1), law.make(ignore_class=IGNORE))
    weights = np.random.default_rng(0).random(ids.shape, np.float32)
    history = model.fit(logits, ids, sample_weight=weights, batch_size=4, epochs=4, verbose=0)
    losses = history.history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
