"""Where the bars of a network stand: the U, the hourglass, the ladder. Plain numbers, in pixels.

x runs to the right, y down. A bar is as high as the square root of its map's height and as wide as
the square root of its channels, both times one factor for the whole picture.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from semseg.viz._architecture_bars import Bar, Group

_BAR_GAP, _STAGE_GAP = 0.006, 0.024  # of the width
_THINNEST = 2.0
_TALLEST = {"u": 0.15, "hourglass": 0.26, "ladder": 0.2}  # bar, of the width
# Where scores meet: those from below, those of the skip, their sum.
_FLOW = {"upsampling": 0, "projection": 1, "sum": 2, "output": 3}


class Box(NamedTuple):
    """A bar in its place."""

    bar: Bar
    group: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Its x in the middle."""
        return self.x + self.width / 2

    @property
    def centre(self) -> float:
        """Its y in the middle."""
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


class Layout(NamedTuple):
    """All bars, the shape they form, and how high the whole is."""

    shape: str  # "u", "hourglass" or "ladder"
    boxes: list[Box]
    height: float


class Scale(NamedTuple):
    """Pixels for the square root of a channel and of a row, and the gaps."""

    channel: float
    row: float
    bar_gap: float
    stage_gap: float

    def width(self, bar: Bar) -> float:
        return _THINNEST + self.channel * math.sqrt(bar.channels)

    def height(self, bar: Bar) -> float:
        return self.row * math.sqrt(bar.size[0])


def shape_of(groups: list[Group]) -> str:
    """How a network is drawn: by what its decoder is given."""
    links = [link.kind for group in groups for link in group.stage.links]
    if "index" in links:
        return "hourglass"
    if not {"skip", "crop"} & set(links):
        return "ladder" if _only_scores_come_up(groups) else "hourglass"
    return "ladder" if _only_scores_come_up(groups) else "u"


def common_scale(networks: list[list[Group]], width: float, text: float) -> Scale:
    """The largest scale at which each of the networks fits into a width.

    Args:
        networks: what to draw, each from the input to the head.
        width: pixels that there are.
        text: pixels that a line of text needs.
    """
    rows = max(bar.size[0] for groups in networks for group in groups for bar in group.bars)
    tallest = min(_TALLEST[shape_of(groups)] for groups in networks) * width
    scale = Scale(0.0, tallest / math.sqrt(rows), _BAR_GAP * width, _STAGE_GAP * width)

    def needed(channel: float) -> float:
        tried = scale._replace(channel=channel)
        return max(_right(lay_out(groups, tried, text).boxes) for groups in networks)

    return scale._replace(channel=_fitting(needed, width))


def lay_out(groups: list[Group], scale: Scale, text: float) -> Layout:
    """All bars of a network in the shape that suits it."""
    shape = shape_of(groups)
    boxes = {"u": _u, "hourglass": _hourglass, "ladder": _ladder}[shape](groups, scale, text)
    return Layout(shape, boxes, max(box.bottom for box in boxes))


def _only_scores_come_up(groups: list[Group]) -> bool:
    """FCN: every map of the decoder has a channel for each class."""
    classes = groups[-1].bars[-1].channels
    decoder = [group for group in groups if group.stage.kind == "decoder"]
    return bool(decoder) and all(b.channels == classes for group in decoder for b in group.bars)


def _fitting(needed: Callable[[float], float], width: float) -> float:
    """The largest factor with which the whole needs no more than the width."""
    low, high = 0.0, 0.05 * width
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if needed(middle) <= width else (low, middle)
    return low


def _right(boxes: list[Box]) -> float:
    return max(box.right for box in boxes)


def _row(group: Group, index: int, x: float, centre: float, scale: Scale) -> list[Box]:
    """The bars of a stage side by side."""
    boxes = []
    for bar in group.bars:
        width, height = scale.width(bar), scale.height(bar)
        boxes.append(Box(bar, index, x, centre - height / 2, width, height))
        x += width + scale.bar_gap
    return boxes


