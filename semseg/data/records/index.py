"""The index of a folder of records: what the set is, and where each record lies.

The index of the whole set, index.json, is written last: a folder without it is unfinished. While
shards are being written, each finished one has an index of its own beside it, of the same form.
"""

import contextlib
import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from semseg.classes import ClassMap

INDEX = "index.json"
_FORMAT, _VERSION = "semseg records", 1


@dataclass(frozen=True)
class Shard:
    """One file of records."""

    file: str
    size: int  # bytes
    ids: list[str]
    offsets: list[int]  # of each record's data, behind its head
    lengths: list[int]  # of the data in bytes
    crc32: list[int]  # of the data, zlib's


@dataclass(frozen=True)
class Index:
    """What a folder of records holds, or one file of it."""

    name: str
    class_map: ClassMap
    images: str  # how pictures are stored
    source: str  # a stamp of the files that the samples were made of, "" where there are none
    shards: list[Shard]


def shard_file(number: int, count: int) -> str:
    """The name of a shard's file."""
    return f"shard-{number:05d}-of-{count:05d}.tfrecord"


def shard_index(file: str) -> str:
    """The name of a finished shard's own index."""
    return Path(file).with_suffix(".json").name


def write_index(path: Path, index: Index) -> None:
    """Writes the index whole or not at all."""
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "name": index.name,
        "class_map": index.class_map.to_dict(),
        "images": index.images,
        "source": index.source,
        "shards": [asdict(shard) for shard in index.shards],
    }
    half = half_of(path)
    with half.open("w", encoding="utf-8") as file:
        json.dump({**content, "crc32": _checksum(content)}, file)
        sync(file)
    os.replace(half, path)
    sync_folder(path.parent)


def read_index(path: Path) -> Index:
    """Reads an index.

    Raises:
        ValueError: it is damaged, no index of records, or of a later version of the format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        checksum = content.pop("crc32")
        is_whole = content["format"] == _FORMAT and checksum == _checksum(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise ValueError(
            f"the index is damaged, or none of records: {path}; restore it from a copy, or delete "
            "it and the shards, and call write_records again"
        )
    if content["version"] != _VERSION:
        raise ValueError(
            f"the records are of version {content['version']}, and this semseg reads version "
            f"{_VERSION}: {path}; read them with the semseg that wrote them, or write them again"
        )
    return Index(
        content["name"],
        ClassMap.from_dict(content["class_map"]),
        content["images"],
        content.get("source", ""),
        [Shard(**shard) for shard in content["shards"]],
    )


def half_of(path: Path) -> Path:
    """Where a file is written before it gets its name; each process has a place of its own."""
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")


def sync(file: IO[Any]) -> None:
    """Has an open file's data on the disk before what is written next says that it is there."""
    file.flush()
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """The same for the names in a folder, where the system can be asked for it."""
    with contextlib.suppress(OSError):  # Windows can't, nor can some file systems
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _checksum(content: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())
