"""How often each class occurs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._class_bars import style_bars, value_column
from semseg.viz._class_names import class_names
from semseg.viz._figure import as_hex, line_colors, open_axes, set_title, write_as_is
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOG_TICKS = 6  # whose labels fit side by side
_LARGE_RATIO = 100  # of the most to the least frequent class: bars of the least would vanish


def plot_class_frequencies(
    frequencies: Any,
    names: Any = None,
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots the share of the labelled pixels that each class has, the most frequent on top.

    Where the most frequent class has more than a hundred times the pixels of the least frequent,
    the axis is logarithmic and dots replace the bars, whose lengths would mean nothing there.
    Classes that never occur come last.

    Args:
        frequencies: what `ds.class_frequencies()` counted, a Dataset (whose masks are then read),
            or one number of pixels a class.
        names: the `ClassMap` or the names; None takes those that come with the frequencies, or ids.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        ValueError: no pixel at all, counts below 0, another number of names.

    Example:
        >>> figure = plot_class_frequencies([9000, 900, 9], ["background", "cell", "rare"])
        >>> figure.axes[0].get_xscale()
        'log'
    """
    look = theme(dark)
    pixels, named, ignored = _checked(frequencies, names)
    order = np.argsort(-pixels, kind="stable")
    shares = pixels[order] / pixels.sum()
    figure, axes = open_axes(ax, (6.0, 1.3 + 0.27 * len(order)), look)
    places, (color,) = np.arange(len(order)), line_colors(1, look)
    present = shares > 0
    if shares[0] > _LARGE_RATIO * shares[present][-1]:
        axes.set_xscale("log")
        axes.plot(shares[present], places[present], "o", color=color, markersize=7)
        least = 10.0 ** np.floor(np.log10(shares[present][-1]) - 0.1)
        axes.hlines(places[present], least, shares[present], color=color, linewidth=1, alpha=0.5)
        axes.set_xlim(least, 1.3)
    else:
        axes.barh(places, shares, height=0.7, color=color)
        axes.set_xlim(0, 1.05 * shares[0])
    style_bars(axes, [named[i] for i in order], look)
    value_column(axes, [_percent(share) for share in shares], look)
    _name_axis(axes, pixels, ignored)
    set_title(axes, title, look)
    axes.tick_params(axis="x", which="minor", color=as_hex(look.quiet))
    return figure


def _name_axis(axes: "Axes", pixels: np.ndarray, ignored: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    if axes.get_xscale() == "log":
        axes.xaxis.set_major_locator(LogLocator(numticks=_LOG_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    said = "share of the labelled pixels"
    if ignored:
        said += f"; {ignored / (ignored + pixels.sum()):.1%} of all pixels are ignored"
    write_as_is(axes.set_xlabel(" "), said)


def _percent(share: float) -> str:
    """Two digits that count, whole above ten per cent; a class that never occurs has none."""
    if share == 0:
        return "none"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.4g} %"


def _checked(frequencies: Any, names: Any) -> tuple[np.ndarray, tuple[str, ...], float]:
    if hasattr(frequencies, "class_frequencies"):
        frequencies = frequencies.class_frequencies()
    if names is None:
        names = getattr(frequencies, "class_map", None)
    pixels = np.asarray(getattr(frequencies, "pixels", frequencies), np.float64)
    if pixels.ndim != 1 or not np.isfinite(pixels).all() or (pixels < 0).any() or not pixels.sum():
        raise ValueError(
            "frequencies must be one number of pixels >= 0 a class, some above 0, received "
            f"{repr(frequencies)[:80]}; ds.class_frequencies() counts them"
        )
    named = class_names(names, len(pixels), "frequencies")
    return pixels, named, float(getattr(frequencies, "ignored", 0))
