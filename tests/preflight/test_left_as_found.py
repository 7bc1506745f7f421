"""A model is bit for bit what it was, also when something raises on the way."""

import random

import keras
import numpy as np
import pytest
from broken_setups import CLASSES, FAULTS, Setup, compiled, data, small

import semseg
from semseg.layers import PixelRescaling
from semseg.preflight import check, checkup
from semseg.preflight.rules import learning
from semseg.training.trials import left_as_found


def state(model):
    """All numbers of a model, and of the generators of everyone."""
    found = [*model.variables, *model.optimizer.variables]
    found += [v for metric in model.metrics for v in metric.variables]
    values = [np.array(keras.ops.convert_to_numpy(v)) for v in found]
    generators = (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    return values, generators, float(model.optimizer.learning_rate), len(model.metrics)


def assert_same(before, after):
    (values, *others), (their_values, *their_others) = before, after
    assert others == their_others
    assert len(values) == len(their_values)
    for one, other in zip(values, their_values, strict=True):
        np.testing.assert_array_equal(one, other)


def trained():
    """A model in the middle of its training: dropout, moments, counts in its metrics."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.BatchNormalization()(PixelRescaling()(inputs))
    x = keras.layers.Dropout(0.5)(keras.layers.Conv2D(8, 3, padding="same")(x))
    model = keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1)(x))
    setup = Setup(compiled(model), data())
    model.run_eagerly = True
    images, masks = (np.stack(part) for part in zip(*setup.ds, strict=True))
    for _ in range(2):
        setup.model.train_on_batch(images, masks)
    return setup, images, masks


def test_weights_optimizer_metrics_and_seeds_stay_and_training_goes_on_the_same():
    losses = []
    for looked_at in (False, True):
        setup, images, masks = trained()
        before = state(setup.model)
        functions = setup.model.train_function, setup.model.optimizer, setup.model.loss
        if looked_at:
            assert "one batch" in check(setup.model, setup.ds, seconds=600).facts
        assert_same(before, state(setup.model))
        after = setup.model.train_function, setup.model.optimizer, setup.model.loss
        assert all(one is other for one, other in zip(functions, after, strict=True))
        losses.append([float(setup.model.train_on_batch(images, masks)[0]) for _ in range(2)])
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    "kind", ["loss_fails", "weights_not_finite", "dead_relu", "no_gradient", "metric_fails"]
)
def test_a_broken_set_up_stays_as_it_is(kind, monkeypatch):
    others = [each for each in checkup._CHECKS if each.run is not learning.learning]
    monkeypatch.setattr(checkup, "_CHECKS", others)
    setup = next(fault for fault in FAULTS if FAULTS[fault] == kind)()
    before = state(setup.model)
    assert check(setup.model, setup.ds, seconds=600).of_kind(kind)
    assert_same(before, state(setup.model))


def test_a_check_that_raises_leaves_everything_as_it_was(monkeypatch):
    def vandal(subject):
        subject.model.set_weights([w * 0 + 7 for w in subject.model.get_weights()])
        subject.model.layers[1].call = lambda x: x
        np.random.random(3)  # noqa: NPY002
        random.random()
        yield from ()
        raise KeyboardInterrupt

    setup = Setup(compiled(), data())
    before = state(setup.model)
    broken = checkup._CHECKS[5]._replace(run=vandal)
    monkeypatch.setattr(checkup, "_CHECKS", (*checkup._CHECKS[:5], broken))
    with pytest.raises(KeyboardInterrupt):
        check(setup.model, setup.ds, seconds=600)
    assert_same(before, state(setup.model))


def test_what_was_never_used_is_as_new_afterwards():
    """The optimizer has no moments yet; the first eager call has yet to warn of [0, 1]."""
    model = compiled()
    assert "one batch" in check(model, data(), seconds=600).facts
    assert not model.optimizer.built and not model.optimizer.variables[2:]
    images = np.stack([image for image, _ in data()]) / np.float32(255)
    with pytest.warns(UserWarning, match="lie in"):
        model(images)


def test_this_harness_bites():
    model = compiled(small())
    before = state(model)
    with left_as_found(model):
        pass
    assert_same(before, state(model))
    model.optimizer.learning_rate = 7.0
    with pytest.raises(AssertionError):
        assert_same(before, state(model))


def test_a_sequential_model_that_was_never_called_can_be_tried():
    ds = semseg.data.digits("train", count=4, size=(32, 32))
    model = keras.Sequential([keras.layers.Conv2D(11, 1)])
    model.build((None, None, None, 3))
    model.compile("adam", semseg.losses.Crossentropy(class_map=ds.class_map))
    report = check(model, ds, seconds=5)
    assert "one batch" in report.facts
