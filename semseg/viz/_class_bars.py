"""Axes with a row a class: names on the left, numbers on the right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semseg.viz._figure import as_hex, name_ticks, style_axes
from semseg.viz._theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def style_bars(axes: "Axes", names: Sequence[str], look: Theme) -> None:
    """The first class on top, its name on the left."""
    name_ticks(axes.yaxis, range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    style_axes(axes, look, grid="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def value_column(axes: "Axes", texts: Sequence[str], look: Theme) -> None:
    """Numbers in a column right of the axes, where no bar meets them."""
    for place, text in enumerate(texts):
        axes.annotate(
            text, (1, place), (6, 0), xycoords=axes.get_yaxis_transform(), fontsize=9,
            textcoords="offset points", va="center", ha="left", color=as_hex(look.ink),
        )  # fmt: skip
