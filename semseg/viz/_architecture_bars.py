"""What is drawn of a network: a bar for each map of a convolution, pooling or upsampling."""

from collections.abc import Sequence
from typing import Any, NamedTuple

# Layers by what their bar shows; all others work place by place and belong to the bar before them.
_KINDS = {
    "Conv2D": "convolution",
    "DepthwiseConv2D": "convolution",
    "SeparableConv2D": "convolution",
    "MaxPooling2D": "pooling",
    "AveragePooling2D": "pooling",
    "MaxPooling2DWithIndices": "pooling",
    "Conv2DTranspose": "upsampling",
    "UpSampling2D": "upsampling",
    "BilinearUpsampling2D": "upsampling",
    "LearnedUpsampling2D": "upsampling",
    "MaxUnpooling2D": "unpooling",
}
# A stage of more convolutions is one block.
_MOST_CONVOLUTIONS = 4


class Bar(NamedTuple):
    """A map of features.

    Attributes:
        kind: "input", "convolution", "projection" (1x1), "pooling", "upsampling", "unpooling",
            "concatenation", "sum" or "output".
        channels: of the map.
        size: (height, width) of the map.
        tensors: places of the tensors that it stands for: what its layer and the normalisation
            and activation behind it give.
        name: of the layer.
        repeats: convolutions that this block stands for.
        from_skip: channels that a skip brought, where maps are concatenated.
    """

    kind: str
    channels: int
    size: tuple[int, int]
    tensors: frozenset[int]
    name: str
    repeats: int = 1
    from_skip: int = 0


class Group(NamedTuple):
    """The bars of a stage; a pooling's map begins the stage below it."""

    stage: Any  # semseg.analysis.Stage
    bars: list[Bar]


def groups_of(graph: Any, stages: Sequence[Any]) -> list[Group]:
    """The bars of all stages, from the input to the head."""
    groups: list[Group] = []
    pooled: list[Bar] = []
    for stage in stages:
        bars = [*pooled, *_bars(graph, stage)]
        pooled = [bars.pop()] if bars and bars[-1].kind == "pooling" else []
        groups.append(Group(stage, bars))
    return [group for group in groups if group.bars]


def kernel_sizes(stages: Sequence[Any]) -> set[tuple[int, ...]]:
    """Of all convolutions but the 1x1 ones."""
    layers = [node.operation for stage in stages for node in stage.nodes]
    sizes = {
        tuple(layer.kernel_size)
        for layer in layers
        if _KINDS.get(type(layer).__name__) == "convolution"
    }
    return sizes - {(1, 1)}


def _bars(graph: Any, stage: Any) -> list[Bar]:
    if stage.kind == "input":
        return [_bar(graph, "input", "input", {stage.output, *graph.inputs})]
    bars: list[Bar] = []
    for node in stage.nodes:
        kind = _kind(node, stage)
        made = set(node.outputs)
        if kind is not None:
            bars.append(_bar(graph, kind, node.name, made, node.outputs[0]))
            if kind == "concatenation":
                bars[-1] = _concatenated(bars, graph, stage)
        elif bars:
            bars[-1] = bars[-1]._replace(tensors=bars[-1].tensors | made)
    if stage.kind == "head":
        return _head(bars, graph, stage)
    return _condensed(bars)


def _kind(node: Any, stage: Any) -> str | None:
    layer = node.operation
    name = type(layer).__name__
    if name == "Conv2D" and tuple(layer.kernel_size) == (1, 1):
        return "projection"
    merged = {"Concatenate": "concatenation", "Add": "sum"}.get(name)
    if merged:  # inside an encoder these are residual and dense connections: not drawn
        return merged if stage.kind == "decoder" and _is_given(stage) else None
    return _KINDS.get(name)


def _is_given(stage: Any) -> bool:
    return any(link.kind in ("skip", "crop") for link in stage.links)


def _concatenated(bars: list[Bar], graph: Any, stage: Any) -> Bar:
    """The last bar, with its share of the skip, in the place of the upsampled map before it."""
    skips = [link.tensor for link in stage.links if link.kind in ("skip", "crop")]
    own = bars[-1]
    if len(bars) > 1 and bars[-2].kind == "upsampling":
        own = own._replace(tensors=own.tensors | bars.pop(-2).tensors)
    share = sum(graph.tensors[tensor].shape[-1] for tensor in skips)
    return own._replace(from_skip=min(share, own.channels - 1))


def _condensed(bars: list[Bar]) -> list[Bar]:
    """One block in the place of many convolutions."""
    kinds = ("convolution", "projection")
    own = [bar for bar in bars if bar.kind in kinds]
    if len(own) <= _MOST_CONVOLUTIONS:
        return bars
    tensors = frozenset().union(*(bar.tensors for bar in own))
    block = own[-1]._replace(kind="convolution", repeats=len(own), tensors=tensors)
    before = bars[: bars.index(own[0])]
    return [*before, block, *(bar for bar in bars[len(before) :] if bar.kind not in kinds)]


def _head(bars: list[Bar], graph: Any, stage: Any) -> list[Bar]:
    """The scores of the classes, whatever makes them last."""
    made = {tensor for node in stage.nodes for tensor in node.outputs}
    name = bars[-1].name if bars else stage.nodes[-1].name
    return [*bars[:-1], _bar(graph, "output", name, made, stage.output)]


def _bar(graph: Any, kind: str, name: str, tensors: set[int], shown: int | None = None) -> Bar:
    shape = graph.tensors[min(tensors) if shown is None else shown].shape
    return Bar(kind, shape[3], (shape[1], shape[2]), frozenset(tensors), name)
