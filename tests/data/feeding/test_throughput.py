"""Dataset.benchmark: which stage bounds, told from a clock that the test moves."""

import json
import re

import numpy as np
import pytest
from streams_in_fit import CELLS, cells

from semseg.data import Dataset
from semseg.data.feeding import throughput
from semseg.data.feeding.throughput import Throughput


class Clock:
    """Time passes only where a test says so."""

    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(throughput, "time", clock)
    return clock


class File:
    """A file that takes its time."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def read_bytes(self):
        self.clock.now += self.seconds


def slow(clock, read=0.0, decode=0.0):
    """A data set whose stages take so many seconds a sample."""

    def sample(index):
        clock.now += read + decode
        return np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)

    half = File(clock, read / 2)
    ids = [str(i) for i in range(6)]
    return Dataset(sample, ids, CELLS, "slow", files=lambda i: (half, half))


def augmenting(clock, seconds):
    def augment(image, mask, rng):
        clock.now += seconds
        return image, mask

    return augment


@pytest.mark.parametrize(
    ("read", "decode", "augment", "bound", "advice"),
    [
        (0.004, 0.001, 0.001, "read", r"read takes 67% of the time: pass cache='ram' \(384 B\)"),
        (0.001, 0.016, 0.003, "decode", r"decode takes 80% of the time: pass cache='ram'"),
        (0.001, 0.001, 0.002, "augment", r"augment takes 50% .*: crop or resize first"),
    ],
)
def test_each_stage_is_timed_and_the_longest_bounds(
    monkeypatch, clock, read, decode, augment, bound, advice
):
    monkeypatch.setattr(throughput, "_images_per_second", lambda source, count: 123.0)
    speed = slow(clock, read, decode).benchmark(4, augment=augmenting(clock, augment))
    expected = {"read": 1000 * read, "decode": 1000 * decode, "augment": 1000 * augment, "batch": 0}
    assert speed.milliseconds == pytest.approx(expected)
    assert speed.bound == bound
    assert re.match(advice, speed.advice)


def throughput_of(batch=1.0, fits_in_ram=True, **milliseconds):
    stages = dict.fromkeys(("read", "decode", "augment"), 0.0) | milliseconds | {"batch": batch}
    return Throughput("cells", stages, 250.0, 2, 190_000_000, fits_in_ram)


def test_the_table_shows_stages_bound_and_advice():
    shown = repr(throughput_of(decode=3.0, augment=0.5)).splitlines()
    assert shown[0].split() == ["stage", "ms", "an", "image", "images", "a", "second"]
    assert shown[1].split() == ["read", "0.000", "-"]
    assert shown[2].split() == ["decode", "3.000", "333", "<-", "bounds"]
    assert shown[5] == "together, 2 threads: 250 images a second"
    assert shown[
        6
    ] == "decode takes 67% of the time: pass cache='ram' (190 MB), which reads and " + (
        "decodes once"
    )


def test_advice_knows_what_does_not_fit_and_what_only_copies():
    assert "too many for this machine's memory" in throughput_of(5.0, False, read=9.0).advice
    assert throughput_of(5.0).advice == (
        "batch takes 100% of the time: pass a smaller size=, so that there are fewer pixels to copy"
    )


def test_the_numbers_are_json():
    speed = cells().benchmark(batch_size=3, sample_weight=[1.0, 2.0], samples=5)
    stored = json.loads(json.dumps(speed.to_dict()))
    assert stored["name"] == "cells" and stored["bound"] in stored["milliseconds"]
    assert stored["decoded_bytes"] == 7 * 6 * 8 * 4
    assert stored["images_per_second"] > 0


def test_sizes_that_differ_are_named_with_the_cure():
    read = lambda i: (np.zeros((4, 4 + i, 3), np.uint8), np.zeros((4, 4 + i), np.uint8))  # noqa: E731
    with pytest.raises(ValueError, match=r"samples of a batch must have one size.*pass size="):
        cells(read=read).benchmark(batch_size=3)


@pytest.mark.parametrize("samples", [0, 1.5])
def test_samples_is_a_whole_number(samples):
    with pytest.raises(ValueError, match=rf"samples must be an int >= 1, received {samples}"):
        cells().benchmark(samples=samples)
