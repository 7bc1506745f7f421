"""write_records: any number of shards, and any end of the process, give the same records."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from record_damage import CELLS, files_of_all_kinds

from semseg.classes import ClassMap
from semseg.data import Dataset, digits, from_arrays, read_records, write_records
from semseg.data.records import writing
from semseg.data.records.index import (
    _checksum,
    half_of,
    read_index,
    shard_index,
    write_index,
)
from semseg.data.records.sample import is_same
from semseg.data.records.stamp import stamp_of


def cells(count=7, names="cell", class_map=CELLS, seed=0, name="cells"):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 256, (count, 5, 6, 4), dtype=np.uint8)
    images, masks = numbers[..., :3], numbers[..., 3] % 2
    ids = [f"{names} {i}" for i in range(count)]
    return from_arrays(images, masks, class_map, ids=ids, name=name)


def check_same(found, expected):
    assert len(found) == len(expected)
    assert list(found.ids) == list(expected.ids)
    assert (found.name, found.class_map) == (expected.name, expected.class_map)
    for i in range(len(expected)):
        for a, b in zip(found[i], expected[i], strict=True):
            assert is_same(a, b)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("images", ["encoded", "raw", "compressed"])
@pytest.mark.parametrize("shards", [1, 2, 5, 7])
def test_any_number_of_shards_gives_the_same_samples(tmp_path, images, shards):
    write_records(cells(), tmp_path, shards=shards, images=images)
    assert len(list(tmp_path.iterdir())) == shards + 1
    ds = read_records(tmp_path)
    check_same(ds, cells())
    ds.verify()
    assert ds.note == f"{shards} shard{'s' * (shards > 1)} of {images} records"


def test_files_of_all_kinds_are_the_same_data_set(tmp_path):
    ds = files_of_all_kinds(tmp_path / "files").map_classes({"cell": "nucleus"})
    write_records(ds, tmp_path / "records")
    check_same(read_records(tmp_path / "records"), ds)


def test_any_number_of_threads_writes_the_same_bytes(tmp_path, monkeypatch):
    for threads in (1, 5):
        monkeypatch.setattr(os, "cpu_count", lambda n=threads: n)
        write_records(cells(40), tmp_path / str(threads), shards=3)
    assert contents(tmp_path / "1") == contents(tmp_path / "5")


def test_shards_have_about_the_same_size_by_default(tmp_path, monkeypatch):
    record = len(writing._record(cells(), "raw", 0).frame)
    monkeypatch.setattr(writing, "_SHARD_BYTES", 3 * record)
    write_records(cells(), tmp_path, images="raw")
    assert [len(shard["ids"]) for shard in index(tmp_path)["shards"]] == [2, 2, 3]


def index(folder):
    return json.loads((folder / "index.json").read_text())


def test_the_index_says_where_each_record_lies(tmp_path):
    write_records(cells(), tmp_path, shards=2)
    for shard in index(tmp_path)["shards"]:
        data = (tmp_path / shard["file"]).read_bytes()
        assert len(data) == shard["size"]
        for name, offset in zip(shard["ids"], shard["offsets"], strict=True):
            assert name.encode() in data[offset:][: shard["lengths"][0]]


# -- going on ------------------------------------------------------------------------------------

KILLED = """
    import os, signal, sys
    from pathlib import Path

    sys.modules["tensorflow"] = None
    from test_writing import cells, check_same, contents
    from semseg.data import read_records, write_records
    from semseg.data.records import writing

    folder, whole = Path(sys.argv[1]), Path(sys.argv[2])
    write_records(cells(), whole, shards=3)

    def counted(module, name):
        function = getattr(module, name)

        def call(*arguments):
            global calls
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        setattr(module, name, call)

    for last in range(1, 1000):
        child = os.fork()
        if child == 0:
            calls = 0
            for name in ("fsync", "replace", "unlink"):
                counted(os, name)
            counted(writing, "framed")
            write_records(cells(), folder / str(last), shards=3)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        left = folder / str(last)
        indices = {path.stem for path in left.glob("shard-*.json")}
        shards = {p.name: p.stat().st_ino for p in left.glob("shard-*.tfrecord")}
        try:
            check_same(read_records(left), cells())
        except FileNotFoundError as error:
            assert "index.json" in str(error)
            assert {Path(name).stem for name in shards} <= indices
        for name in shards:  # no half shard has the name of a whole one
            assert (left / name).read_bytes() == (whole / name).read_bytes()
        write_records(cells(), left, shards=None if shards else 3)
        assert contents(left) == contents(whole)
        assert {name: (left / name).stat().st_ino for name in shards} == shards
    print(last)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the killed process is a fork")
