"""Which layer scales a model's pixels, and whether it is made for bytes."""

import keras
import pytest
from keras import layers
from narrow import narrowed

from semseg.layers import ImageNetScaling, LocalResponseNormalization, PixelRescaling
from semseg.layers.pixel_scaling import scaling_of, takes_bytes
from semseg.models import FCN, SegNetBasic, UNet


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (PixelRescaling(), True),
        (layers.Rescaling(1 / 255), True),
        (layers.Rescaling([1 / 58.4, 1 / 57.1, 1 / 57.4]), True),
        (ImageNetScaling("torch"), True),
        (LocalResponseNormalization(), True),
        (PixelRescaling(1 / 65535, 0.0), False),
        (PixelRescaling(2.0, -1.0), False),
        (layers.Normalization(mean=0.0, variance=1.0), False),
        (layers.Conv2D(2, 3), False),
        (None, False),
    ],
)
def test_a_layer_is_made_for_bytes_or_not(layer, expected):
    assert takes_bytes(layer) == expected


def test_the_first_layer_that_scales_is_found_in_nested_models_too():
    image = keras.Input((None, None, 3))
    inner = keras.Model(image, layers.Conv2D(2, 1)(ImageNetScaling("tf", name="inside")(image)))
    outer = keras.Input((None, None, 3))
    assert scaling_of(keras.Model(outer, inner(outer))).name == "inside"
    before = PixelRescaling(name="before")(outer)
    assert scaling_of(keras.Model(outer, inner(before))).name == "before"


def test_what_scales_features_is_no_scaling_of_pixels():
    model = narrowed(FCN, 2)(num_classes=2, fc_units=2, at_once=True, preprocessing=None)
    assert "pool4_scale" in [layer.name for layer in model.layers]
    assert scaling_of(model) is None
    assert scaling_of(UNet(num_classes=2, depth=1, filters=2, preprocessing=None)) is None
    assert isinstance(scaling_of(SegNetBasic(num_classes=2, filters=2)), LocalResponseNormalization)
