"""The confusion matrix as a picture: what was right, and what was taken for what."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from semseg._checks import check_choice
from semseg._palette import Color, luminance
from semseg.viz._class_names import class_names
from semseg.viz._figure import (
    as_hex,
    name_ticks,
    open_axes,
    set_title,
    style_axes,
    write_as_is,
)
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Right and wrong: a deep blue and vermilion; sky blue and orange on dark paper.
_ON_LIGHT: tuple[Color, Color] = ((0, 84, 148), (213, 94, 0))
_ON_DARK: tuple[Color, Color] = ((86, 180, 233), (230, 159, 0))
_COUNTED, _WRITTEN = 12, 16  # up to here cells show counts, up to here they show shares
_MOST = 25  # rows: more are not readable at 600 px
_SIDE = 5.2  # inches of the matrix, while its classes fit in
_NARROWEST = 4.4  # inches: what the axes say below fits in
_OF_CALLER = 0.8  # of the caller's axes, which labels will make smaller
_MIDDLE = 0.179  # luminance on which black and white have the same contrast, 4.6 : 1
_TICKS = (0.01, 0.1, 0.5, 1.0)  # shares at the bar of a matrix without texts


class _Matrix(NamedTuple):
    """What is drawn: counts, shares in 0..1 or NaN, names."""

    counts: np.ndarray
    shares: np.ndarray
    names: tuple[str, ...]
    left_out: int
    merged: int


def plot_confusion(
    confusion: Any,
    names: Any = None,
    normalize: Literal["truth", "prediction"] | None = "truth",
    ax: "Axes | None" = None,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Plots a confusion matrix: rows are the truth, columns the prediction.

    What is right is blue, what is wrong is orange, both the deeper the larger their share (by
    its square root, so that rare errors are seen). Up to 12 classes each cell holds its share in
    per cent and its count, up to 16 its share, beyond that a bar explains the colours. Of more than
    25 classes those that do not occur are left out; of more than 25 that occur, the 24 with the
    most wrong pixels are shown and the others as one, whose mistakes among themselves are not.

    Args:
        confusion: (C, C) counts, rows = truth, columns = prediction, or the `Scores` of a set.
        names: the `ClassMap` or the names; None takes those of the scores, or the ids.
        normalize: "truth" makes rows sum to 100 % (the diagonal is the recall), "prediction" makes
            columns do (the diagonal is the precision); None gives shares of all pixels.
        ax: axes to draw into; None makes a figure.
        title: above the axes.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure; a new one belongs to no window. `save` writes it.

    Raises:
        ValueError: another shape, counts below 0, no counts at all, another number of names.

    Example:
        >>> figure = plot_confusion([[90, 10], [5, 15]], ["background", "cell"])
        >>> figure.axes[0].texts[0].get_text()
        '90.0'
    """
    check_choice("normalize", normalize, ("truth", "prediction", None))
    look = theme(dark)
    matrix = _checked(confusion, names, normalize)
    count = len(matrix.counts)
    cell = min(0.9, _SIDE / count)
    size = max(_NARROWEST, cell * count + 1.9), cell * count + 1.7
    figure, axes = open_axes(ax, size, look)
    if ax is not None:
        box = ax.get_window_extent()
        cell = _OF_CALLER * min(box.width, box.height) / figure.dpi / count
    colors = _cell_colors(matrix.shares, look)
    axes.imshow(colors, interpolation="nearest", aspect="equal", origin="upper")
    if count <= _WRITTEN:
        _write_cells(axes, matrix, colors, cell)
    else:
        _add_bar(axes, look)
    _label(axes, matrix, normalize, cell, look)
    set_title(axes, title, look)
    return figure


def _cell_colors(shares: np.ndarray, look: Theme) -> np.ndarray:
    """uint8 (C, C, 3): from the paper to blue on the diagonal and to vermilion elsewhere."""
    paper = np.array(look.paper, np.float64)
    full = np.where(np.eye(len(shares), dtype=bool)[..., None], *_full_colors(look))
    weights = np.sqrt(np.nan_to_num(shares))[..., None]
    return (paper + weights * (full - paper)).round().astype(np.uint8)


def _write_cells(axes: "Axes", matrix: _Matrix, colors: np.ndarray, cell: float) -> None:
    count = len(matrix.counts)
    has_counts = count <= _COUNTED
    light = luminance(colors) > _MIDDLE
    size = min(11.0, 72 * cell / (3.4 if has_counts else 2.6))  # "99.9" or "100" fits in
    for row, column in np.ndindex(count, count):
        ink = "black" if light[row, column] else "white"
        share = float(matrix.shares[row, column])
        text = "-" if np.isnan(share) else _percent(share, 1 if has_counts else 0)
        axes.text(column, row - (0.16 if has_counts else 0), text, color=ink, fontsize=size,
                  ha="center", va="center")  # fmt: skip
        if has_counts:
            pixels = _short(float(matrix.counts[row, column]))
            axes.text(column, row + 0.24, pixels, color=ink, fontsize=0.75 * size,
                      ha="center", va="center")  # fmt: skip


