"""What each skip connection adds: the same model with one of them silenced."""

from typing import Any

import keras
import numpy as np

from semseg.analysis.graph import Graph, Node, read_graph
from semseg.analysis.staging import stages_of
from semseg.analysis.strides import descent_of
from semseg.layers import MaxUnpooling2D


def skips(model: Any) -> list[str]:
    """The skip connections of a model, by the stage that they come from, the finest first.

    A skip is what is joined (added, concatenated) to something that has been coarser; SegNet's
    positions of maxima are none.

    Example:
        >>> semseg.analysis.skips(semseg.models.UNet(num_classes=2, depth=2, filters=4))
        ['encoder_1', 'encoder_2']
    """
    return list(_skips_of(read_graph(model)))


def without_skip(model: Any, name: str) -> keras.Model:
    """The model with zeros in the place of one skip connection, on the same weights.

    Args:
        model: a functional `keras.Model`; of several outputs the one named "logits" is kept.
        name: one of `skips(model)`.

    Raises:
        ValueError: no skip of that name.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=2, filters=4)
        >>> blind = semseg.analysis.without_skip(model, "encoder_1")
        >>> blind.count_params() == model.count_params()
        True
    """
    graph = read_graph(model)
    found = _skips_of(graph)
    if name not in found:
        raise ValueError(
            f"name must be one of the model's skips, {', '.join(found) or 'of which it has none'}; "
            f"received {name!r}"
        )
    target = graph.output_of(None)
    inputs = [graph.tensors[tensor] for tensor in graph.inputs]
    outputs = graph.values(inputs, target, silenced=found[name])[target]
    return keras.Model(model.input, outputs, name=f"{model.name}_without_{name}")


def skip_ablation(model: Any, images: np.ndarray) -> dict[str, np.ndarray]:
    """The output of a model as it is, and with each of its skip connections silenced.

    Args:
        model: a functional `keras.Model`.
        images: (batch, height, width, channels), as the model takes them.

    Returns:
        By the name of the skip, the whole model's under "complete": (batch, height, width,
        num_classes) arrays.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> list(semseg.analysis.skip_ablation(model, np.zeros((1, 16, 16, 3), "uint8")))
        ['complete', 'encoder_1']
    """
    graph = read_graph(model)
    target = graph.output_of(None)
    dtype = graph.tensors[graph.inputs[0]].dtype
    batch = keras.ops.cast(keras.ops.convert_to_tensor(images), dtype)
    silenced = {"complete": [], **_skips_of(graph)}
    return {
        name: keras.ops.convert_to_numpy(graph.values([batch], target, places)[target])
        for name, places in silenced.items()
    }


def _skips_of(graph: Graph) -> dict[str, list[tuple[Node, int]]]:
    """By the stage where a skip begins: the calls that join it, and as which of their inputs."""
    staged = stages_of(graph)
    nodes = graph.needed(graph.output_of(None))
    descent = descent_of(graph, nodes)
    maker = {tensor: node for node in nodes for tensor in node.outputs}
    stage = {node: stage for stage in staged for node in stage.nodes}

    def origin(tensor: int) -> str:
        while tensor in maker:
            node = maker[tensor]
            if stage[node].kind not in ("decoder", "head"):
                return stage[node].name
            tensor = node.inputs[0]
        return "input"

    found: dict[str, list[tuple[Node, int]]] = {}
    for node in nodes:
        if isinstance(node.operation, MaxUnpooling2D):
            continue
        joined = {
            place: descent.depths[tensor].coarsest
            for place, (tensor, reach) in enumerate(
                zip(node.inputs, descent.reads[node].reaches, strict=True)
            )
            if reach is not None and tensor in descent.depths
        }
        for place, coarsest in joined.items():
            if coarsest < max(joined.values()) == descent.coarsest:
                found.setdefault(origin(node.inputs[place]), []).append((node, place))
    return {one.name: found[one.name] for one in staged if one.name in found}
