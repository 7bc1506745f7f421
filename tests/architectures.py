"""Small variants of every architecture. A new one is lines in MODELS and one in BUILDERS.

MODELS have few filters, as no law of a family knows of the width; BUILDERS have the papers' widths.
"""

import functools

import keras
import numpy as np
from narrow import narrowed

from semseg.classes import ClassMap
from semseg.models import FCN, SegNet, SegNetBasic, UNet

ROAD = ClassMap(["sky", "road", "car"], ignore_class=255, remap={7: 1})
CELLS = ClassMap(["background", "cell"])

BUILDERS = {
    "unet": functools.partial(UNet, depth=2, filters=16),
    "fcn": functools.partial(FCN, fc_units=16),
    "segnet": SegNet,
    "segnet_basic": SegNetBasic,
}

unet = functools.partial(UNet, depth=1, filters=4)
fcn = functools.partial(narrowed(FCN), fc_units=8)
segnet, segnet_basic = narrowed(SegNet), narrowed(SegNetBasic)
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
    "unet bilinear": functools.partial(unet, num_classes=3, upsampling="bilinear"),
    "unet on an encoder": functools.partial(
        UNet, num_classes=3, filters=2, encoder="mobilenetv2", name="encoded"
    ),
    "fcn8s": functools.partial(fcn, num_classes=3),
    "fcn32s pad100": functools.partial(fcn, num_classes=3, variant="32s", padding="pad100"),
    "fcn16s learnt": functools.partial(fcn, class_map=ROAD, variant="16s", learned_upsampling=True),
    "segnet": functools.partial(segnet, num_classes=3),
    "segnet_basic": functools.partial(segnet_basic, class_map=ROAD),
    "segnet_basic bayesian binary": functools.partial(segnet_basic, num_classes=1, bayesian=True),
    "unet depth 3": functools.partial(unet, num_classes=3, depth=3, filters=2),
}


@functools.cache
def built(name):
    """A variant whose biases and normalisations are no longer those of its start."""
    keras.utils.set_random_seed(1)
    return perturbed(MODELS[name]())


def perturbed(model):
    """The model with biases, normalisations and zero-initialised scores moved from their start."""
    rng = np.random.default_rng(2)
    weights = model.get_weights()
    model.set_weights([w + rng.uniform(-0.2, 0.2, w.shape) * (w.ndim == 1) for w in weights])
    for layer in model.layers:
        if layer.name.startswith("score_") and layer.weights and not layer.name.endswith("_up"):
            layer.set_weights([rng.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    return model


def pictures(model, size, batch=1, seed=3):
    """Random uint8 images for a model."""
    shape = (batch, *size, model.input.shape[-1])
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def balanced(model):
    """The model with a last bias that lets every class win somewhere; 92 suits "valid" ones too."""
    bias = model.weights[-1]
    if bias.shape == (model.output.shape[-1],):
        images = np.random.default_rng(0).integers(0, 256, (1, 92, 92, 3), np.uint8)
        logits = keras.ops.convert_to_numpy(model(images, training=False))
        bias.assign(bias - np.median(logits, axis=(0, 1, 2)))
    return model
