"""A model as the stages that one draws on a board: encoder, bottleneck, decoder, and their links.

Stages are read from the strides, not from names: what leads down to the coarsest maps is the
encoder, what comes after is the decoder, and calls at one stride are one stage. For the models of
this library they bear the names that begin their layers' names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from keras import layers

from semseg.analysis.graph import Graph, Node, read_graph
from semseg.analysis.reach import Reach
from semseg.analysis.strides import Descent, Strides, descent_of
from semseg.layers import CropLike, MaxUnpooling2D, PadToMultiple
from semseg.models.unet_sizes import ValidSize

Kind = Literal["input", "encoder", "bottleneck", "decoder", "head"]
LinkKind = Literal["forward", "skip", "crop", "index"]


class Link(NamedTuple):
    """What a stage is given by another.

    Attributes:
        source: name of the stage that gives.
        kind: "forward"; "skip" past coarser stages; "crop", a skip that is cropped on the way;
            "index", the positions of maxima.
        tensor: place of what is given in the graph's tensors.
    """

    source: str
    kind: LinkKind
    tensor: int


@dataclass(frozen=True)
class Stage:
    """Calls of one stride.

    Attributes:
        name: "input", "encoder_1" at the resolution of the picture and "encoder_2" at the next
            coarser one, "bottleneck", "decoder_2", "decoder_1", "head".
        kind: the name without its number.
        stride: input pixels from one cell to the next, (y, x).
        channels: of its output.
        nodes: the calls; `node.operation` is the layer. A pooling is the end of the stage above it.
        output: place of its output in the graph's tensors, before a pooling.
        links: what comes in.
    """

    name: str
    kind: Kind
    stride: tuple[float, float]
    channels: int
    nodes: tuple[Node, ...]
    output: int
    links: tuple[Link, ...]


def stages(model: Any) -> list[Stage]:
    """The stages of an encoder-decoder, from the input to the head.

    Made for one way down and one way up; of several outputs the one named "logits" counts.

    Args:
        model: a functional `keras.Model`, nested or not.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> for stage in semseg.analysis.stages(model):
        ...     print(stage.name, stage.channels, [link[:2] for link in stage.links])
        input 3 []
        encoder_1 4 [('input', 'forward')]
        bottleneck 8 [('encoder_1', 'forward')]
        decoder_1 4 [('encoder_1', 'skip'), ('bottleneck', 'forward')]
        head 2 [('decoder_1', 'forward')]
    """
    return stages_of(read_graph(model))


def stages_of(graph: Graph) -> list[Stage]:
    """The stages of a graph."""
    target = graph.output_of(None)
    nodes = graph.needed(target)
    descent = descent_of(graph, nodes)
    keys = _grouped(graph, nodes, descent)
    keys |= dict.fromkeys(_head(nodes, target, descent), _HEAD)
    order = sorted({_INPUT, *keys.values()}, key=_rank)
    names = _names(order, descent)
    maker = dict.fromkeys(graph.inputs, _INPUT)
    maker |= {tensor: keys[node] for node in nodes for tensor in node.outputs}
    made = []
    for key in order:
        own = tuple(node for node in nodes if keys[node] == key)
        output = _output(own, key, descent) if own else graph.inputs[0]
        links = {
            Link(names[maker[tensor]], kind, tensor)
            for node in own
            for tensor, kind in _given(node, own, key, descent)
            if maker[tensor] != key
        }
        y, x = key.stride
        channels = graph.tensors[output].shape[-1]
        made.append(
            Stage(
                names[key], key.kind, (float(y), float(x)), channels, own, output, _ordered(links)
            )
        )
    return made


def _ordered(links: set[Link]) -> tuple[Link, ...]:
    return tuple(sorted(links, key=lambda link: (link.tensor, link.kind)))


class _Key(NamedTuple):
    kind: Kind
    stride: Strides


_ONE = (Fraction(1), Fraction(1))
_INPUT, _HEAD = _Key("input", _ONE), _Key("head", _ONE)
_KINDS: tuple[Kind, ...] = ("input", "encoder", "bottleneck", "decoder", "head")


def _rank(key: _Key) -> tuple[int, Fraction]:
    """Input, encoder from fine to coarse, bottleneck, decoder from coarse to fine, head."""
    area = key.stride[0] * key.stride[1]
    return _KINDS.index(key.kind), -area if key.kind == "decoder" else area


def _names(order: list[_Key], descent: Descent) -> dict[_Key, str]:
    strides = sorted({depth.stride for depth in descent.depths.values()})
    return {
        key: f"{key.kind}_{strides.index(key.stride) + 1}"
        if key.kind in ("encoder", "decoder")
        else key.kind
        for key in order
    }


def _grouped(graph: Graph, nodes: list[Node], descent: Descent) -> dict[Node, _Key]:
    """The stage of each call."""
    way_down = _way_down(nodes, descent)
    keys: dict[Node, _Key] = {}
    maker = dict.fromkeys(graph.inputs, _INPUT)
    for node in nodes:
        before, after = (descent.depths.get(tensors[0]) for tensors in (node.inputs, node.outputs))
        if before is None or after is None or _follows(node, maker[node.inputs[0]], descent):
            key = maker[node.inputs[0]]
        elif node not in way_down:
            key = _Key("decoder", after.stride)
        elif _is_pooling(node, descent):
            key = _Key("encoder", before.stride)
        elif after.area == descent.coarsest > 1:
            key = _Key("bottleneck", after.stride)
        else:
            key = _Key("encoder", after.stride)
        keys[node] = key
        maker.update(dict.fromkeys(node.outputs, key))
    return keys


def _way_down(nodes: list[Node], descent: Descent) -> set[Node]:
    """The calls that make the coarsest maps or lead to them."""
    wanted: set[int] = set()
    found = set()
    for node in reversed(nodes):
        depth = descent.depths.get(node.outputs[0])
        coarse = depth is not None and depth.area == descent.coarsest
        if coarse or wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            found.add(node)
    return found


_WEIGHTED = layers.Conv2D | layers.Conv2DTranspose | layers.DepthwiseConv2D | layers.Dense
# What only changes the frame of the picture belongs to the input where it comes first.
_FRAMES = PadToMultiple | layers.ZeroPadding2D | ValidSize


def _follows(node: Node, before: _Key, descent: Descent) -> bool:
    """Whether a call belongs to what it is applied to: activations, normalisations, dropout."""
    if isinstance(node.operation, _FRAMES) and before == _INPUT:
        return True
    alone = descent.reads[node].reaches == (Reach(),)
    return alone and not isinstance(node.operation, _WEIGHTED)


def _is_pooling(node: Node, descent: Descent) -> bool:
    reach = descent.reads[node].reaches[0]
    coarser = reach is not None and reach.down > reach.up
    return coarser and not isinstance(node.operation, _WEIGHTED)


def _head(nodes: list[Node], target: int, descent: Descent) -> list[Node]:
    """The end of the chain at the picture's resolution: what follows the classifier, and it."""
    head: list[Node] = []
    depth = descent.depths.get(target)
    if depth is None or depth.stride != _ONE:
        return head
    for node in reversed(nodes):
        if target not in node.outputs:
            continue
        reaches = [reach for reach in descent.reads[node].reaches if reach is not None]
        if isinstance(node.operation, layers.Conv2D) and reaches[0].down == 1:
            return [*head, node]
        if len(reaches) > 1 or isinstance(node.operation, _WEIGHTED) or reaches[0].up > 1:
            break
        head.append(node)
        target = node.inputs[0]
    return head


