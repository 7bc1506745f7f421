"""`cache="ram"`: decoded samples are read once, at the start, and freed with the stream."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from semseg.classes import ClassMap
from semseg.data import Dataset, from_pairs
from semseg.data.feeding import caching
from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.caching import shown_bytes
from semseg.data.transforms import Brightness, Flip

CELLS = ClassMap(["background", "cell"], ignore_class=255)


def counting(count=7, size=(6, 8)):
    """A data set, and how often each sample was read."""
    reads = Counter()

    def read(index):
        reads[index] += 1
        rng = np.random.default_rng(index)
        return rng.integers(0, 200, (*size, 3), dtype=np.uint8), np.zeros(size, np.uint8)

    return Dataset(read, [f"cell {i}" for i in range(count)], CELLS, "cells"), reads


def test_the_cache_is_filled_at_once_and_gives_the_same_stream():
    ds, reads = counting()
    augment = [Flip(), Brightness()]
    kept = BatchSource(ds, 3, augment=augment, cache="ram")
    assert reads == dict.fromkeys(range(7), 1)
    plain = BatchSource(counting()[0], 3, augment=augment)
    for step in range(7):
        for a, b in zip(kept[step], plain[step], strict=True):
            np.testing.assert_array_equal(a, b)
    assert reads == dict.fromkeys(range(7), 1)


def test_a_shard_caches_its_own_samples():
    ds, reads = counting()
    BatchSource(ds, 3, shard=(1, 3), cache="ram")
    assert reads == {1: 1, 4: 1}


def test_a_bar_says_how_large_the_cache_will_be(monkeypatch):
    said = []
    in_order = caching.in_order
    monkeypatch.setattr(
        caching, "in_order", lambda work, items, total, what: said.append((total, what))
        or in_order(work, items, total, what),
    )  # fmt: skip
    BatchSource(counting(50, (100, 100))[0], 3, cache="ram")
    assert said == [(50, "caching 'cells' in RAM, 2 MB")]


def test_a_cache_larger_than_the_machine_is_refused_before_it_is_filled(monkeypatch):
    ds, reads = counting(50, (100, 100))
    monkeypatch.setattr(caching, "physical_memory", lambda: 1_500_000)
    message = (
        r"cache='ram' needs about 2 MB for 50 samples of 'cells', and this machine has 2 MB; "
        r"pass cache= a folder, or None"
    )
    with pytest.raises(ValueError, match=message):
        BatchSource(ds, 3, cache="ram")
    assert sum(reads.values()) <= 4
    monkeypatch.setattr(caching, "physical_memory", lambda: None)  # a system that does not say
    BatchSource(ds, 3, cache="ram")


def test_the_limit_of_a_container_counts_where_it_is_the_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(caching, "_LIMITS", (tmp_path / "memory.max", tmp_path / "v1"))
    machine = caching.physical_memory()
    (tmp_path / "memory.max").write_text("max\n")
    assert caching.physical_memory() == machine
    (tmp_path / "v1").write_text(str(2**62))
    assert caching.physical_memory() == min(machine or 2**62, 2**62)
    (tmp_path / "memory.max").write_text("1500000\n")
    assert caching.physical_memory() == 1_500_000


def test_an_error_while_the_cache_fills_names_the_sample():
    def read(index):
        raise FileNotFoundError("no such file: 0.png")

    ds = Dataset(read, ["a", "b"], CELLS, "cells")
    with pytest.raises(FileNotFoundError, match=r"^sample '.' of 'cells': no such file"):
        BatchSource(ds, 1, cache="ram")


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (190_000_000, "190 MB"), (1_234_000_000, "1.2 GB")],
)
def test_sizes_are_shown_for_people(count, shown):
    assert shown_bytes(count) == shown


@pytest.mark.parametrize("shard", [(0, 1), (1, 3)])
def test_a_folder_gives_the_same_stream_and_the_next_run_reads_only_from_it(tmp_path, shard):
    ds, reads = counting()
    options = {"augment": [Flip(), Brightness()], "shard": shard, "sample_weight": np.sqrt}
    plain = BatchSource(counting()[0], 2, **options)
    for run in range(2):
        reads.clear()
        kept = BatchSource(ds, 2, cache=tmp_path / "cache", **options)
        # A sample is looked at; a finished folder is told from another set's by its first one.
        assert sum(reads.values()) == 2 if run else set(reads) == set(range(shard[0], 7, shard[1]))
        reads.clear()
        for step in range(5):
            for a, b in zip(kept[step], plain[step], strict=True):
                np.testing.assert_array_equal(a, b)
        assert not reads


def test_a_folder_of_another_data_set_is_refused(tmp_path):
    BatchSource(counting()[0], 2, cache=str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"path holds other records .*ids: "):
        BatchSource(counting(8)[0], 2, cache=str(tmp_path / "cache"))


def test_a_folder_from_before_a_mask_was_corrected_is_refused(tmp_path):
    pairs = [(tmp_path / f"{i}.png", tmp_path / f"{i}m.png") for i in range(3)]
    for image, mask in pairs:
        Image.new("RGB", (8, 6)).save(image)
        Image.new("L", (8, 6), 1).save(mask)
    ds = from_pairs(pairs, CELLS)
    BatchSource(ds, 2, cache=tmp_path / "cache")
    BatchSource(ds, 2, cache=tmp_path / "cache")
    Image.new("L", (8, 6), 0).save(pairs[2][1])
    with pytest.raises(ValueError, match=r"path holds other records .*the samples' files"):
        BatchSource(ds, 2, cache=tmp_path / "cache")


def test_a_large_folder_says_its_size_where_no_bar_shows(tmp_path, monkeypatch, capsys):
    BatchSource(counting()[0], 2, cache=tmp_path / "small")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(caching, "_LARGE", 1000)
    BatchSource(counting()[0], 2, cache=tmp_path / "large")
    assert capsys.readouterr().err == f"caching 'cells' in {tmp_path / 'large'}, 1 kB\n"


def test_a_folder_without_room_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(caching.shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    message = r"cache='.*cache' needs about 1 kB for 7 samples of 'cells', .* has 10 B left"
    with pytest.raises(ValueError, match=message):
        BatchSource(counting()[0], 2, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("cache", [True, 3, ""])
def test_a_cache_that_is_none_is_refused(cache):
    message = rf"cache must be None, 'ram' or a folder, received {cache!r}"
    with pytest.raises(TypeError, match=message):
        BatchSource(counting()[0], 2, cache=cache)
