"""Which layer of a model scales its pixels, and for which pixels it is made."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from semseg.layers.ends import PixelRescaling
from semseg.layers.imagenet import ImageNetScaling
from semseg.layers.normalization import LocalResponseNormalization

SCALINGS = (
    PixelRescaling,
    ImageNetScaling,
    LocalResponseNormalization,
    keras.layers.Rescaling,
    keras.layers.Normalization,
)


def scaling_of(model: keras.Model) -> Any:
    """The first layer that scales pixels, in nested models too; None where none does."""
    return next((layer for layer in before_features(model) if isinstance(layer, SCALINGS)), None)


def takes_bytes(layer: Any) -> bool:
    """Whether a scaling layer is made for [0, 255]."""
    if isinstance(layer, keras.layers.Normalization):
        return False  # it is made for whatever its statistics were taken of
    if isinstance(layer, keras.layers.Rescaling | PixelRescaling):
        scale = np.abs(np.asarray(layer.scale, np.float64)).max()
        return bool(0.3 < scale * 255 < 8)  # to [0, 1], [-1, 1], or by a deviation
    return isinstance(layer, SCALINGS)


def before_features(model: keras.Model) -> Iterator[Any]:
    """The layers before the first that has a kernel: what they give are pixels still."""
    for layer in _in_order(model):
        if hasattr(layer, "kernel"):
            return
        yield layer


def _in_order(layer: Any) -> Iterator[Any]:
    """The layers inside, those of nested models in their places."""
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        yield inner
        yield from _in_order(inner)
