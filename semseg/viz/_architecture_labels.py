"""Labels that never lie on one another: important ones first, others where there is room."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AIR = 1.5  # pixels around a label


class Label(NamedTuple):
    """A text at a place of the axes.

    Attributes:
        text: what it says.
        x, y: of the anchor.
        align: which part of the text stands there.
        urgency: labels of less are placed first.
        strong: in the ink's colour, else the quiet one.
    """

    text: str
    x: float
    y: float
    align: tuple[Literal["left", "center", "right"], Literal["top", "bottom", "center"]]
    urgency: int = 1
    strong: bool = True


def place(axes: "Axes", labels: list[Label], size: float, colors: tuple[Any, Any]) -> list[Any]:
    """Writes the labels that fit beside those written before; returns the texts.

    Args:
        axes: data units of y that run down.
        labels: what to write.
        size: of the letters in points.
        colors: of strong and of other labels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from semseg.viz._figure import write_as_is

    figure = axes.figure.canvas.figure
    canvas = figure.canvas if hasattr(figure.canvas, "get_renderer") else FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    written: list[Any] = []
    taken: list[Any] = []
    for label in sorted(labels, key=lambda label: label.urgency):
        across, along = label.align
        text = axes.text(
            label.x, label.y, " ", size=size, ha=across, va=along,
            color=colors[0] if label.strong else colors[1],
        )  # fmt: skip
        write_as_is(text, label.text)
        box = text.get_window_extent(renderer).padded(_AIR)
        inside = box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1
        if not inside or any(box.overlaps(other) for other in taken):
            text.remove()
            continue
        written.append(text)
        taken.append(box)
    return written
