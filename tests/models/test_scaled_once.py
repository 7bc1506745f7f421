"""Pixels are scaled once, whatever an encoder is given as."""

import keras
import numpy as np
import pytest
from nested_encoder import pyramid

from semseg.layers import ImageNetScaling, PixelRescaling
from semseg.layers.pixel_scaling import SCALINGS
from semseg.models import FCN, UNet, encoder


def scalings(model):
    return [type(layer) for layer in model._flatten_layers() if isinstance(layer, SCALINGS)]


def scaling_pyramid(scaling):
    """An encoder of one's own that begins with a scaling layer."""
    image = keras.Input((None, None, 3))
    return keras.Model(image, pyramid("P3", "P4", "P5")(scaling(image)), name="mine")


def unet(**options):
    return UNet(num_classes=2, filters=2, **options)


def fcn(**options):
    return FCN(num_classes=2, fc_units=2, **options)


sixteen_bits = PixelRescaling(1 / 65535, 0.0)


@pytest.mark.parametrize("builder", [unet, fcn])
@pytest.mark.parametrize(
    ("own", "preprocessing", "expected"),
    [
        (None, "rescale", [PixelRescaling]),
        (None, None, []),
        (ImageNetScaling("caffe"), "rescale", [ImageNetScaling]),
        (keras.layers.Rescaling(1 / 255), "rescale", [keras.layers.Rescaling]),
        (ImageNetScaling("caffe"), None, [ImageNetScaling]),
        ("mobilenetv2", "rescale", [ImageNetScaling]),
        ("mobilenetv2", None, []),
        ("mobilenetv2", sixteen_bits, [PixelRescaling]),
    ],
)
def test_a_model_has_one_scaling_at_most(builder, own, preprocessing, expected):
    if own is None:
        own = pyramid("P3", "P4", "P5")
    elif isinstance(own, keras.layers.Layer):
        own = scaling_pyramid(own)
    assert scalings(builder(encoder=own, preprocessing=preprocessing)) == expected


def test_an_encoder_means_the_same_by_name_as_a_model_and_on_scaled_pictures():
    named = unet(encoder="mobilenetv2")
    given = unet(encoder=encoder("mobilenetv2"))
    scaled = unet(encoder="mobilenetv2", preprocessing=None)
    for other in (given, scaled):
        other.set_weights(named.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (1, 37, 53, 3), np.uint8)
    expected = np.asarray(named(images))
    np.testing.assert_allclose(np.asarray(given(images)), expected, rtol=1e-5, atol=1e-6)
    # The padding of pictures that are scaled already is 0 as well: it follows the scaling.
    pixels = images / np.float32(127.5) - 1
    np.testing.assert_allclose(np.asarray(scaled(pixels)), expected, rtol=1e-4, atol=1e-5)
