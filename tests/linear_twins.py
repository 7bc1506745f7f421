"""Twins of models that hide nothing: positive weights, averages in the place of maxima, linear.

What a pixel depends on then shows in its gradient, to the last input pixel.
"""

import keras
import numpy as np
from keras import layers, ops

from semseg._backend import input_gradient
from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D


class MeanPoolingTwice(layers.Layer):
    """Instead of MaxPooling2DWithIndices: what depends on a window, two times."""

    def call(self, x):
        pooled = ops.average_pool(x, 2, padding="same")
        return pooled, pooled


class Spreading(layers.Layer):
    """Instead of MaxUnpooling2D: what may be anywhere in a window is everywhere."""

    def call(self, inputs):
        x, indices, like = inputs
        height, width = ops.shape(like)[1:3]
        return ops.repeat(ops.repeat(x + indices, 2, 1), 2, 2)[:, :height, :width]


def linear_twin(model):
    """The same graph with every hidden dependence brought to light."""

    def replaced(layer):
        config = {"name": layer.name, "dtype": "float32"}
        if isinstance(layer, layers.MaxPooling2D):
            options = {k: getattr(layer, k) for k in ("pool_size", "strides", "padding")}
            return layers.AveragePooling2D(**options, **config)
        if isinstance(layer, MaxPooling2DWithIndices):
            return MeanPoolingTwice(**config)
        if isinstance(layer, MaxUnpooling2D):
            return Spreading(**config)
        return layer.__class__.from_config(layer.get_config())

    return positive(keras.models.clone_model(model, clone_function=replaced))


def positive(model):
    """The model itself, with kernels that average."""
    for layer in model._flatten_layers():
        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        for weight in layer.weights:
            if not isinstance(layer, keras.Model) and len(weight.shape) == 4:
                read = np.prod(weight.shape[: 2 if depthwise else 3])
                weight.assign(np.full(weight.shape, 1 / read, "float32"))
    return model


def dependence(model, length, outputs, axis=1, across=1, bright=1.0):
    """(outputs, length): which columns of a picture some columns of the output depend on.

    Args:
        model: linear and positive; None as height and width.
        length: of the picture along the axis.
        outputs: positions in the output.
        axis: 0 asks for rows instead.
        across: the other side of the picture.
        bright: the value of all pixels.
    """
    shape = (len(outputs), across, length) if axis else (len(outputs), length, across)
    pictures = np.full((*shape, model.input.shape[-1]), bright, "float32")

    def picked(x):
        y = model(x)
        y = y if axis else ops.transpose(y, (0, 2, 1, 3))
        return sum(y[i, :, o] for i, o in enumerate(outputs))

    return input_gradient(picked, pictures).sum(axis=(3, 2 - axis)) > 0
