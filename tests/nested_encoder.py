"""Small encoders of one's own, in the place of those from `keras.applications`."""

import keras
from keras import layers

from semseg.layers import PadToMultiple
from semseg.models import UNet


def encoder():
    """Features at strides 2, 4 and 8 of a padded picture."""
    inputs = layers.Input((None, None, 3))
    x, pyramid = PadToMultiple(8, name="pad")(inputs), {}
    for level in (1, 2, 3):
        x = layers.Conv2D(2, 3, 2, "same", name=f"down_{level}")(x)
        x = pyramid[f"P{level}"] = layers.ReLU(name=f"relu_{level}")(x)
    return keras.Model(inputs, pyramid, name="encoder")


def nested_unet():
    return UNet(num_classes=2, filters=2, encoder=encoder())


def pyramid(*keys, padding="same"):
    """Features of a few levels, of a picture as it comes."""
    x = image = layers.Input((None, None, 3))
    features = {}
    for level in range(1, 6):
        x = layers.MaxPooling2D(2, padding=padding)(x)
        x = layers.Conv2D(4, 3, padding="same", name=f"features_{level}")(x)
        x = layers.BatchNormalization(name=f"norm_{level}")(x)
        features[f"P{level}"] = x
    return keras.Model(image, {key: features[key] for key in keys}, name="encoder")
