"""Where tiles are written, and which of them are there after an interruption."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from semseg._writing import write_text
from semseg.inference.forward import Forward, weights_digest
from semseg.inference.tile_plan import TilePlan
from semseg.inference.windows import Window


class TileOutput:
    """An array that takes sliced assignment, and a record of the finished tiles, if one is kept."""

    def __init__(self, array: Any, record: Path | None, identity: str, count: int) -> None:
        self.array = array
        self._record, self._identity = record, identity
        self._done = np.zeros(count, bool)
        if record is not None and record.is_file():
            self._done = _read(record, identity, count)

    def is_done(self, number: int) -> bool:
        """Whether an earlier call finished this tile."""
        return bool(self._done[number])

    def count_done(self) -> int:
        """How many tiles are finished."""
        return int(self._done.sum())

    def write(self, row: Window, column: Window, kept: np.ndarray) -> None:
        """Puts a tile into its place."""
        self.array[row.kept_from : row.kept_to, column.kept_from : column.kept_to] = kept

    def mark(self, number: int) -> None:
        """Remembers a tile as finished, after its pixels are written."""
        self._done[number] = True
        if self._record is None:
            return
        if hasattr(self.array, "flush"):
            self.array.flush()
        bits = np.packbits(self._done).tobytes().hex()
        write_text(self._record, json.dumps({"identity": self._identity, "done": bits}))


def open_output(out: Any, done: Any, plan: TilePlan, forward: Forward, output: str) -> TileOutput:
    """The output that was asked for, made where it is a file's name or None.

    Raises:
        ValueError: an `out` of another shape or type, a record of another prediction.
    """
    is_ids = output == "ids"
    shape = plan.size if is_ids else (*plan.size, forward.num_outputs)
    narrow = np.uint8 if forward.num_outputs <= 256 else np.uint16
    dtype = np.dtype(narrow if is_ids else np.float32)
    record = None if done is None else Path(done)
    if isinstance(out, str | os.PathLike):
        path = Path(out)
        record = record or path.with_suffix(".done.json")
        array: Any = _npy(path, shape, dtype, is_new=not record.is_file())
    elif out is None:
        array = np.empty(shape, dtype)
    else:
        _check_array(out, shape, dtype)
        array = out
    identity = "" if record is None else _identity(plan, forward, output)
    return TileOutput(array, record, identity, len(plan))


def _npy(path: Path, shape: tuple[int, ...], dtype: np.dtype, is_new: bool) -> Any:
    """A file of that shape, opened again if it was begun."""
    if path.suffix != ".npy":
        raise ValueError(
            f"out must be an array or the name of an .npy file, received {str(path)!r}; other "
            "formats: hand over an array that writes them (zarr, h5py, tifffile.memmap)"
        )
    if is_new or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        return np.lib.format.open_memmap(path, "w+", dtype, shape)
    array = np.lib.format.open_memmap(path, "r+")
    _check_array(array, shape, dtype)
    return array


def _check_array(out: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    found = tuple(getattr(out, "shape", ()))
    if found != tuple(shape):
        raise ValueError(f"out must have shape {tuple(shape)}, received {found}")
    kind = getattr(out, "dtype", None)
    if kind is None or not np.can_cast(dtype, kind, "safe"):
        raise ValueError(f"out must hold {dtype}, received {kind}")


def _identity(plan: TilePlan, forward: Forward, output: str) -> str:
    """What must be the same when tiles of two calls lie side by side."""
    text = repr((plan, output, weights_digest(forward.model)))
    return hashlib.sha256(text.encode()).hexdigest()


def _read(record: Path, identity: str, count: int) -> np.ndarray:
    try:
        found = json.loads(record.read_text())
        known, bits = found["identity"], bytes.fromhex(found["done"])
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{record} is damaged ({error}); remove it to begin from the first tile"
        ) from error
    if known != identity:
        raise ValueError(
            f"{record} belongs to another picture size, tiling, output or model; name another "
            "`out`, or remove it to begin from the first tile"
        )
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool)
