"""What all Matplotlib figures have in common: their axes, their look, names as they are."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semseg._palette import Color, default_colors, perceived
from semseg.viz._fonts import legible
from semseg.viz._theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.1  # inches around everything
# OKLab lightness of lines and dots that read on the paper.
_LIGHTEST_ON_LIGHT, _DARKEST_ON_DARK = 0.78, 0.58
# Blue, vermilion, green, purple, slate, orange and sky blue of the default colours; on dark paper
# sky blue, orange, green, yellow, purple and vermilion.
_FIRST_ON_LIGHT, _FIRST_ON_DARK = (3, 2, 7, 5, 0, 4, 1), (1, 4, 7, 6, 5, 2)


def new_figure(width: float, height: float, look: Theme) -> "Figure":
    """A figure of that many inches that belongs to no window."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=_MARGIN, h_pad=_MARGIN)
    return Figure(figsize=(width, height), layout=layout, facecolor=as_hex(look.paper))


def open_axes(ax: "Axes | None", size: tuple[float, float], look: Theme) -> "tuple[Figure, Axes]":
    """The caller's axes with their figure, or new ones in a figure of (width, height) inches."""
    if ax is None:
        figure = new_figure(*size, look)
        return figure, figure.add_subplot()
    return ax.figure.canvas.figure, ax  # the whole figure, where the axes are in a part of it


def style_axes(axes: "Axes", look: Theme, grid: Literal["both", "x", "y"] | None = "both") -> None:
    """Paper, ink, two spines and a quiet grid along "x", "y" or "both"."""
    ink, quiet = as_hex(look.ink), as_hex(look.quiet)
    axes.set_facecolor(as_hex(look.paper))
    axes.tick_params(which="both", color=quiet, labelcolor=ink)
    for text in (axes.xaxis.label, axes.yaxis.label):
        text.set_color(ink)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(quiet)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color=quiet, alpha=0.3, linewidth=0.8)


def set_title(axes: "Axes", title: str | None, look: Theme) -> None:
    """A title above the left end of the axes, or none."""
    if title:
        write_as_is(axes.set_title(" ", loc="left", color=as_hex(look.ink)), title)


def name_ticks(axis: Any, places: Any, names: Any) -> None:
    """Ticks of an axis that carry names."""
    axis.set_ticks(places, labels=[legible(str(name)).text for name in names])
    for label, name in zip(axis.get_ticklabels(), names, strict=True):
        write_as_is(label, str(name))


def write_as_is(text: Any, words: str) -> None:
    """Lets a Matplotlib text show words letter by letter: a dollar sign is a dollar sign."""
    from matplotlib.font_manager import FontProperties

    lines = [legible(line) for line in words.split("\n")]
    text.set_parse_math(False)
    text.set_text("\n".join(line.text for line in lines))
    files = [line.file for line in lines if line.file]
    if files:
        text.set_fontproperties(FontProperties(fname=files[0], size=text.get_fontsize()))


def line_colors(count: int, look: Theme) -> list[str]:
    """Hex colours of lines and dots: those of the default colours that read on the paper."""
    colors = default_colors(2 * count + 16)
    lightness = perceived(np.array(colors))[0, :, 0]
    is_light = sum(look.paper) > sum(look.ink)
    first: tuple[int, ...] = _FIRST_ON_LIGHT if is_light else _FIRST_ON_DARK
    readable = lightness < _LIGHTEST_ON_LIGHT if is_light else lightness > _DARKEST_ON_DARK
    others = (i for i in np.flatnonzero(readable).tolist() if i not in first)
    return [as_hex(colors[i]) for i in [*first, *others][:count]]


def as_hex(color: Color) -> str:
    """A colour as Matplotlib takes it."""
    return "#{:02x}{:02x}{:02x}".format(*color)
