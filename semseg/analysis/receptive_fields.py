"""How far the pixels lie from which one output pixel is computed, read from the graph."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from semseg.analysis.graph import Graph, Node, read_graph
from semseg.analysis.places import Axis, axes_of
from semseg.analysis.reach import Reads

Pair = tuple[int, int]


@dataclass(frozen=True)
class ReceptiveField:
    """The theoretical receptive field of one output pixel, in input pixels; pairs are (y, x).

    Output pixel `i` stands for the input pixels from `i * output_stride + offset` on (one pixel,
    where the output has the input's resolution). How far it sees depends on where it lies in a
    window of `stride` pixels, as pooling and upsampling work in fixed windows: all numbers are
    those of the worst place.

    The logits `[y0, y1)` of a model with `output_stride` 1 depend on the input rows from
    `y0 + offset - before` to `y1 - 1 + offset + after`, and on no others. A part of a picture that
    begins at a multiple of `stride` is pooled in the same windows as the whole.

    Attributes:
        height, width: the largest extent.
        before: how far it reaches up and to the left of the output pixel's own place.
        after: how far down and to the right.
        offset: input pixel where output pixel (0, 0) stands: 92 for the unpadded U-Net.
        stride: the network's alignment: shifting the picture by it shifts the logits.
        output_stride: input pixels from one output pixel to the next; a Fraction below 1.
    """

    height: int
    width: int
    before: Pair
    after: Pair
    offset: Pair
    stride: Pair
    output_stride: tuple[int | Fraction, int | Fraction]

    def __str__(self) -> str:
        up, left = self.before
        down, right = self.after
        text = (
            f"receptive field {self.height} x {self.width} pixels "
            f"(up {up}, down {down}, left {left}, right {right}), aligned to {_pair(self.stride)}"
        )
        if self.output_stride != (1, 1):
            text += f", one output pixel for {_pair(self.output_stride)}"
        if self.offset != (0, 0):
            text += f", output begins at {_pair(self.offset)}"
        return text


def receptive_field(model: Any, output: str | None = None) -> ReceptiveField:
    """The theoretical receptive field of a model or of one of its layers.

    Every way from the output to the input counts: skips, branches, pooled positions. It is that of
    a pixel far from the border, in inference: batch normalisation and dropout see one place at a
    time. Keras pads strided "same" convolutions by a pixel more or less on one side as the size
    demands. Where the model takes any size, the field is that in pictures whose sides are multiples
    of `stride` (the models of this library pad to that); else that of the model's size.

    Args:
        model: a functional `keras.Model` with one input (batch, height, width, channels).
        output: name of a layer ("fc7"; inside a nested model "encoder/block5_pool") or of one of
            several outputs; None: the model's output, of several the one called "logits".

    Raises:
        ValueError: a layer that sees the whole picture (global pooling, attention, group
            normalisation, ...) or that is unknown: the message names it and says why.
        TypeError: a model without a graph.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=2, filters=4)
        >>> print(semseg.analysis.receptive_field(model))
        receptive field 44 x 44 pixels (up 23, down 23, left 23, right 23), aligned to 4 x 4
    """
    graph = read_graph(model)
    shapes = [graph.tensors[tensor].shape for tensor in graph.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise ValueError(
            "model must have one input, the pictures (batch, height, width, channels), received "
            f"one with inputs of {shapes}"
        )
    target = graph.output_of(output)
    try:
        return field_of(graph, target)
    except ValueError as error:
        raise ValueError(
            f"the receptive field of {getattr(model, 'name', 'the model')!r} is unbounded or "
            f"unknown: {error}"
        ) from None


def field_of(graph: Graph, target: int, axes: tuple[Axis, Axis] | None = None) -> ReceptiveField:
    """The receptive field of a tensor of a graph with one input.

    Args:
        graph, target: the tensor.
        axes: `axes_of` the graph, where the fields of several tensors are asked for.

    Raises:
        ValueError: what lies between is unbounded or unknown.
    """
    nodes = graph.needed(target)
    axes = axes_of(graph, nodes) if axes is None else axes
    rows, columns = (_along(axis, nodes, graph, target) for axis in axes)
    return ReceptiveField(
        rows.size,
        columns.size,
        (rows.before, columns.before),
        (rows.after, columns.after),
        (rows.offset, columns.offset),
        (rows.stride, columns.stride),
        (rows.output_stride, columns.output_stride),
    )


def seen_by(model: Any, size: Pair, pixel: Pair) -> tuple[Pair, Pair]:
    """(first, last) rows and columns that one output pixel depends on, in pictures of one size.

    They may lie outside the picture.
    """
    graph = read_graph(model, size)
    target = graph.output_of(None)
    nodes = graph.needed(target)
    found = []
    for axis, place in zip(axes_of(graph, nodes), pixel, strict=True):
        if target in axis.faults:
            raise axis.faults[target]
        (first,), (last,) = _seen(nodes, axis.reads, graph, target, np.array([place]))
        found.append((int(first), int(last)))
    rows, columns = found
    return rows, columns


class _Extent(NamedTuple):
    """Along one axis, in the order of `ReceptiveField`."""

    size: int
    before: int
    after: int
    offset: int
    stride: int
    output_stride: int | Fraction


def _along(axis: Axis, nodes: list[Node], graph: Graph, target: int) -> _Extent:
    if target in axis.faults:
        raise axis.faults[target]
    place = axis.places[target]
    step = place.stride
    phases = np.arange(int(place.period / step))
    first, last = _seen(nodes, axis.reads, graph, target, phases)
    # What covers the picture, rounded up to the stride, begins with it, however it is padded.
    covered = 0 <= place.length * step - axis.length <= -axis.length % place.period
    offset = 0 if covered else math.floor(place.start)
    own = np.array([math.floor(phase * step) + offset for phase in phases.tolist()])
    width = max(int(step), 1)
    return _Extent(
        size=int((last - first).max()) + 1,
        before=max(0, int((own - first).max())),
        after=max(0, int((last - (own + width - 1)).max())),
        offset=offset,
        stride=int(place.period),
        output_stride=step if step.denominator > 1 else int(step),
    )


def _seen(
    nodes: list[Node], reads: dict[Node, Reads], graph: Graph, target: int, outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First and last input pixel that each of some output pixels depends on.

    From the output back to the input; the picture has no border here, places may be negative.
    """
    seen = {target: (outputs, outputs)}
    for node in reversed(nodes):
        of_outputs = [seen[tensor] for tensor in node.outputs if tensor in seen]
        if not of_outputs:
            continue  # only the size of its output is read
        first = np.min([first for first, _ in of_outputs], axis=0)
        last = np.max([last for _, last in of_outputs], axis=0)
        for tensor, reach in zip(node.inputs, reads[node].reaches, strict=True):
            if reach is None:
                continue
            begin, end = reach.back(first, last)
            known = seen.get(tensor, (begin, end))
            seen[tensor] = np.minimum(begin, known[0]), np.maximum(end, known[1])
    if graph.inputs[0] not in seen:
        raise ValueError("the output does not depend on the picture")
    return seen[graph.inputs[0]]


def _pair(pair: tuple[Any, Any]) -> str:
    return f"{pair[0]} x {pair[1]}"
