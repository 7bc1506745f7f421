"""Small variants of every architecture. A new one is lines in MODELS and one in BUILDERS."""

import functools

import keras
import numpy as np

from semseg.classes import ClassMap
from semseg.models import UNet

ROAD = ClassMap(["sky", "road", "car"], ignore_class=255, remap={7: 1})
CELLS = ClassMap(["background", "cell"])

BUILDERS = {"unet": functools.partial(UNet, filters=4)}

unet = functools.partial(UNet, depth=1, filters=4)
MODELS = {
    "unet": functools.partial(unet, num_classes=5, depth=2),
    "unet binary": functools.partial(unet, num_classes=1),
    "unet with classes": functools.partial(unet, class_map=ROAD),
    "unet binary with classes": functools.partial(unet, num_classes=1, class_map=CELLS),
    "unet without normalisation": functools.partial(unet, num_classes=3, norm=None),
    "unet group norm": functools.partial(unet, num_classes=3, norm="group", filters=8),
    "unet layer norm": functools.partial(unet, num_classes=3, norm="layer"),
    "unet dropout": functools.partial(unet, num_classes=3, dropout=0.5),
    "unet softmax": functools.partial(unet, num_classes=3, activation="softmax"),
    "unet sigmoid": functools.partial(unet, num_classes=1, activation="sigmoid"),
    "unet grey": functools.partial(unet, num_classes=3, input_shape=(None, None, 1)),
    "unet four channels": functools.partial(unet, num_classes=3, input_shape=(None, None, 4)),
    "unet depth 3": functools.partial(unet, num_classes=3, depth=3, filters=2),
}


@functools.cache
def built(name):
    """A variant whose biases and normalisations are no longer those of its start."""
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    rng = np.random.default_rng(2)
    weights = model.get_weights()
    model.set_weights([w + rng.uniform(-0.2, 0.2, w.shape) * (w.ndim == 1) for w in weights])
    return model


def pictures(model, size, batch=1, seed=3):
    """Random uint8 images for a model."""
    shape = (batch, *size, model.input.shape[-1])
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