def _output(own: tuple[Node, ...], key: _Key, descent: Descent) -> int:
    """The last map at the stage's own stride."""
    maps = [
        node.outputs[0]
        for node in own
        if node.outputs[0] in descent.depths
        and descent.depths[node.outputs[0]].stride == key.stride
    ]
    return maps[-1] if maps else own[-1].outputs[0]


def _given(
    node: Node, own: tuple[Node, ...], key: _Key, descent: Descent
) -> Iterator[tuple[int, LinkKind]]:
    """What a call is given, and in which way."""
    for place, (tensor, reach) in enumerate(
        zip(node.inputs, descent.reads[node].reaches, strict=True)
    ):
        depth = descent.depths.get(tensor)
        if reach is None or depth is None:
            continue  # only its size is read
        if isinstance(node.operation, MaxUnpooling2D) and place == 1:
            yield tensor, "index"
        elif key.kind in ("decoder", "head") and depth.coarsest < descent.coarsest:
            yield tensor, "crop" if _is_cropped(node, own) else "skip"
        else:
            yield tensor, "forward"


def _is_cropped(node: Node, own: tuple[Node, ...]) -> bool:
    """Whether what comes in is cropped before something is joined to it."""
    while True:
        operation = node.operation
        offset = getattr(operation, "offset", 0) if isinstance(operation, CropLike) else 0
        if isinstance(operation, layers.Cropping2D) or offset:
            return True
        following = [other for other in own if node.outputs[0] in other.inputs]
        if len(node.inputs) > 1 or len(following) != 1:
            return False
        node = following[0]
