"""Figures of pictures in rows and columns, for what is seen inside a network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semseg._palette import Color
from semseg.viz._figure import as_hex, new_figure, write_as_is
from semseg.viz._theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES = 10.0  # of the whole width
_TEXT = 9  # points
_IN_A_ROW = 8  # names of the legend


class Panel(NamedTuple):
    """A picture with a caption below; None in a row leaves a place empty."""

    picture: np.ndarray  # (height, width, 3) uint8
    caption: str = ""


def picture_rows(
    rows: Sequence[Sequence[Panel | None]],
    look: Theme,
    heads: Sequence[str] = (),
    sides: Sequence[str] = (),
    title: str | None = None,
    legend: Sequence[tuple[str, Color]] = (),
) -> "Figure":
    """Rows of pictures of one width, with heads above the columns and names beside the rows.

    A legend of names and colours stands below them.
    """
    columns = max(map(len, rows))
    cell = _INCHES / columns
    tallest = [
        max(p.picture.shape[0] / p.picture.shape[1] for p in row if p is not None) for row in rows
    ]
    captioned = any(p.caption for row in rows for p in row if p is not None)
    text = (
        (0.25 if captioned else 0.06) * len(rows)
        + (0.3 if heads else 0)
        + (0.35 if title else 0)
        + 0.3 * -(-len(legend) // _IN_A_ROW)
    )
    figure = new_figure(_INCHES, cell * sum(tallest) + text, look)
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=tallest)
    for i, row in enumerate(rows):
        for j in range(columns):
            panel = row[j] if j < len(row) else None
            _show(axes[i][j], panel, look)
        if sides:
            _label(axes[i][0].set_ylabel(" ", fontsize=_TEXT), sides[i], look)
    for axis, head in zip(axes[0], heads, strict=False):
        _label(axis.set_title(" ", fontsize=_TEXT), head, look)
    if legend:
        _add_legend(figure, legend, look)
    if title:
        _label(figure.suptitle(" ", x=0.01, ha="left", fontsize=_TEXT + 2), title, look)
    return figure


def _show(axis: Any, panel: Panel | None, look: Theme) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.set_facecolor(as_hex(look.paper))
    if panel is None:
        return
    axis.imshow(panel.picture, interpolation="nearest", origin="upper")
    if panel.caption:
        _label(axis.set_xlabel(" ", fontsize=_TEXT), panel.caption, look)


def _add_legend(figure: "Figure", legend: Sequence[tuple[str, Color]], look: Theme) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=as_hex(color), label=name) for name, color in legend]
    columns = min(_IN_A_ROW, len(patches))
    drawn = figure.legend(
        handles=patches, loc="outside lower left", ncols=columns, frameon=False, fontsize=_TEXT
    )
    for text, (name, _) in zip(drawn.get_texts(), legend, strict=True):
        _label(text, name, look)


def _label(text: Any, words: str, look: Theme) -> None:
    text.set_color(as_hex(look.ink))
    write_as_is(text, words)
