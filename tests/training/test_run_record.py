"""run.json: what a run was, found again, and never mixed with another."""

import json
import os
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg._writing import writable_folder, write_text
from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.training import start_run
from semseg.training.run_record import fingerprint

CELLS = ClassMap(["background", "cell"], ignore_class=255)
SETTINGS = {"seed": 0, "size": (96, 128), "model": "unet", "learning_rate": 3e-3}
COUNT = 5


def pair_of(index):
    return np.full((2, 3, 3), index, np.uint8), np.full((2, 3), index % 2, np.uint8)


def cells(count=COUNT, name="cells", class_map=CELLS, pair=pair_of, stem="cell"):
    return Dataset(pair, [f"{stem} {i}" for i in range(count)], class_map, name)


def start(out, settings=SETTINGS, **datasets):
    return start_run(out, settings, datasets or {"train": cells(), "test": cells(2)})


def record(out):
    return json.loads((out / "run.json").read_text())


# -- what is written -----------------------------------------------------------------------------


def test_the_record_has_settings_data_versions_and_command(tmp_path):
    out = start(tmp_path / "runs/first")
    assert out == tmp_path / "runs/first"
    found = record(out)
    assert found["settings"] == {**SETTINGS, "size": [96, 128]}
    assert found["data"] == {"train": fingerprint(cells()), "test": fingerprint(cells(2))}
    assert found["data"]["train"]["name"] == "cells"
    assert found["data"]["train"]["samples"] == COUNT
    assert found["versions"]["keras"] == keras.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert found["backend"] == keras.backend.backend()
    assert found["command"] == sys.argv
    assert found["python"] in sys.version


def test_a_folder_that_is_there_is_taken_and_its_files_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert start(str(tmp_path)) == tmp_path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.txt", "run.json"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_same_run_is_opened_again_and_its_record_stays(tmp_path, monkeypatch):
    out = start(tmp_path)
    before = (out / "run.json").read_bytes()
    monkeypatch.setattr(sys, "argv", ["other.py"])
    assert start(tmp_path) == out
    assert (out / "run.json").read_bytes() == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(settings=st.dictionaries(st.text(), json_values, max_size=4))
def test_any_settings_that_json_holds_are_the_same_run_again(tmp_path_factory, settings):
    out = tmp_path_factory.mktemp("run")
    start_run(out, settings, {})
    start_run(out, settings, {})


# -- another run ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, r"settings.seed: 0 there, 1 here"),
        ({"size": (96, 64)}, r"settings.size: \[96, 128\] there, \[96, 64\] here"),
        ({"epochs": 3}, r"settings.epochs: None there, 3 here"),
    ],
)
def test_other_settings_are_named(tmp_path, change, message):
    start(tmp_path)
    pattern = rf"run.json belongs to another run \({message}\); choose another out= or remove"
    with pytest.raises(ValueError, match=pattern):
        start(tmp_path, {**SETTINGS, **change})


def test_a_setting_that_is_gone_is_named(tmp_path):
    start(tmp_path)
    with pytest.raises(ValueError, match=r"settings.model: 'unet' there, None here"):
        start(tmp_path, {k: v for k, v in SETTINGS.items() if k != "model"})


def test_all_differences_are_named_at_once(tmp_path):
    start(tmp_path)
    with pytest.raises(ValueError, match=r"model: 'unet' there, 'fcn' here; settings.seed: 0"):
        start(tmp_path, {**SETTINGS, "seed": 5, "model": "fcn"})


def test_other_data_are_named_by_their_role(tmp_path):
    start(tmp_path)
    with pytest.raises(ValueError, match=r"another run \(data.train: .*'samples': 5.*'samples': 4"):
        start(tmp_path, train=cells(4), test=cells(2))
    with pytest.raises(ValueError, match=r"data.test: .* there, None here"):
        start(tmp_path, train=cells())


def test_the_record_of_the_first_run_survives_a_refused_second(tmp_path):
    start(tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(ValueError, match="another run"):
        start(tmp_path, {"seed": 1})
    assert (tmp_path / "run.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", '{"settings": ', "no json"])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"run\.json is damaged .*choose another out= or remove"):
        start(tmp_path)


