"""run.json: what a training was, so that it can be repeated and only continued as itself."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras

from semseg._writing import writable_folder, write_text
from semseg.data.dataset import Dataset
from semseg.data.feeding.pixel_weights import PixelWeights, SampleWeight

_PACKAGES = ("semseg", "keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless")


def start_run(
    out: str | os.PathLike[str], settings: dict[str, Any], datasets: dict[str, Dataset]
) -> Path:
    """Opens the folder of a training run before any work is done, and writes its `run.json`.

    A folder that already holds a run is opened again if settings and data are the same.

    Args:
        out: the folder, made where it is missing.
        settings: JSON-able choices that decide the result (seed, sizes, learning rate, ...).
        datasets: the data by role, such as `{"train": ds, "test": other}`.

    Returns:
        The folder as a Path.

    Raises:
        OSError: the folder can't be made or written.
        TypeError: settings that JSON can't hold.
        ValueError: it holds a run with other settings or data (which, and what was there), or a
            damaged `run.json`.

    Example:
        >>> import tempfile
        >>> folder = start_run(tempfile.mkdtemp(), {"seed": 0}, {})
        >>> json.loads((folder / "run.json").read_text())["settings"]
        {'seed': 0}
    """
    out = writable_folder(out)
    identity = {
        "settings": as_json(settings),
        "data": {role: fingerprint(ds) for role, ds in datasets.items()},
    }
    record = out / "run.json"
    if record.is_file():
        check_same(read_record(record), identity, record)
        return out
    text = json.dumps({**identity, **_circumstances()}, indent=2)
    write_text(record, text + "\n")
    return out


def fingerprint(ds: Dataset) -> dict[str, Any]:
    """What tells one data set from another: name, count, and a hash of ids, classes and samples.

    The hash covers all sample ids and the ClassMap, and the pixels of the first, the middle and
    the last sample.
    """
    digest = hashlib.sha256(json.dumps(ds.class_map.to_dict()).encode())
    for name in ds.ids:
        digest.update(f"{name}\n".encode())
    for index in _looked_at(ds):
        for array in ds[index]:
            digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return {"name": ds.name, "samples": len(ds), "sha256": digest.hexdigest()}


def weights_fingerprint(ds: Dataset, sample_weight: SampleWeight) -> Any:
    """What tells one `sample_weight` from another: a function by its maps of the same samples."""
    weights = PixelWeights(sample_weight, ds.class_map)
    if not callable(sample_weight):
        return [float(weight) for weight in sample_weight]
    digest = hashlib.sha256()
    for index in _looked_at(ds):
        mask = ds[index][1]
        digest.update(weights.of_batch(mask, weights.of_decoded(mask)).tobytes())
    name = getattr(sample_weight, "__name__", type(sample_weight).__name__)
    return {"function": name, "sha256": digest.hexdigest()}


def _looked_at(ds: Dataset) -> list[int]:
    return sorted({0, len(ds) // 2, len(ds) - 1})


def _circumstances() -> dict[str, Any]:
    return {
        "command": sys.argv,
        "backend": keras.backend.backend(),
        "python": platform.python_version(),
        "versions": installed_versions(_PACKAGES),
    }


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def as_json(settings: Mapping[str, Any], argument: str = "settings") -> dict[str, Any]:
    """The settings as they will be read back: tuples become lists."""
    try:
        return json.loads(json.dumps(dict(settings)))
    except TypeError as error:
        raise TypeError(
            f"{argument} must hold what JSON can hold (numbers, strings, lists, dicts), received "
            f"{settings!r} ({error})"
        ) from error


def read_record(record: Path) -> dict[str, Any]:
    """What a run or a plan has written.

    Raises:
        ValueError: a damaged file.
    """
    try:
        return json.loads(record.read_text())
    except ValueError as error:
        raise ValueError(
            f"{record} is damaged ({error}); choose another out= or remove that file"
        ) from error


def check_same(found: dict[str, Any], wanted: dict[str, Any], record: Path) -> None:
    """Refuses a record of other settings or data, naming what differs."""
    differences = [
        f"{part}.{key}: {found.get(part, {}).get(key)!r} there, {wanted[part].get(key)!r} here"
        for part in ("settings", "data")
        for key in sorted({*found.get(part, {}), *wanted[part]})
        if found.get(part, {}).get(key) != wanted[part].get(key)
    ]
    if differences:
        raise ValueError(
            f"{record} belongs to another run ({'; '.join(differences)}); choose another out= or "
            "remove that folder"
        )
