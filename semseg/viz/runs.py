"""Several trainings of several variants: whether they differ by more than their seeds do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from semseg.viz._class_bars import style_bars, value_column
from semseg.viz._figure import as_hex, line_colors, open_axes, set_title, write_as_is
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_runs(
    runs: Mapping[str, Sequence[float]],
    score: str = "mean IoU",
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots a row a variant with a dot for each of its trainings, and their mean as a line.

    Rows whose dots overlap differ by no more than the seed does. On the right stand the mean and,
    of several runs, the lowest and highest. The axis does not begin at 0.

    Args:
        runs: the scores of its trainings, by variant; numbers of runs may differ.
        score: what they are; names the axis.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        ValueError: no variant, a variant without a run, numbers that are not finite.

    Example:
        >>> figure = plot_runs({"plain": [0.81, 0.84, 0.79], "augmented": [0.86, 0.88, 0.85]})
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['plain', 'augmented']
    """
    look = theme(dark)
    values = _checked(runs)
    figure, axes = open_axes(ax, (7.0, 0.9 + 0.36 * len(values)), look)
    ink, quiet, (dot,) = as_hex(look.ink), as_hex(look.quiet), line_colors(1, look)
    for place, of_variant in enumerate(values.values()):
        axes.hlines(place, of_variant.min(), of_variant.max(), color=quiet, linewidth=1.5)
        axes.plot(of_variant.mean(), place, "|", color=ink, markersize=17, markeredgewidth=2)
        axes.plot(of_variant, [place] * len(of_variant), "o", color=dot, alpha=0.75, markersize=7)
    style_bars(axes, list(values), look)
    value_column(axes, [_mean_and_ends(v) for v in values.values()], look)
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=5)  # numbers of runs that lie close are long
    write_as_is(axes.set_xlabel(" "), f"{score}; dots: trainings, line: their mean")
    set_title(axes, title, look)
    return figure


def _mean_and_ends(values: np.ndarray) -> str:
    ends = f"  ({values.min():.3f} to {values.max():.3f})" if len(values) > 1 else ""
    return f"{values.mean():.3f}{ends}"


def _checked(runs: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    values = {str(name): np.asarray(scores, np.float64).ravel() for name, scores in runs.items()}
    wrong = [name for name, v in values.items() if not v.size or not np.isfinite(v).all()]
    if wrong or not values:
        raise ValueError(
            "runs must give every variant one finite score at least, received "
            f"{ {name: values[name].tolist() for name in wrong} or 'no variant' }"
        )
    return values
