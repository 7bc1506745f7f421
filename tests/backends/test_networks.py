"""Architectures on JAX (compiled) and PyTorch: the logits and gradients of TensorFlow."""

import keras
import numpy as np
import pytest
from network_values import EXPECTED, NETWORKS, network, numbers

import semseg


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_and_gradients_are_those_of_tensorflow(name):
    assert numbers(name) == pytest.approx(EXPECTED[name], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", ["fcn8s", "segnet_basic"])
def test_a_network_is_trained_and_saved(name, tmp_path):
    model, rng = network(name), np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 37, 45, 3), np.uint8)
    masks = (images[..., 0] > 127).astype("uint8")
    model.compile(keras.optimizers.Adam(1e-2), semseg.losses.Crossentropy())
    history = model.fit(images, masks, batch_size=2, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    model.save(tmp_path / "model.keras")
    again = semseg.models.load(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-5
    )
