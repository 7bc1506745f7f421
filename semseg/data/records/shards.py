"""The bytes of records in the files of a folder, each compared with its checksum."""

import zlib
from pathlib import Path

import numpy as np

from semseg.data.records.frames import HEAD, TAIL, is_framed
from semseg.data.records.index import Index

REMEDY = (
    "restore the file from a copy, or delete it and call write_records with the data set again, "
    "which writes what is missing"
)


class ShardFiles:
    """The records of a set by index. No file stays open, so that it can be sent to any process.

    To open a file takes microseconds, to decode a record hundreds of them. In return threads share
    no position in a file, and a set of more shards than a process may open needs no care.
    """

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        self.ids = [name for shard in index.shards for name in shard.ids]
        self._sizes = {shard.file: shard.size for shard in index.shards}
        self._files = list(self._sizes)
        self._firsts = np.cumsum([0, *(len(shard.ids) for shard in index.shards)])
        self._offsets = np.concatenate([shard.offsets for shard in index.shards])
        self._lengths = np.concatenate([shard.lengths for shard in index.shards])
        self._crc32 = np.concatenate([shard.crc32 for shard in index.shards])

    def data(self, index: int) -> bytes:
        """The data of a record.

        Raises:
            FileNotFoundError: the shard is missing.
            ValueError: the record is damaged.
        """
        try:
            data = self._bytes(index, int(self._offsets[index]), int(self._lengths[index]))
        except FileNotFoundError:
            raise FileNotFoundError(f"{self.where(index)}: the file is missing; {REMEDY}") from None
        if zlib.crc32(data) != self._crc32[index]:
            raise ValueError(f"{self.where(index)} is damaged: its checksum differs; {REMEDY}")
        return data

    def where(self, index: int) -> str:
        """The place of a record, for people."""
        shard = self._shard(index)
        return (
            f"record {index - self._firsts[shard]} (sample {self.ids[index]!r}) of "
            f"{self.folder / self._files[shard]}"
        )

    def file(self, index: int) -> str:
        """The file that a record is in."""
        return self._files[self._shard(index)]

    def is_whole(self, index: int) -> bool:
        """Whether a record is what was written, with the frame that TensorFlow reads."""
        start, length = int(self._offsets[index]) - HEAD, int(self._lengths[index]) + HEAD + TAIL
        frame = self._bytes(index, start, length)
        return zlib.crc32(frame[HEAD:-TAIL]) == self._crc32[index] and is_framed(frame)

    def wrong_files(self) -> dict[str, str]:
        """Files that are missing, of another size, or not of the set, and which of these."""
        found = dict.fromkeys(self._files, "missing")
        for path in self.folder.glob("shard-*.tfrecord"):
            size, wanted = path.stat().st_size, self._sizes.get(path.name)
            if wanted is None:
                found[path.name] = "not in the index"
            elif size == wanted:
                del found[path.name]
            else:
                found[path.name] = f"{size} bytes, but {wanted} in the index"
        return found

    def _shard(self, index: int) -> int:
        return int(np.searchsorted(self._firsts, index, "right")) - 1

    def _bytes(self, index: int, start: int, length: int) -> bytes:
        """So many bytes, or as many as there are."""
        with (self.folder / self.file(index)).open("rb") as file:
            file.seek(start)
            return file.read(length)
