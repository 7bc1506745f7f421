"""Whether probabilities mean what they say, as a diagram."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._by_name import by_name
from semseg.viz._figure import as_hex, line_colors, open_axes, set_title, style_axes, write_as_is
from semseg.viz._line_legend import weighted_dots
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_reliability(
    calibration: Any,
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots how often predictions are right over how sure the model is of them.

    On the diagonal probabilities are true; below it the model is too sure, above it not sure
    enough. Each dot is a bin of pixels, the larger the more pixels it has. The legend says the
    expected calibration error.

    Args:
        calibration: what `metrics.functional.expected_calibration_error` returned, or those of
            several models, `{name: calibration}`.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        TypeError: no calibration.
        ValueError: a calibration without pixels.

    Example:
        >>> from semseg.metrics.functional import expected_calibration_error
        >>> found = expected_calibration_error([0, 0, 1], [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]])
        >>> plot_reliability(found).axes[0].get_legend().get_texts()[1].get_text()
        'calibration error 0.400'
    """
    look = theme(dark)
    models = _checked(calibration)
    figure, axes = open_axes(ax, (5.0, 5.3), look)
    quiet = as_hex(look.quiet)
    (diagonal,) = axes.plot([0, 1], [0, 1], "--", color=quiet, linewidth=1.2)
    lines, labels = [diagonal], ["probabilities that are true"]
    for (name, found), color in zip(models.items(), line_colors(len(models), look), strict=True):
        lines.append(_plot_bins(axes, found, color, look))
        labels.append(f"{name}, error {found.error:.3f}" if name else
                      f"calibration error {found.error:.3f}")  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("probability of the predicted class\n(the larger a dot, the more pixels)")
    axes.set_ylabel("share of pixels that are right")
    style_axes(axes, look)
    legend = axes.legend(lines, ["-"] * len(lines), loc="best", frameon=True, fontsize=9,
                         facecolor=as_hex(look.paper), edgecolor="none", framealpha=0.85,
                         labelcolor=as_hex(look.ink))  # fmt: skip
    for text, label in zip(legend.get_texts(), labels, strict=True):
        write_as_is(text, label)
    set_title(axes, title, look)
    return figure


def _plot_bins(axes: "Axes", found: Any, color: str, look: Theme) -> Any:
    filled = np.asarray(found.pixels) > 0
    x, y = np.asarray(found.confidence)[filled], np.asarray(found.accuracy)[filled]
    shares = np.asarray(found.pixels)[filled] / np.sum(found.pixels)
    (line,) = axes.plot(x, y, color=color, linewidth=1.5)
    weighted_dots(axes, x, y, shares, color, look)
    return line


def _checked(calibration: Any) -> dict[str, Any]:
    parts = ("error", "confidence", "accuracy", "pixels")
    models = by_name("calibration", calibration, "expected_calibration_error", parts)
    for name, found in models.items():
        if not np.sum(found.pixels):
            where = f"calibration[{name!r}]" if name else "calibration"
            raise ValueError(f"{where} must have pixels, received empty bins alone")
    if not models:
        raise ValueError("calibration must name at least one model, received {}")
    return models
