"""Where the tensors of a graph stand on the picture: stride, alignment and beginning of cells."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from semseg.analysis.graph import Graph, Node
from semseg.analysis.reach import Reach, Reads, reads_of


class Place(NamedTuple):
    """Where the cells of a tensor stand on the input, in input pixels along one axis.

    Attributes:
        stride: from one cell to the next.
        period: what a shift of the picture must be a multiple of, for the cells to shift along.
        start: where cell 0 begins, as the windows' centres have it.
        length: how many cells there are.
        coarsest: the largest stride on the way.
    """

    stride: Fraction
    period: Fraction
    start: Fraction
    length: int
    coarsest: Fraction


class Axis(NamedTuple):
    """What is known along height or width.

    Attributes:
        length: of the picture.
        places: where tensors stand.
        reads: what calls read.
        faults: why the others have no place.
    """

    length: int
    places: dict[int, Place]
    reads: dict[Node, Reads]
    faults: dict[int, ValueError]


def axes_of(graph: Graph, nodes: Iterable[Node]) -> tuple[Axis, Axis]:
    """Where the tensors that some calls make stand, along height and width."""
    shape = graph.tensors[graph.inputs[0]].shape
    return _axis(0, nodes, graph, shape[1]), _axis(1, nodes, graph, shape[2])


# About the height and width of the picture where the model takes any: no border is met in it.
_LARGE = 2**20


def _axis(axis: int, nodes: Iterable[Node], graph: Graph, length: int | None) -> Axis:
    if length is None:
        places = _axis(axis, nodes, graph, _LARGE).places
        period = int(_lcm([place.period for place in places.values()]))
        length = period * (_LARGE // period)
    one = Fraction(1)
    places = dict.fromkeys(graph.inputs, Place(one, one, Fraction(0), length, one))
    found = Axis(length, places, {}, {})
    for node in nodes:
        faults = [found.faults[tensor] for tensor in node.inputs if tensor in found.faults]
        try:
            if faults:
                raise faults[0]
            read = found.reads[node] = reads_of(node, graph, axis, places[node.inputs[0]].length)
            places.update(dict.fromkeys(node.outputs, _placed(node, read, places)))
        except ValueError as error:
            found.faults.update(dict.fromkeys(node.outputs, error))
    return found


def _placed(node: Node, read: Reads, places: dict[int, Place]) -> Place:
    """Where the output of a call stands."""
    given = [
        _moved(places[tensor], reach)
        for tensor, reach in zip(node.inputs, read.reaches, strict=True)
        if reach is not None
    ]
    strides = {place.stride for place in given}
    if len(strides) > 1:
        found = " and ".join(str(stride) for stride in sorted(strides))
        raise ValueError(
            f"layer {node.name!r} joins maps of different strides, {found}: its place on the "
            "picture is not known"
        )
    lengths = {place.length for place in given}
    if 1 in lengths and len(lengths) > 1:
        raise ValueError(
            f"layer {node.name!r} spreads one row or column over the whole picture, whose place is "
            "then not known"
        )
    # Where windows lie half a pixel apart, the finest branch says where things are.
    place = min(given, key=lambda place: place.coarsest)
    return place._replace(
        period=_lcm([place.period for place in given]),
        length=place.length if read.like is None else places[node.inputs[read.like]].length,
        coarsest=max(place.coarsest for place in given),
    )


def _moved(place: Place, reach: Reach) -> Place:
    """Behind a window."""
    if reach == Reach():
        return place
    unit = place.stride / reach.up
    stride = unit * reach.down
    centre = Fraction(reach.span + reach.up - reach.down, 2) - reach.before
    return Place(
        stride=stride,
        period=_lcm([place.period, stride]),
        start=place.start + unit * centre,
        length=reach.length(place.length),
        coarsest=max(place.coarsest, stride),
    )


def _lcm(values: list[Fraction]) -> Fraction:
    """The least number that is a whole multiple of each."""
    values = list(set(values))
    if len(values) == 1:
        return values[0]
    numerator = math.lcm(*(value.numerator for value in values))
    return Fraction(numerator, math.gcd(*(value.denominator for value in values)))
