"""Where the maxima of SegNet's poolings lay, and what unpooling makes of them."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from semseg._checks import check_image
from semseg.analysis.graph import Graph, read_graph
from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D


class PooledMaxima(NamedTuple):
    """One pooling with indices and the unpooling that uses them, for one picture.

    Attributes:
        name: of the pooling layer.
        pool_size: side of its windows.
        before: (height, width, channels), what was pooled.
        positions: (cells down, cells across, channels) uint8, the places of the maxima in their
            windows, row-major.
        unpooled: (height, width, channels), what the decoder puts back; zeros elsewhere.
    """

    name: str
    pool_size: int
    before: np.ndarray
    positions: np.ndarray
    unpooled: np.ndarray


def pooled_maxima(model: Any, image: np.ndarray) -> list[PooledMaxima]:
    """Every pooling with indices of a model, the finest first, in inference.

    Args:
        model: a functional `keras.Model`, such as `SegNet`.
        image: (height, width, channels), as the model takes it.

    Raises:
        ValueError: a model without `MaxPooling2DWithIndices` whose indices an unpooling uses.

    Example:
        >>> model = semseg.models.SegNetBasic(num_classes=2)
        >>> image = np.zeros((32, 48, 3), "uint8")
        >>> [found.positions.shape for found in semseg.analysis.pooled_maxima(model, image)]
        [(16, 24, 64), (8, 12, 64), (4, 6, 64), (2, 3, 64)]
    """
    image = check_image(image)
    graph = read_graph(model)
    pairs = _pairs(graph)
    if not pairs:
        raise ValueError(
            "model must have MaxPooling2DWithIndices and MaxUnpooling2D, as SegNet has, received "
            f"{model.name!r} without"
        )
    batch = ops.cast(ops.convert_to_tensor(image[None]), graph.tensors[graph.inputs[0]].dtype)
    values = graph.values([batch], graph.output_of(None))

    def array(tensor: int, dtype: str) -> np.ndarray:
        return np.asarray(ops.convert_to_numpy(ops.cast(values[tensor], dtype))[0])

    return [
        PooledMaxima(
            pooling.name,
            pooling.operation.pool_size,
            array(pooling.inputs[0], "float32"),
            array(pooling.outputs[1], "uint8"),
            array(unpooling.outputs[0], "float32"),
        )
        for pooling, unpooling in pairs
    ]


def _pairs(graph: Graph) -> list[tuple[Any, Any]]:
    """Poolings with the unpooling that takes their indices."""
    needed = graph.needed(graph.output_of(None))
    users = {node.inputs[1]: node for node in needed if isinstance(node.operation, MaxUnpooling2D)}
    return [
        (node, users[node.outputs[1]])
        for node in needed
        if isinstance(node.operation, MaxPooling2DWithIndices) and node.outputs[1] in users
    ]
