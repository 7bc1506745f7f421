"""Dataset.pipeline: `tf.data` gives what BatchSource says, epoch by epoch, and frees it."""

import gc
import json
import subprocess
import sys
import time
import warnings
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import streams_in_fit
import tensorflow as tf

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.feeding import failures
from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.failures import original_errors
from semseg.data.feeding.pipeline import make_pipeline
from semseg.data.transforms import Brightness, Flip, RandomCrop, RandomScale

CELLS = ClassMap(["background", "cell"], ignore_class=255)
AUGMENT = [RandomScale(0.5, 2.0), RandomCrop((6, 6), mask_fill=255), Flip(), Brightness()]
COUNT, BATCH, STEPS = 7, 3, 3


def pair_of(index, size=(6, 8), channels=3, dtype=np.uint8):
    rng = np.random.default_rng(index)
    image = rng.integers(0, 200, (*size, channels)).astype(dtype)
    return image, rng.integers(0, 2, size, dtype=np.uint8)


def cells(read=pair_of, count=COUNT):
    return Dataset(read, [f"cell {i}" for i in range(count)], CELLS, "cells")


def source(**options):
    return BatchSource(cells(), BATCH, **{"augment": AUGMENT, **options})


def arrays(batch):
    return tuple(np.asarray(part) for part in batch)


def check_stream(batches, expected):
    """The batches are those of a BatchSource at the expected steps."""
    batches = [arrays(batch) for batch in batches]
    assert len(batches) == len(expected)
    for batch, step in zip(batches, expected, strict=True):
        for a, b in zip(batch, source()[step], strict=True):
            np.testing.assert_array_equal(a, b)


# -- epochs --------------------------------------------------------------------------------------


def test_the_kth_pass_is_the_kth_epoch():
    ds = cells().pipeline(BATCH, augment=AUGMENT)
    for epoch in range(3):
        check_stream(ds, range(epoch * STEPS, (epoch + 1) * STEPS))


def test_the_check_notices_a_stream_that_replays_its_first_epoch():
    ds = cells().pipeline(BATCH, augment=AUGMENT).cache()
    check_stream(ds, range(STEPS))
    with pytest.raises(AssertionError, match="not equal"):
        check_stream(ds, range(STEPS, 2 * STEPS))


def test_a_pass_that_was_left_early_counts():
    ds = cells().pipeline(BATCH, augment=AUGMENT)
    check_stream(ds.take(1), [0])
    check_stream(ds, range(STEPS, 2 * STEPS))


def test_length_and_cardinality_are_known():
    ds = cells().pipeline(BATCH)
    assert len(ds) == int(ds.cardinality()) == STEPS
    assert [len(images) for images, _ in ds] == [3, 3, 1]


def test_repeat_gives_an_endless_stream():
    ds = cells().pipeline(BATCH, augment=AUGMENT, repeat=True)
    assert int(ds.cardinality()) == tf.data.INFINITE_CARDINALITY
    check_stream(ds.take(8), range(8))
    check_stream(ds.take(2), range(2))


@pytest.mark.parametrize("start_step", [0, 1, 4, 11])
def test_an_endless_stream_goes_on_from_any_step(start_step):
    ds = cells().pipeline(BATCH, augment=AUGMENT, repeat=True, start_step=start_step)
    check_stream(ds.take(4), range(start_step, start_step + 4))


def test_a_finite_stream_goes_on_from_the_beginning_of_any_epoch():
    ds = cells().pipeline(BATCH, augment=AUGMENT, start_step=2 * STEPS)
    check_stream(ds, range(2 * STEPS, 3 * STEPS))
    check_stream(ds, range(3 * STEPS, 4 * STEPS))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_stream_is_the_same_for_any_number_of_threads(threads):
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    options.threading.max_intra_op_parallelism = threads
    ds = cells().pipeline(BATCH, augment=AUGMENT, repeat=True, cache="ram")
    check_stream(ds.with_options(options).take(30), range(30))


