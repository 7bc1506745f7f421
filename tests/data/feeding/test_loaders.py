"""One stream for every loader: pipeline, batches, batch_source, in threads and in processes."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from streams_in_fit import cells, hashed, pair_of

from semseg.data import original_errors
from semseg.data.feeding.epochs import EpochSteps
from semseg.data.transforms import (
    Brightness,
    ClassMix,
    CopyPaste,
    CutMix,
    Flip,
    MixUp,
    Mosaic,
    RandomCrop,
)

OPTIONS = {
    "plain": {},
    "augmented": {"size": (9, 8), "augment": [RandomCrop((6, 6)), Flip(), Brightness()]},
    "cached": {"augment": [Flip(), Brightness()], "cache": "ram", "seed": 3},
    "shard": {"augment": Flip(), "shard": (1, 2)},
    "balanced": {"augment": Brightness(), "sampling": "balanced"},
    "weighted": {"augment": Flip(), "sample_weight": [0.5, 2.0], "drop_remainder": True},
    "weight map": {"augment": [RandomCrop((9, 9))], "sample_weight": np.sqrt},
    "mixed": {"augment": Flip(), "mix": [ClassMix(), CutMix()]},
    "mixed shard": {"mix": Mosaic(), "shard": (1, 2), "sample_weight": [0.5, 2.0]},
    "soft": {"augment": [RandomCrop((9, 9))], "mix": MixUp(), "cache": "ram"},
    "in order": {"shuffle": False, "augment": Brightness()},
}


def by_threads(source):
    with ThreadPoolExecutor(7) as pool:
        return list(pool.map(source.__getitem__, range(len(source))))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_loader_gives_the_same_stream_bit_for_bit(options):
    ds = cells(9)
    source = ds.batch_source(2, epochs=3, **options)
    expected = [hashed(batch) for batch in source]
    steps, of_epoch = len(expected), source.steps_per_epoch
    assert len(set(expected)) == steps == 3 * of_epoch
    pipeline, batches = ds.pipeline(2, **options), ds.batches(2, **options)
    streams = {
        "pipeline": [batch for _ in range(3) for batch in pipeline],
        "batches": [batch for _ in range(3) for batch in batches],
        "pipeline, endless": ds.pipeline(2, repeat=True, **options).take(steps),
        "batches, endless": map(ds.batches(2, repeat=True, **options).__getitem__, range(steps)),
        "threads": by_threads(ds.batch_source(2, epochs=3, **options)),
        "another process": pickle.loads(pickle.dumps(source)),
    }
    for name, stream in streams.items():
        assert [hashed(batch) for batch in stream] == expected, name
    for start in (1, of_epoch, 2 * of_epoch + 1):
        later = ds.pipeline(2, repeat=True, start_step=start, **options).take(steps - start)
        assert [hashed(batch) for batch in later] == expected[start:]


def test_a_process_of_its_own_reads_the_same():
    source = cells(9).batch_source(2, augment=[Flip(), Brightness()], epochs=2)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        there = list(pool.map(_hash_at, [source] * 3, [7, 0, 3]))
    assert there == [hashed(source[step]) for step in (7, 0, 3)]


def _hash_at(source, step):
    return hashed(source[step])


def test_pytorchs_data_loader_reads_the_stream():
    data = pytest.importorskip("torch.utils.data")
    source = cells(9).batch_source(2, augment=Flip(), epochs=2)
    loader = data.DataLoader(source, batch_size=None)
    assert [hashed(map(np.asarray, batch)) for batch in loader] == [hashed(b) for b in source]


def test_pytorchs_workers_read_the_same_stream():
    data = pytest.importorskip("torch.utils.data")
    ds, options = cells(9), {"augment": [Flip(), Brightness()], "seed": 5}
    expected = [hashed(batch) for batch in ds.batches(2, **options)]
    loader = data.DataLoader(ds.batch_source(2, **options), batch_size=None, num_workers=2)
    assert [hashed(map(np.asarray, batch)) for batch in loader] == expected


def test_grain_reads_the_same_stream():
    grain = pytest.importorskip("grain")
    source = cells(9).batch_source(2, augment=[Flip(), Brightness()], mix=CutMix(), epochs=3)
    expected = [hashed(batch) for batch in source]
    steps = grain.MapDataset.source(source)
    assert len(steps) == 15 and hashed(steps[7]) == expected[7]
    read = iter(steps.to_iter_dataset(grain.ReadOptions(num_threads=4, prefetch_buffer_size=3)))
    assert [hashed(next(read)) for _ in range(6)] == expected[:6]
    again = iter(steps.to_iter_dataset())
    again.set_state(read.get_state())  # as Grain restarts from a checkpoint
    assert [hashed(batch) for batch in again] == expected[6:]


# -- what every loader checks --------------------------------------------------------------------

LOADERS = pytest.mark.parametrize("loader", ["pipeline", "batches", "batch_source"])


def of_another_kind(index):
    image, mask = pair_of(index)
    return image.astype(np.uint16 if index == 4 else np.uint8), mask


@LOADERS
def test_a_sample_of_another_kind_is_named_in_a_batch_of_its_own_too(loader):
    stream = getattr(cells(9, of_another_kind), loader)(1, shuffle=False)
    message = r"received uint8 images of 3 .* and then uint16 images .*\('cell 4'\); convert them"
    with pytest.raises(ValueError, match=message), original_errors():
        list(stream)


@LOADERS
def test_images_in_0_to_1_are_warned_of(loader):
    ds = cells(4, lambda i: (pair_of(i)[0] / np.float32(255), pair_of(i)[1]))
    with pytest.warns(UserWarning, match=r"the images lie in \[0, 1\]"):
        getattr(ds, loader)(2)


def fails(image, mask, rng):
    raise ValueError("too far")


def mixes_into_no_class(images, masks, rng):
    return images, masks + 7


EVERY, BY_STEP = ("pipeline", "batches", "batch_source"), ("pipeline", "batches")
#: What is wrong, which loaders take such an argument, and what they say.
WRONG = [
    ({"start_step": 4}, BY_STEP, "start_step must be, without repeat=True, a multiple of the 5"),
    ({"start_step": 2.0}, BY_STEP, "start_step must be an int >= 0, received 2.0"),
    ({"epochs": 0}, ("batch_source",), "epochs must be an int >= 1, received 0"),
    ({"sampling": [1, 2]}, EVERY, "sampling must hold one finite weight >= 0 a sample"),
    ({"sampling": "even"}, EVERY, "sampling must be None, 'balanced' or one weight a sample"),
    ({"augment": RandomCrop((9, 9), mask_fill=7)}, EVERY, "mask_fill must be one of the classes"),
    ({"mix": mixes_into_no_class}, EVERY, "mixes_into_no_class: masks after it "),
    ({"mix": CopyPaste(["Cell"])}, EVERY, "must be of background, cell or their ids 0..1, rec"),
    ({"mix": [MixUp(), CutMix()]}, EVERY, "MixUp must come last, as it turns ids into shares"),
    ({"augment": fails}, EVERY, "sample 'cell .' of 'cells': fails: too far"),
]


@pytest.mark.parametrize(
    ("loader", "options", "message"),
    [(loader, options, message) for options, loaders, message in WRONG for loader in loaders],
)
@pytest.mark.parametrize("cache", ["ram", "folder"])
def test_every_argument_is_checked_before_a_cache_is_filled(
    loader, options, message, cache, tmp_path
):
    reads = []
    ds = cells(9, lambda i: (reads.append(i), pair_of(i))[1])
    cache = cache if cache == "ram" else tmp_path / "cache"
    with pytest.raises(ValueError, match=message):
        getattr(ds, loader)(2, cache=cache, **options)
    assert len(reads) <= 1
    assert not (tmp_path / "cache").exists()


def test_augment_is_no_number():
    with pytest.raises(TypeError, match="augment must be a transform or a list of them, received"):
        cells().batches(2, augment=5)


def test_batches_by_number_end_and_refuse_numbers_outside():
    source = cells(9).batch_source(2, epochs=2)
    assert len(source) == 10 and source.steps_per_epoch == 5
    for step in (-1, 10):
        with pytest.raises(IndexError, match=rf"step must lie in 0..9, received {step}"):
            source[step]
    assert len(list(source)) == 10
    assert repr(source) == "EpochSteps('cells', 2 epochs of 5 batches)"


@pytest.mark.parametrize("epochs", [0, 1.5, True])
def test_epochs_is_a_whole_number(epochs):
    with pytest.raises(ValueError, match=rf"epochs must be an int >= 1, received {epochs!r}"):
        EpochSteps(None, epochs)
