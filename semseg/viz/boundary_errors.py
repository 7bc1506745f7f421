"""How wrong a model is at the borders of the classes, and how wrong far from them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._by_name import by_name
from semseg.viz._figure import (
    as_hex,
    line_colors,
    name_ticks,
    open_axes,
    set_title,
    style_axes,
)
from semseg.viz._line_legend import legend_below, weighted_dots
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_TICKS = 6
_LETTERS = 56  # what fits under the axes


def plot_boundary_error(
    found: Any, ax: "Axes | None" = None, title: str | None = None, dark: bool = False
) -> "Figure":
    """Plots the share of wrong pixels over their distance from another class in the truth.

    A curve that falls to zero is a model that is wrong at borders alone; one that stays up misses
    or confuses whole objects. Each dot stands for the pixels up to that distance and beyond the
    one before, the larger the more they are; the last, apart, for all that are farther away. The
    legend says within which distance half of the wrong pixels lie.

    Args:
        found: what `metrics.functional.boundary_error` returned, or those of several models,
            `{name: found}`.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        TypeError: not what `boundary_error` returned.
        ValueError: no model, no pixels, models with another `widest`.

    Example:
        >>> from semseg.metrics.functional import boundary_error
        >>> found = boundary_error([[0, 0, 0, 1, 1, 1]], [[1, 0, 0, 0, 1, 1]], 2, widest=2)
        >>> plot_boundary_error(found).axes[0].get_legend().get_texts()[0].get_text()
        '50 % of the wrong pixels within 1 pixel'
    """
    look = theme(dark)
    models = _checked(found)
    widest = len(next(iter(models.values())).pixels) - 1
    figure, axes = open_axes(ax, (6.0, 4.0 + 0.19 * len(models)), look)
    distances = np.arange(1.0, widest + 2)
    distances[-1] = widest + max(1, 0.12 * widest)  # a gap: it is no distance, but all above
    lines = [
        _plot_one(axes, distances, of_model, color, look)
        for of_model, color in zip(models.values(), line_colors(len(models), look), strict=True)
    ]
    beyond = any(of_model.pixels[-1] for of_model in models.values())
    _name_distances(axes, distances, beyond, look)
    axes.set_ylim(bottom=0)
    if not any(np.any(of_model.wrong) for of_model in models.values()):
        axes.set_ylim(top=1)
    axes.set_ylabel("share of pixels that are wrong")
    style_axes(axes, look)
    texts = [
        f"{name}: {_where(np.asarray(of_model.wrong))}" if name else _where(of_model.wrong)
        for name, of_model in models.items()
    ]
    legend_below(axes, lines, texts, look, _LETTERS)
    set_title(axes, title, look)
    return figure


def _plot_one(axes: "Axes", distances: np.ndarray, found: Any, color: str, look: Theme) -> Any:
    pixels, error = np.asarray(found.pixels), np.asarray(found.error)
    filled = pixels > 0
    near = filled & (np.arange(len(pixels)) < len(pixels) - 1)
    (line,) = axes.plot(distances[near], error[near], color=color, linewidth=1.5)
    shares = pixels[filled] / pixels.sum()
    weighted_dots(axes, distances[filled], error[filled], shares, color, look)
    return line


def _name_distances(axes: "Axes", distances: np.ndarray, beyond: bool, look: Theme) -> None:
    widest = len(distances) - 1
    steps = (factor * 10**power for power in range(9) for factor in (1, 2, 5))
    step = next(step for step in steps if widest <= _MOST_TICKS * step)
    ticks = sorted({1, *range(step, widest + 1, step)})
    names = [str(tick) for tick in ticks]
    if beyond:
        ticks, names = [*ticks, distances[-1]], [*names, f"> {widest}"]
        between = (widest + distances[-1]) / 2
        axes.axvline(between, color=as_hex(look.quiet), linewidth=1, linestyle=":")
    name_ticks(axes.xaxis, ticks, names)
    room = 0.03 * widest
    axes.set_xlim(1 - room, (distances[-1] if beyond else widest) + room)
    axes.set_xlabel("distance from another class, pixels\n(the larger a dot, the more pixels)")


def _where(wrong: np.ndarray) -> str:
    """Within which distance at least half of the wrong pixels lie."""
    total, widest = int(np.sum(wrong)), len(wrong) - 1
    if not total:
        return "no pixel is wrong"
    within = np.cumsum(wrong)
    place = int(np.searchsorted(2 * within, total))
    if place == widest:
        share, reach, distance = wrong[-1] / total, "beyond", widest
    else:
        share, reach, distance = within[place] / total, "within", place + 1
    unit = "pixel" if distance == 1 else "pixels"
    return f"{100 * share:.0f} % of the wrong pixels {reach} {distance} {unit}"


def _checked(found: Any) -> dict[str, Any]:
    models = by_name("found", found, "boundary_error", ("pixels", "wrong", "error"))
    for name, of_model in models.items():
        if not np.sum(of_model.pixels):
            where = f"found[{name!r}]" if name else "found"
            raise ValueError(f"{where} must have pixels, received none")
    widest = sorted({len(of_model.pixels) - 1 for of_model in models.values()})
    if len(widest) != 1:
        raise ValueError(
            "found must hold models of one widest=, received "
            f"{' and '.join(map(str, widest)) or 'no model'}"
        )
    return models