def test_shuffle_size_and_seed_reach_the_source():
    ds = cells().pipeline(BATCH, size=(5, 4), shuffle=False, seed=3, augment=Flip())
    expected = source(size=(5, 4), shuffle=False, seed=3, augment=Flip())
    for step, batch in enumerate(ds):
        for a, b in zip(arrays(batch), expected[step], strict=True):
            np.testing.assert_array_equal(a, b)
    other = next(iter(cells().pipeline(BATCH, seed=4)))
    assert not np.array_equal(other[0], next(iter(cells().pipeline(BATCH, seed=5)))[0])


class Recorder(keras.Model):
    """A model that notes what `fit` hands to it."""

    def train_step(self, data):
        self.seen.append(arrays(data))
        return {"loss": 0.0}


def recorder():
    inputs = keras.Input((None, None, 3))
    model = Recorder(inputs, keras.layers.Conv2D(2, 1)(inputs))
    model.seen = []
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def test_fit_sees_a_new_epoch_each_time_and_the_whole_of_it():
    model = recorder()
    history = model.fit(cells().pipeline(BATCH, augment=AUGMENT), epochs=3, verbose=0)
    assert len(history.epoch) == 3
    check_stream(model.seen, range(3 * STEPS))


def test_fit_takes_an_endless_stream_with_steps_per_epoch():
    model = recorder()
    ds = cells().pipeline(BATCH, augment=AUGMENT, repeat=True, start_step=2)
    model.fit(ds, epochs=2, steps_per_epoch=4, verbose=0)
    check_stream(model.seen, range(2, 10))


# -- what the elements are -----------------------------------------------------------------------


@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (3, "uint16"), (5, "float32")])
def test_the_element_spec_tells_dtypes_and_channels(channels, dtype, repeat):
    ds = cells(lambda i: pair_of(i, channels=channels, dtype=dtype)).pipeline(2, repeat=repeat)
    images, masks = ds.element_spec
    assert (images.shape.as_list(), images.dtype.name) == ([None, None, None, channels], dtype)
    assert (masks.shape.as_list(), masks.dtype.name) == ([None, None, None], "uint8")
    batch = next(iter(ds))
    assert (batch[0].dtype.name, batch[1].dtype.name) == (dtype, "uint8")


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "bool"])
def test_masks_are_integer(dtype):
    ds = cells(lambda i: (pair_of(i)[0], pair_of(i)[1].astype(dtype))).pipeline(2)
    for _, masks in ds:
        assert masks.dtype.is_integer


def test_the_ram_cache_gives_the_same_stream_and_reads_each_sample_once():
    reads = []

    def counting(index):
        reads.append(index)
        return pair_of(index)

    ds = cells(counting).pipeline(BATCH, augment=AUGMENT, cache="ram")
    for epoch in range(3):
        check_stream(ds, range(epoch * STEPS, (epoch + 1) * STEPS))
    assert sorted(reads) == list(range(COUNT))


# -- memory --------------------------------------------------------------------------------------


def test_the_source_and_its_cache_are_freed_with_the_last_data_set():
    held = source(cache="ram")
    alive = weakref.ref(held)
    ds = make_pipeline(held)
    del held
    list(ds)
    derived = ds.map(lambda images, masks: (images, masks)).take(2)
    del ds
    gc.collect()
    assert len(list(derived)) == 2  # a derived data set keeps it alive
    iterator = iter(derived)
    del derived
    gc.collect()
    next(iterator)  # and so does an iterator
    assert alive() is not None
    del iterator
    gc.collect()
    assert alive() is None


def test_an_endless_stream_is_freed_too():
    held = source(cache="ram")
    alive = weakref.ref(held)
    ds = make_pipeline(held, repeat=True)
    del held
    next(iter(ds))
    assert alive() is not None
    del ds
    gc.collect()
    assert alive() is None