def test_killed_at_any_step_it_goes_on_and_ends_with_the_same_files(tmp_path):
    for part in ("killed", "whole"):
        (tmp_path / part).mkdir()
    here = Path(__file__)
    path = [str(here.parents[3]), str(here.parents[2]), str(here.parent)]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), tmp_path / "killed", tmp_path / "whole"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25


class BreaksAt:
    """A data set's reading that fails at one sample, until it is mended."""

    def __init__(self, index, error):
        self.index, self.error, self.read = index, error, []

    def __call__(self, index):
        self.read.append(index)
        if index == self.index:
            raise self.error
        return cells()[index]


def breaking(index, error):
    read = BreaksAt(index, error)
    return read, Dataset(read, cells().ids, CELLS, "cells")


def test_an_error_names_the_sample_and_the_next_call_goes_on_behind_finished_shards(tmp_path):
    read, ds = breaking(4, ValueError("the scanner was off"))
    with pytest.raises(ValueError, match="sample 'cell 4' of 'cells': the scanner was off"):
        write_records(ds, tmp_path, shards=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"shard-0000{k}-of-00003.{end}" for k in (0, 1) for end in ("json", "tfrecord")
    ]
    with pytest.raises(FileNotFoundError, match="2 shards are finished: call write_records with"):
        read_records(tmp_path)
    read.index, read.read = None, []
    write_records(ds, tmp_path)
    assert sorted(read.read) == [0, 2, 4, 5, 6]  # the first of each shard is compared
    check_same(read_records(tmp_path), cells())


@pytest.mark.parametrize("error", [KeyError("x"), OSError("disk"), KeyboardInterrupt()])
def test_any_error_leaves_no_half_shard(tmp_path, error):
    _, ds = breaking(1, error)
    named = {KeyError: RuntimeError}.get(type(error), type(error))
    with pytest.raises(named):
        write_records(ds, tmp_path, shards=2)
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_or_cut_shard_alone_is_written_again(tmp_path):
    write_records(cells(), tmp_path, shards=3)
    whole = contents(tmp_path)
    names = sorted(whole)[1:]
    (tmp_path / names[0]).unlink()
    (tmp_path / names[1]).write_bytes(whole[names[1]][:-1])
    third = (tmp_path / names[2]).stat().st_ino
    write_records(cells(), tmp_path)
    assert contents(tmp_path) == whole
    assert (tmp_path / names[2]).stat().st_ino == third


def test_a_shard_whose_first_record_is_damaged_is_written_again(tmp_path):
    write_records(cells(), tmp_path, shards=3)
    whole = contents(tmp_path)
    shard = sorted(whole)[2]
    (tmp_path / shard).write_bytes(whole[shard].replace(b"mask_dtype", b"mask_dxxxx"))
    write_records(cells(), tmp_path, shards=3)
    assert contents(tmp_path) == whole


def test_a_finished_folder_is_not_written_to(tmp_path, monkeypatch):
    """It may be read-only, or several runs may share it as their cache."""
    write_records(cells(), tmp_path, shards=3)
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.iterdir()]}
    tmp_path.chmod(0o555)
    monkeypatch.setattr(writing, "write_index", None)
    write_records(cells(), tmp_path)
    tmp_path.chmod(0o755)
    assert before == {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.iterdir()]}


def test_processes_write_to_places_of_their_own(monkeypatch):
    here = half_of(Path("shard.tfrecord"))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert half_of(Path("shard.tfrecord")) != here


