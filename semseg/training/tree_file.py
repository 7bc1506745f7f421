"""A file of plain values and arrays, as a tree: there as a whole or not at all, and no pickle."""

import contextlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def is_plain(value: Any) -> bool:
    """Whether a file can hold `value`.

    That is numbers, texts, None, arrays, and lists, tuples and dicts of them.
    """
    try:
        _pack(value, [])
    except TypeError:
        return False
    return True


def write_tree(path: Path, tree: Any) -> None:
    """Writes a file on the disk, not only into the system's memory, then puts it at `path`.

    Killed at any moment, and after a loss of power too, `path` holds the old tree or the new one.

    Raises:
        OSError: the disk is full or the folder can't be written; what was there stands.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "tree.npz"
        >>> write_tree(path, {"epochs": 3, "weights": [np.zeros(2), np.float32(0.1)]})
        >>> read_tree(path)
        {'epochs': 3, 'weights': [array([0., 0.]), np.float32(0.1)]}
    """
    arrays: list[np.ndarray] = []
    text = json.dumps(_pack(tree, arrays))
    half = path.with_name(path.name + ".half")
    try:
        with open(half, "wb") as file:
            _save(file, arrays, text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink()
        stands = "the last one stands" if path.is_file() else "there was none before"
        raise OSError(
            f"{path} could not be written ({error}); {stands}. Free space or make the folder "
            "writable, and start again"
        ) from error


def read_tree(path: Path) -> Any:
    """What `write_tree` wrote, bit for bit.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            text = file["tree"].tobytes().decode()
            return _unpack(json.loads(text), file)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is damaged ({error}); put a copy of it back, or remove it to start anew"
        ) from error


def _save(file: BinaryIO, arrays: list[np.ndarray], text: str) -> None:
    """As `np.savez`, of which some versions leave their archive open where the disk is full."""
    members = {f"arr_{number}": array for number, array in enumerate(arrays)}
    members["tree"] = np.frombuffer(text.encode(), np.uint8)
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """The value for JSON; its arrays go into the list, and their numbers into the value."""
    if isinstance(value, np.ndarray | np.generic):  # first: np.float64 is a float as well
        kind = "array" if isinstance(value, np.ndarray) else "number"
        arrays.append(_storable(np.asarray(value)))
        return {kind: len(arrays) - 1, "dtype": value.dtype.name, "shape": list(value.shape)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_pack(k, arrays), _pack(v, arrays)] for k, v in value.items()]}
    raise TypeError(f"a file can't hold {type(value).__name__}")


def _unpack(value: Any, arrays: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(_unpack(item, arrays) for item in value["tuple"])
    if "dict" in value:
        return {_unpack(k, arrays): _unpack(v, arrays) for k, v in value["dict"]}
    array = arrays[f"arr_{value.get('array', value.get('number'))}"]
    if array.dtype.name != value["dtype"]:
        array = array.view(np.dtype(value["dtype"])).reshape(value["shape"])
    return array if "array" in value else array[()]


def _storable(array: np.ndarray) -> np.ndarray:
    """The array, or its bytes where NumPy's files lose the dtype (bfloat16 and its kind)."""
    if array.dtype.kind in "OVMm" and array.dtype.isbuiltin != 2:
        raise TypeError(f"a file can't hold arrays of {array.dtype}")
    if array.dtype.isbuiltin == 2:
        return np.frombuffer(array.tobytes(), np.uint8)
    return array


def _sync_folder(folder: Path) -> None:
    """The new name of a file is on the disk when its folder is."""
    if os.name == "nt":
        return  # Windows does not open folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