# -- errors and warnings -------------------------------------------------------------------------


def test_an_error_in_the_first_sample_is_raised_at_once_and_as_itself():
    def fails(index):
        raise FileNotFoundError(f"no such file: {index}.png")

    with pytest.raises(FileNotFoundError, match=r"no such file: 0\.png"):
        cells(fails).pipeline(BATCH, shuffle=False)

    def too_dark(image, mask, rng):
        raise ValueError("too dark")

    with pytest.raises(ValueError, match=r"^sample 'cell 0' of 'cells': too_dark: too dark"):
        cells().pipeline(BATCH, shuffle=False, augment=too_dark)


def test_an_argument_out_of_range_is_an_error_at_once():
    with pytest.raises(ValueError, match="batch_size must be an int >= 1"):
        cells().pipeline(0)


@pytest.mark.parametrize("start_step", [-1, -3])
@pytest.mark.parametrize("repeat", [False, True])
def test_a_negative_start_step_is_refused(start_step, repeat):
    with pytest.raises(ValueError, match=rf"start_step must be .*received {start_step}"):
        cells().pipeline(BATCH, repeat=repeat, start_step=start_step)


def test_a_finite_stream_can_not_start_within_an_epoch():
    with pytest.raises(ValueError, match=r"without repeat=True, a multiple of the 3 steps.* 4$"):
        cells().pipeline(BATCH, start_step=4)


@pytest.mark.parametrize("error", [ValueError, KeyError])
def test_a_later_error_reaches_the_loop_with_sample_and_transform_in_its_text(error):
    def sometimes(image, mask, rng):
        if image[0, 0, 0] == pair_of(5)[0][0, 0, 0]:
            raise error("too dark")
        return image, mask

    ds = iter(cells().pipeline(2, shuffle=False, augment=[sometimes]))
    next(ds), next(ds)  # what comes before arrives
    message = r"(?s)sample 'cell 5' of 'cells': sometimes: .*too dark"
    with pytest.raises(tf.errors.OpError, match=message):
        next(ds)


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError, KeyError])
def test_the_original_of_a_later_error_can_be_raised_in_its_place(error):
    def sometimes(image, mask, rng):
        if image[0, 0, 0] == pair_of(5)[0][0, 0, 0]:
            raise error("zu dunkel: ä\n'\"")
        return image, mask

    ds = cells().pipeline(2, shuffle=False, augment=sometimes)
    expected = RuntimeError if error is KeyError else error
    message = "^sample 'cell 5' of 'cells': sometimes: "
    with pytest.raises(expected, match=message) as caught, original_errors():
        recorder().fit(ds, verbose=0)
    assert type(caught.value) is expected
    assert type(caught.value.__cause__.__cause__) is error


def test_an_error_that_is_no_samples_is_left_alone():
    with pytest.raises(ZeroDivisionError), original_errors():
        1 / 0  # noqa: B018


def test_kept_errors_go_with_their_pipeline():
    def fails(image, mask, rng):
        if image[0, 0, 0] != pair_of(0)[0][0, 0, 0]:
            raise ValueError("too dark")
        return image, mask

    of_others = set(failures._ALL)  # Keras may keep a data set whose `fit` failed
    ds = cells().pipeline(1, shuffle=False, augment=fails)
    (own,) = map(weakref.ref, set(failures._ALL) - of_others)
    with pytest.raises(tf.errors.OpError):
        list(ds)
    assert own().last
    del ds
    # The batches after the one that failed are made ahead, and their threads end when they end.
    for _ in range(20):
        if own() is None:
            break
        time.sleep(0.1)
        gc.collect()  # counted, not timed: one may take a minute in a process of many tests
    assert own() is None


def test_a_later_error_reaches_fit_with_its_text():
    def fails_late(index):
        if index == 5:
            raise ValueError("the file is empty (0 bytes): masks/5.png")
        return pair_of(index)

    with pytest.raises(tf.errors.OpError, match=r"0 bytes\): masks/5\.png"):
        recorder().fit(cells(fails_late).pipeline(2, shuffle=False), verbose=0)


