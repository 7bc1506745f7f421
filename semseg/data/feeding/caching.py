"""Decoded samples in memory or on disk: read once, before the first batch."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from semseg.data.feeding.draws import Shard
from semseg.data.passes import in_order
from semseg.data.samples import LabelledSamples, Pair

#: Where Linux says what a container may use: control groups of version 2 and 1.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_LARGE = 1e9  # bytes, which are worth a line in a log
_MOST = 0.9  # of the memory; model and batches need some too

#: Image, mask and, where a function makes them, the weights of its pixels.
Decoded = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def in_memory(
    read: Callable[[int], Decoded],
    indices: Sequence[int] | np.ndarray,
    name: str,
    known: dict[int, Decoded],
) -> dict[int, Decoded]:
    """All samples of `indices`, some `known`; a bar says the size and shows how far it is.

    Raises:
        ValueError: they would not fit into the machine's memory.
    """
    indices = [int(i) for i in indices]
    some = known | look_at(lambda i: known.get(i) or read(i), indices)
    size, memory = decoded_bytes(some, len(indices)), physical_memory()
    if memory is not None and size > _MOST * memory:
        raise ValueError(
            f"cache='ram' needs about {shown_bytes(size)} for {len(indices)} samples of {name!r}, "
            f"and this machine has {shown_bytes(memory)}; pass cache= a folder, or None"
        )
    what = f"caching {name!r} in RAM, {shown_bytes(size)}"
    every = in_order(lambda i: some.get(i) or read(i), indices, len(indices), what)
    return dict(zip(indices, every, strict=True))


class OnDisk:
    """The samples of a shard as raw records in a folder, where an earlier run may have put them.

    Raises:
        ValueError: the folder holds another data set, or this one before a file of it was changed;
            or the disk has no room.
    """

    def __init__(self, ds: LabelledSamples, shard: Shard, folder: Path) -> None:
        from semseg.data.dataset import Dataset
        from semseg.data.records import read_records, write_records

        number, self._shards = shard
        members = range(number, len(ds), self._shards)
        files = getattr(ds, "files", None)
        chosen = Dataset(ds.__getitem__, ds.ids, ds.class_map, ds.name, files=files)
        if self._shards > 1:  # hosts may share the disk
            chosen = chosen.subset(list(members))
            folder = folder / f"shard-{number}-of-{self._shards}"
        if not folder.exists():
            self._announce(ds, members, folder)
        write_records(chosen, folder, images="raw")
        self._records = read_records(folder)

    def __getitem__(self, index: int) -> Pair:
        return self._records[index // self._shards]

    def _announce(self, ds: LabelledSamples, members: range, folder: Path) -> None:
        size = decoded_bytes(look_at(lambda i: (*ds[i], None), members), len(members))
        parent = next(path for path in folder.absolute().parents if path.exists())
        free = shutil.disk_usage(parent).free
        if size > free:
            raise ValueError(
                f"cache={str(folder)!r} needs about {shown_bytes(size)} for {len(members)} samples "
                f"of {ds.name!r}, and the disk has {shown_bytes(free)} left; pass another folder"
            )
        if sys.stderr.isatty() or size > _LARGE:  # as the bar that follows, or what takes minutes
            tqdm.write(f"caching {ds.name!r} in {folder}, {shown_bytes(size)}", file=sys.stderr)


def look_at(read: Callable[[int], Decoded], indices: Sequence[int]) -> dict[int, Decoded]:
    """The first, the middle and the last sample."""
    return {i: read(i) for i in {indices[0], indices[len(indices) // 2], indices[-1]}}


def decoded_bytes(some: dict[int, Decoded], count: int) -> int:
    """About what `count` samples take in memory, from some of them."""
    sizes = [sum(a.nbytes for a in sample if a is not None) for sample in some.values()]
    return int(np.mean(sizes) * count)


def physical_memory() -> int | None:
    """The memory that the machine has, or that its container is given; None if neither is known."""
    known = []
    with suppress(AttributeError, ValueError, OSError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in _LIMITS:
        with suppress(ValueError, OSError):  # no such system, or "max"
            known.append(int(limit.read_text()))
    return min(known, default=None)


def shown_bytes(count: float) -> str:
    """A size for people: 950 kB, 190 MB, 1.2 GB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
