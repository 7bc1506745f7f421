"""Exported models give the numbers of the Keras model, at any size."""

import functools

import keras
import numpy as np
import pytest
from architectures import built, pictures
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
# Whole networks are those layers many times over; and a window of 3 is one of 2 with other numbers.
OFTEN = ["pooling by 2", "all other layers", "unet"]
NIGHTLY = ["pooling by 3", "unet bilinear", "fcn8s", "segnet_basic"]
NAMES = [*OFTEN, *(pytest.param(name, marks=pytest.mark.slow) for name in NIGHTLY)]


@functools.cache
def reference(name):
    """The Keras model, pictures of all sizes, and what the model says of them."""
    model = SMALL[name]() if name in SMALL else built(name)
    model(pictures(model, (8, 8)))  # ONNX export wants a model that has been called
    images = [pictures(model, size).astype("float32") for size in SIZES]
    return model, images, [np.asarray(model(image)) for image in images]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a model's SavedModel, which LiteRT is made from too."""

    @functools.cache
    def folder(name):
        return exported.save(reference(name)[0], tmp_path_factory.mktemp("exported"))

    return folder


# Warnings of the converters: TensorFlow's LiteRT interpreter says that it will move, Keras exports
# through what TensorFlow calls deprecated, tf2onnx asks NumPy for old names.
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_an_exported_model_gives_the_same_numbers(name, form, saved, tmp_path):
    model, images, expected = reference(name)
    run = onnx_or_skip(model, tmp_path) if form == "ONNX" else FORMATS[form](saved(name))
    for image, logits in zip(images, expected, strict=True):
        np.testing.assert_allclose(run(image), logits, rtol=1e-4, atol=1e-4)
