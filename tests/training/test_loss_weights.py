"""Weights of a sum of losses that move from epoch to epoch."""

import keras
import numpy as np
import pytest

import semseg
from semseg.losses import Crossentropy, Dice, loss_parts
from semseg.training import LossWeights

IGNORE = 255


@pytest.fixture
def ds():
    return semseg.data.digits("train", count=4, size=(32, 32))


@pytest.fixture
def model(ds):
    keras.utils.set_random_seed(0)
    model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
    loss = Crossentropy(IGNORE) + 0 * Dice(IGNORE)
    model.compile(keras.optimizers.SGD(0.01), loss, metrics=loss_parts(loss))
    return model


def schedules():
    return {"dice": lambda epoch: 0.5 * epoch, "crossentropy": lambda epoch: 1 - 0.25 * epoch}


def test_the_weights_of_each_epoch_are_in_the_loss_and_in_the_logs(ds, model):
    logs = model.fit(
        ds.batches(2), epochs=3, callbacks=[LossWeights(schedules())], verbose=0
    ).history
    assert logs["dice_weight"] == [0, 0.5, 1]
    assert logs["crossentropy_weight"] == [1, 0.75, 0.5]
    expected = np.array(logs["dice_weight"]) * logs["dice_loss"]
    expected += np.array(logs["crossentropy_weight"]) * logs["crossentropy_loss"]
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)


def test_a_training_that_goes_on_has_the_weights_of_its_epoch(ds, model):
    weights = LossWeights(schedules())
    logs = model.fit(ds.batches(2), initial_epoch=2, epochs=3, callbacks=[weights], verbose=0)
    assert logs.history["dice_weight"] == [1]


def test_after_fit_the_loss_has_the_weights_it_was_compiled_with(ds, model):
    weights = LossWeights(schedules())
    model.fit(ds.batches(2), epochs=2, callbacks=[weights], verbose=0)
    assert model.loss.weights == [1, 0]
    first = model.evaluate(ds.batches(2), verbose=0, return_dict=True)
    assert first["loss"] == pytest.approx(first["crossentropy_loss"])


def test_a_fit_that_was_broken_off_changes_no_later_one(ds, model):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    weights = LossWeights({"dice": lambda epoch: 0.5 * (epoch + 1)})
    with pytest.raises(KeyboardInterrupt):
        model.fit(ds.batches(2), epochs=2, callbacks=[weights, Stop()], verbose=0)
    model.fit(ds.batches(2), epochs=1, callbacks=[weights], verbose=0)
    assert model.loss.weights == [1, 0]


def test_weights_that_stay_trace_nothing_anew(ds, model):
    traced = []
    model.train_function = None
    whole = model.make_train_function
    model.make_train_function = lambda force=False: (traced.append(force), whole(force))[1]
    same = LossWeights({"dice": lambda epoch: 0})
    model.fit(ds.batches(2), epochs=3, callbacks=[same], verbose=0)
    assert True not in traced


@pytest.mark.parametrize("name", ["boundary", "weighted_sum"])
def test_a_name_that_the_sum_does_not_have_is_an_error(ds, model, name):
    with pytest.raises(ValueError, match="needs a sum of losses that holds each of"):
        model.fit(ds.batches(2), callbacks=[LossWeights({name: float})], verbose=0)


def test_a_single_loss_has_no_weights(ds, model):
    model.compile("sgd", Dice(IGNORE))
    with pytest.raises(ValueError, match="compile the model with such as"):
        model.fit(ds.batches(2), callbacks=[LossWeights({"dice": float})], verbose=0)


@pytest.mark.parametrize("weight", [-1, float("nan"), None])
def test_a_weight_must_be_a_number(ds, model, weight):
    with pytest.raises(ValueError, match="the weight of dice must be a finite number >= 0"):
        model.fit(ds.batches(2), callbacks=[LossWeights({"dice": lambda _: weight})], verbose=0)