@pytest.mark.parametrize("is_finished", [True, False])
def test_records_of_files_that_have_changed_since_are_an_error(tmp_path, is_finished):
    ds = files_of_all_kinds(tmp_path / "files")
    folder = tmp_path / "records"
    write_records(ds, folder, shards=1)
    if not is_finished:
        (folder / "index.json").rename(folder / "shard-00000-of-00001.json")
    write_records(ds, folder)
    changed = ds.paths(len(ds) - 1)[1]  # not the first one, which is compared
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    with pytest.raises(ValueError, match=r"path holds other records .*the samples' files, or how"):
        write_records(ds, folder)


def test_a_stamp_knows_the_files_their_order_and_how_they_are_read(tmp_path):
    ds = files_of_all_kinds(tmp_path / "files")
    others = [ds.subset([1, 0]), ds.subset([0, 1]), ds.map_classes({"cell": "nucleus"})]
    assert len({stamp_of(other) for other in [ds, *others]}) == 4
    assert stamp_of(ds.subset(range(len(ds)))) == stamp_of(ds)
    assert stamp_of(cells()) == ""  # no files, no stamp
    before = stamp_of(ds)
    ds.paths(1)[1].unlink()  # reading it will name it
    assert stamp_of(ds) != before


def test_records_of_a_version_without_stamp_can_be_read_but_not_gone_on_with(tmp_path):
    ds = files_of_all_kinds(tmp_path / "files")
    folder = tmp_path / "records"
    write_records(ds, folder)
    content = index(folder)
    del content["source"], content["crc32"]
    (folder / "index.json").write_text(json.dumps({**content, "crc32": _checksum(content)}))
    check_same(read_records(folder), ds)
    with pytest.raises(ValueError, match="the samples' files, or how they are read"):
        write_records(ds, folder)


OTHERS = {
    "ids": (cells(names="nucleus"), {}, "ids: 'cell 0' there, 'nucleus 0' here"),
    "number": (cells(8), {}, "ids: None there, 'cell 4' here"),
    "name": (cells(name="train"), {}, "name: 'cells' there, 'train' here"),
    "classes": (
        cells(class_map=ClassMap(["background", "nucleus"])),
        {},
        r"classes: ClassMap\(2 classes: background, cell.* there, .*background, nucleus\) here",
    ),
    "images": (cells(), {"images": "raw"}, "images: 'encoded' there, 'raw' here"),
    "shards": (cells(), {"shards": 2}, "shards: 3 there, 2 here"),
    "pixels": (cells(seed=1), {}, "sample 'cell 0' of 'cells' is not what was written into"),
}


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize("what", OTHERS)
def test_other_records_in_the_folder_are_an_error_that_says_what_differs(
    tmp_path, what, is_finished
):
    write_records(cells(), tmp_path, shards=3)
    if not is_finished:
        whole = read_index(tmp_path / "index.json")
        for shard in whole.shards[:2]:
            write_index(tmp_path / shard_index(shard.file), replace(whole, shards=[shard]))
        (tmp_path / "index.json").unlink()
        (tmp_path / whole.shards[2].file).unlink()
    before = contents(tmp_path)
    ds, arguments, message = OTHERS[what]
    with pytest.raises(ValueError, match=message):
        write_records(ds, tmp_path, **arguments)
    assert contents(tmp_path) == before


# -- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [0, 8, -1, 2.0, True, "two"])
def test_a_number_of_shards_that_makes_no_sense_is_an_error(tmp_path, shards):
    with pytest.raises(ValueError, match=r"shards must be (an int >= 1|at most the 7 samples)"):
        write_records(cells(), tmp_path / "new", shards=shards)
    assert not (tmp_path / "new").exists()


def test_unknown_images_are_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"images must be one of \['encoded', .*received 'jpeg'"):
        write_records(cells(), tmp_path, images="jpeg")


def test_generated_scenes_are_stored_as_png(tmp_path):
    ds = digits("val", count=3)
    write_records(ds, tmp_path)
    check_same(read_records(tmp_path), ds)
    assert (tmp_path / "shard-00000-of-00001.tfrecord").read_bytes().count(b"\x89PNG") == 3
