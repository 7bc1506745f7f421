"""What a model costs for one picture: parameters, multiplications, memory, stage by stage."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semseg._checks import check_size
from semseg.analysis.arithmetic import macs_of
from semseg.analysis.graph import Graph, Node, read_graph
from semseg.analysis.places import Axis, axes_of
from semseg.analysis.receptive_fields import field_of
from semseg.analysis.staging import stages_of


@dataclass(frozen=True)
class StageCost:
    """One row of a cost table.

    Attributes:
        name: of the stage; "auxiliary" is what the other outputs of a model need besides.
        output: (height, width, channels) of its output, before a pooling.
        parameters: weights of all kinds, moving statistics too; shared ones where they come first.
        macs: multiply-accumulates with a kernel.
        activation_bytes: of everything that its layers put out.
        receptive_field: (height, width) that one cell of the output sees; None where it is the
            whole picture, or unknown.
    """

    name: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    activation_bytes: int
    receptive_field: tuple[int, int] | None


@dataclass(frozen=True)
class Cost:
    """The cost of one picture, as a table that prints aligned.

    Attributes:
        size: (height, width) of the picture.
        rows: one for each stage.
        parameters: `model.count_params()`.
        macs: multiply-accumulates in all.
        activation_bytes: the outputs of all layers together: what training keeps, at most.
        peak_bytes: the most that inference holds at once, if every layer writes a tensor of its
            own, which is freed after its last use, in Keras's order. Weights and the workspace of
            kernels come on top; fusing and working in place stay below.
        receptive_field: (height, width) that one pixel of the output sees; None where it is the
            whole picture, or unknown.
    """

    size: tuple[int, int]
    rows: tuple[StageCost, ...]
    parameters: int
    macs: int
    activation_bytes: int
    peak_bytes: int
    receptive_field: tuple[int, int] | None

    def to_dict(self) -> dict[str, Any]:
        """Everything as lists, dicts and numbers that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        head = ("stage", "output", "parameters", "MACs", "activations", "receptive field")
        lines = [
            (
                row.name,
                " x ".join(map(str, row.output)),
                f"{row.parameters:,}",
                _short(row.macs),
                f"{_short(row.activation_bytes)}B",
                "whole picture" if row.receptive_field is None else _pair(row.receptive_field),
            )
            for row in self.rows
        ]
        total = (
            "total", f"for {_pair(self.size)}", f"{self.parameters:,}", _short(self.macs),
            f"{_short(self.activation_bytes)}B", f"peak {_short(self.peak_bytes)}B",
        )  # fmt: skip
        table = [head, *lines, total]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            "  ".join(
                text.ljust(width) if i < 2 else text.rjust(width)
                for i, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        )


def cost(model: Any, size: tuple[int, int] | None = None) -> Cost:
    """Parameters, multiply-accumulates, activation memory and receptive field of each stage.

    Nothing is computed but shapes, so that any size costs the same time.

    Args:
        model: a functional `keras.Model` of pictures.
        size: (height, width) of one picture; None: the size that the model was built for.

    Raises:
        ValueError: no size where the model takes any; a size that the model can't take; a layer
            whose arithmetic is unknown.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> print(semseg.analysis.cost(model, size=(64, 96)))
        stage       output       parameters     MACs  activations  receptive field
        input       64 x 96 x 3           0        0     73.73 kB            1 x 1
        encoder_1   64 x 96 x 4         284  1.548 M     614.4 kB            5 x 5
        ...
    """
    graph = read_graph(model, _size(model, size))
    staged = stages_of(graph)
    axes = axes_of(graph, graph.nodes)
    groups = {stage.name: (stage.nodes, stage.output) for stage in staged}
    inside = {node for stage in staged for node in stage.nodes}
    if rest := tuple(node for node in graph.nodes if node not in inside):
        groups["auxiliary"] = (rest, rest[-1].outputs[0])
    counted: set[int] = set()
    rows = tuple(
        StageCost(
            name,
            tuple(graph.tensors[output].shape[1:]),
            _parameters(nodes, counted),
            sum(macs_of(node, graph) for node in nodes),
            sum(_bytes(graph.tensors[tensor]) for node in nodes for tensor in node.outputs),
            _field(graph, output, axes),
        )
        for name, (nodes, output) in groups.items()
    )
    return Cost(
        size=tuple(graph.tensors[graph.inputs[0]].shape[1:3]),
        rows=rows,
        parameters=sum(row.parameters for row in rows),
        macs=sum(row.macs for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        peak_bytes=_peak(graph),
        receptive_field=_field(graph, graph.output_of(None), axes),
    )


def _size(model: Any, size: tuple[int, int] | None) -> tuple[int, int] | None:
    if size is not None:
        return check_size(size)
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise ValueError(
            "size must be given as (height, width) for a model that takes pictures of any size, "
            f"received None for an input of {shape}"
        )
    return shape[1], shape[2]


def _field(graph: Graph, output: int, axes: tuple[Axis, Axis]) -> tuple[int, int] | None:
    try:
        field = field_of(graph, output, axes)
    except ValueError:
        return None
    return field.height, field.width


def _parameters(nodes: Iterable[Node], counted: set[int]) -> int:
    """Weights of the nodes' layers that were not counted yet."""
    total = 0
    for node in nodes:
        for weight in getattr(node.operation, "weights", ()):
            if id(weight) not in counted:
                counted.add(id(weight))
                total += math.prod(weight.shape)
    return total


def _bytes(tensor: Any) -> int:
    width = 2 if tensor.dtype == "bfloat16" else np.dtype(tensor.dtype).itemsize
    return math.prod(tensor.shape) * width


def _peak(graph: Graph) -> int:
    """The largest sum of tensors that are alive at one time."""
    last = {tensor: i for i, node in enumerate(graph.nodes) for tensor in node.inputs}
    last |= dict.fromkeys(graph.outputs.values(), len(graph.nodes))
    held = peak = sum(_bytes(graph.tensors[tensor]) for tensor in graph.inputs)
    for i, node in enumerate(graph.nodes):
        held += sum(_bytes(graph.tensors[tensor]) for tensor in node.outputs)
        peak = max(peak, held)
        gone = {t for t in (*node.inputs, *node.outputs) if last.get(t, i) == i}
        held -= sum(_bytes(graph.tensors[tensor]) for tensor in gone)
    return peak


def _short(number: int) -> str:
    """Four digits and a unit: 12.35 G."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.4g} {unit}"
    return f"{number} " if number else "0"


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]} x {pair[1]}"
