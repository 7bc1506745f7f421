"""Seg-Grad-CAM's gradients are the same on every backend."""

import keras
import numpy as np
from keras import layers

from semseg.analysis import class_activation


def test_the_map_is_the_formula_in_closed_form():
    x = inputs = layers.Input((None, None, 3))
    x = layers.AveragePooling2D(4)(x)
    x = layers.UpSampling2D(4)(layers.Conv2D(3, 1, name="features")(x))
    model = keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax", name="scores")(x))
    rng = np.random.default_rng(0)
    image = rng.normal(size=(12, 16, 3)).astype("float32")
    region = rng.random((12, 16)) < 0.2
    found = class_activation(model, image, 1, region)
    (own, bias), (head, _) = (model.get_layer(n).get_weights() for n in ("features", "scores"))
    features = image.reshape(3, 4, 4, 4, 3).mean(axis=(1, 3)) @ own[0, 0] + bias
    cells = np.maximum(features @ (region.sum() * head[0, 0, :, 1] / 12), 0)
    # At the corners a map is what its cells are.
    np.testing.assert_allclose(found.map[::11, ::15], cells[::2, ::3], rtol=1e-4, atol=1e-6)
    assert found.stage == "bottleneck" and found.map.any()
