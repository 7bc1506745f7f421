"""A drawn network on Matplotlib axes: bars, arrows, labels and the key."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from semseg.viz._architecture_arrows import Arrow, arrows_of
from semseg.viz._architecture_bars import Bar, Group
from semseg.viz._architecture_labels import Label
from semseg.viz._architecture_layout import Box, Layout, Scale, lay_out
from semseg.viz._theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Kinds of bars in the order of the key, each with its place among `line_colors` (None: quiet).
_BARS: dict[str, tuple[int | None, str]] = {
    "input": (None, "picture"),
    "convolution": (0, "convolution"),
    "projection": (6, "1x1 convolution"),
    "pooling": (1, "max pooling"),
    "upsampling": (2, "upsampling"),
    "concatenation": (2, "upsampled, beside a skip"),
    "unpooling": (3, "unpooling"),
    "sum": (5, "sum"),
    "output": (4, "scores of the classes"),
}
_ARROWS: dict[str, tuple[int | None, str]] = {
    "forward": (None, ""),
    "skip": (0, "skip"),
    "crop": (0, "skip, cropped"),
    "index": (3, "positions of the maxima"),
}
_LETTER = 0.58  # width of a letter over its height


class Drawing(NamedTuple):
    """A network in its place.

    Attributes:
        groups: its stages.
        layout: where the bars stand.
        arrows: between them.
        convolution: what the key calls a convolution.
    """

    groups: list[Group]
    layout: Layout
    arrows: list[Arrow]
    convolution: str


def draw_up(groups: list[Group], kernels: set[Any], scale: Scale, letters: float) -> Drawing:
    """Lays a network out."""
    layout = lay_out(groups, scale, letters)
    named = [f"{height}x{width} convolution" for height, width in kernels]
    convolution = named[0] if len(named) == 1 else "convolution"
    return Drawing(groups, layout, arrows_of(groups, layout, letters), convolution)


def paint(axes: "Axes", drawing: Drawing, look: Theme, letters: float) -> list[Label]:
    """Puts bars and arrows onto the axes, in pixels; returns the labels that belong to them."""
    colors = _Colors(look)
    for arrow in drawing.arrows:
        _draw_arrow(axes, arrow, colors)
    for box in drawing.layout.boxes:
        _draw_box(axes, box, colors)
    labels: list[Label] = []
    for index in range(len(drawing.groups)):
        row = [box for box in drawing.layout.boxes if box.group == index]
        shape, kind = drawing.layout.shape, drawing.groups[index].stage.kind
        labels += [*_channels(row, letters), *_sizes(row, shape, kind, letters)]
    return labels


def key_rows(drawings: list[Drawing], width: float, letters: float) -> list[list[tuple[str, str]]]:
    """Kinds of bars and arrows that occur and what they are called, in lines of the width."""
    kinds = {box.bar.kind for drawing in drawings for box in drawing.layout.boxes}
    kinds |= {arrow.kind for drawing in drawings for arrow in drawing.arrows}
    kernels = {drawing.convolution for drawing in drawings}
    names = {kind: name for kind, (_, name) in {**_BARS, **_ARROWS}.items() if kind in kinds}
    if "convolution" in names and len(kernels) == 1:
        names["convolution"] = kernels.pop()
    rows: list[list[tuple[str, str]]] = [[]]
    used = 0.0
    for kind, name in names.items():
        if not name:
            continue
        if used + _entry_width(name, letters) > width and rows[-1]:
            rows.append([])
            used = 0.0
        rows[-1].append((kind, name))
        used += _entry_width(name, letters)
    return rows


def paint_key(
    axes: "Axes", rows: list[list[tuple[str, str]]], y: float, look: Theme, letters: float
) -> list[Label]:
    """Squares and arrows of the key from `y` down; returns their names as labels."""
    colors = _Colors(look)
    labels = []
    for row in rows:
        x = 0.0
        for kind, name in row:
            if kind in _ARROWS:
                _draw_arrow(axes, Arrow(kind, [(x, y), (x + 1.6 * letters, y)]), colors)
            else:
                side = 0.9 * letters
                _draw_box(axes, _swatch(kind, x + side / 3, y - side / 2, side), colors)
            labels.append(Label(name, x + 2.0 * letters, y, ("left", "center"), 0))
            x += _entry_width(name, letters)
        y += 1.9 * letters
    return labels


def _entry_width(name: str, letters: float) -> float:
    return (3.5 + _LETTER * len(name)) * letters


def _swatch(kind: str, x: float, y: float, side: float) -> Box:
    half = int(kind == "concatenation")
    return Box(Bar(kind, 2, (1, 1), frozenset(), "", from_skip=half), 0, x, y, side, side)


class _Colors:
    """Hex colours by the kind of a bar or an arrow."""

    def __init__(self, look: Theme) -> None:
        from semseg.viz._figure import as_hex, line_colors

        several = line_colors(7, look)
        self.paper = as_hex(look.paper)
        self.of = {
            kind: as_hex(look.quiet) if place is None else several[place]
            for kind, (place, _) in {**_BARS, **_ARROWS}.items()
        }


def _draw_arrow(axes: "Axes", arrow: Arrow, colors: _Colors) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    codes = [Path.MOVETO] + [Path.LINETO] * (len(arrow.points) - 1)
    axes.add_patch(
        FancyArrowPatch(
            path=Path(arrow.points, codes),
            arrowstyle="-|>,head_length=3,head_width=1.6",
            color=colors.of[arrow.kind],
            linewidth=1.1 if arrow.kind == "forward" else 1.4,
            linestyle="--" if arrow.kind == "crop" else "-",
            zorder=1,
        )
    )


def _draw_box(axes: "Axes", box: Box, colors: _Colors) -> None:
    from matplotlib.patches import Rectangle

    face: dict[str, Any] = {"facecolor": colors.of[box.bar.kind], "edgecolor": colors.paper}
    for behind in range(min(box.bar.repeats, 3) - 1, -1, -1):  # a block is a small stack
        at = box.x + 2.5 * behind, box.y - 2.5 * behind
        axes.add_patch(Rectangle(at, box.width, box.height, zorder=2, linewidth=0.6, **face))
    if box.bar.from_skip:
        width = box.width * box.bar.from_skip / box.bar.channels
        face = {"facecolor": colors.paper, "edgecolor": colors.of["skip"]}
        axes.add_patch(Rectangle((box.x, box.y), width, box.height, zorder=3, **face))


def _channels(row: list[Box], letters: float) -> list[Label]:
    """Above the bars; the last of a stage and those that differ are the ones to read."""
    labels = []
    for number, box in enumerate(row):
        text = f"{box.bar.channels}"
        if box.bar.repeats > 1:
            text = f"{box.bar.repeats}x {text}"
        differs = number == 0 or row[number - 1].bar.channels != box.bar.channels
        urgency = 1 if number == len(row) - 1 else 3 if differs else 4
        labels.append(Label(text, box.middle, box.y - 0.2 * letters, ("center", "bottom"), urgency))
    return labels


def _sizes(row: list[Box], shape: str, kind: str, letters: float) -> list[Label]:
    """Below a stage: what its maps measure; in a ladder the paper's names stand above that."""
    height, width = row[-1].bar.size
    text = f"{height}²" if height == width else f"{height}x{width}"
    below = max(box.bottom for box in row) + 0.25 * letters
    left, right = min(box.x for box in row), max(box.right for box in row)
    if shape == "u":  # arrows go down from the last bar, and come up to the first
        if kind in ("decoder", "head"):
            return [Label(text, right, below, ("right", "top"), 2)]
        return [Label(text, left, below, ("left", "top"), 2)]
    named = [(box, _paper_name(box.bar.name)) for box in row] if shape == "ladder" else []
    labels = [
        Label(name, box.middle, box.bottom + 0.25 * letters, ("center", "top"), 2)
        for box, name in named
        if name
    ]
    below += 1.3 * letters if labels else 0.0
    return [*labels, Label(text, (left + right) / 2, below, ("center", "top"), 2)]


def _paper_name(name: str) -> str:
    """What the FCN paper calls a layer: "pool3", "fc6"; "" where it has no name."""
    found = re.fullmatch(r"(?:.*/)?(?:block(\d)_pool|(fc\d))", name)
    return (found[2] or f"pool{found[1]}") if found else ""
