"""Dataset.batches: what a model sees in `fit` is the stream, on every backend of Keras."""

import gc
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from streams_in_fit import AUGMENT, BATCH, cells, hashed, pair_of, recorder, scenarios

from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.failures import original_errors
from semseg.data.feeding.py_dataset import Batches

BACKENDS = ["tensorflow", "jax", "torch"]


def stream(steps, count=7, **options):
    source = BatchSource(cells(count), BATCH, **{"augment": AUGMENT, **options})
    return [hashed(source[step]) for step in steps]


@pytest.fixture(scope="module")
def seen():
    """What models see on each backend; the other two in processes without TensorFlow."""
    program = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "streams_in_fit.py")
    started = {
        backend: subprocess.Popen(
            [sys.executable, program],
            env={**os.environ, "KERAS_BACKEND": backend},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for backend in BACKENDS[1:]
        if importlib.util.find_spec(backend)
    }
    found = {"tensorflow": scenarios()}
    for backend, process in started.items():
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        found[backend] = json.loads(printed.splitlines()[-1])
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("three epochs, with validation", lambda: stream(range(9))),
        ("two more", lambda: stream(range(9, 15))),
        ("one more after compile", lambda: stream(range(15, 18))),
        ("one more with another model", lambda: stream(range(18, 21))),
        ("epochs of one step", lambda: stream(range(3), count=3)),
        ("endless", lambda: stream(range(2, 10))),
        (
            "fewer steps an epoch, weighted",
            lambda: stream(range(5), count=9, sample_weight=[1.0, 3.0]),
        ),
    ],
)
def test_fit_sees_the_stream_epoch_by_epoch(seen, backend, scenario, expected):
    """Although `fit` shuffles the numbers it asks for, and looks at batches before it trains."""
    if backend not in seen:
        pytest.skip(f"{backend} is not installed")
    assert seen[backend][scenario][0] == expected()


@pytest.mark.parametrize("backend", BACKENDS)
def test_validation_sees_the_whole_set_each_time(seen, backend):
    if backend not in seen:
        pytest.skip(f"{backend} is not installed")
    once = stream(range(2), count=5, shuffle=False, augment=None)
    assert seen[backend]["three epochs, with validation"][1] == once * 3


def test_the_law_notices_batches_in_another_order():
    assert stream([1, 0, 2]) != stream(range(3))


def test_a_loop_is_one_epoch_and_the_next_loop_the_next():
    batches = cells().batches(BATCH, augment=AUGMENT)
    assert len(batches) == batches.num_batches == 3
    assert [hashed(b) for _ in range(2) for b in batches] == stream(range(6))


def test_a_loop_that_is_left_early_counts():
    batches = cells().batches(BATCH, augment=AUGMENT)
    next(iter(batches))
    assert [hashed(b) for b in batches] == stream(range(3, 6))


def test_a_finite_stream_starts_with_any_epoch_and_an_endless_one_anywhere():
    finite = cells().batches(BATCH, augment=AUGMENT, start_step=6)
    assert [hashed(b) for b in finite] == stream(range(6, 9))
    endless = cells().batches(BATCH, augment=AUGMENT, repeat=True, start_step=4)
    assert endless.num_batches is None
    assert [hashed(b) for b, _ in zip(endless, range(5), strict=False)] == stream(range(4, 9))
    with pytest.raises(TypeError, match="an endless stream has no len"):
        len(endless)
    with pytest.raises(ValueError, match=r"without repeat=True, a multiple of the 3 steps.* 4$"):
        cells().batches(BATCH, start_step=4)


def test_an_endless_stream_answers_in_any_order():
    endless = cells().batches(BATCH, augment=AUGMENT, repeat=True)
    asked = [5, 0, 1, 1, 40, 2]
    assert [hashed(endless[i]) for i in asked] == stream(asked)


def test_the_batches_ahead_are_few():
    asked = []

    class Watched(BatchSource):
        def __getitem__(self, step):
            asked.append(step)
            return super().__getitem__(step)

    batches = Batches(Watched(cells(), BATCH), repeat=True)
    for step in range(10):
        batches[step]
    assert max(asked) <= 9 + 4


def test_an_error_is_raised_as_itself_after_the_batches_before_it():
    def read(index):
        if index == 5:
            raise FileNotFoundError("masks/5.png is gone")
        return pair_of(index)

    batches = iter(cells(read=read).batches(2, shuffle=False))
    assert len(next(batches)[0]) == len(next(batches)[0]) == 2
    with pytest.raises(FileNotFoundError, match=r"^sample 'cell 5' of 'cells': masks/5.png is gon"):
        next(batches)


def test_an_error_in_fit_can_be_raised_as_itself():
    """On TensorFlow, whose `fit` takes a PyDataset through `tf.data`; the others do so anyway."""

    def read(index):
        if index == 8:
            raise FileNotFoundError("masks/8.png is gone")
        return pair_of(index)

    batches = cells(9, read=read).batches(2, shuffle=False)
    message = r"^sample 'cell 8' of 'cells': masks/8.png is gone"
    with pytest.raises(FileNotFoundError, match=message), original_errors():
        recorder().fit(batches, verbose=0)


def test_batches_can_be_sent_to_another_process():
    batches = cells().batches(BATCH, augment=AUGMENT)
    next(iter(batches))
    again = pickle.loads(pickle.dumps(batches))
    assert [hashed(b) for b in again] == [hashed(b) for b in batches] == stream(range(3, 6))


def test_the_source_and_its_cache_are_freed_with_the_batches():
    before = set(_threads())
    source = BatchSource(cells(), BATCH, cache="ram")
    alive, batches = weakref.ref(source), Batches(source)
    del source
    list(batches)
    assert alive() is not None
    del batches
    gc.collect()
    for thread in set(_threads()) - before:
        thread.join()  # what they were making
    assert alive() is None


def _threads():
    return [t for t in threading.enumerate() if t.name.startswith("semseg-batches")]


def test_the_images_stay_as_they_were_read():
    images, masks = next(iter(cells().batches(BATCH)))
    assert (type(images), images.dtype, masks.dtype) == (np.ndarray, np.uint8, np.uint8)