def test_settings_that_json_can_not_hold_are_named(tmp_path):
    with pytest.raises(TypeError, match=r"settings must hold what JSON can hold.*'mask': array"):
        start(tmp_path, {"mask": np.zeros(2)})
    assert not (tmp_path / "run.json").exists()


# -- fingerprints --------------------------------------------------------------------------------


def changed_pixel(changed, part):
    def pair(index):
        pair = pair_of(index)
        if index == changed:
            pair[part][0, 0] = 1 - pair[part][0, 0] % 2
        return pair

    return pair


DIFFERENT = {
    "another count": cells(4),
    "another name": cells(name="other"),
    "other sample ids": cells(stem="Cell"),
    "another class name": cells(class_map=ClassMap(["background", "blob"], ignore_class=255)),
    "another ignored id": cells(class_map=ClassMap(["background", "cell"], ignore_class=254)),
    "another remap": cells(class_map=ClassMap(["background", "cell"], None, 255, {7: 1})),
    "other colours": cells(class_map=ClassMap(["background", "cell"], [(0, 0, 0), (9, 9, 9)], 255)),
    "another order": cells().subset([4, 3, 2, 1, 0]),
    "another dtype": cells(pair=lambda i: (pair_of(i)[0].astype("uint16"), pair_of(i)[1])),
    "another shape": cells(pair=lambda i: (pair_of(i)[0].reshape(3, 2, 3), pair_of(i)[1].T)),
    **{f"image of sample {i}": cells(pair=changed_pixel(i, 0)) for i in (0, 2, 4)},
    **{f"mask of sample {i}": cells(pair=changed_pixel(i, 1)) for i in (0, 2, 4)},
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_data_that_differ_have_other_fingerprints(other):
    assert fingerprint(other) != fingerprint(cells())
    if other.name == "cells":
        assert fingerprint(other)["sha256"] != fingerprint(cells())["sha256"]


def test_equal_data_have_equal_fingerprints():
    assert fingerprint(cells()) == fingerprint(cells())
    assert fingerprint(cells(1)) == fingerprint(cells(1))


def test_a_fingerprint_reads_three_samples_however_many_there_are():
    read = []

    def counting(index):
        read.append(index)
        return pair_of(index)

    fingerprint(cells(101, pair=counting))
    assert read == [0, 50, 100]


# -- folders that can't be written ---------------------------------------------------------------


def test_a_path_below_a_file_is_named_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"out must be a folder that can be written, .*file.below"):
        start(tmp_path / "file" / "below")
    with pytest.raises(
        OSError, match=r"out must be a folder that can be written, received '.*file'"
    ):
        start(tmp_path / "file")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux's /proc")
@pytest.mark.parametrize("out", ["/proc/nope", "/proc"])
def test_a_folder_of_the_kernel_is_named(out):
    with pytest.raises(OSError, match=rf"out must be a folder .*, received '{out}' \("):
        start(out)


def test_a_folder_without_permission_is_named(tmp_path, monkeypatch):
    """As root nothing is forbidden: the refusal is played."""

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(OSError, match=r"out must be .* received '.*new' \(.*Permission denied"):
        start(tmp_path / "new")


def test_the_trial_leaves_nothing_behind(tmp_path):
    folder = writable_folder(tmp_path / "a/b")
    assert list(folder.iterdir()) == []


# -- whole or not at all -------------------------------------------------------------------------


def test_a_text_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "run.json"
    for text in ("first", "second"):
        write_text(path, text)
        assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_writer_that_dies_leaves_the_old_text(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    write_text(path, "first")

    def dies(*_):
        assert path.read_text() == "first"  # nothing of it was touched so far
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "second")
    assert path.read_text() == "first"


def test_a_half_written_record_does_not_stop_the_next_start(tmp_path):
    (tmp_path / "run.json.half").write_text('{"settings": ')
    start(tmp_path)
    assert record(tmp_path)["settings"]["seed"] == 0
