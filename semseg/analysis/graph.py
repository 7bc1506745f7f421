"""A model's graph as a flat list of layer calls: nested models are opened, nothing is computed."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import keras


class Node(NamedTuple):
    """One call of a layer or of another Keras operation.

    Attributes:
        name: the layer's name, behind those of the models around it: "encoder/block1_conv1". A
            layer that is called twice has two nodes of one name.
        operation: the layer.
        inputs, outputs: places of its tensors in `Graph.tensors`.
        arguments: Keras's record of the call.
    """

    name: str
    operation: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arguments: Any

    def results(self, values: Sequence[Any], specify: bool = False) -> list[Any]:
        """What the call makes of other inputs: arrays, or Keras tensors that join a new model.

        Args:
            values: one for each of the inputs.
            specify: whether only shape and dtype are worked out.
        """
        keras_tensors = self.arguments.keras_tensors
        filled = {id(x): value for x, value in zip(keras_tensors, values, strict=True)}
        args, kwargs = self.arguments.fill_in(filled)
        call = self.operation.compute_output_spec if specify else self.operation
        return list(keras.tree.flatten(call(*args, **kwargs)))


class Graph(NamedTuple):
    """The calls of a model in an order in which they can be computed.

    Attributes:
        nodes: the calls; inputs and nested models are none.
        tensors: Keras tensors, known by their place in this tuple; for their shape and dtype.
        inputs: the model's inputs.
        outputs: the model's outputs by name: the key where the model gives a dict, else the name
            of the layer that gives it.
    """

    nodes: tuple[Node, ...]
    tensors: tuple[Any, ...]
    inputs: tuple[int, ...]
    outputs: dict[str, int]

    def needed(self, tensor: int) -> list[Node]:
        """The calls that `tensor` depends on, in order."""
        wanted, found = {tensor}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                wanted.update(node.inputs)
                found.append(node)
        return found[::-1]

    def values(
        self, inputs: Sequence[Any], target: int, silenced: Collection[tuple[Node, int]] = ()
    ) -> dict[int, Any]:
        """All tensors that `target` depends on, and it, computed in inference.

        Args:
            inputs: arrays, or Keras tensors, from which the graph is then built once more.
            target: a tensor.
            silenced: inputs (call, place) that are taken to be zero.
        """
        found = dict(zip(self.inputs, inputs, strict=True))
        for node in self.needed(target):
            given = [
                keras.ops.zeros_like(found[tensor]) if (node, place) in silenced else found[tensor]
                for place, tensor in enumerate(node.inputs)
            ]
            found.update(zip(node.outputs, node.results(given), strict=True))
        return found

    def output_of(self, name: str | None) -> int:
        """The tensor of an output or layer; for None the only output, or the one named "logits".

        Raises:
            ValueError: no such layer, several of that name, or several outputs and no name.
        """
        if name is None:
            return self._main_output()
        if name in self.outputs:
            return self.outputs[name]
        found = {node.name: node for node in self.nodes if node.name.split("/")[-1] == name}
        found |= {node.name: node for node in self.nodes if node.name == name}
        if name in found:
            return found[name].outputs[0]
        if len(found) != 1:
            raise ValueError(
                f"output must name one layer of the model, received {name!r}, which is the name of "
                f"{', '.join(found) or 'none'}; the last layers are "
                f"{', '.join(node.name for node in self.nodes[-5:])}"
            )
        return next(iter(found.values())).outputs[0]

    def _main_output(self) -> int:
        if len(self.outputs) == 1 or "logits" in self.outputs:
            return self.outputs.get("logits", next(iter(self.outputs.values())))
        raise ValueError(
            f"output must name one of the model's outputs, {', '.join(self.outputs)}; received None"
        )


def read_graph(model: Any, size: tuple[int, int] | None = None) -> Graph:
    """The flat graph of a functional model.

    Args:
        model: a functional `keras.Model`, or a `Sequential` whose input is known; models inside
            it are opened if they are such.
        size: height and width for which the shapes are worked out (batch 1); None: the shapes
            with which the model was built.

    Raises:
        TypeError: a model without a graph, such as a subclassed one.

    Example:
        >>> from semseg.analysis.graph import read_graph
        >>> graph = read_graph(semseg.models.UNet(num_classes=2, depth=1, filters=4), (32, 48))
        >>> [node.name for node in graph.nodes[:3]]
        ['preprocessing', 'encoder_1_conv_1', 'encoder_1_norm_1']
        >>> graph.tensors[graph.outputs["logits"]].shape
        (1, 32, 48, 2)
    """
    functional = opened(model)
    if functional is None:
        raise TypeError(
            "model must be a functional keras.Model, or a Sequential whose input is known, "
            f"received {model!r}; a subclassed model has no graph to read"
        )
    reader = _Reader(size)
    inputs = [reader.add(reader.sized(x)) for x in functional.inputs]
    made = reader.walk(functional, inputs, "")
    names = _output_names(functional)
    return Graph(
        tuple(reader.nodes),
        tuple(reader.tensors),
        tuple(inputs),
        dict(zip(names, made, strict=True)),
    )


def without_activation(layer: keras.layers.Layer, shape: Any) -> keras.layers.Layer:
    """A copy, with its weights, of a layer that holds an activation, for inputs of a shape."""
    plain = type(layer).from_config({**layer.get_config(), "activation": None})
    plain.build(shape)
    plain.set_weights(layer.get_weights())
    return plain


def opened(operation: Any) -> Any:
    """The functional model that an operation is, or None where it is something else."""
    if isinstance(operation, keras.Sequential):
        return getattr(operation, "_functional", None)
    return operation if isinstance(operation, keras.Function) else None


class _Reader:
    """Walks through models and numbers the tensors it meets."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = size
        self.nodes: list[Node] = []
        self.tensors: list[Any] = []

    def add(self, tensor: Any) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def sized(self, x: Any) -> Any:
        if self.size is None:
            return x
        if len(x.shape) != 4:
            raise ValueError(
                "model must take pictures (batch, height, width, channels), received an input "
                f"{x.name!r} of shape {x.shape}"
            )
        return keras.KerasTensor((1, *self.size, x.shape[3]), dtype=x.dtype)

    def walk(self, model: Any, inputs: Sequence[int], around: str) -> list[int]:
        place = {id(x): i for x, i in zip(model.inputs, inputs, strict=True)}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for call in model._nodes_by_depth[depth]:
                if not call.is_input:
                    self._visit(call, place, around)
        return [place[id(x)] for x in model.outputs]

    def _visit(self, call: Any, place: dict[int, int], around: str) -> None:
        name = around + call.operation.name
        inputs = tuple(place[id(x)] for x in call.input_tensors)
        inner = opened(call.operation)
        if inner is not None:
            outputs = self.walk(inner, inputs, f"{name}/")
        else:
            node = Node(name, call.operation, inputs, (), call.arguments)
            made = call.output_tensors
            if self.size is not None:
                made = node.results([self.tensors[i] for i in inputs], specify=True)
            outputs = [self.add(x) for x in made]
            self.nodes.append(node._replace(outputs=tuple(outputs)))
        place.update(zip(map(id, call.output_tensors), outputs, strict=True))


def _output_names(model: Any) -> list[str]:
    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, dict):
        return sorted(structure)
    names: list[str] = []
    for x in model.outputs:
        name = x._keras_history.operation.name
        names.append(name if name not in names else f"{name}:{len(names)}")
    return names
