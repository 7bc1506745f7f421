"""find_learning_rate: the curve it sees, and that nobody notices."""

import keras
import numpy as np
import pytest

import semseg
from semseg.training import AdamW, WarmupPoly, find_learning_rate, range_test
from semseg.training.trials import with_learning_rate

X = np.linspace(-1, 1, 32, dtype="float32").reshape(2, 16, 1)


def values(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def line(optimizer="sgd", **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dropout(0.1), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"], **options)
    return model


def batches():
    return [(x, 3 * x) for x in X]


def everything(model):
    metrics = [v for metric in model.metrics for v in metric.variables]
    return values([*model.variables, *model.optimizer.variables, *metrics])


def assert_untouched(model, before):
    for a, b in zip(everything(model), before, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_the_rates_rise_by_one_factor_and_the_loss_is_that_of_plain_training():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    weight = float(values(model.weights)[0][0, 0])
    found = find_learning_rate(model, batches(), steps=20, lowest=1e-3, highest=0.5)
    rates = np.geomspace(1e-3, 0.5, 20)
    np.testing.assert_allclose(found.rates, rates)
    expected = []
    for step, rate in enumerate(rates):
        x = X[step % 2]
        expected.append(float(np.mean((x * weight - 3 * x) ** 2)))
        weight -= rate * float(np.mean(2 * (x * weight - 3 * x) * x))
    smooth = range_test._smoothed(np.log10(rates), np.array(expected))
    np.testing.assert_allclose(found.losses, smooth, rtol=1e-4)
    assert 1e-2 < found.suggested <= 0.5


OPTIMIZERS = {
    "schedule": lambda: AdamW(WarmupPoly(0.1, 30, 3), use_ema=True),
    "number": lambda: keras.optimizers.SGD(0.03, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_model_is_left_bit_for_bit(name):
    model = line(OPTIMIZERS[name]())
    for x, y in batches():
        model.train_on_batch(x, y)
    before, step = everything(model), model.train_function
    schedule = model.optimizer._learning_rate
    assert len(find_learning_rate(model, batches(), steps=12).rates) == 12
    assert_untouched(model, before)
    assert model.train_function is step
    assert model.optimizer._learning_rate is schedule


def test_training_goes_on_as_if_nothing_had_been():
    runs = []
    for is_tested in (False, True):
        keras.utils.set_random_seed(0)
        model = line("adam", run_eagerly=True)
        model.fit(X[0], 3 * X[0], epochs=1, verbose=0)
        if is_tested:
            find_learning_rate(model, batches(), steps=10)
        model.fit(X[1], 3 * X[1], epochs=2, verbose=0)
        runs.append(everything(model))
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_batch_that_raises_leaves_it_bit_for_bit_too():
    def broken():
        yield from batches()
        raise RuntimeError("the disk is gone")

    model = line()
    model.train_on_batch(*batches()[0])
    before = everything(model)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        find_learning_rate(model, broken(), highest=0.1)
    assert_untouched(model, before)


def test_it_stops_where_the_loss_has_diverged():
    drawn = []

    def counted():
        for step in range(99):
            drawn.append(step)
            yield X[step % 2], 3 * X[step % 2]

    found = find_learning_rate(line(), counted(), steps=60, lowest=1e-3, highest=1e6)
    assert len(found.rates) == len(found.losses) == len(drawn) < 60
    assert found.rates[-1] < 1e4
    assert np.isfinite(found.losses).all()
    assert found.suggested < found.rates[found.losses.argmin()]


def test_a_loss_that_is_nan_at_once_suggests_nothing():
    found = find_learning_rate(line(), [(X[0] * np.nan, X[0])], steps=10)
    assert found.suggested is None
    assert len(found.rates) == 0


def test_where_nothing_is_learned_nothing_is_suggested():
    found = find_learning_rate(line(), batches(), steps=10, lowest=1e-9, highest=1e-8)
    assert found.suggested is None


def test_an_iterator_is_used_up_once():
    assert len(find_learning_rate(line(), iter(batches() * 6), steps=50).rates) == 12


def test_the_weights_of_several_losses_count():
    image = keras.Input((4, 4, 1))
    outputs = {
        f"logits{n}": keras.layers.Conv2D(2, 1, name=f"logits{n}")(image) for n in ("", "_2")
    }
    model = keras.Model(image, outputs)
    crossentropy = semseg.losses.Crossentropy()
    model.compile("sgd", **semseg.losses.deep_supervision(crossentropy, [1, 0]), run_eagerly=True)
    images, masks = np.ones((1, 4, 4, 1), "float32"), np.zeros((1, 4, 4), int)
    batch = images, dict.fromkeys(outputs, masks)
    found = find_learning_rate(model, [batch], steps=10, lowest=1e-12, highest=1e-11)
    expected = crossentropy(masks, model(images)["logits"])
    assert found.losses[0] == pytest.approx(float(expected), rel=1e-5)


def test_scaled_losses_of_half_precision_are_swept_too():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)
    model = line(scaled)
    rising = keras.optimizers.schedules.ExponentialDecay(1, 1, 1)
    fresh = with_learning_rate(model.optimizer, rising)
    assert isinstance(fresh, keras.optimizers.LossScaleOptimizer)
    assert fresh.initial_scale == 8
    assert fresh.inner_optimizer is not scaled.inner_optimizer


class Own(keras.Model):
    def call(self, x):
        return x


def uncompiled():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def subclassed():
    model = Own()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (line, {"steps": 5}, "steps must be an int >= 10, received 5"),
        (line, {"lowest": 0}, "lowest must be a finite number > 0, received 0"),
        (line, {"lowest": 1.0}, "lowest must be < highest, received 1.0 and 1.0"),
        (uncompiled, {}, r"model must be compiled .*call model.compile"),
        (subclassed, {}, "model must be functional .*of Own"),
    ],
)
def test_what_is_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(make(), batches(), **arguments)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)
def test_several_rates_can_not_be_swept():
    parts = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    model = line(keras.optimizers.MultiOptimizer(parts))
    with pytest.raises(ValueError, match="must have one learning rate, received MultiOptimizer"):
        find_learning_rate(model, batches())
