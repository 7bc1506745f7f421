"""How a large picture is cut for a model: windows, margins, and what that costs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from semseg._checks import check_size
from semseg.analysis.receptive_fields import receptive_field
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
# Floats that the network is taken to hold for each pixel while it works, besides its widest layer.
_DEFAULT_TILE = 1024


@dataclass(frozen=True)
class TilePlan:
    """Windows of a picture, rows times columns.

    Attributes:
        size: (height, width) of the picture.
        rows, columns: windows along each axis.
        blend: "exact", "crop" or "gaussian".
    """

    size: _Size
    rows: tuple[Window, ...]
    columns: tuple[Window, ...]
    blend: str

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
) -> TilePlan:
    """The windows that `predict_tiled` uses; `print` it to see what tiles cost.

    Args:
        model: any Keras model with per-pixel outputs.
        size: (height, width) of the picture.
        tile, overlap, blend: as in `predict_tiled`.

    Raises:
        ValueError: as `predict_tiled`.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=3, filters=4)
        >>> print(semseg.inference.plan_tiles(model, (4000, 6000), tile=1024))
        35 tiles of up to 1024 x 1024, 24% of the pixels computed again
    """
    forward, size = Forward(model), check_size(size)
    sides = _tile(forward, tile)
    if overlap == "exact":
        if blend is not None:
            raise ValueError(f"blend goes with overlap=pixels, received {blend!r} with 'exact'")
        return _exact(forward, size, sides)
    if isinstance(overlap, bool) or not isinstance(overlap, int) or overlap < 0:
        raise ValueError(f"overlap must be 'exact' or pixels >= 0, received {overlap!r}")
    blend = blend or "gaussian"
    if blend not in ("gaussian", "crop"):
        raise ValueError(f"blend must be 'gaussian' or 'crop', received {blend!r}")
    if overlap >= min(sides):
        raise ValueError(f"overlap must be < tile = {sides}, received {overlap}")
    _check_fits(forward, size, sides)
    cut = overlapping_windows if blend == "gaussian" else cropped_windows
    rows, columns = (tuple(cut(n, t, overlap)) for n, t in zip(size, sides, strict=True))
    return TilePlan(size, rows, columns, blend)


def _exact(forward: Forward, size: _Size, sides: _Size) -> TilePlan:
    axes = _axes(forward)
    for side, axis, name in zip(sides, axes, ("height", "width"), strict=True):
        if side < axis.least_tile:
            raise ValueError(
                f"tile must have a {name} >= {axis.least_tile} for {forward.model.name!r}, whose "
                f"output pixels see {axis.before} pixels before and {axis.after} behind them, "
                f"received {side}"
            )
    if forward.size != (None, None):
        raise ValueError(
            f"overlap='exact' needs a model for any size, received one for {forward.size}; build "
            "it with input_shape=(None, None, channels), or pass overlap=pixels"
        )
    unpadded = axes[0].shrinks_by > 0
    cut: Callable[[int, int, Axis], list[Window]] = unpadded_windows if unpadded else exact_windows
    rows, columns = (tuple(cut(*given)) for given in zip(size, sides, axes, strict=True))
    return TilePlan(size, rows, columns, "exact")


def _axes(forward: Forward) -> tuple[Axis, Axis]:
    """What the model's graph says about rows and columns.

    Raises:
        ValueError: a model whose pixels see the whole picture, which says which layer does it.
    """
    try:
        field = receptive_field(forward.model)
    except ValueError as error:
        raise ValueError(
            f"overlap='exact' can't hold for {forward.model.name!r}: {error}; pass overlap=pixels"
        ) from None
    if field.output_stride != (1, 1):
        raise ValueError(
            f"model must give an output for each pixel, received one of stride "
            f"{field.output_stride}"
        )
    found = []
    for axis in (0, 1):
        takes, shrinks_by = partial(_largest_taken, forward, axis), 0
        if field.offset[axis]:
            seen = takes(_even_larger(field.height, field.stride[axis]))
            shrinks_by = seen - _output_size(forward, axis, seen)
        found.append(
            Axis(
                field.before[axis], field.after[axis], field.stride[axis], shrinks_by,
                field.offset[axis], takes,
            )
        )  # fmt: skip
    return found[0], found[1]


def _even_larger(reach: int, stride: int) -> int:
    return reach + 4 * stride


def _largest_taken(forward: Forward, axis: int, size: int) -> int:
    """The largest size up to `size` along one axis that an unpadded network takes, 0 for none."""
    for candidate in range(size, 0, -1):
        if _output_size(forward, axis, candidate) > 0:
            return candidate
    return 0


def _output_size(forward: Forward, axis: int, size: int) -> int:
    """Rows or columns of the output for `size` of the input; 0 where the network refuses it."""
    shape = [1, None, None, forward.channels]
    shape[1 + axis] = size
    try:
        output = forward.model.compute_output_shape(tuple(shape))
    except ValueError:
        return 0
    output = output["logits"] if isinstance(output, dict) else output
    return output[1 + axis] or 0


def _tile(forward: Forward, tile: Any) -> _Size:
    """The sides of a window: as asked, else what the model was built for, else 1024."""
    if tile is None:
        height, width = (side or _DEFAULT_TILE for side in forward.size)
        return height, width
    sides = check_size((tile, tile) if isinstance(tile, int) else tile, "tile")
    for side, taken in zip(sides, forward.size, strict=True):
        if taken not in (None, side):
            raise ValueError(
                f"tile must be {forward.size}, as the model was built, received {sides}"
            )
    return sides


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
