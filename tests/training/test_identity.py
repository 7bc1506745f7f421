"""What makes two runs the same, and how a difference is said."""

import keras
import numpy as np
import pytest

from semseg.training.identity import check_same, identity


def numbered(units=3, loss="mse"):
    """Names by Keras, which counts on within a process."""
    layers = [keras.layers.Dense(units), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.Adam(0.1), loss)
    model.optimizer.build(model.trainable_variables)
    return model


def test_a_model_built_again_is_the_same_though_its_names_count_on():
    one, other = numbered(), numbered()
    assert one.layers[0].name != other.layers[0].name
    assert identity(one, 3, []) == identity(other, 3, [])
    check_same(identity(one, 3, []), identity(other, 3, []), "state.npz")


def test_a_lambda_and_a_loss_without_config_are_no_obstacle():
    class Odd(keras.losses.Loss):
        def get_config(self):
            raise RuntimeError("no")

    for loss in (lambda truth, pred: keras.ops.mean(pred), Odd()):
        found = identity(numbered(loss=loss), 3, [])
        assert found == identity(numbered(loss=loss), 3, [])


def test_a_model_without_config_is_told_by_its_variables():
    class Own(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.dense = keras.layers.Dense(units)

        def call(self, x):
            return self.dense(x)

        def get_config(self):
            raise NotImplementedError

    def own(units):
        model = Own(units)
        model(np.zeros((1, 4)))
        model.compile("sgd", "mse")
        model.optimizer.build(model.trainable_variables)
        return identity(model, 1, [])

    assert own(2) == own(2)
    with pytest.raises(ValueError, match=r"variables.*\(4, 2\) float32' there, .*\(4, 3\) float32"):
        check_same(own(2), own(3), "state.npz")


def test_all_is_said_up_to_five_differences():
    there, here = dict.fromkeys("abcdefg", 0), dict.fromkeys("bcdefgh", 1)
    with pytest.raises(ValueError, match=r"^x belongs to another run \(a: 0 there, 'nothing' here; "
                       r"b: 0 there, 1 here; .*; e: 0 there, 1 here; and 3 more\)"):  # fmt: skip
        check_same(there, here, "x")
    check_same({"nan": float("nan")}, {"nan": float("nan")}, "x")


def test_where_and_how_loudly_a_callback_works_is_no_recipe():
    def of(callback):
        return identity(numbered(), 1, [callback])["callbacks"]

    checkpoint = keras.callbacks.ModelCheckpoint
    assert of(checkpoint("a.keras", verbose=1)) == of(checkpoint("b.keras"))
    assert of(checkpoint("a.keras", "loss")) != of(checkpoint("a.keras", "val_loss"))
