"""One optimizer for the encoder and one for the rest, in Keras that has MultiOptimizer."""

import keras
import numpy as np
import pytest

import semseg
from semseg.training import AdamW, encoder_decoder_optimizer

needs_it = pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)


def unet(encoder=None):
    return semseg.models.UNet(num_classes=2, depth=1, filters=2, encoder=encoder)


def nested():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(2, 3, padding="same", name="first")(image)
    x = keras.layers.MaxPooling2D()(x)
    return unet(keras.Model(image, {"P1": x}, name="encoder"))


def values(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


@needs_it
@pytest.mark.parametrize("make", [unet, nested])
def test_only_the_decoder_moves_where_the_encoder_has_no_rate(make):
    model = make()
    optimizer = encoder_decoder_optimizer(
        model, keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1)
    )
    before = values(model.trainable_variables)
    ones = [np.ones(v.shape, "float32") for v in model.trainable_variables]
    optimizer.apply(list(map(keras.ops.convert_to_tensor, ones)), model.trainable_variables)
    moved = {
        v.path: bool((a != b).any())
        for v, a, b in zip(
            model.trainable_variables, values(model.trainable_variables), before, strict=True
        )
    }
    of_encoder = {path for path in moved if path.startswith(("encoder", "first"))}
    assert 0 < len(of_encoder) < len(moved)
    assert {path for path in moved if not moved[path]} == of_encoder


@needs_it
@pytest.mark.slow
def test_both_come_back_with_a_saved_model(tmp_path):
    model = unet()
    model.compile(encoder_decoder_optimizer(model, AdamW(1e-4), AdamW(1e-2)), "mse")
    images, masks = np.ones((1, 8, 8, 3), "uint8"), np.zeros((1, 8, 8, 2))
    model.train_on_batch(images, masks)
    model.save(tmp_path / "model.keras")
    again = semseg.models.load(tmp_path / "model.keras")
    assert [float(part.learning_rate) for part in again.optimizer.optimizers] == pytest.approx(
        [float(part.learning_rate) for part in model.optimizer.optimizers]
    )
    for a, b in zip(
        values(again.optimizer.variables), values(model.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    for each in (model, again):
        each.train_on_batch(images, masks)
    for a, b in zip(values(again.variables), values(model.variables), strict=True):
        np.testing.assert_array_equal(a, b)


@needs_it
def test_a_model_without_encoder_is_refused():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="plain")
    with pytest.raises(ValueError, match="must have an encoder with trainable .*'plain' has none"):
        encoder_decoder_optimizer(model, AdamW(), AdamW())


def test_an_older_keras_is_told(monkeypatch):
    monkeypatch.delattr(keras.optimizers, "MultiOptimizer", raising=False)
    with pytest.raises(ImportError, match=r"MultiOptimizer, received Keras .*install keras>=3.15"):
        encoder_decoder_optimizer(unet(), AdamW(), AdamW())
