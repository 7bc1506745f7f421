"""What one layer reads: which places of its input one place of its output depends on.

Height and width are taken one at a time: every window here is a rectangle. A layer is served by
its exact class; what is in none of the tables is refused by name, as a guess would make tiles and
pictures silently wrong.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import layers

from semseg.analysis.graph import Graph, Node
from semseg.layers import (
    BatchNormalization,
    BilinearUpsampling2D,
    CropLike,
    ImageNetScaling,
    LearnedUpsampling2D,
    LocalResponseNormalization,
    Logits,
    MaxPooling2DWithIndices,
    MaxUnpooling2D,
    PadToMultiple,
    PixelRescaling,
)
from semseg.models.unet_sizes import ValidSize


class Reach(NamedTuple):
    """Output o reads the inputs i with `0 <= i * up - (o * down - before) <= span`.

    A convolution has `up` 1, a transposed convolution `down` 1.

    Attributes:
        down, up: strides.
        before, span: where the window begins and how far it goes, in units of 1 / up inputs.
        grows: what the size gains before it is divided, in the same units.
    """

    down: int = 1
    up: int = 1
    before: int = 0
    span: int = 0
    grows: int = 0

    def back(self, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and last input that the outputs `first`..`last` read."""
        begin = -((self.before - first * self.down) // self.up)
        end = (last * self.down - self.before + self.span) // self.up
        # A transposed convolution whose kernel is smaller than its stride has places that read
        # nothing: they count as reading a neighbour.
        return np.minimum(begin, end), np.maximum(begin, end)

    def length(self, length: int) -> int:
        """Height or width of the output for that of the input."""
        return (length * self.up + self.grows) // self.down


class Reads(NamedTuple):
    """What a call reads of each of its inputs, None for those that only lend their size.

    Attributes:
        reaches: one for each input.
        like: the input whose size the output has, or None.
    """

    reaches: tuple[Reach | None, ...]
    like: int | None = None


def reads_of(node: Node, graph: Graph, axis: int, length: int) -> Reads:
    """What a call reads along height (axis 0) or width (axis 1).

    Args:
        node, graph: the call.
        axis: 0 or 1.
        length: height or width of its first input, on which Keras's "same" padding depends.

    Raises:
        ValueError: a layer that reads the whole picture, or that is unknown.
    """
    layer = node.operation
    _check_maps(node, graph)
    name = _qualified(layer)
    if type(layer) in _WHOLE:
        raise ValueError(f"layer {node.name!r} ({type(layer).__name__}) {_WHOLE[type(layer)]}")
    if type(layer) in _SIZED:
        return _SIZED[type(layer)](layer)
    if type(layer) in _WINDOWS:
        return Reads((_WINDOWS[type(layer)](layer, axis, length),))
    if type(layer) in _POINTWISE or name in _POINTWISE_NAMES:
        _check_axes(node, len(graph.tensors[node.inputs[0]].shape))
        return Reads((Reach(),) * len(node.inputs))
    raise ValueError(
        f"layer {node.name!r} ({name}) is of a kind whose reach is not known; compose it of Keras "
        "layers, or ask for the output of a layer before it"
    )


# -- windows -------------------------------------------------------------------------------------


def _gather(kernel: int, stride: int, padding: str, length: int) -> Reach:
    """Of a convolution or pooling."""
    if padding == "same":
        padded = max(kernel - (length % stride or stride), 0)
        return Reach(down=stride, before=padded // 2, span=kernel - 1, grows=stride - 1)
    return Reach(down=stride, span=kernel - 1, grows=stride - kernel)


def _scatter(kernel: int, stride: int, before: int, grows: int = 0) -> Reach:
    """Of an input that goes to `kernel` outputs, the first of them `before` its own."""
    return Reach(up=stride, before=kernel - 1 - before, span=kernel - 1, grows=grows)


def _convolution(layer: Any, axis: int, length: int) -> Reach:
    # SeparableConv2D keeps its numbers as they were given.
    dilation, stride = (_both(n)[axis] for n in (layer.dilation_rate, layer.strides))
    kernel = (layer.kernel_size[axis] - 1) * dilation + 1
    return _gather(kernel, stride, layer.padding, length)


def _transposed(layer: Any, axis: int, length: int) -> Reach:
    stride = layer.strides[axis]
    kernel = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    if layer.output_padding is not None:  # as Keras computes the size of the output
        cut = 2 * (kernel // 2) if layer.padding == "same" else 0
        cut -= _both(layer.output_padding)[axis]
        return _scatter(kernel, stride, max(cut, 0) // 2, grows=kernel - stride - cut)
    spare = max(kernel - stride, 0)
    if layer.padding == "same":
        return _scatter(kernel, stride, spare // 2)
    return _scatter(kernel, stride, 0, grows=spare)


def _both(number: Any) -> tuple[int, int]:
    return (number, number) if isinstance(number, int) else tuple(number)


def _pooling(layer: Any, axis: int, length: int) -> Reach:
    return _gather(layer.pool_size[axis], layer.strides[axis], layer.padding, length)


def _pooling_with_indices(layer: Any, axis: int, length: int) -> Reach:
    return _gather(layer.pool_size, layer.pool_size, "same", length)


# How many inputs the kernels of interpolation reach to each side.
_RADIUS = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


def _interpolation(factor: int, kind: str) -> Reach:
    if kind == "nearest":
        return _scatter(factor, factor, 0)
    radius = _RADIUS[kind]
    # Output o stands at (o + 1/2) / factor - 1/2 and reads what is nearer than `radius`.
    first = math.floor(factor * (0.5 - radius) - 0.5) + 1
    last = math.ceil(factor * (0.5 + radius) - 0.5) - 1
    return _scatter(last - first + 1, factor, -first)


def _upsampling(layer: Any, axis: int, length: int) -> Reach:
    return _interpolation(layer.size[axis], layer.interpolation)


def _bilinear(layer: Any, axis: int, length: int) -> Reach:
    return _interpolation(layer.factor, "bilinear")


def _learned(layer: Any, axis: int, length: int) -> Reach:
    return _scatter(layer.kernel_size, layer.factor, (layer.kernel_size - layer.factor) // 2)


def _zero_padding(layer: Any, axis: int, length: int) -> Reach:
    before, after = layer.padding[axis]
    return Reach(before=before, grows=before + after)


def _pad_to_multiple(layer: Any, axis: int, length: int) -> Reach:
    return Reach(grows=-length % layer.multiple)  # at the end: every place stays where it is


def _cropping(layer: Any, axis: int, length: int) -> Reach:
    before, after = layer.cropping[axis]
    return Reach(before=-before, grows=-before - after)


def _crop_like(layer: Any) -> Reads:
    return Reads((Reach(before=-layer.offset), None), like=1)


def _unpooling(layer: Any) -> Reads:
    reach = _scatter(layer.pool_size, layer.pool_size, 0)
    return Reads((reach, reach, None), like=2)


_WINDOWS: dict[type, Callable[[Any, int, int], Reach]] = {
    layers.Conv2D: _convolution,
    layers.DepthwiseConv2D: _convolution,
    layers.SeparableConv2D: _convolution,
    layers.Conv2DTranspose: _transposed,
    layers.MaxPooling2D: _pooling,
    layers.AveragePooling2D: _pooling,
    MaxPooling2DWithIndices: _pooling_with_indices,
    layers.UpSampling2D: _upsampling,
    BilinearUpsampling2D: _bilinear,
    LearnedUpsampling2D: _learned,
    layers.ZeroPadding2D: _zero_padding,
    layers.Cropping2D: _cropping,
    PadToMultiple: _pad_to_multiple,
}
_SIZED: dict[type, Callable[[Any], Reads]] = {CropLike: _crop_like, MaxUnpooling2D: _unpooling}

# -- place by place, in inference ----------------------------------------------------------------

_POINTWISE = {
    layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax,
    layers.BatchNormalization, layers.LayerNormalization, layers.UnitNormalization,
    layers.Normalization, layers.Rescaling, layers.Dense, layers.Identity,
    layers.Dropout, layers.SpatialDropout2D, layers.AlphaDropout, layers.GaussianDropout,
    layers.GaussianNoise, layers.ActivityRegularization,
    layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
    layers.Concatenate,
    BatchNormalization, ImageNetScaling, LocalResponseNormalization, Logits, PixelRescaling,
    ValidSize,
}  # fmt: skip

# What has no public class: `keras.ops` on tensors of a functional model, and layers inside
# `keras.applications`.
_POINTWISE_NAMES = {
    *(
        f"keras.src.ops.numpy.{name}"
        for name in (
            "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum", "Negative",
            "Absolute", "Square", "Sqrt", "Exp", "Log", "Clip", "Power", "Tanh",
        )
    ),
    *(
        f"keras.src.ops.nn.{name}"
        for name in (
            "Relu", "Relu6", "Sigmoid", "Silu", "Softplus", "Elu", "Gelu", "HardSigmoid",
            "HardSilu", "LeakyRelu",
        )
    ),
    "keras.src.ops.core.Cast",
    "keras.src.applications.convnext.LayerScale",
    "keras.src.applications.convnext.StochasticDepth",
}  # fmt: skip

# -- the whole picture ---------------------------------------------------------------------------

_ATTENDS = "attends to all places of the picture"
_WHOLE: dict[type, str] = {
    layers.GlobalAveragePooling2D: "averages over the whole picture",
    layers.GlobalMaxPooling2D: "takes the maximum of the whole picture",
    layers.GroupNormalization: "takes mean and variance over the whole picture",
    layers.Flatten: "puts all places into one vector",
    layers.MultiHeadAttention: _ATTENDS,
    layers.Attention: _ATTENDS,
    layers.AdditiveAttention: _ATTENDS,
}


def _check_axes(node: Node, rank: int) -> None:
    """Softmax, normalisations and concatenation must work along the channels."""
    layer = node.operation
    if isinstance(layer, layers.BatchNormalization | layers.Normalization):
        return  # constants in inference, along whatever axis
    axis = getattr(layer, "axis", -1)
    axes = [axis] if isinstance(axis, int) else list(axis)
    if any(a not in (-1, rank - 1) for a in axes):
        raise ValueError(
            f"layer {node.name!r} ({type(layer).__name__}) works along axis {axis}, "
            "which takes in whole rows or columns of the picture"
        )


def _check_maps(node: Node, graph: Graph) -> None:
    """Everything that a receptive field goes through is (batch, height, width, channels)."""
    layer = node.operation
    if getattr(layer, "data_format", None) == "channels_first":
        raise ValueError(
            f"layer {node.name!r} has data_format='channels_first'; pictures are "
            "(batch, height, width, channels) here"
        )
    if type(layer) in _WHOLE:
        return
    for tensor in (*node.inputs, *node.outputs):
        shape = graph.tensors[tensor].shape
        if len(shape) != 4:
            raise ValueError(
                f"layer {node.name!r} ({type(layer).__name__}) has a tensor of shape {shape}, "
                "which is no map (batch, height, width, channels): the whole picture may be in it"
            )


def _qualified(operation: Any) -> str:
    kind = type(operation)
    return f"{kind.__module__}.{kind.__qualname__}"
