"""read_records: a data set like any other, which names whatever is damaged or missing."""

import json
import os
import pickle
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import record_damage
import tensorflow as tf
from image_files import encoded, smooth
from record_damage import CELLS

from semseg.data import Dataset, digits, from_pairs, read_records, write_records
from semseg.data.records import index as index_module

SCHEMA = {
    "id": tf.io.FixedLenFeature([], tf.string),
    **{
        f"{part}{end}": tf.io.FixedLenFeature([], tf.string)
        for part in ("image", "mask")
        for end in ("", "_format", "_dtype")
    },
    "image_shape": tf.io.FixedLenFeature([3], tf.int64),
    "mask_shape": tf.io.FixedLenFeature([2], tf.int64),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A folder of three shards, its files' bytes, and its samples."""
    return record_damage.written(tmp_path_factory.mktemp("records"))


@pytest.fixture
def folder(records):
    record_damage.restore(records[0], records[1])
    return records[0]


def check_pair(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


# -- a data set like any other -------------------------------------------------------------------


def test_it_is_a_data_set_with_all_that_one_has(tmp_path):
    ds = digits("val", count=12, size=(32, 48))
    write_records(ds, tmp_path, shards=3)
    read = read_records(tmp_path)
    assert repr(read).endswith("; 3 shards of encoded records)")
    assert [part.ids for part in read.split((0.5, 0.5))] == [p.ids for p in ds.split((0.5, 0.5))]
    np.testing.assert_array_equal(read.class_weights(absent=0.0), ds.class_weights(absent=0.0))
    assert str(read.check()) == str(ds.check())
    batches = [d.pipeline(5, seed=3) for d in (read, ds.subset(range(12)))]
    for batch, expected in zip(*batches, strict=True):
        check_pair([a.numpy() for a in batch], [a.numpy() for a in expected])
    with pytest.raises(ValueError, match="made of files, and 'digits-val' is not"):
        read.paths(0)


def test_threads_read_in_any_order(folder, records):
    ds, samples = read_records(folder), records[2]
    order = np.random.default_rng(0).integers(0, len(ds), 300)
    with ThreadPoolExecutor(8) as pool:
        for index, pair in zip(order, pool.map(ds.__getitem__, order), strict=True):
            check_pair(pair, samples[index])


def test_what_is_written_into_a_sample_does_not_stay(folder, records):
    ds = read_records(folder)
    for array in ds[0]:
        array[:] = 0
    check_pair(ds[0], records[2][0])


def test_it_can_be_sent_to_other_processes(folder, records):
    ds = pickle.loads(pickle.dumps(read_records(folder)))
    for index, pair in enumerate(records[2]):
        check_pair(ds[index], pair)
    ds.verify()


LOADER = """
import sys
import numpy as np
import torch
from semseg.data import read_records
if __name__ == "__main__":
    ds = read_records(sys.argv[1]).subset(np.flatnonzero([True, True, False]))
    loader = torch.utils.data.DataLoader(
        ds, batch_size=None, num_workers=2, multiprocessing_context="spawn"
    )
    for (image, mask), (a, b) in zip(loader, ds, strict=True):
        assert np.array_equal(image, a) and np.array_equal(mask, b)
    print("read")
"""


@pytest.mark.slow
def test_spawned_workers_of_pytorch_read_it(folder, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "loader.py").write_text(LOADER)
    assert run([str(tmp_path / "loader.py"), str(folder)]) == "read\n"


def run(arguments):
    """What a fresh process prints that imports this semseg."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_neither_writing_nor_reading_needs_tensorflow(tmp_path):
    code = """
import sys
sys.modules["tensorflow"] = None
import numpy as np
import semseg
ds = semseg.data.digits("train", count=3)
semseg.data.write_records(ds, sys.argv[1], shards=2)
read = semseg.data.read_records(sys.argv[1])
read.verify()
assert all(np.array_equal(a, b) for i in range(3) for a, b in zip(read[i], ds[i]))
print(len(read), "keras" in sys.modules)
"""
    assert run(["-W", "error", "-c", code, str(tmp_path)]) == "3 False\n"


# -- by TensorFlow alone -------------------------------------------------------------------------


def tensorflows(folder):
    """The records in the order of the samples, parsed by TensorFlow, with its own checksums."""
    files = tf.data.Dataset.list_files(str(folder / "*.tfrecord"), shuffle=False)
    records = tf.data.TFRecordDataset(files)
    return list(records.map(lambda record: tf.io.parse_single_example(record, SCHEMA)))


def decoded(features, part):
    """An array as TensorFlow decodes it, after what the schema says."""
    data, form = features[part], features[f"{part}_format"].numpy().decode()
    dtype = tf.as_dtype(features[f"{part}_dtype"].numpy().decode())
    if form in ("raw", "zlib"):
        numbers = tf.io.decode_compressed(data, "ZLIB") if form == "zlib" else data
        array = tf.io.decode_raw(numbers, dtype)
    elif form == "png":
        array = tf.io.decode_png(data, dtype=dtype)
    else:
        assert form == "jpeg"
        array = tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE")
    return tf.reshape(array, features[f"{part}_shape"]).numpy()


@pytest.mark.parametrize("images", ["encoded", "raw", "compressed"])
def test_tensorflow_reads_the_same_samples_with_the_documented_schema(tmp_path, images):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 2**16, (16, 16, 3), dtype=np.uint16)
    contents = {
        "a.png": encoded((noise >> 8).astype(np.uint8), "png"),
        "b.png": cv2.imencode(".png", noise)[1].tobytes(),
        "c.jpg": encoded(smooth(), "jpeg", quality=70),
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
        height, width = cv2.imread(str(tmp_path / name)).shape[:2]
        mask = rng.integers(0, 2, (height, width), dtype=np.uint8)
        (tmp_path / f"mask {name}.png").write_bytes(encoded(mask, "png"))
    pairs = [(tmp_path / name, tmp_path / f"mask {name}.png") for name in contents]
    ds = from_pairs(pairs, CELLS)
    write_records(ds, tmp_path / "records", shards=2, images=images)
    features = tensorflows(tmp_path / "records")
    assert [f["id"].numpy().decode() for f in features] == ds.ids
    for index, one in enumerate(features):
        check_pair([decoded(one, "image"), decoded(one, "mask")], ds[index])


# -- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", record_damage.KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_identical_or_named_whatever_happened_to_it(records, kind):
    folder, whole, samples = records
    rng = np.random.default_rng(5)
    for file in sorted(whole) * 4:
        record_damage.check(folder, file, kind(whole[file], rng), whole, samples)


@pytest.mark.slow
def test_of_3000_damaged_folders_none_crashes_hangs_or_deceives(tmp_path):
    """In a process of its own, which a crash would end and a hang would keep."""
    tally = json.loads(run([record_damage.__file__, str(tmp_path), "3000", "7"]))
    assert sum(tally.values()) == 3000


def test_the_check_of_damage_notices_what_it_is_for(records):
    folder, whole, samples = records
    shard = sorted(whole)[1]
    data = whole[shard].replace(b"mask_dtype", b"mask_dxxxx")

    class Careless(Dataset):
        def verify(self):
            pass

    def careless(path):
        return Careless(lambda i: samples[0], range(len(samples)), CELLS)

    with pytest.raises(AssertionError, match="another sample in silence"):
        record_damage.check(folder, shard, data, whole, samples, careless)
    unverified = lambda path: Careless(samples.__getitem__, range(len(samples)), CELLS)  # noqa: E731
    with pytest.raises(AssertionError, match="verify does not find"):
        record_damage.check(folder, shard, data, whole, samples, unverified)

    def nameless(path):
        raise ValueError("damaged")

    with pytest.raises(AssertionError, match="does not name"):
        record_damage.check(folder, shard, data, whole, samples, nameless)


def shard(folder, number):
    return folder / f"shard-{number:05d}-of-00003.tfrecord"


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_a_damaged_record_is_named_and_the_others_are_read(folder, records):
    ds = read_records(folder)
    flip(shard(folder, 1), 20)
    with pytest.raises(
        ValueError,
        match=r"record 0 \(sample 'colour.webp'\) of .*shard-00001-of-00003\.tfrecord is damaged: "
        r"its checksum differs; restore the file from a copy, or delete it and call write_records",
    ):
        ds[4]
    check_pair(ds[5], records[2][5])


def test_verify_names_all_damaged_shards_at_once(folder):
    ds = read_records(folder)
    flip(shard(folder, 0), 20)
    flip(shard(folder, 1), 9)  # a checksum that TensorFlow alone reads
    shard(folder, 2).unlink()
    with pytest.raises(
        ValueError,
        match=r"3 shards of 'cells' in .* are not what was written \("
        r"shard-00000-of-00003\.tfrecord: 1 damaged records, the first: sample 'colour.*'; "
        r"shard-00001-of-00003\.tfrecord: 1 damaged records, the first: sample 'colour.webp'; "
        r"shard-00002-of-00003\.tfrecord: missing\)",
    ):
        ds.verify()


def test_a_shard_that_goes_missing_is_named(folder):
    ds = read_records(folder)
    shard(folder, 0).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"record 0 .*00000-of-00003.*: the file is missing"
    ):
        ds[0]


def test_missing_cut_and_foreign_shards_are_named_before_any_is_read(folder):
    shard(folder, 0).unlink()
    shard(folder, 1).write_bytes(shard(folder, 1).read_bytes()[:-1])
    (folder / "shard-00009-of-00010.tfrecord").write_bytes(b"")
    with pytest.raises(
        ValueError,
        match=r"3 shards .*\(shard-00000-of-00003\.tfrecord: missing; "
        r"shard-00001-of-00003\.tfrecord: \d+ bytes, but \d+ in the index; "
        r"shard-00009-of-00010\.tfrecord: not in the index\)",
    ):
        read_records(folder)


def test_of_many_wrong_shards_the_first_are_named(folder):
    for number in range(30):
        (folder / f"shard-{number:05d}-of-00030.tfrecord").write_bytes(b"")
    with pytest.raises(ValueError, match=r"30 shards .*shard-00019-of-00030.* index, \.\.\.\)"):
        read_records(folder)


def test_a_damaged_index_is_named(folder):
    path = folder / "index.json"
    path.write_text(path.read_text().replace('"cell"', '"tell"'))
    with pytest.raises(
        ValueError, match=r"the index is damaged, or none of records: .*index\.json"
    ):
        read_records(folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"crc32": 0}', "\0", '{"crc32": 0, "format": 1}']
)
def test_what_is_no_index_is_an_error(folder, text):
    (folder / "index.json").write_text(text)
    with pytest.raises(ValueError, match="the index is damaged, or none of records"):
        read_records(folder)


def test_a_later_version_of_the_format_is_refused(folder):
    content = json.loads((folder / "index.json").read_text())
    del content["crc32"]
    content["version"] = 2
    content["crc32"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    (folder / "index.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"of version 2, and this semseg reads version 1: .*index"):
        read_records(folder)


def test_a_folder_without_records_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(
            FileNotFoundError, match=r"found no index\.json in .*write_records makes"
        ):
            read_records(path)


def test_an_index_is_written_whole_or_not_at_all(folder, monkeypatch):
    index = index_module.read_index(folder / "index.json")
    before = (folder / "index.json").read_bytes()

    def full(*arguments, **options):
        raise OSError("no space left on the device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OSError, match="no space left"):
        index_module.write_index(folder / "index.json", index)
    assert (folder / "index.json").read_bytes() == before
