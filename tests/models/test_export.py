"""Exported models give the numbers of the Keras model, at any size."""

import keras
import numpy as np
import pytest
from architectures import MODELS, built, pictures
from keras import layers

from semseg.layers import (
    BilinearUpsampling2D,
    CropLike,
    LearnedUpsampling2D,
    LocalResponseNormalization,
    MaxPooling2DWithIndices,
    MaxUnpooling2D,
    PadToMultiple,
    PixelRescaling,
)

pytest.importorskip("tensorflow")
import exported

SIZES = [(37, 51), (64, 48), (5, 5), (1, 1)]


def onnx_or_skip(model, folder):
    pytest.importorskip("tf2onnx", reason="ONNX export needs tf2onnx and onnxruntime")
    pytest.importorskip("onnxruntime")
    return exported.onnx(model, folder)


FORMATS = {"SavedModel": exported.saved_model, "LiteRT": exported.litert, "ONNX": onnx_or_skip}


def pair_of(p):
    """Pooling with indices and unpooling, between convolutions, without a fixed size."""
    image = keras.Input((None, None, 3))
    x = before = layers.Conv2D(4, 3, padding="same")(image)
    x, indices = MaxPooling2DWithIndices(p)(x)
    x = layers.Conv2D(4, 3, padding="same")(x)
    return keras.Model(image, MaxUnpooling2D(p)([x, indices, before]))


def all_other_layers():
    image = keras.Input((None, None, 3))
    x = PixelRescaling()(image)
    x = LocalResponseNormalization()(x)
    x = PadToMultiple(8)(x)
    x = layers.Conv2D(4, 8, strides=8)(x)
    x = BilinearUpsampling2D(4)(x)
    x = LearnedUpsampling2D(2)(x)
    return keras.Model(image, CropLike()([x, image]))


SMALL = {
    "pooling by 2": lambda: pair_of(2),
    "pooling by 3": lambda: pair_of(3),
    "all other layers": all_other_layers,
}
WHOLE = ["unet", "unet bilinear", "fcn8s", "segnet_basic"]


# Warnings of the converters: TensorFlow's LiteRT interpreter says that it will move, Keras exports
# through what TensorFlow calls deprecated, tf2onnx asks NumPy for old names.
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", [*SMALL, *WHOLE])
def test_an_exported_model_gives_the_same_numbers(name, form, tmp_path):
    assert set(WHOLE) <= set(MODELS)
    model = SMALL[name]() if name in SMALL else built(name)
    model(pictures(model, (8, 8)))  # ONNX export wants a model that has been called
    run = FORMATS[form](model, tmp_path)
    for size in SIZES:
        images = pictures(model, size).astype("float32")
        np.testing.assert_allclose(run(images), model(images), rtol=1e-4, atol=1e-4)
