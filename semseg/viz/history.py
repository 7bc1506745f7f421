"""How a training went, or several: curves of losses, scores and the learning rate."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from semseg.viz._figure import (
    as_hex,
    line_colors,
    new_figure,
    set_title,
    style_axes,
    write_as_is,
)
from semseg.viz._history_curves import RATES, Curve, panels, read_runs, smoothed
from semseg.viz._line_legend import legend_below
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS_A_ROW = 2  # texts are read where the figure is shown 600 pixels wide
_FEW_EPOCHS = 12  # up to here each epoch gets a dot; more dots would hide the dashes
_LABEL_LETTERS = 42  # what fits under a panel


class _Trace(NamedTuple):
    """A curve in a panel; curves of one hue have one colour."""

    curve: Curve
    hue: str
    label: str
    is_marked: bool


def plot_history(
    history: Any, smoothing: float = 0.0, title: str | None = None, dark: bool = False
) -> "Figure":
    """Plots the curves of a training, or those of several trainings for comparison.

    Of one run, losses share a panel, and so do all scores between 0 and 1, and those of the classes
    (`iou/Road`, `iou/Sky`); any other metric and the learning rate have panels of their own. Of
    several runs, each quantity has a panel and each run a colour. A validation curve is dashed in
    the colour of its training curve. The best epoch of each quantity is marked: the lowest loss or
    error, the highest other value, of the validation where there is one.

    Args:
        history: what `model.fit` returned, or a dict of name -> one value an epoch; for several
            runs a dict of run name -> one of these.
        smoothing: in [0, 1): how much each epoch weighs in the running mean of the curves,
            relative to the next one. The recorded values stay visible behind, and the best epoch
            is that of the recorded values.
        title: above the panels.
        dark: light lines on a dark ground.

    Returns:
        A Matplotlib figure that belongs to no window; `save` writes it.

    Raises:
        ValueError: no epoch recorded, values that are no numbers, `smoothing` outside [0, 1).

    Example:
        >>> first = {"loss": [0.9, 0.4], "val_loss": [1.0, 0.6]}
        >>> figure = plot_history({"first": first, "second": {"loss": [0.8, 0.3]}})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['loss']
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must lie in [0, 1), received {smoothing!r}")
    look, runs = theme(dark), read_runs(history)
    contents = _traces_of_one(runs[""]) if list(runs) == [""] else _traces_of_several(runs)
    columns = min(len(contents), _PANELS_A_ROW)
    rows = -(-len(contents) // columns)
    height = 3.2 + 0.19 * max(map(len, contents.values()))
    figure = new_figure(4.6 * columns, height * rows, look)
    for place, (name, traces) in enumerate(contents.items(), start=1):
        hues = list(dict.fromkeys(trace.hue for trace in traces) if "" in runs else runs)
        colors = dict(zip(hues, line_colors(len(hues), look), strict=True))
        axes = figure.add_subplot(rows, columns, place)
        _plot_panel(axes, name, traces, colors, smoothing, look)
    if title is not None:
        write_as_is(figure.suptitle(" ", x=0.02, ha="left", color=as_hex(look.ink)), title)
    return figure


def _traces_of_one(curves: Sequence[Curve]) -> dict[str, list[_Trace]]:
    names = {curve.name for curve in curves}
    return {
        title: [_Trace(c, c.base, c.name, _is_marked(c, names)) for c in members]
        for title, members in panels(curves).items()
    }


def _traces_of_several(runs: Mapping[str, Sequence[Curve]]) -> dict[str, list[_Trace]]:
    """A panel a quantity, in the order in which one run would have them."""
    every = [curve for curves in runs.values() for curve in curves]
    bases = dict.fromkeys(curve.base for members in panels(every).values() for curve in members)
    found: dict[str, list[_Trace]] = {
        "learning rate" if base in RATES else base: [] for base in bases
    }
    for run, curves in runs.items():
        names = {curve.name for curve in curves}
        for curve in sorted(curves, key=lambda curve: curve.name != curve.base):
            label = run if curve.name == curve.base else f"{run}, validation"
            panel = "learning rate" if curve.base in RATES else curve.base
            found[panel].append(_Trace(curve, run, label, _is_marked(curve, names)))
    return found


def _is_marked(curve: Curve, names: set[str]) -> bool:
    return not curve.is_setting and f"val_{curve.name}" not in names


def _plot_panel(
    axes: "Axes",
    title: str,
    traces: Sequence[_Trace],
    colors: Mapping[str, str],
    smoothing: float,
    look: Theme,
) -> None:
    lines, labels = [], []
    for trace in traces:
        best = trace.curve.best if trace.is_marked else None
        lines.append(_plot_curve(axes, trace.curve, colors[trace.hue], best, smoothing, look))
        labels.append(_label(trace, best))
    set_title(axes, title, look)
    epochs = [int(epoch) for trace in traces for epoch in trace.curve.epochs]
    _style_epochs(axes, min(epochs), max(epochs), look)
    if len(traces) > 1 or title != "learning rate":
        legend_below(axes, lines, labels, look, _LABEL_LETTERS)


def _plot_curve(
    axes: "Axes", curve: Curve, color: str, best: int | None, smoothing: float, look: Theme
) -> Any:
    style = "-" if curve.name == curve.base else "--"
    dot = "o" if len(curve.values) <= _FEW_EPOCHS else ""
    values = curve.values
    if smoothing and not curve.is_setting:
        values = smoothed(values, smoothing)
        axes.plot(curve.epochs, curve.values, color=color, alpha=0.4, linewidth=0.8)
        dot = ""
    (line,) = axes.plot(curve.epochs, values, style, color=color, marker=dot, markersize=3)
    if best is not None:
        at = curve.epochs[best], curve.values[best]
        edge = as_hex(look.paper)
        axes.scatter(*at, s=70, facecolor=color, edgecolor=edge, zorder=3, clip_on=False)
    return line


def _label(trace: _Trace, best: int | None) -> str:
    if best is None:
        return trace.label
    curve = trace.curve
    return f"{trace.label} (best {curve.values[best]:.4g}, epoch {curve.epochs[best]})"


def _style_epochs(axes: "Axes", first: int, last: int, look: Theme) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    # Half an epoch at either end: there is no epoch 0 to be labelled.
    axes.set_xlim(first - 0.5, last + 0.5)
    style_axes(axes, look)