def _add_bar(axes: "Axes", look: Theme) -> None:
    """Two ramps beside the matrix, with shares as numbers."""
    ramp = np.linspace(1, 0, 256)[:, None]
    paper = np.array(look.paper, np.float64)
    both = [paper + ramp[..., None] * (np.array(full) - paper) for full in _full_colors(look)]
    bar = axes.inset_axes((1.03, 0.0, 0.05, 1.0))
    bar.imshow(np.concatenate(both, axis=1).round().astype(np.uint8), aspect="auto",
               extent=(0, 2, 0, 1), interpolation="nearest", origin="upper")  # fmt: skip
    name_ticks(bar.yaxis, np.sqrt(_TICKS), [f"{share:.0%}" for share in _TICKS])
    bar.yaxis.tick_right()
    name_ticks(bar.xaxis, [0.5, 1.5], ["right", "wrong"])
    style_axes(bar, look, grid=None)
    bar.tick_params(labelsize=8, length=2)
    bar.tick_params(axis="x", rotation=90, length=0)
    bar.spines[:].set_visible(False)


def _label(axes: "Axes", matrix: _Matrix, normalize: str | None, cell: float, look: Theme) -> None:
    places = range(len(matrix.names))
    name_ticks(axes.xaxis, places, matrix.names)
    name_ticks(axes.yaxis, places, matrix.names)
    style_axes(axes, look, grid=None)
    axes.spines[:].set_visible(False)
    edges = np.arange(len(matrix.names) + 1) - 0.5
    for draw in (axes.hlines, axes.vlines):
        draw(edges, edges[0], edges[-1], color=as_hex(look.quiet), linewidth=0.5, alpha=0.35)
    axes.tick_params(length=0, labelsize=min(10.0, max(5.0, 72 * cell * 0.8)))
    longest = max(map(len, matrix.names))
    axes.tick_params(axis="x", rotation=0 if longest * 0.09 < cell else 90)
    what = {"truth": "the true class", "prediction": "the predicted class", None: "all pixels"}
    said = f"% of the pixels of {what[normalize]}" if normalize else "% of all pixels"
    if matrix.left_out:
        said += f"; {matrix.left_out} classes do not occur"
    if matrix.merged:
        said += f"; the {len(matrix.names) - 1} with most wrong pixels"
    write_as_is(axes.set_xlabel(" "), f"prediction\n({said})")
    axes.set_ylabel("truth", color=as_hex(look.ink))


def _full_colors(look: Theme) -> tuple[Color, Color]:
    return _ON_LIGHT if sum(look.paper) > sum(look.ink) else _ON_DARK


def _percent(share: float, digits: int) -> str:
    """Per cent, rounded, but neither a few pixels to 0 nor all but a few to 100."""
    least = 10.0**-digits
    if 0 < share < least / 100:
        return f"<{least:g}"
    most = 100.0 if share == 1 else 100 - least
    return f"{min(100 * share, most):.{digits}f}" if share else "0"


def _short(count: float) -> str:
    """A count in few letters: 999, 1.2k, 35k, 1.2M."""
    for letter in ("", "k", "M", "G", "T"):
        if count < 999.5 or letter == "T":
            break
        count /= 1000
    if not letter:
        return f"{count:.4g}"
    return f"{count:.1f}{letter}" if count < 9.95 else f"{count:.0f}{letter}"


def _checked(confusion: Any, names: Any, normalize: str | None) -> _Matrix:
    if names is None:
        names = getattr(confusion, "names", None)
    counts = np.asarray(getattr(confusion, "confusion", confusion))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.dtype.kind not in "uif":
        raise ValueError(
            f"confusion must be numbers of shape (C, C), received {counts.dtype} of shape "
            f"{counts.shape}; pass semseg.metrics.functional.confusion_matrix(...) or Scores"
        )
    if not (np.isfinite(counts).all() and (counts >= 0).all() and counts.sum() > 0):
        raise ValueError(
            f"confusion must hold counts >= 0, some above 0, received {counts.min()} to "
            f"{counts.max()}"
        )
    named = class_names(names, len(counts), "confusion")
    groups = _groups(counts)
    held = np.stack([np.isin(np.arange(len(counts)), group) for group in groups]).astype(np.float64)
    shown = held @ counts @ held.T
    axis = {"truth": 1, "prediction": 0, None: None}[normalize]
    totals = shown.sum(axis=axis, keepdims=True)
    shares = np.divide(shown, totals, out=np.full(shown.shape, np.nan), where=totals > 0)
    texts = tuple(named[g[0]] if len(g) == 1 else f"{len(g)} others" for g in groups)
    merged = len(groups[-1]) - 1
    if merged:
        shares[-1, -1] = np.nan  # right and wrong at once
    return _Matrix(shown, shares, texts, len(counts) - sum(map(len, groups)), merged)


def _groups(counts: np.ndarray) -> list[np.ndarray]:
    """The ids of each row: one, but for the last where there are too many."""
    counts = counts.astype(np.float64)  # sums of 32 bits may overflow
    places = np.arange(len(counts))
    if len(places) <= _MOST:
        return list(places[:, None])
    seen = counts.sum(axis=0) + counts.sum(axis=1)
    places = np.flatnonzero(seen)
    if len(places) <= _MOST:
        return list(places[:, None])
    wrong = (seen - 2 * np.diagonal(counts))[places]
    shown = np.sort(places[np.argsort(-wrong, kind="stable")[: _MOST - 1]])
    return [*shown[:, None], np.setdiff1d(places, shown)]
