"""The first step is not traced twice, which TensorFlow does where variables are made in it."""

import keras
import numpy as np
import pytest

import semseg
from semseg.training import Recipe, compiled_model, find_learning_rate, stream

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="traces are TensorFlow's"
)


@pytest.fixture
def traces(monkeypatch):
    found, step = [], keras.Model.train_step

    def counted(model, data):
        found.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    return found


@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_recipes_step_is_traced_once(traces, ema):
    ds = semseg.data.digits("train", count=4, size=(32, 32))
    recipe = Recipe(
        model_arguments={"depth": 1, "filters": 2}, steps=4, steps_per_epoch=2, warmup=1, ema=ema
    )
    model = compiled_model(ds, recipe)
    model.fit(stream(ds, recipe), steps_per_epoch=2, epochs=2, shuffle=False, verbose=0)
    assert len(traces) == 1


def test_a_range_test_is_traced_once(traces):
    x = np.linspace(-1, 1, 16, dtype="float32")[:, None]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    find_learning_rate(model, [(x, 3 * x)], steps=10)
    assert len(traces) == 1
