"""Lines of which each stands for something that has a name, such as a model or a metric."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._figure import as_hex, write_as_is
from semseg.viz._theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST_DOT = 160  # square points: what half of all pixels or more have
_SMALLEST_DOT = 8
_BELOW = 40  # points from the axes to a legend, and more for each further line of the axis's name
_LINE = 14


def weighted_dots(
    axes: "Axes", x: np.ndarray, y: np.ndarray, shares: np.ndarray, color: str, look: Theme
) -> None:
    """Dots whose area grows with the share of all pixels that each stands for."""
    sizes = np.clip(2 * _LARGEST_DOT * shares, _SMALLEST_DOT, _LARGEST_DOT)
    axes.scatter(x, y, s=sizes, color=color, edgecolor=as_hex(look.paper), zorder=3, clip_on=False)


def legend_below(
    axes: "Axes", lines: Sequence[Any], labels: Sequence[str], look: Theme, letters: int
) -> None:
    """A legend below the axis's name, which comes first: inside the axes it would cover curves."""
    from matplotlib.transforms import ScaledTranslation

    points = _BELOW + _LINE * axes.get_xlabel().count("\n")
    below = ScaledTranslation(0, -points / 72, axes.figure.dpi_scale_trans)
    # The names come after: Matplotlib leaves out labels that begin with an underscore.
    legend = axes.legend(
        lines, ["-"] * len(lines), loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0,
        bbox_transform=axes.transAxes + below, frameon=False, fontsize=9, handlelength=3,
        labelcolor=as_hex(look.ink),
    )  # fmt: skip
    for text, label in zip(legend.get_texts(), labels, strict=True):
        write_as_is(text, textwrap.fill(label, letters))
