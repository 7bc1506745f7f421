"""Records read as a Dataset, by their index: no TensorFlow is needed."""

from functools import partial
from pathlib import Path

from semseg.data.dataset import Dataset
from semseg.data.files import PathLike
from semseg.data.passes import in_order
from semseg.data.records.index import INDEX, Index, read_index
from semseg.data.records.sample import example_to_sample
from semseg.data.records.shards import REMEDY, ShardFiles
from semseg.data.samples import Pair

_LISTED = 20  # shards in an error


def read_records(path: PathLike) -> "Records":
    """The data set that `write_records` wrote into a folder, as a Dataset like any other.

    A sample is read by its place in the index and compared with its checksum. TensorFlow is not
    needed.

    Args:
        path: the folder.

    Returns:
        A Dataset, which can be sent to other processes. Its `verify()` reads all records and
        compares all checksums.

    Raises:
        FileNotFoundError: no finished records at `path`.
        ValueError: a damaged index; shards that are missing, of another size than they were
            written, or not of the set (all are named). When a sample is read: a damaged record,
            with its file.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> semseg.data.write_records(semseg.data.shapes("val", count=4), folder)
        >>> ds = semseg.data.read_records(folder)
        >>> ds.verify()
        >>> image, mask = ds[3]
        >>> ds.note
        '1 shard of encoded records'
    """
    folder = Path(path)
    if not (folder / INDEX).is_file():
        finished = len(list(folder.glob("shard-*.json")))
        raise FileNotFoundError(
            f"path must be a folder of records, found no {INDEX} in {folder}; "
            + (
                f"{finished} shards are finished: call write_records with the same arguments again"
                if finished
                else "write_records makes one"
            )
        )
    ds = Records(folder, read_index(folder / INDEX))
    ds.check_files()
    return ds


class Records(Dataset):
    """The data set in a folder of records; `read_records` makes it."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._shards = ShardFiles(folder, index)
        count = len(index.shards)
        super().__init__(
            partial(_sample, self._shards),
            self._shards.ids,
            index.class_map,
            index.name,
            note=f"{count} {'shard' if count == 1 else 'shards'} of {index.images} records",
        )

    def check_files(self) -> None:
        """Looks whether all shards are there, and as long as they were written."""
        self._raise_for(self._shards.wrong_files())

    def verify(self) -> None:
        """Reads every record and compares all checksums, TensorFlow's too; a terminal shows a bar.

        Raises:
            ValueError: shards are damaged, missing, or not of the set; all of them are named.
        """
        damaged: dict[str, list[int]] = {}
        wrong = self._shards.wrong_files()
        readable = [i for i in range(len(self)) if wrong.get(self._shards.file(i)) != "missing"]
        whole = in_order(self._shards.is_whole, readable, len(readable), f"verifying {self.name}")
        for index, is_whole in zip(readable, whole, strict=True):
            if not is_whole:
                damaged.setdefault(self._shards.file(index), []).append(index)
        for file, found in damaged.items():
            first = f"{len(found)} damaged records, the first: sample {self.ids[found[0]]!r}"
            wrong[file] = f"{wrong[file]}; {first}" if file in wrong else first
        self._raise_for(wrong)

    def _raise_for(self, wrong: dict[str, str]) -> None:
        if wrong:
            listed = "; ".join(f"{file}: {wrong[file]}" for file in sorted(wrong)[:_LISTED])
            more = ", ..." if len(wrong) > _LISTED else ""
            raise ValueError(
                f"{len(wrong)} shards of {self.name!r} in {self._shards.folder} are not what was "
                f"written ({listed}{more}); {REMEDY}"
            )


def _sample(shards: ShardFiles, index: int) -> Pair:
    return example_to_sample(shards.data(index), Path(shards.where(index)))
