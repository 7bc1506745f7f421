"""Which pictures are predicted, and where their masks go."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semseg.data.reading import IMAGE_SUFFIXES

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Job(NamedTuple):
    """A picture and where its mask goes."""

    source: Path
    name: str  # of the target below the output folder


def folder_jobs(source: Source, out: Path, shard: Any) -> list[Job]:
    """The jobs of a shard; those of all shards are checked.

    Raises:
        FileNotFoundError: no such source, no picture in it.
        ValueError: two pictures of one name, masks that would come to lie on pictures, a shard
            that is none.
    """
    jobs = _jobs(source, out)
    _check_places(jobs, out)
    return jobs[_shard(shard)]


def _jobs(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], out: Path
) -> list[Job]:
    """All pictures, sorted, with the names of their masks."""
    if isinstance(source, str | os.PathLike):
        root = Path(source)
        if root.is_file():
            return _named([root], root.parent)
        if not root.is_dir():
            raise FileNotFoundError(f"source must be a folder or a file, found none at {root}")
        if out.resolve() == root.resolve():
            raise ValueError(
                f"out must be another folder than source, received {str(out)!r} for both; a "
                "folder inside source will do"
            )
        files = _pictures_in(root, out)
        if not files:
            raise FileNotFoundError(
                f"source must hold pictures ({', '.join(IMAGE_SUFFIXES)}), found none in {root}"
            )
        return _named(files, root)
    files = [Path(file) for file in source]
    if not files:
        raise ValueError("source must name at least one picture, received an empty list")
    return _named(files, None)


def _pictures_in(root: Path, out: Path) -> list[Path]:
    """Files that look like pictures; not those in `out`, which an earlier call may have written."""
    own = out.resolve()
    found = []
    for folder, inside, names in os.walk(root):
        inside[:] = [i for i in inside if Path(folder, i).resolve() != own and i[0] != "."]
        found += [
            Path(folder, name)
            for name in names
            if name.lower().endswith(IMAGE_SUFFIXES) and name[0] != "."
        ]
    return sorted(found)


def _named(files: Sequence[Path], root: Path | None) -> list[Job]:
    taken: dict[str, Path] = {}
    for file in files:
        place = Path(file.name) if root is None else file.relative_to(root)
        name = place.with_suffix(".png").as_posix()
        if name in taken:
            raise ValueError(
                f"source must not have two pictures for one mask, received {taken[name]} and "
                f"{file} for {name}; predict them into two folders"
            )
        taken[name] = file
    return [Job(file, name) for name, file in taken.items()]


def _check_places(jobs: list[Job], out: Path) -> None:
    """No mask may take the place of a picture, or come to lie where pictures are looked for."""
    for job in jobs:
        if (out / job.name).resolve() == job.source.resolve():
            raise ValueError(
                f"out must not be where the pictures are, received {str(out)!r}: the mask "
                f"{job.name} would be written over its picture; choose another folder"
            )


def _shard(shard: Any) -> slice:
    number, count = shard if isinstance(shard, tuple) and len(shard) == 2 else (None, None)
    if not (isinstance(count, int) and isinstance(number, int) and 0 <= number < count):
        raise ValueError(f"shard must be (i, n) with 0 <= i < n, received {shard!r}")
    return slice(number, None, count)
