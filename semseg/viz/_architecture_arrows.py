"""The arrows between the stages of a drawn network."""

from typing import NamedTuple

from semseg.viz._architecture_bars import Group
from semseg.viz._architecture_layout import Box, Layout

_Point = tuple[float, float]


class Arrow(NamedTuple):
    """A line of corners that ends in a point; kind as of `semseg.analysis.Link`."""

    kind: str
    points: list[_Point]


def arrows_of(groups: list[Group], layout: Layout, text: float) -> list[Arrow]:
    """Between neighbouring stages, and for all that is handed across."""
    rows = [[box for box in layout.boxes if box.group == i] for i in range(len(groups))]
    found = []
    for index, (group, row) in enumerate(zip(groups, rows, strict=True)):
        if index:
            found.append(_forward(rows[index - 1][-1], row[0], layout.shape, text))
        for link in group.stage.links:
            if link.kind != "forward":
                source = next((b for b in layout.boxes if link.tensor in b.bar.tensors), None)
                if source is not None:
                    target = _target(row, link.kind)
                    found.append(_across(link.kind, source, target, layout, text))
    return found


def _target(row: list[Box], kind: str) -> Box:
    """The bar that takes what is handed across."""
    wanted = ("unpooling",) if kind == "index" else ("concatenation", "projection", "sum")
    return next((box for name in wanted for box in row if box.bar.kind == name), row[0])


def _forward(source: Box, target: Box, shape: str, text: float) -> Arrow:
    """From the last bar of a stage to the first of the next; labels above bars stay free."""
    same_level = abs(source.centre - target.centre) < 1
    if same_level or shape == "hourglass":
        ends = (source.right, target.x) if target.x >= source.x else (source.x, target.right)
        return Arrow("forward", [(ends[0], source.centre), (ends[1], target.centre)])
    label = 1.5 * text
    x = source.middle
    if shape == "ladder" and x > target.right:  # down from the coarsest scores, then back
        corner = (x, target.centre)
        return Arrow("forward", [(x, source.bottom), corner, (target.right, target.centre)])
    x = min(max(target.middle, source.x), source.right)
    if target.centre > source.centre:
        return Arrow("forward", [(x, source.bottom), (x, target.y - label)])
    if x < target.x:  # not right above
        corner = (target.middle, source.centre)
        return Arrow(
            "forward", [(source.right, source.centre), corner, (target.middle, target.bottom)]
        )
    return Arrow("forward", [(x, source.y - label), (x, target.bottom)])


def _across(kind: str, source: Box, target: Box, layout: Layout, text: float) -> Arrow:
    label = 1.5 * text
    if layout.shape == "u":
        y = (max(source.y, target.y) + min(source.bottom, target.bottom)) / 2
        return Arrow(kind, [(source.right, y), (target.x, y)])
    if layout.shape == "ladder":
        x, top, bottom = source.middle, source.bottom + label, target.y - label
        if abs(x - target.middle) < 1:
            return Arrow(kind, [(x, top), (x, bottom)])
        half = bottom - label
        return Arrow(kind, [(x, top), (x, half), (target.middle, half), (target.middle, bottom)])
    # Above the row, the outermost pair highest.
    inner = sum(1 for box in layout.boxes if source.x < box.x < target.x)
    top = min(box.y for box in layout.boxes) - 2 * label
    y = top * (1 - inner / len(layout.boxes))
    corners = [(source.middle, source.y - label), (source.middle, y)]
    return Arrow(kind, [*corners, (target.middle, y), (target.middle, target.y - label)])
