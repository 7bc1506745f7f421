"""Pictures larger than the memory, in windows: what comes out is what the whole would give."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm.auto import tqdm

from semseg.inference.blending import Blend
from semseg.inference.forward import Forward
from semseg.inference.tile_output import TileOutput, open_output
from semseg.inference.tile_plan import TilePlan, grid, plan_tiles
from semseg.inference.windows import Window


def predict_tiled(
    model: keras.Model,
    source: Any,
    *,
    tile: int | tuple[int, int] | None = None,
    overlap: str | int = "exact",
    blend: str | None = None,
    output: str = "ids",
    out: Any = None,
    done: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> Any:
    """Predicts a large picture in windows, with no more memory than a window needs.

    `overlap="exact"` takes the margin and the alignment of the windows from the model's receptive
    field, so that the result is that of the whole picture: logits differ by rounding alone. For a
    network without padding the picture is mirrored at its border (Ronneberger et al. 2015, figure
    2), wherever there is one.

    Args:
        model: any Keras model with per-pixel outputs.
        source: the picture (height, width, channels) or (height, width): anything with `shape`
            and slicing, such as an array, a `numpy.memmap`, a zarr or h5py array.
        tile: side or (height, width) of the windows; None: the model's own size or 1024.
        overlap: "exact", or how many pixels neighbouring windows share.
        blend: with pixels of overlap: "gaussian" (default) averages scores, the middle of a window
            counting most; "crop" takes each pixel from the window in whose middle it lies most.
        output: "ids", "probabilities" or "logits".
        out: what the result is written to: anything of the right shape that takes sliced
            assignment, or the name of an .npy file, which is made; None: an array in memory.
        done: a file that remembers finished tiles, so that a call after an interruption goes on;
            an .npy file given as `out` has one beside it.
        verbose: shows a progress bar, with the share of the pixels that is computed again.

    Returns:
        `out`, or the array; ids (height, width), uint8 up to 256 classes, else uint16, or scores
        (height, width, classes) float32. For an .npy file a `numpy.memmap` of it.

    Raises:
        ValueError: a tile that is too small (names the least), a model whose pixels see the whole
            picture with "exact" (names the layer), an `out` of another shape, a `done` of another
            picture or model.

    Example:
        >>> model = semseg.models.UNet(num_classes=3, depth=2, filters=4)
        >>> picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), "uint8")
        >>> tiled = semseg.inference.predict_tiled(model, picture, tile=128, output="logits")
        >>> whole = semseg.inference.predict(model, picture, output="logits")
        >>> bool(np.abs(tiled - whole).max() < 1e-5)
        True
    """
    forward = Forward(model)
    forward.check_output(output)
    shape = _checked_shape(source, forward)
    plan = plan_tiles(model, (shape[0], shape[1]), tile=tile, overlap=overlap, blend=blend)
    target = open_output(out, done, plan, forward, output)
    read = _reader(source, shape)
    steps = _blended if plan.blend == "gaussian" else _cut
    with tqdm(total=len(plan), desc=str(plan), disable=None if verbose else True) as bar:
        bar.update(target.count_done())
        for number in steps(forward, read, plan, target, output):
            target.mark(number)
            bar.update()
    return target.array


_Read = Callable[[Window, Window], np.ndarray]


def _cut(
    forward: Forward, read: _Read, plan: TilePlan, target: TileOutput, output: str
) -> Iterator[int]:
    """Each window's kept part; finished tiles are left out."""
    for number, row, column in grid(plan):
        if target.is_done(number):
            continue
        seen = forward(read(row, column)[None], output)[0]
        height, width = row.kept_to - row.kept_from, column.kept_to - column.kept_from
        kept = seen[row.skip : row.skip + height, column.skip : column.skip + width]
        target.write(row, column, kept)
        yield number


def _blended(
    forward: Forward, read: _Read, plan: TilePlan, target: TileOutput, output: str
) -> Iterator[int]:
    """The weighted mean of all windows that hold a pixel.

    Rows of windows that only finished tiles need are left out; one that reaches into unfinished
    tiles is computed again.
    """
    blend = Blend(plan, forward.num_outputs)
    columns = len(plan.columns)
    missing = [n for n in range(len(plan)) if not target.is_done(n)]
    if not missing:
        return
    first = plan.rows[missing[0] // columns].start
    for number, row, column in grid(plan):
        if row.stop <= first:
            continue
        scores = forward(read(row, column)[None], forward.kind)[0]
        finished = blend.add(scores, row, column)
        if not target.is_done(number):
            target.write(row, column, forward.finished(finished, forward.kind, output))
            yield number


def _checked_shape(source: Any, forward: Forward) -> tuple[int, int, int]:
    shape = getattr(source, "shape", None)
    if isinstance(source, str | os.PathLike):
        raise TypeError(
            f"source must be an array-like with `shape` and slicing, received a file; open it: "
            f"numpy.load({Path(source).name!r}, mmap_mode='r'), tifffile.memmap(...) or "
            "semseg.data.read_image(...)"
        )
    if shape is None or len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            f"source must have shape (height, width, channels) or (height, width), received {shape}"
        )
    channels = shape[2] if len(shape) == 3 else 1
    if forward.channels not in (None, channels):
        raise ValueError(
            f"source must have {forward.channels} channels, as the model was built, received "
            f"{channels}"
        )
    return shape[0], shape[1], channels


def _reader(source: Any, shape: tuple[int, int, int]) -> _Read:
    """Reads windows (height, width, channels); outside the picture it is mirrored."""

    def read(row: Window, column: Window) -> np.ndarray:
        places = [
            _mirrored(np.arange(w.start, w.stop), n)
            for w, n in zip((row, column), shape, strict=False)
        ]
        (top, bottom), (left, right) = ((p.min(), p.max() + 1) for p in places)
        part = np.asarray(source[int(top) : int(bottom), int(left) : int(right)])
        part = part.reshape(int(bottom - top), int(right - left), shape[2])
        if all(w.start >= 0 and w.stop <= n for w, n in zip((row, column), shape, strict=False)):
            return part
        return part[np.ix_(places[0] - top, places[1] - left)]

    return read


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places outside [0, length) reflected at the first and last pixel, as often as it takes."""
    period = max(2 * (length - 1), 1)
    places = np.abs(places) % period if length > 1 else np.zeros_like(places)
    return np.where(places >= length, period - places, places)
