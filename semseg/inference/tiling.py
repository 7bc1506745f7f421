"""Pictures larger than the memory, in windows: what comes out is what the whole would give."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from semseg._checks import check_count
from semseg.inference.blending import Blend
from semseg.inference.forward import Forward
from semseg.inference.mapped_files import release_pages
from semseg.inference.prediction import InputCheck
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
    memory: float = 1.0,
    batch_size: int = 1,
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
        tile: side or (height, width) of the windows; None: the model's own size, or as large as
            `memory` allows, so that few pixels are computed again.
        overlap: "exact", or how many pixels neighbouring windows share.
        blend: with pixels of overlap: "gaussian" (default) averages scores, the middle of a window
            counting most; "crop" takes each pixel from the window in whose middle it lies most.
        output: "ids", "probabilities" or "logits".
        memory: GiB that the model may take for a window where `tile` is None; an estimate, which a
            network that sees further than such a window has to exceed.
        batch_size: windows of equal size that the model gets at once.
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
    check_count("batch_size", batch_size, 1)
    shape = _checked_shape(source, forward)
    size = (shape[0], shape[1])
    plan = plan_tiles(model, size, tile=tile, overlap=overlap, blend=blend, memory=memory)
    read = _reader(source, shape, forward)
    target = open_output(out, done, plan, forward, output, lambda: _digest(read, plan))
    with tqdm(total=len(plan), desc=str(plan), disable=None if verbose else True) as bar:
        bar.update(target.count_done())
        for _ in _steps(forward, read, plan, target, output, batch_size):
            bar.update()
            release_pages(source)
            release_pages(target.array)
    return target.array


def tiled_ids(forward: Forward, image: np.ndarray, plan: TilePlan) -> np.ndarray:
    """The ids of a picture in memory by the windows of a plan."""
    ids = open_output(None, None, plan, forward, "ids", str)
    read = _reader(image, _checked_shape(image, forward), forward)
    for _ in _steps(forward, read, plan, ids, "ids", 1):
        pass
    return np.asarray(ids.array)


_Tile = tuple[int, Window, Window]
_Read = Callable[[Window, Window], np.ndarray]


def _steps(
    forward: Forward, read: _Read, plan: TilePlan, target: TileOutput, output: str, batch_size: int
) -> Iterator[int]:
    """Writes and marks the tiles that are not finished, one by one."""
    steps = _blended if plan.blend == "gaussian" else _cut
    for number in steps(forward, read, plan, target, output, batch_size):
        target.mark(number)
        yield number


def _cut(
    forward: Forward, read: _Read, plan: TilePlan, target: TileOutput, output: str, batch_size: int
) -> Iterator[int]:
    """Each window's kept part; finished tiles are left out."""
    missing = [tile for tile in grid(plan) if not target.is_done(tile[0])]
    if not missing:
        return
    for (number, row, column), seen in _seen(forward, read, missing, output, batch_size):
        height, width = row.kept_to - row.kept_from, column.kept_to - column.kept_from
        kept = seen[row.skip : row.skip + height, column.skip : column.skip + width]
        target.write(row, column, kept)
        yield number


def _blended(
    forward: Forward, read: _Read, plan: TilePlan, target: TileOutput, output: str, batch_size: int
) -> Iterator[int]:
    """The weighted mean of all windows that hold a pixel.

    Rows of windows that only finished tiles need are left out; one that reaches into unfinished
    tiles is computed again.
    """
    tiles = list(grid(plan))
    missing = [row.kept_from for number, row, _ in tiles if not target.is_done(number)]
    if not missing:
        return
    needed = [tile for tile in tiles if tile[1].stop > missing[0]]
    blend = Blend(plan, forward.num_outputs)
    for tile, scores in _seen(forward, read, needed, forward.kind, batch_size):
        number, row, column = tile
        finished = blend.add(scores, row, column)
        if not target.is_done(number):
            target.write(row, column, forward.finished(finished, forward.kind, output))
            yield number


def _seen(
    forward: Forward, read: _Read, tiles: Sequence[_Tile], output: str, batch_size: int
) -> Iterator[tuple[_Tile, np.ndarray]]:
    """Each tile with the model's output for its window, in order; the next ones are read ahead."""

    def windows(group: list[_Tile]) -> np.ndarray:
        return np.stack([read(row, column) for _, row, column in group])

    groups = _of_one_size(tiles, batch_size)
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(windows, groups[0])
        for group, following in zip_longest(groups, groups[1:]):
            batch = ahead.result()
            if following is not None:
                ahead = reader.submit(windows, following)
            yield from zip(group, forward(batch, output), strict=True)


def _of_one_size(tiles: Sequence[_Tile], most: int) -> list[list[_Tile]]:
    """Runs of at most `most` tiles whose windows have one size."""
    groups: list[list[_Tile]] = []
    last = None
    for tile in tiles:
        size = [w.stop - w.start for w in tile[1:]]
        if size != last or len(groups[-1]) == most:
            groups.append([])
        groups[-1].append(tile)
        last = size
    return groups


def _digest(read: _Read, plan: TilePlan) -> str:
    """A hash of the first, the middle and the last window: which picture it is."""
    tiles = list(grid(plan))
    digest = hashlib.sha256()
    for _, row, column in (tiles[0], tiles[len(tiles) // 2], tiles[-1]):
        digest.update(np.ascontiguousarray(read(row, column)).tobytes())
    return digest.hexdigest()


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


def _reader(source: Any, shape: tuple[int, int, int], forward: Forward) -> _Read:
    """Reads windows (height, width, channels); outside the picture it is mirrored."""
    check = InputCheck(forward, None)

    def read(row: Window, column: Window) -> np.ndarray:
        places = [
            _mirrored(np.arange(w.start, w.stop), n)
            for w, n in zip((row, column), shape, strict=False)
        ]
        (top, bottom), (left, right) = ((p.min(), p.max() + 1) for p in places)
        part = np.asarray(source[int(top) : int(bottom), int(left) : int(right)])
        part = check(part.reshape(int(bottom - top), int(right - left), shape[2]), "source")
        if all(w.start >= 0 and w.stop <= n for w, n in zip((row, column), shape, strict=False)):
            return part
        return part[np.ix_(places[0] - top, places[1] - left)]

    return read


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places outside [0, length) reflected at the first and last pixel, as often as it takes."""
    period = max(2 * (length - 1), 1)
    places = np.abs(places) % period if length > 1 else np.zeros_like(places)
    return np.where(places >= length, period - places, places)