def test_sizes_that_differ_are_named_with_the_cure():
    ds = cells(lambda i: pair_of(i, size=(6, 8 + i // 3))).pipeline(BATCH, shuffle=False)
    batches = iter(ds)
    next(batches), next(batches)  # each batch may have a size of its own
    ds = cells(lambda i: pair_of(i, size=(6, 8 + i))).pipeline(BATCH, shuffle=False)
    message = r"one size, received 'cell 0' .* and 'cell 1' .*pass size=\(height, width\)"
    with pytest.raises(tf.errors.OpError, match=message):
        next(iter(ds))


@pytest.mark.parametrize(
    ("second", "received"),
    [
        ({"dtype": np.uint16}, "uint16 images of 3 channels with uint8 masks"),
        ({"channels": 1}, "uint8 images of 1 channels with uint8 masks"),
    ],
)
@pytest.mark.parametrize("first", [1, 3])
def test_a_change_of_dtype_or_channels_between_batches_is_named(second, received, first):
    """In the middle of the stream, and right behind the sample that shows what comes."""
    read = lambda i: pair_of(i, **(second if i >= first else {}))  # noqa: E731
    ds = cells(read).pipeline(1, shuffle=False)
    message = (
        rf"all samples of 'cells' must have one dtype and number of channels, received uint8 "
        rf"images of 3 channels with uint8 masks and then {received} "
        rf"\('cell {first}'\); convert them in augment="
    )
    with pytest.raises(tf.errors.OpError, match=message):
        list(ds)


def test_a_change_of_the_masks_dtype_is_named():
    read = lambda i: (pair_of(i)[0], pair_of(i)[1].astype("int32" if i else "uint8"))  # noqa: E731
    with pytest.raises(tf.errors.OpError, match=r"and then uint8 images .* with int32 masks"):
        list(cells(read).pipeline(1, shuffle=False))


def test_images_in_0_to_1_warn_once():
    ds = cells(lambda i: (pair_of(i)[0] / np.float32(255), pair_of(i)[1]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(ds.pipeline(BATCH))
    texts = [str(w.message) for w in caught if "images lie in [0, 1]" in str(w.message)]
    assert len(texts) == 1
    assert "pass the images as they were read (uint8)" in texts[0]


@pytest.mark.parametrize("scale", [1.0, 1 / 100, -1.0])
def test_other_float_images_do_not_warn(scale):
    list(cells(lambda i: (pair_of(i)[0] * np.float32(scale), pair_of(i)[1])).pipeline(BATCH))


# -- in a process of its own ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def process():
    """What tests/pipelines_in_a_process.py prints, and how it ended."""
    program = Path(__file__).parents[2] / "pipelines_in_a_process.py"
    return subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=120
    )


def test_a_script_that_leaves_an_endless_stream_open_ends(process):
    """TensorFlow's reading ahead used to wait for Python for ever, and the process with it."""
    assert process.returncode == 0, process.stderr


def test_two_devices_share_each_batch_of_the_stream(process):
    found = json.loads(process.stdout)["distributed"]
    expected = BatchSource(streams_in_fit.cells(8), 4, augment=streams_in_fit.AUGMENT)
    assert found == [streams_in_fit.hashed(expected[step]) for step in range(4)]


def test_tensorflow_does_not_shard_what_is_sharded_already():
    policy = cells().pipeline(BATCH).options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.OFF


@pytest.mark.parametrize("loader", ["pipeline", "batches"])
def test_the_memory_of_the_cache_comes_back_when_the_stream_goes(process, loader):
    found = json.loads(process.stdout)
    if "memory" not in found:
        pytest.skip("reads /proc")
    filled, left = found["memory"][loader]
    assert filled > 200 and left < filled - 180  # MB, of a cache of 288
