"""A data set written as shards of records: in parallel, and resumable."""

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from semseg._checks import check_count
from semseg.data.dataset import Dataset
from semseg.data.files import PathLike
from semseg.data.passes import in_order
from semseg.data.records.finished import find_shards, finished_shards, number_of_shards
from semseg.data.records.frames import HEAD, TAIL, framed
from semseg.data.records.index import (
    INDEX,
    Index,
    Shard,
    half_of,
    read_index,
    shard_file,
    shard_index,
    sync,
    sync_folder,
    write_index,
)
from semseg.data.records.sample import Images, sample_to_example
from semseg.data.records.stamp import stamp_of
from semseg.data.samples import raise_named

_SHARD_BYTES = 200e6
_LOOKED_AT = 8  # samples, for the size of all
_MOST_THREADS = 8


def write_records(
    ds: Dataset, path: PathLike, *, shards: int | None = None, images: Images = "encoded"
) -> None:
    """Writes a data set as sharded TFRecord files, which `read_records` and `tf.data` read.

    Shards are files of consecutive samples. A shard counts when it is complete, and the index is
    written last: where the writing was ended, even by kill -9, the same call goes on behind the
    last finished shard. (That it is the same is told by name, ids, classes, arguments, the first
    sample of each finished shard and, for data sets of files, the size and the time of the last
    change of every file.) A finished folder is not written to. One process at a time may write.

    A record is a `tf.train.Example` of the features

    - `id`: the sample's name;
    - `image`, `mask`: the bytes; `image_format`, `mask_format`: what they are: "raw" (the numbers
      row by row, in little endian), "zlib" (the same, compressed by zlib), or, of images alone,
      "jpeg", "png" and so on (such a file);
    - `image_shape` (height, width, channels), `mask_shape` (height, width): whole numbers;
    - `image_dtype`, `mask_dtype`: NumPy's names, such as "uint8".

    A mask holds class ids. What is stored is compared with the sample before it is written, so
    that every sample read is the sample written, bit for bit. (TensorFlow decodes JPEG to the same
    pixels with `dct_method="INTEGER_ACCURATE"`, and does not turn pictures as EXIF says.)

    Args:
        ds: the data set; it is read by several threads.
        path: the folder, which is made.
        shards: the number of files; by default one for every 200 MB.
        images: "encoded" stores the images' files as they are and those that have none, or none
            that OpenCV reads, as PNG (8 and 16 bit, 1 and 3 channels) or "zlib"; "raw" stores
            numbers, largest and fastest to read (masks too); "compressed" stores "zlib".

    Raises:
        ValueError: an argument out of range; records of another data set, or of other arguments,
            at `path` (it says what differs). An error in a sample names it; what is finished stays.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorflow as tf
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> ds = semseg.data.digits("val", count=6)
        >>> semseg.data.write_records(ds, folder, shards=2, images="raw")
        >>> semseg.data.read_records(folder).ids == ds.ids
        True

        The same by TensorFlow alone:

        >>> schema = {
        ...     "image": tf.io.FixedLenFeature([], tf.string),
        ...     "image_shape": tf.io.FixedLenFeature([3], tf.int64),
        ... }
        >>> files = tf.data.Dataset.list_files(str(folder / "*.tfrecord"), shuffle=False)
        >>> for record in tf.data.TFRecordDataset(files).take(1):
        ...     features = tf.io.parse_single_example(record, schema)
        ...     image = tf.io.decode_raw(features["image"], tf.uint8)
        ...     image = tf.reshape(image, features["image_shape"])
        >>> bool(np.array_equal(image, ds[0][0]))
        True
    """
    if images not in get_args(Images):
        raise ValueError(f"images must be one of {list(get_args(Images))}, received {images!r}")
    if shards is not None and check_count("shards", shards, 1) > len(ds):
        raise ValueError(
            f"shards must be at most the {len(ds)} samples of {ds.name!r}, received {shards}"
        )
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    found = find_shards(folder)
    count = shards or number_of_shards(found) or _default_shards(ds, images)
    plan = {shard_file(k, count): _part(len(ds), k, count) for k in range(count)}
    empty = Index(ds.name, ds.class_map, images, stamp_of(ds), [])
    done = finished_shards(folder, found, ds, empty, plan)
    todo = {file: part for file, part in plan.items() if file not in done}
    indices = [i for part in todo.values() for i in part]
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    work = partial(_record, ds, images)
    with closing(in_order(work, indices, len(indices), f"writing {folder}", threads)) as records:
        for file, part in todo.items():
            ids = [str(ds.ids[i]) for i in part]
            done[file] = _write_shard(folder, file, ids, islice(records, len(part)), empty)
    whole = replace(empty, shards=[done[file] for file in plan])
    # A finished folder stays as it is: others may read it, and perhaps it can't be written to.
    if not (folder / INDEX).is_file() or read_index(folder / INDEX) != whole:
        write_index(folder / INDEX, whole)
    for leftover in [*folder.glob("shard-*.json"), *folder.glob("*.tmp")]:
        leftover.unlink(missing_ok=True)


def _default_shards(ds: Dataset, images: Images) -> int:
    """One for every 200 MB, judged by a few samples."""
    looked_at = np.unique(np.linspace(0, len(ds) - 1, _LOOKED_AT, dtype=int))
    size = np.mean([len(_record(ds, images, int(i)).frame) for i in looked_at])
    return min(len(ds), math.ceil(size * len(ds) / _SHARD_BYTES))


def _part(samples: int, number: int, count: int) -> range:
    """The samples of a shard."""
    return range(samples * number // count, samples * (number + 1) // count)


class _Record(NamedTuple):
    frame: bytes
    crc32: int


def _record(ds: Dataset, images: Images, index: int) -> _Record:
    name = str(ds.ids[index])
    try:
        files = ds.files(index) if ds.files else None
        data = sample_to_example(name, ds[index], images, files)
    except Exception as error:  # someone's own function may raise anything
        raise_named(error, ds, index)
    return _Record(framed(data), zlib.crc32(data))


def _write_shard(
    folder: Path, file: str, ids: list[str], records: Iterator[_Record], empty: Index
) -> Shard:
    """Writes a shard whole or not at all: its file gets its name when its index is there."""
    half = half_of(folder / file)
    shard = Shard(file, 0, ids, [], [], [])
    try:
        with half.open("wb") as out:
            for frame, crc32 in records:
                shard.offsets.append(out.tell() + HEAD)
                shard.lengths.append(len(frame) - HEAD - TAIL)
                shard.crc32.append(crc32)
                out.write(frame)
            shard = replace(shard, size=out.tell())
            sync(out)
        write_index(folder / shard_index(file), replace(empty, shards=[shard]))
        os.replace(half, folder / file)
        sync_folder(folder)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    return shard
