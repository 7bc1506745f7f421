"""Losses add and scale like numbers: the value of a sum is the sum of the values."""

import keras
import numpy as np
import pytest

from semseg.losses import Boundary, Crossentropy, Dice, Lovasz, WeightedSum

tf = pytest.importorskip("tensorflow")

IGNORE = 255
rng = np.random.default_rng(0)
IDS = rng.choice([0, 1, 2, IGNORE], (2, 4, 5))
LOGITS = rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
WEIGHTS = rng.random((2, 4, 5), np.float32)
PARTS = [Crossentropy(IGNORE), Dice(IGNORE), Lovasz(IGNORE)]
OF_KERAS = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORE)


def value(loss, sample_weight=None):
    return float(loss(IDS, LOGITS, sample_weight))


@pytest.mark.parametrize("weights", [None, WEIGHTS, np.array([2.0, 0.5], np.float32)])
def test_a_sum_is_the_sum_of_the_values(weights):
    first, second, third = (value(loss, weights) for loss in PARTS)
    total = 0.5 * PARTS[0] + PARTS[1] * 2 + PARTS[2]
    assert value(total, weights) == pytest.approx(0.5 * first + 2 * second + third, rel=1e-6)
    assert value(sum(PARTS), weights) == pytest.approx(first + second + third, rel=1e-6)


def test_the_gradient_of_a_sum_is_the_sum_of_the_gradients():
    def gradient(loss):
        logits = tf.constant(LOGITS)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            found = loss(IDS, logits)
        return tape.gradient(found, logits).numpy()

    total = gradient(0.5 * PARTS[0] + PARTS[1])
    np.testing.assert_allclose(total, 0.5 * gradient(PARTS[0]) + gradient(PARTS[1]), atol=1e-7)


@pytest.mark.parametrize("make", [lambda a, b: a + b, lambda a, b: b + a], ids=["after", "before"])
def test_losses_of_keras_stand_in_a_sum(make):
    total = make(2 * PARTS[1], OF_KERAS)
    assert value(total) == pytest.approx(2 * value(PARTS[1]) + value(OF_KERAS), rel=1e-6)


def test_sums_of_sums_are_one_sum_whose_factors_multiply():
    total = 3 * (2 * PARTS[0] + PARTS[1]) + (PARTS[2] + OF_KERAS) * 0.5
    assert total.losses == [*PARTS, OF_KERAS]
    assert total.weights == [6.0, 3.0, 0.5, 0.5]


def test_adding_leaves_the_parts_as_they_were():
    first = PARTS[0] + PARTS[1]
    first + PARTS[2]
    2 * first
    assert first.losses == PARTS[:2]
    assert first.weights == [1.0, 1.0]


def test_a_sum_says_what_it_is():
    assert repr(0.5 * Dice() + Crossentropy(IGNORE)) == (
        "0.5 * Dice() + Crossentropy(ignore_class=255)"
    )


def test_a_sum_comes_back_in_a_compiled_model(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    total = 0.5 * PARTS[1] + OF_KERAS + 0.01 * Boundary(IGNORE)
    model.compile("sgd", total)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(loss) for loss in again.loss.losses] == [type(loss) for loss in total.losses]
    assert again.loss.weights == total.weights
    found = again.evaluate(LOGITS, IDS, sample_weight=WEIGHTS, verbose=0)
    assert found == pytest.approx(float(total(IDS, model(LOGITS), WEIGHTS)), rel=1e-5)


@pytest.mark.parametrize("factor", ["x", None, True, [2], 1j])
def test_factors_are_numbers(factor):
    with pytest.raises(TypeError, match="unsupported operand|can't multiply"):
        PARTS[0] * factor
    with pytest.raises(TypeError, match="unsupported operand|can't multiply"):
        factor * PARTS[0]


@pytest.mark.parametrize("other", [1, 0.5, "dice", None])
def test_only_losses_are_added(other):
    with pytest.raises(TypeError, match="unsupported operand"):
        PARTS[0] + other


def test_factors_are_finite_and_as_many_as_losses():
    for factor in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="the weights of a sum of losses must be finite"):
            factor * PARTS[0]
    with pytest.raises(ValueError, match="needs losses and as many weights, received 3 and 1"):
        WeightedSum(PARTS, [1.0])
    with pytest.raises(ValueError, match="needs losses and as many weights, received 0 and 0"):
        WeightedSum([], [])
