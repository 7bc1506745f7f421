"""How a large picture is cut for a model: windows, margins, and what that costs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from semseg._checks import check_choice, check_count, check_positive, check_size
from semseg.analysis.costs import cost
from semseg.inference.axes import axes_of, output_size
from semseg.inference.forward import Forward
from semseg.inference.windows import (
    Axis,
    Window,
    cropped_windows,
    exact_windows,
    overlapping_windows,
    unpadded_windows,
)

_Size = tuple[int, int]
# The window whose memory is computed; that of others goes with the area.
_PROBE, _STEP = 1024, 64
# Measured with TensorFlow on a processor: 2.6 times the cost's `peak_bytes` for U-Net (512 and 1024
# pixels), 3.9 and 4.4 times for SegNet (352 and 704), whose unpooled maps need workspace.
_OVER_COST = 4.5


@dataclass(frozen=True)
class TilePlan:
    """Windows of a picture, rows times columns.

    Attributes:
        size: (height, width) of the picture.
        rows, columns: windows along each axis.
        blend: "exact", "crop" or "gaussian".
        shrinks_by: how many rows and columns fewer the model gives than it sees.
    """

    size: _Size
    rows: tuple[Window, ...]
    columns: tuple[Window, ...]
    blend: str
    shrinks_by: _Size = (0, 0)

    @property
    def tile(self) -> _Size:
        """The largest window (height, width)."""
        height, width = (max(w.stop - w.start for w in a) for a in (self.rows, self.columns))
        return height, width

    @property
    def duplication(self) -> float:
        """Pixels that the model computes for each pixel of the picture, at least about 1."""
        computed = math.prod(
            sum(w.stop - w.start for w in axis) for axis in (self.rows, self.columns)
        )
        return computed / math.prod(self.size)

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __str__(self) -> str:
        height, width = self.tile
        return (
            f"{len(self)} tiles of up to {height} x {width}, {self.duplication - 1:.0%} of the "
            "pixels computed again"
        )


def plan_tiles(
    model: keras.Model,
    size: tuple[int, int],
    *,
    tile: int | tuple[int, int] | None = None,
    overlap: str | int = "exact",
    blend: str | None = None,
    memory: float = 1.0,
) -> TilePlan:
    """The windows that `predict_tiled` uses; `print` it to see what tiles cost.

    Args:
        model: any Keras model with per-pixel outputs.
        size: (height, width) of the picture.
        tile, overlap, blend, memory: as in `predict_tiled`.

    Raises:
        ValueError: as `predict_tiled`.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=3, filters=4)
        >>> print(semseg.inference.plan_tiles(model, (4000, 6000), tile=1024))
        35 tiles of up to 1024 x 1024, 24% of the pixels computed again
    """
    forward, size = Forward(model), check_size(size)
    sides = _tile(forward, tile, check_positive("memory", memory))
    if overlap == "exact":
        if blend is not None:
            raise ValueError(f"blend goes with overlap=pixels, received {blend!r} with 'exact'")
        plan = _exact(forward, size, sides, enlarge=tile is None)
    else:
        plan = _overlapping(forward, size, sides, overlap, blend or "gaussian")
    _check_output(forward, plan)
    return plan


def _overlapping(forward: Forward, size: _Size, sides: _Size, overlap: Any, blend: str) -> TilePlan:
    if isinstance(overlap, str):
        raise ValueError(f"overlap must be 'exact' or pixels >= 0, received {overlap!r}")
    overlap = check_count("overlap", overlap, 0)
    check_choice("blend", blend, ("gaussian", "crop"))
    if overlap >= min(sides):
        raise ValueError(f"overlap must be < tile = {sides}, received {overlap}")
    _check_fits(forward, size, sides)
    cut = overlapping_windows if blend == "gaussian" else cropped_windows
    rows, columns = (tuple(cut(n, t, overlap)) for n, t in zip(size, sides, strict=True))
    return TilePlan(size, rows, columns, blend)


def _exact(forward: Forward, size: _Size, sides: _Size, enlarge: bool) -> TilePlan:
    if forward.size != (None, None):
        raise ValueError(
            f"overlap='exact' needs a model for any size, received one for {forward.size}; build "
            "it with input_shape=(None, None, channels), or pass overlap=pixels"
        )
    axes = axes_of(forward, size)
    if enlarge:
        sides = max(sides[0], axes[0].least_tile), max(sides[1], axes[1].least_tile)
    names = ("height", "width")
    cut = (_cut(*given, forward) for given in zip(size, sides, axes, names, strict=True))
    rows, columns = map(tuple, cut)
    return TilePlan(size, rows, columns, "exact", (axes[0].shrinks_by, axes[1].shrinks_by))


def _cut(length: int, side: int, axis: Axis, name: str, forward: Forward) -> list[Window]:
    """The windows of one axis; a picture that a window holds whole needs no margin."""
    whole = length if not axis.shrinks_by else axis.least_tile
    if side < min(axis.least_tile, whole):
        raise ValueError(
            f"tile must have a {name} >= {axis.least_tile} for {forward.model.name!r}, whose "
            f"output pixels see {axis.before} pixels before and {axis.after} behind them, "
            f"received {side}"
        )
    return (unpadded_windows if axis.shrinks_by else exact_windows)(length, side, axis)


def _check_output(forward: Forward, plan: TilePlan) -> None:
    """Every window must give what the plan counts on."""
    # Height and width go ways of their own: each has to come once.
    for seen in {(w.stop - w.start, v.stop - v.start) for w, v in _pairs(plan)}:
        expected = tuple(n - less for n, less in zip(seen, plan.shrinks_by, strict=True))
        given = output_size(forward, seen)
        if given != expected:
            hint = "" if plan.blend == "exact" else "; a model without padding needs 'exact'"
            raise ValueError(
                f"model must give {expected} pixels for a window of {seen}, received {given} from "
                f"{forward.model.name!r}{hint}"
            )


def _pairs(plan: TilePlan) -> Iterator[tuple[Window, Window]]:
    """Each row and each column of windows at least once."""
    for i in range(max(len(plan.rows), len(plan.columns))):
        yield plan.rows[i % len(plan.rows)], plan.columns[i % len(plan.columns)]


def _tile(forward: Forward, tile: Any, memory: float) -> _Size:
    """The sides of a window: as asked, else what the model was built for, else what fits."""
    if tile is None:
        side = 0 if None not in forward.size else _largest_side(forward, memory)
        return forward.size[0] or side, forward.size[1] or side
    sides = check_size((tile, tile) if np.ndim(tile) == 0 else tile, "tile")
    for side, taken in zip(sides, forward.size, strict=True):
        if taken not in (None, side):
            raise ValueError(
                f"tile must be {forward.size}, as the model was built, received {sides}"
            )
    return sides


def _largest_side(forward: Forward, memory: float) -> int:
    """The side of the largest square window that the model computes in so many GiB."""
    side = next(n for n in range(_PROBE, 0, -1) if all(output_size(forward, (n, n))))
    try:
        held = cost(forward.model, (side, side)).peak_bytes
    except ValueError:  # a layer whose cost is unknown
        return _PROBE
    fits = side * math.sqrt(memory * 2**30 / (_OVER_COST * held))
    return max(int(fits) // _STEP * _STEP, _STEP)


def _check_fits(forward: Forward, size: _Size, sides: _Size) -> None:
    """A model of one size takes no smaller picture."""
    for given, side, taken in zip(size, sides, forward.size, strict=True):
        if taken is not None and given < side:
            raise ValueError(
                f"source must be at least as large as the model's input {forward.size}, received "
                f"{size}; predict(model, image, size={forward.size}) resizes it"
            )


def grid(plan: TilePlan) -> Iterator[tuple[int, Window, Window]]:
    """Number, row window and column window of each tile, row by row."""
    for i, row in enumerate(plan.rows):
        for j, column in enumerate(plan.columns):
            yield i * len(plan.columns) + j, row, column
