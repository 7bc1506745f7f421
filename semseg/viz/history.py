"""How a training went: curves of losses, scores and the learning rate."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._palette import default_colors, perceived
from semseg.viz._history_curves import RATES, Curve, panels, read_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS_A_ROW = 3
_FEW_EPOCHS = 12  # up to here each epoch gets a dot; more dots would hide the dashes
_LABEL_LETTERS = 42  # what fits under a panel
_LIGHTEST_LINE = 0.78  # OKLab lightness that still reads on white
# Blue, vermilion, green, purple, slate, orange and sky blue of the default colours.
_FIRST_COLORS = (3, 2, 7, 5, 0, 4, 1)


def plot_history(history: Any) -> "Figure":
    """Plots the curves of a training.

    Losses share a panel, and so do all scores between 0 and 1, and those of the classes
    (`iou/Road`, `iou/Sky`); any other metric and the learning rate have panels of their own. A
    validation curve is dashed in the colour of its training curve. The best epoch of each quantity
    is marked: the lowest loss or error, the highest other value, of the validation where there is
    one.

    Args:
        history: what `model.fit` returned, or a dict of name -> one value an epoch.

    Returns:
        A Matplotlib figure that belongs to no window; `save` writes it.

    Raises:
        ValueError: no epoch recorded, or values that are no numbers.

    Example:
        >>> figure = plot_history({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6]})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['loss']
    """
    from matplotlib.figure import Figure

    contents = panels(read_curves(history))
    columns = min(len(contents), _PANELS_A_ROW)
    rows = -(-len(contents) // columns)
    height = 3.2 + 0.19 * max(map(len, contents.values()))
    figure = Figure(figsize=(4.6 * columns, height * rows), layout="constrained")
    for place, (title, curves) in enumerate(contents.items(), start=1):
        _plot_panel(figure.add_subplot(rows, columns, place), title, curves)
    return figure


def _plot_panel(axes: "Axes", title: str, curves: Sequence[Curve]) -> None:
    names = {curve.name for curve in curves}
    bases = list(dict.fromkeys(curve.base for curve in curves))
    colors = dict(zip(bases, _line_colors(len(bases)), strict=True))
    labels = []
    for curve in curves:
        is_marked = curve.base not in RATES and f"val_{curve.name}" not in names
        best = curve.best if is_marked else None
        _plot_curve(axes, curve, colors[curve.base], best)
        labels.append(_label(curve, best))
    axes.set_title(title, loc="left", parse_math=False)
    epochs = [int(epoch) for curve in curves for epoch in curve.epochs]
    _style_axes(axes, min(epochs), max(epochs))
    if title != "learning rate":
        _add_legend(axes, labels)


def _plot_curve(axes: "Axes", curve: Curve, color: str, best: int | None) -> None:
    style = "-" if curve.name == curve.base else "--"
    dot = "o" if len(curve.values) <= _FEW_EPOCHS else ""
    axes.plot(curve.epochs, curve.values, style, color=color, marker=dot, markersize=3)
    if best is not None:
        at = curve.epochs[best], curve.values[best]
        axes.scatter(*at, s=70, facecolor=color, edgecolor="white", zorder=3)


def _label(curve: Curve, best: int | None) -> str:
    if best is None:
        return curve.name
    return f"{curve.name} (best {curve.values[best]:.4g}, epoch {curve.epochs[best]})"


def _style_axes(axes: "Axes", first: int, last: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    # Half an epoch at either end: there is no epoch 0 to be labelled.
    axes.set_xlim(first - 0.5, last + 0.5)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(axes: "Axes", labels: Sequence[str]) -> None:
    """A legend below the axis label: inside the axes it would cover curves."""
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -40 / 72, axes.figure.dpi_scale_trans)
    lines = axes.get_lines()
    # The names come after: Matplotlib leaves out labels that begin with an underscore.
    legend = axes.legend(
        lines, ["-"] * len(lines), loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0,
        bbox_transform=axes.transAxes + below, frameon=False, fontsize=9, handlelength=3,
    )  # fmt: skip
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)  # a dollar sign is a dollar sign
        text.set_text(textwrap.fill(label, _LABEL_LETTERS))


def _line_colors(count: int) -> list[str]:
    """Hex colours of lines on white: the default colours without the light ones."""
    colors = default_colors(2 * count + 16)
    readable = perceived(np.array(colors))[0, :, 0] < _LIGHTEST_LINE
    order = [
        *_FIRST_COLORS,
        *(i for i in np.flatnonzero(readable).tolist() if i not in _FIRST_COLORS),
    ]
    return ["#{:02x}{:02x}{:02x}".format(*colors[i]) for i in order[:count]]
