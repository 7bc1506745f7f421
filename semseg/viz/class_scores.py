"""One bar a class: how well each was found, and how sure that is."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._checks import check_choice
from semseg.viz._class_bars import style_bars, value_column
from semseg.viz._figure import as_hex, line_colors, open_axes, set_title, write_as_is
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_class_scores(
    scores: Any,
    intervals: Any = None,
    score: str = "iou",
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots the score of each class as a bar, the best on top, with the mean of all as a line.

    Classes without a score, which are neither in the truth nor predicted, are named below: they are
    left out of the mean.

    Args:
        scores: the `Scores` of a set, or a dict of class name -> score in 0..1, NaN for a class
            without one.
        intervals: (low, high) or (value, low, high), each one number a class in the order of
            `scores`, such as `functional.bootstrap(confusions, score="class_iou")`; None draws
            none.
        score: which of the `Scores`: "iou", "accuracy", "dice" or "precision". Names the axis too.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        ValueError: no score at all, scores outside 0..1, another number of intervals, an unknown
            `score`.

    Example:
        >>> figure = plot_class_scores({"road": 0.9, "sky": 0.8, "train": float("nan")})
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['road', 'sky']
    """
    look = theme(dark)
    names, values = _checked_scores(scores, score)
    ends = _checked_intervals(intervals, values)
    order = np.argsort(-values, kind="stable")
    order = order[~np.isnan(values[order])]
    figure, axes = open_axes(ax, (6.0, 1.3 + 0.27 * len(order)), look)
    places = np.arange(len(order))
    bar, error = line_colors(2, look)
    axes.barh(places, values[order], height=0.7, color=bar)
    if ends is not None:
        low, high = ends[0][order], ends[1][order]
        axes.hlines(places, low, high, color=error, linewidth=2)
        axes.plot(np.concatenate([low, high]), [*places, *places], "|", color=error, markersize=6)
    style_bars(axes, [names[i] for i in order], look)
    value_column(axes, [f"{v:.3f}" for v in values[order]], look)
    axes.set_xlim(0, 1)
    _mark_mean(axes, float(values[order].mean()), look)
    absent = [names[i] for i in np.flatnonzero(np.isnan(values))]
    _name_axis(axes, score, ends is not None, absent)
    set_title(axes, f"{title}\n" if title else None, look)
    return figure


def _mark_mean(axes: "Axes", mean: float, look: Theme) -> None:
    ink = as_hex(look.ink)
    axes.axvline(mean, color=ink, linewidth=1, linestyle="--")
    axes.annotate(
        f"mean {mean:.3f}", (mean, 1), (0, 4), xycoords=axes.get_xaxis_transform(),
        textcoords="offset points", color=ink, fontsize=9, va="bottom",
        ha="left" if mean < 0.1 else "right" if mean > 0.9 else "center",
    )  # fmt: skip


def _name_axis(axes: "Axes", score: str, has_intervals: bool, absent: list[str]) -> None:
    lines = [{"iou": "IoU", "dice": "Dice"}.get(score, score)]
    if has_intervals:
        lines[0] += "; lines: interval over images"
    if absent:
        lines += textwrap.wrap(f"without a score: {', '.join(absent)}", 70)
    write_as_is(axes.set_xlabel(" "), "\n".join(lines))


def _checked_scores(scores: Any, score: str) -> tuple[list[str], np.ndarray]:
    if not isinstance(scores, Mapping):
        raise TypeError(
            "scores must be Scores or a dict of class name -> score, received "
            f"{type(scores).__name__}; semseg.metrics.Scores(confusion, names) makes them"
        )
    of_set = getattr(scores, "names", None)  # Scores have them
    if of_set is not None:
        kinds = sorted({key.split("/")[0] for key in scores if "/" in key})
        check_choice("score", score, kinds)
        scores = {str(name): scores[f"{score}/{name}"] for name in of_set}
    names, values = [str(name) for name in scores], np.array(list(scores.values()), np.float64)
    present = values[~np.isnan(values)]
    if not present.size:
        raise ValueError(f"scores must hold at least one number, received {names} without any")
    if present.min() < 0 or present.max() > 1:
        raise ValueError(f"scores must lie in 0..1, received {present.min()} to {present.max()}")
    return names, values


def _checked_intervals(intervals: Any, values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    if intervals is None:
        return None
    ends = [np.asarray(part, np.float64) for part in tuple(intervals)[-2:]]
    if len(tuple(intervals)) not in (2, 3) or any(end.shape != values.shape for end in ends):
        raise ValueError(
            f"intervals must be (low, high) or (value, low, high) of {len(values)} numbers each, "
            f"received shapes {[np.shape(part) for part in intervals]}; "
            'bootstrap(confusions, score="class_iou") gives them by class'
        )
    return ends[0], ends[1]
