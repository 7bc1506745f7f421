"""AdamW and what a recipe makes: decay of kernels alone, in saved models too."""

import keras
import numpy as np
import pytest

from semseg.training import AdamW, OneCycle, Recipe, WarmupPoly
from semseg.training.optimizers import optimizer

NAMES = ("bias", "beta", "gamma")


def values(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def model(first="one"):
    """Kernel, bias, gamma and beta, none of them 0."""
    made = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name=first),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(0)
    made.set_weights([rng.uniform(0.5, 1, w.shape) for w in made.get_weights()])
    return made


def steps(optimizer, made, count=3, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        gradients = [rng.normal(size=v.shape).astype("float32") for v in made.trainable_variables]
        tensors = list(map(keras.ops.convert_to_tensor, gradients))
        optimizer.apply(tensors, made.trainable_variables)
    return values(made.trainable_variables)


def by_hand():
    made = keras.optimizers.AdamW(0.01, weight_decay=0.3)
    made.exclude_from_weight_decay(var_names=NAMES)
    return made


def assert_equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_is_keras_own_with_the_exclusion_by_hand():
    ours, keras_own = steps(AdamW(0.01, 0.3), model()), steps(by_hand(), model())
    assert_equal(ours, keras_own)
    plain = steps(keras.optimizers.AdamW(0.01, weight_decay=0.3), model())
    differs = [bool((a != b).any()) for a, b in zip(ours, plain, strict=True)]
    kernels = [v.name == "kernel" for v in model().trainable_variables]
    assert differs == [not is_kernel for is_kernel in kernels]


def test_so_it_is_from_its_config_where_keras_own_is_not():
    config = keras.optimizers.serialize(AdamW(0.01, 0.3, use_ema=False, clipnorm=9.0))
    again = keras.optimizers.deserialize(config)
    assert type(again) is AdamW
    expected = by_hand()
    expected.clipnorm = 9.0
    assert_equal(steps(again, model()), steps(expected, model()))
    forgets = keras.optimizers.deserialize(keras.optimizers.serialize(by_hand()))
    with pytest.raises(AssertionError):
        assert_equal(steps(forgets, model()), steps(by_hand(), model()))


def test_so_it_is_in_a_saved_model_that_goes_on(tmp_path):
    made, other = model(), model()
    made.compile(AdamW(0.01, 0.3), "mse")
    steps(made.optimizer, made)
    made.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    keras_own = by_hand()
    steps(keras_own, other)
    assert_equal(steps(again.optimizer, again, 2, 1), steps(keras_own, other, 2, 1))


def recipe(**changed):
    return Recipe(learning_rate=0.1, steps=20, steps_per_epoch=20, warmup=4, **changed)


def test_a_recipe_has_its_schedule():
    constant = optimizer(recipe(schedule="constant"))
    assert float(constant.learning_rate) == pytest.approx(0.1)
    assert optimizer(recipe(schedule="poly"))._learning_rate.get_config() == (
        WarmupPoly(0.1, 20, 4).get_config()
    )
    assert optimizer(recipe(schedule="one_cycle"))._learning_rate.get_config() == (
        OneCycle(0.1, 20).get_config()
    )


@pytest.mark.parametrize("warmup", [0, 4])
def test_cosine_rises_to_the_rate_and_falls_to_0_at_the_last_step(warmup):
    made = optimizer(Recipe(learning_rate=0.1, steps=20, steps_per_epoch=20, warmup=warmup))
    found = [float(made._learning_rate(step)) for step in range(21)]
    assert max(found) == found[warmup] == pytest.approx(0.1)
    assert (np.diff(found[: warmup + 1]) > 0).all() and (np.diff(found[warmup:]) < 0).all()
    assert found[20] == pytest.approx(0, abs=1e-8)
    falls = 0.05 * (1 + np.cos(np.pi * np.arange(21 - warmup) / (20 - warmup)))
    np.testing.assert_allclose(found[warmup:], falls, atol=1e-7)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_neither_optimizer_decays_biases_and_normalisations(name):
    made = optimizer(recipe(optimizer=name, schedule="constant", weight_decay=0.5))
    net = model("biased_dense")  # TensorFlow's names hold those of layers
    before = values(net.trainable_variables)
    zeros = [keras.ops.zeros(v.shape) for v in net.trainable_variables]
    made.apply(zeros, net.trainable_variables)
    for v, a, b in zip(
        net.trainable_variables, before, values(net.trainable_variables), strict=True
    ):
        expected = a * 0.95 if v.name == "kernel" else a
        np.testing.assert_allclose(b, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_the_moving_average_is_that_of_the_recipe(name):
    assert not optimizer(recipe(optimizer=name)).use_ema
    made = optimizer(recipe(optimizer=name, ema=0.9))
    assert (made.use_ema, made.ema_momentum) == (True, 0.9)
