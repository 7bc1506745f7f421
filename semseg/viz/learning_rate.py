"""The picture of a learning rate range test."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._figure import as_hex, line_colors, open_axes, set_title, style_axes
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HIGHEST = 1.25  # times the first loss: what has diverged would flatten the rest


def plot_learning_rate(
    rates: Any,
    losses: Any,
    suggested: float | None = None,
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots the loss over the learning rate, with the suggested rate marked.

    The axis of rates is logarithmic. Losses far above the first one run out of the picture: there
    the rate is too high.

    Args:
        rates: learning rates > 0, rising.
        losses: as many losses.
        suggested: the rate to mark, or None.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light lines on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        ValueError: not as many losses as rates, fewer than two, rates that do not rise, a
            suggestion outside them.

    Example:
        >>> figure = plot_learning_rate([1e-4, 1e-3, 1e-2], [2.0, 1.5, 3.0], 1e-3)
        >>> figure.axes[0].get_xscale()
        'log'
    """
    look = theme(dark)
    rates, losses = _checked(rates, losses, suggested)
    figure, axes = open_axes(ax, (6.0, 3.8), look)
    line, mark = line_colors(2, look)
    axes.plot(rates, losses, color=line)
    _frame(axes, rates, losses, look)
    if suggested is None:
        set_title(axes, "\n".join([*([title] if title else []), "no rate is suggested"]), look)
    else:
        _mark(axes, rates, losses, float(suggested), mark, look)
        set_title(axes, f"{title}\n" if title else "", look)  # above the suggestion
    return figure


def _frame(axes: "Axes", rates: np.ndarray, losses: np.ndarray, look: Theme) -> None:
    axes.set_xscale("log")
    axes.set_xlim(rates[0], rates[-1])
    finite = losses[np.isfinite(losses)]
    if finite.size:
        low, high = finite.min(), min(finite.max(), finite[0] + (_HIGHEST - 1) * abs(finite[0]))
        room = 0.05 * (high - low) or 0.1
        axes.set_ylim(low - room, high + room)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss, smoothed")
    style_axes(axes, look)


def _mark(
    axes: "Axes", rates: np.ndarray, losses: np.ndarray, suggested: float, color: str, look: Theme
) -> None:
    """A line at the suggestion, a dot on the curve, and the number above the axes."""
    place = np.log(suggested / rates[0]) / np.log(rates[-1] / rates[0])
    at = np.interp(np.log(suggested), np.log(rates), losses)
    axes.axvline(suggested, color=color, linewidth=1, linestyle="--")
    axes.scatter(suggested, at, s=70, facecolor=color, edgecolor=as_hex(look.paper), zorder=3)
    axes.annotate(
        f"suggested {suggested:.2g}", (suggested, 1), (0, 4),
        xycoords=axes.get_xaxis_transform(), textcoords="offset points", color=color,
        ha="left" if place < 0.15 else "right" if place > 0.85 else "center", va="bottom",
    )  # fmt: skip


def _checked(rates: Any, losses: Any, suggested: float | None) -> tuple[np.ndarray, np.ndarray]:
    rates, losses = np.asarray(rates, np.float64), np.asarray(losses, np.float64)
    if rates.ndim != 1 or rates.shape != losses.shape or rates.size < 2:
        raise ValueError(
            "rates and losses must hold as many numbers each, at least two, received shapes "
            f"{rates.shape} and {losses.shape}; pass what find_learning_rate returned: "
            "plot_learning_rate(*found)"
        )
    if not (rates[0] > 0 and (np.diff(rates) > 0).all()):
        raise ValueError(f"rates must be > 0 and rise, received {rates[:4].tolist()}...")
    if suggested is not None and not rates[0] <= suggested <= rates[-1]:
        raise ValueError(
            f"suggested must be None or lie in the range of rates, {rates[0]:g} to "
            f"{rates[-1]:g}, received {suggested!r}"
        )
    return rates, losses
