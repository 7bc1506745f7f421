"""Pretrained VGG16 weights in FCN and SegNet."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from semseg.models.encoders import adapt_channels, is_imagenet, read_weights, weights_file
from semseg.models.vgg import VGG16_BLOCKS

_DENSE = {"fc1": "fc6", "fc2": "fc7"}  # Keras's names of the layers that FCN makes convolutions

_DENSE_UNITS = 4096


def load_vgg16(model: keras.Model, weights: Any, layer_name: Callable[[int, int], str]) -> None:
    """Fills a model's VGG16 convolutions, and fc6 and fc7 where it and the source have them.

    Args:
        model: FCN or SegNet.
        weights: "imagenet" for Keras's download, or a weights file of `keras.applications.VGG16`
            for three channels, with or without the dense layers.
        layer_name: (block, convolution), both from 1 on -> the name of the model's layer.
    """
    source = _source(weights, _takes_dense(model))
    for block, (repeats, _) in enumerate(VGG16_BLOCKS, start=1):
        for i in range(1, repeats + 1):
            kernel, bias = source.get_layer(f"block{block}_conv{i}").get_weights()
            _set(model.get_layer(layer_name(block, i)), kernel, bias)
    has_dense = {layer.name for layer in source.layers} >= set(_DENSE)
    convolutions = {layer.name: layer for layer in model.layers}
    if has_dense and set(_DENSE.values()) <= set(convolutions):
        _set_dense(source, convolutions)


def _takes_dense(model: keras.Model) -> bool:
    """Whether fc6 is there and as wide as VGG16's."""
    return any(layer.name == "fc6" and layer.filters == _DENSE_UNITS for layer in model.layers)


def _set_dense(source: keras.Model, convolutions: dict[str, Any]) -> None:
    """Dense weights as convolutions: fc1 saw the 7x7x512 features row by row."""
    kernel, bias = source.get_layer("fc1").get_weights()
    if convolutions["fc6"].kernel.shape[-1] != kernel.shape[-1]:
        return  # a smaller fc_units: those layers are learnt anew
    _set(convolutions["fc6"], kernel.reshape(7, 7, -1, kernel.shape[-1]), bias)
    kernel, bias = source.get_layer("fc2").get_weights()
    _set(convolutions["fc7"], kernel[None, None], bias)


def _set(layer: Any, kernel: np.ndarray, bias: np.ndarray) -> None:
    own = tuple(layer.kernel.shape)
    if own != kernel.shape:
        kernel = adapt_channels(kernel, own[2])
    layer.set_weights([kernel, bias][: len(layer.weights)])


def _source(weights: Any, dense: bool) -> keras.Model:
    if is_imagenet(weights):
        return _downloaded(dense)
    path = weights_file(weights, "encoder_weights")
    errors = []
    # Of Keras's newer format a smaller model reads its part of a larger file without a word: where
    # the dense layers are wanted, the larger one must be tried first.
    for include_top in (True, False) if dense else (False, True):
        source = keras.applications.VGG16(include_top=include_top, weights=None)
        try:
            read_weights(source, path)
        except (ValueError, KeyError, OSError) as error:
            errors.append(f"{'with' if include_top else 'without'} dense layers: {error}")
        else:
            return source
    raise ValueError(
        f"encoder_weights must be a weights file of keras.applications.VGG16, {str(path)!r} "
        f"is not ({'; '.join(errors)})"
    )


def _downloaded(dense: bool) -> keras.Model:
    try:
        return keras.applications.VGG16(include_top=dense, weights="imagenet")
    except Exception as error:  # whatever the network and Keras's downloader raise
        raise ValueError(
            f"the ImageNet weights of VGG16 could not be downloaded ({error}); download the file "
            "that keras.applications.VGG16 names, and pass its path as encoder_weights="
        ) from error
