"""How many multiplications with a weight one call makes."""

import math
from collections.abc import Callable
from typing import Any

from keras import layers

from semseg.analysis.graph import Graph, Node
from semseg.layers import LearnedUpsampling2D

Shape = tuple[int, ...]


def macs_of(node: Node, graph: Graph) -> int:
    """Multiply-accumulates of one call, for the shapes of the graph.

    What is done with a weight of a kernel counts; biases, normalisation, activations, pooling and
    interpolation, which are a few operations for each value, do not. A transposed convolution
    counts its kernel once for each input cell, as it is computed.

    Raises:
        ValueError: a layer with kernels whose arithmetic is not known.
    """
    operation = node.operation
    given, made = (graph.tensors[tensors[0]].shape for tensors in (node.inputs, node.outputs))
    if type(operation) in _MACS:
        return _MACS[type(operation)](operation, given, made)
    kernels = [w.name for w in getattr(operation, "weights", ()) if len(w.shape) > 1]
    if kernels and not isinstance(operation, layers.PReLU):
        raise ValueError(
            f"layer {node.name!r} ({type(operation).__name__}) has kernels ({', '.join(kernels)}), "
            "but how it multiplies with them is not known; compose it of Keras layers"
        )
    return 0


def _convolution(layer: Any, given: Shape, made: Shape) -> int:
    return math.prod(made) * math.prod(layer.kernel_size) * given[-1] // layer.groups


def _depthwise(layer: Any, given: Shape, made: Shape) -> int:
    return math.prod(made) * math.prod(layer.kernel_size)


def _separable(layer: Any, given: Shape, made: Shape) -> int:
    between = math.prod(made[:-1]) * given[-1] * layer.depth_multiplier
    return between * (math.prod(layer.kernel_size) + made[-1])


def _transposed(layer: Any, given: Shape, made: Shape) -> int:
    return math.prod(given) * math.prod(layer.kernel_size) * made[-1]


def _learned(layer: Any, given: Shape, made: Shape) -> int:
    return math.prod(given) * layer.kernel_size**2 * made[-1]


def _dense(layer: Any, given: Shape, made: Shape) -> int:
    return math.prod(made) * given[-1]


_MACS: dict[type, Callable[[Any, Shape, Shape], int]] = {
    layers.Conv2D: _convolution,
    layers.DepthwiseConv2D: _depthwise,
    layers.SeparableConv2D: _separable,
    layers.Conv2DTranspose: _transposed,
    LearnedUpsampling2D: _learned,
    layers.Dense: _dense,
}
