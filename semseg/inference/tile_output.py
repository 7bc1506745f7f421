"""Where tiles are written, and which of them are there after an interruption."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from semseg._writing import write_text
from semseg.inference.forward import Forward, weights_digest
from semseg.inference.tile_plan import TilePlan
from semseg.inference.windows import Window


class Record:
    """A file that remembers which tiles of which prediction are finished.

    Raises:
        ValueError: a file of another prediction, or no such file at all.
    """

    def __init__(self, path: Path, identity: str, count: int) -> None:
        self.path, self._identity = path, identity
        self.done = np.zeros(count, bool)
        if path.is_file():
            self.done = _read(path, identity, count)

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        bits = np.packbits(self.done).tobytes().hex()
        write_text(self.path, json.dumps({"identity": self._identity, "done": bits}))


class TileOutput:
    """An array that takes sliced assignment, and a record of the finished tiles, if one is kept."""

    def __init__(self, array: Any, count: int, record: Record | None) -> None:
        self.array = array
        self._record = record
        self._done = np.zeros(count, bool) if record is None else record.done

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
        self._record.save()


def open_output(
    out: Any,
    done: str | os.PathLike[str] | None,
    plan: TilePlan,
    forward: Forward,
    output: str,
    picture: Callable[[], str],
) -> TileOutput:
    """The output that was asked for, made where it is a file's name or None.

    Args:
        out, done: as in `predict_tiled`.
        plan, forward, output: what is predicted.
        picture: gives a hash of the picture, for the record.

    Raises:
        ValueError: an `out` of another shape or type, a file that is not ours, a record of another
            prediction.
    """
    is_ids = output == "ids"
    shape = plan.size if is_ids else (*plan.size, forward.num_outputs)
    narrow = np.uint8 if forward.num_outputs <= 256 else np.uint16
    dtype = np.dtype(narrow if is_ids else np.float32)

    def record(path: Path) -> Record:
        text = repr((plan, output, weights_digest(forward.model), picture()))
        return Record(path, hashlib.sha256(text.encode()).hexdigest(), len(plan))

    if isinstance(out, str | os.PathLike):
        file = Path(out)
        kept = record(_record_of(file, done))
        return TileOutput(_npy(file, shape, dtype, kept), len(plan), kept)
    if out is None:
        if done is not None:
            raise ValueError(
                "done goes with an out that is there after an interruption, received out=None; "
                "name an .npy file, or hand over an array that lies in a file"
            )
        return TileOutput(np.empty(shape, dtype), len(plan), None)
    _check_array(out, shape, dtype)
    return TileOutput(out, len(plan), None if done is None else record(Path(done)))


def _record_of(file: Path, done: Any) -> Path:
    """The record of an .npy file; refuses files that no earlier call can have begun."""
    if file.suffix != ".npy":
        raise ValueError(
            f"out must be an array or the name of an .npy file, received {str(file)!r}; other "
            "formats: hand over an array that writes them (zarr, h5py, tifffile.memmap)"
        )
    record = file.with_suffix(".done.json") if done is None else Path(done)
    if file.exists() and not record.is_file():
        raise ValueError(
            f"out must be a new file or one that an earlier call began, received {str(file)!r} "
            f"without {record}; remove it or name another"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    return record


def _npy(file: Path, shape: tuple[int, ...], dtype: np.dtype, record: Record) -> Any:
    """A file of that shape, opened again if some of its tiles are finished."""
    if record.done.any() and file.is_file():
        array = np.lib.format.open_memmap(file, "r+")
        _check_array(array, shape, dtype)
        return array
    record.done[:] = False
    record.save()  # first: a file without a record would be taken for someone else's
    return np.lib.format.open_memmap(file, "w+", dtype, shape)


def _check_array(out: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    found = tuple(getattr(out, "shape", ()))
    if found != tuple(shape):
        raise ValueError(f"out must have shape {tuple(shape)}, received {found}")
    kind = getattr(out, "dtype", None)
    if kind is None or not np.can_cast(dtype, kind, "safe"):
        raise ValueError(f"out must hold {dtype}, received {kind}")


def _read(record: Path, identity: str, count: int) -> np.ndarray:
    try:
        found = json.loads(record.read_text())
        known, bits = found["identity"], bytes.fromhex(found["done"])
        done = np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{record} is no record of finished tiles, or damaged ({error}); name another `done`, "
            "or remove it to begin from the first tile"
        ) from error
    if known != identity:
        raise ValueError(
            f"{record} belongs to another picture, tiling, output or model; name another `out`, or "
            "remove it (and the .npy file beside it) to begin from the first tile"
        )
    return done
