"""At which stride each tensor of a graph stands, also where its receptive field has no bounds."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from semseg.analysis.graph import Graph, Node
from semseg.analysis.reach import Reach, Reads, reads_of

Strides = tuple[Fraction, Fraction]


class Depth(NamedTuple):
    """How coarse a tensor is.

    Attributes:
        stride: input pixels from one cell to the next, (y, x).
        coarsest: area of the largest cell on the way to it, in input pixels.
    """

    stride: Strides
    coarsest: Fraction

    @property
    def area(self) -> Fraction:
        return self.stride[0] * self.stride[1]


class Descent(NamedTuple):
    """What becomes of the strides.

    Attributes:
        depths: of each tensor that is a map (batch, height, width, channels); what comes out of
            global pooling has none.
        reads: what each call reads along the height; each input at its own place where the call
            sees the whole picture or is unknown.
    """

    depths: dict[int, Depth]
    reads: dict[Node, Reads]

    @property
    def coarsest(self) -> Fraction:
        return max(depth.coarsest for depth in self.depths.values())


def descent_of(graph: Graph, nodes: Iterable[Node]) -> Descent:
    """The strides of the tensors that some calls make, in their order."""
    one = Fraction(1)
    depths = dict.fromkeys(graph.inputs, Depth((one, one), one))
    reads = {}
    for node in nodes:
        rows, columns = (_read(node, graph, axis) for axis in (0, 1))
        reads[node] = rows or Reads((Reach(),) * len(node.inputs))
        if rows is None or columns is None:
            made = [depths[i] for i in node.inputs[:1] if i in depths and _keeps_size(node, graph)]
        else:
            made = [
                _behind(depths[tensor], y, x)
                for tensor, y, x in zip(node.inputs, rows.reaches, columns.reaches, strict=True)
                if tensor in depths and y is not None and x is not None
            ]
        if made:
            # Gates of one cell for the whole picture are coarser than what they are multiplied to.
            finest = min(made, key=lambda depth: depth.area)
            coarsest = max(depth.coarsest for depth in made)
            depths.update(dict.fromkeys(node.outputs, finest._replace(coarsest=coarsest)))
    return Descent(depths, reads)


def _read(node: Node, graph: Graph, axis: int) -> Reads | None:
    shape = graph.tensors[node.inputs[0]].shape
    if len(shape) != 4:
        return None
    try:
        return reads_of(node, graph, axis, shape[axis + 1] or 1)
    except ValueError:
        return None


def _keeps_size(node: Node, graph: Graph) -> bool:
    before, after = (graph.tensors[tensors[0]].shape for tensors in (node.inputs, node.outputs))
    return len(after) == 4 and before[1:3] == after[1:3]


def _behind(depth: Depth, rows: Reach, columns: Reach) -> Depth:
    y, x = (
        stride * reach.down / reach.up
        for stride, reach in zip(depth.stride, (rows, columns), strict=True)
    )
    return Depth((y, x), max(depth.coarsest, y * x))
