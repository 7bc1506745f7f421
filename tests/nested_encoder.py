"""A small U-Net on a nested encoder, in the place of one from `keras.applications`."""

import keras
from keras import layers

from semseg.layers import PadToMultiple
from semseg.models import UNet


def encoder():
    """Features at strides 2, 4 and 8."""
    inputs = layers.Input((None, None, 3))
    x, pyramid = PadToMultiple(8, name="pad")(inputs), {}
    for level in (1, 2, 3):
        x = layers.Conv2D(2, 3, 2, "same", name=f"down_{level}")(x)
        x = pyramid[f"P{level}"] = layers.ReLU(name=f"relu_{level}")(x)
    return keras.Model(inputs, pyramid, name="encoder")


def nested_unet():
    return UNet(num_classes=2, filters=2, encoder=encoder())
