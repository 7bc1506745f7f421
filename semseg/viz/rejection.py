"""Whether a doubt is worth something, as curves of what is kept."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._checks import check_choice
from semseg.viz._by_name import by_name
from semseg.viz._figure import line_colors, open_axes, set_title, style_axes
from semseg.viz._line_legend import legend_below
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCORES = {"pixel_accuracy": "pixel accuracy", "mean_iou": "mean IoU"}
_LEAST_SPAN = 0.1  # of the scores shown: noise must not look like a slope
_LETTERS = 56  # what fits under the axes


def plot_reject_curve(
    curve: Any,
    score: str = "pixel_accuracy",
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots the score of the pixels that are kept over their share, the surest ones first.

    A doubt that knows where the errors are lifts the curve, from the score of all pixels on the
    right, dashed, towards the left; one that knows nothing stays on the dashes. The axis of scores
    ends at 1 and does not begin at 0. A mean IoU jumps where the first pixels of a class come in.

    Args:
        curve: what `metrics.functional.reject_curve` returned, or those of several models or
            doubts, `{name: curve}`.
        score: "pixel_accuracy" or "mean_iou".
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        TypeError: no curve.
        ValueError: no model, an unknown `score`.

    Example:
        >>> from semseg.metrics.functional import reject_curve
        >>> curve = reject_curve([0, 0, 1, 1], [0, 1, 1, 1], [0.1, 0.9, 0.2, 0.4], 2, points=4)
        >>> figure = plot_reject_curve({"entropy": curve})
        >>> figure.axes[0].get_legend().get_texts()[0].get_text()
        'entropy: pixel accuracy 0.750 of all pixels'
    """
    look = theme(dark)
    check_choice("score", score, list(_SCORES))
    curves = _checked(curve, score)
    figure, axes = open_axes(ax, (6.0, 3.9 + 0.19 * len(curves)), look)
    lines, labels = [], []
    for (name, found), color in zip(curves.items(), line_colors(len(curves), look), strict=True):
        kept, values = np.asarray(found.kept), np.asarray(getattr(found, score))
        axes.plot([0, 1], [values[-1]] * 2, "--", color=color, linewidth=1, alpha=0.7)
        (line,) = axes.plot(kept, values, "o-", color=color, markersize=4, clip_on=False)
        lines.append(line)
        of_all = f"{_SCORES[score]} {values[-1]:.3f} of all pixels"
        labels.append(f"{name}: {of_all}" if name else of_all)
    lowest = min(float(np.min(getattr(found, score))) for found in curves.values())
    axes.set(xlim=(0, 1), ylim=(min(lowest - 0.04 * (1 - lowest), 1 - _LEAST_SPAN), 1))
    axes.set_xlabel("share of the pixels that are kept, the surest first")
    axes.set_ylabel(f"{_SCORES[score]} of the pixels kept")
    style_axes(axes, look)
    legend_below(axes, lines, labels, look, _LETTERS)
    set_title(axes, title, look)
    return figure


def _checked(curve: Any, score: str) -> dict[str, Any]:
    curves = by_name("curve", curve, "reject_curve", ("kept", score))
    if not curves:
        raise ValueError("curve must name at least one model, received {}")
    return curves