def _tallest(group: Group, scale: Scale) -> float:
    return max(scale.height(bar) for bar in group.bars)


def _u(groups: list[Group], scale: Scale, text: float) -> list[Box]:
    """Down on the left, up on the right; maps of one stride on one level."""
    strides = sorted({group.stage.stride[0] for group in groups})
    centres, y = {}, 2.2 * text
    for stride in strides:
        tallest = max(_tallest(g, scale) for g in groups if g.stage.stride[0] == stride)
        centres[stride] = y + tallest / 2
        y += tallest + 4.2 * text
    boxes: list[Box] = []
    taken: dict[float, float] = {}  # how far to the right a level is used
    x = 0.0
    for index, group in enumerate(groups):
        stride = group.stage.stride[0]
        x = max(x, taken.get(stride, x))
        row = _row(group, index, x, centres[stride], scale)
        boxes += row
        taken[stride] = row[-1].right + 3 * scale.stage_gap
        after = groups[index + 1].stage.stride[0] if index + 1 < len(groups) else stride
        # A stage of another level begins below or above the last bar of this one.
        same_level = after == stride
        if same_level:
            taken[stride] = row[-1].right + scale.stage_gap
        x = taken[stride] if same_level else row[-1].x
    return boxes


def _hourglass(groups: list[Group], scale: Scale, text: float) -> list[Box]:
    """All in one row; the arrows of skips and indices need room above it."""
    arcs = sum(1 for g in groups for k in g.stage.links if k.kind != "forward")
    top = (2.2 + 1.1 * arcs) * text
    centre = top + max(_tallest(group, scale) for group in groups) / 2
    boxes: list[Box] = []
    x = 0.0
    for index, group in enumerate(groups):
        row = _row(group, index, x, centre, scale)
        boxes += row
        x = row[-1].x + row[-1].width + scale.stage_gap
    return boxes


def _ladder(groups: list[Group], scale: Scale, text: float) -> list[Box]:
    """The encoder in one row, the scores below on their way back, each under what it comes from."""
    down = [(i, g) for i, g in enumerate(groups) if g.stage.kind not in ("decoder", "head")]
    back = [(i, g) for i, g in enumerate(groups) if g.stage.kind in ("decoder", "head")]
    centre = 2.2 * text + max(_tallest(g, scale) for _, g in down) / 2
    boxes: list[Box] = []
    x = 0.0
    for index, group in down:
        row = _row(group, index, x, centre, scale)
        boxes += row
        x = row[-1].x + row[-1].width + scale.stage_gap
    y = max(box.bottom for box in boxes) + 3 * text
    lower = y + max(_tallest(g, scale) for _, g in back) / 2
    right = _right(boxes)
    for index, group in back:
        row = _backwards(_row(group, index, 0.0, lower, scale))
        meeting = next((b for b in row if b.bar.kind == "projection"), row[len(row) // 2])
        source = _source(group, boxes)
        left = right - _right(row)
        if source is not None:  # what comes by the skip stands right below where it comes from
            left = min(source - meeting.middle, left)
        boxes += [box._replace(x=box.x + max(left, 0.0)) for box in row]
        right = left - scale.stage_gap
    return boxes


def _backwards(row: list[Box]) -> list[Box]:
    """The bars of a stage in their order, from the right to the left; a sum behind what it adds."""
    order = sorted(row, key=lambda box: _FLOW.get(box.bar.kind, 1))
    end = _right(row)
    gap = row[1].x - row[0].right if len(row) > 1 else 0.0
    moved = []
    for box in order:
        moved.append(box._replace(x=end - box.width))
        end -= box.width + gap
    return moved


def _source(group: Group, boxes: list[Box]) -> float | None:
    """The middle of the bar that a stage's skip comes from."""
    skips = {link.tensor for link in group.stage.links if link.kind in ("skip", "crop")}
    return next((box.middle for box in boxes if skips & box.bar.tensors), None)
