"""BatchSource: a batch is a function of its step, and of nothing else."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.epochs import EpochSteps
from semseg.data.transforms import Brightness, Compose, Flip, RandomCrop, RandomScale

CELLS = ClassMap(["background", "cell"], ignore_class=255)
AUGMENT = [RandomScale(0.5, 2.0), RandomCrop((6, 6), mask_fill=255), Flip(), Brightness()]


def pair_of(index, size=(6, 8), channels=3, dtype=np.uint8):
    rng = np.random.default_rng(index)
    image = rng.integers(0, 200, (*size, channels)).astype(dtype)
    image[0, 0] = index  # so that a batch shows which samples it has
    return image, rng.integers(0, 2, size, dtype=np.uint8)


def cells(count=7, read=pair_of):
    return Dataset(read, [f"cell {i}" for i in range(count)], CELLS, "cells")


def indices(source, step):
    """Which samples a batch without augmentation has."""
    return source[step][0][:, 0, 0, 0].tolist()


def same(batch, other):
    return all(
        np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(batch, other, strict=True)
    )


def stream(source, steps):
    return [source[step] for step in steps]


# -- the order -----------------------------------------------------------------------------------


@given(count=st.integers(1, 20), batch_size=st.integers(1, 25), seed=st.integers(0, 2**40))
def test_every_epoch_has_every_sample_once_and_a_short_last_batch(count, batch_size, seed):
    source = BatchSource(cells(count), batch_size, seed=seed)
    assert source.steps_per_epoch == int(np.ceil(count / batch_size))
    for epoch in range(3):
        first = epoch * source.steps_per_epoch
        batches = [indices(source, first + k) for k in range(source.steps_per_epoch)]
        assert sorted(i for batch in batches for i in batch) == list(range(count))
        assert {len(batch) for batch in batches[:-1]} <= {batch_size}
        assert len(batches[-1]) == (count - 1) % batch_size + 1


def test_the_epochs_differ_in_order_and_augmentation():
    source = BatchSource(cells(), 7, augment=AUGMENT)
    orders = [source.order(epoch).tolist() for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    shown = [source.sample(3, epoch)[0].tobytes() for epoch in range(4)]
    assert len(set(shown)) == 4


def test_every_sample_of_an_epoch_has_draws_of_its_own():
    alike = BatchSource(cells(read=lambda i: pair_of(0)), 7, augment=AUGMENT)
    shown = [alike.sample(index, 0)[0].tobytes() for index in range(7)]
    assert len(set(shown)) == 7


def test_the_orders_are_fair():
    """Each of the 24 orders of four samples comes about as often."""
    source = BatchSource(cells(4), 4)
    counts = Counter(tuple(source.order(epoch).tolist()) for epoch in range(1200))
    assert len(counts) == 24
    assert 20 < min(counts.values()) and max(counts.values()) < 90


def test_without_shuffle_the_order_is_the_data_sets():
    source = BatchSource(cells(), 3, shuffle=False, augment=AUGMENT)
    plain = BatchSource(cells(), 3, shuffle=False)
    assert [indices(plain, step) for step in range(4)] == [[0, 1, 2], [3, 4, 5], [6], [0, 1, 2]]
    assert not same(source[0], source[3])  # but each epoch augments anew


def test_other_seeds_give_other_orders_and_other_augmentations():
    sources = [BatchSource(cells(), 7, augment=AUGMENT, seed=seed) for seed in range(4)]
    assert len({tuple(source.order(0).tolist()) for source in sources}) == 4
    assert len({source.sample(3, 0)[0].tobytes() for source in sources}) == 4


# -- a batch is a function of its step -----------------------------------------------------------


@given(seed=st.integers(0, 999), batch_size=st.integers(1, 8), steps=st.permutations(range(12)))
def test_a_batch_depends_on_its_step_alone_not_on_those_read_before(seed, batch_size, steps):
    expected = stream(BatchSource(cells(), batch_size, augment=AUGMENT, seed=seed), range(12))
    source = BatchSource(cells(), batch_size, augment=AUGMENT, seed=seed)
    for step in steps:
        assert same(source[step], expected[step])


@pytest.mark.parametrize("cache", [None, "ram"])
@pytest.mark.parametrize("threads", [2, 5, 16])
def test_any_number_of_threads_reads_the_same_batches(threads, cache):
    expected = stream(BatchSource(cells(), 3, augment=AUGMENT), range(40))
    source = BatchSource(cells(), 3, augment=AUGMENT, cache=cache)
    with ThreadPoolExecutor(threads) as pool:
        for batch, other in zip(pool.map(source.__getitem__, range(40)), expected, strict=True):
            assert same(batch, other)


@given(index=st.integers(0, 6), epoch=st.integers(0, 5), batch_size=st.integers(1, 9))
def test_a_samples_augmentation_does_not_depend_on_the_batch_it_is_in(index, epoch, batch_size):
    alone = BatchSource(cells(), 1, augment=AUGMENT).sample(index, epoch)
    source = BatchSource(cells(), batch_size, augment=AUGMENT)
    place = source.order(epoch).tolist().index(index)
    step, row = divmod(place, batch_size)
    images, masks = source[epoch * source.steps_per_epoch + step]
    assert same((images[row], masks[row]), alone)


def test_a_generator_that_is_shared_would_be_noticed():
    """The law above fails where the augmentation is drawn from one generator for all."""
    rng = np.random.default_rng(0)

    def shared(image, mask, _):
        return Flip()(image, mask, rng)

    expected = stream(BatchSource(cells(), 3, augment=shared), range(12))
    source = BatchSource(cells(), 3, augment=shared)
    assert not all(same(source[step], expected[step]) for step in reversed(range(12)))


# -- resize, augment, cache ----------------------------------------------------------------------


def test_the_resize_comes_first():
    seen = set()

    def look(image, mask, rng):
        seen.add((image.shape, mask.shape))
        return image, mask

    source = BatchSource(cells(2), 2, size=(5, 9), augment=look)
    assert source[0][0].shape == (2, 5, 9, 3)
    assert seen == {((5, 9, 3), (5, 9))}


@pytest.mark.parametrize(
    "augment", [Flip(1.0), [Flip(1.0)], Compose([Flip(1.0)]), (Flip(1.0), Flip(0.0))]
)
def test_augment_is_a_transform_or_a_list_of_them(augment):
    source = BatchSource(cells(), 7, shuffle=False, augment=augment)
    plain = BatchSource(cells(), 7, shuffle=False)
    for flipped, straight in zip(source[0], plain[0], strict=True):
        np.testing.assert_array_equal(flipped, straight[:, :, ::-1])


def test_the_ram_cache_gives_the_same_batches_and_reads_each_sample_once():
    reads = Counter()

    def counting(index):
        reads[index] += 1
        return pair_of(index)

    kept = BatchSource(cells(read=counting), 3, augment=AUGMENT, cache="ram")
    for a, b in zip(
        stream(kept, range(12)),
        stream(BatchSource(cells(), 3, augment=AUGMENT), range(12)),
        strict=True,
    ):
        assert same(a, b)
    assert reads == dict.fromkeys(range(7), 1)


@pytest.mark.parametrize("cache", [None, "ram"])
def test_a_function_that_writes_into_its_arguments_spoils_no_data(cache):
    """Neither the cache nor a data set that hands out its own arrays."""
    pairs = [pair_of(i) for i in range(3)]
    before = [tuple(array.copy() for array in pair) for pair in pairs]

    def careless(image, mask, rng):
        image += 1
        mask[:] = 0
        return image, mask

    source = BatchSource(cells(3, lambda i: pairs[i]), 3, augment=careless, cache=cache)
    first, later = source[0], source[0]
    assert same(first, later)
    assert all(same(pair, kept) for pair, kept in zip(pairs, before, strict=True))


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "8", None])
def test_batch_size_must_be_a_whole_number(batch_size):
    with pytest.raises(
        ValueError, match=rf"batch_size must be an int >= 1, received {batch_size!r}"
    ):
        BatchSource(cells(), batch_size)


def test_a_size_and_an_augmentation_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"size must be \(height, width\)"):
        BatchSource(cells(), 2, size=(0, 4))
    with pytest.raises(TypeError, match="transforms must be functions"):
        BatchSource(cells(), 2, augment=[Flip(), 3])


def mixed(**second):
    """Two samples of which the second is another kind."""
    return cells(2, lambda i: pair_of(i, **(second if i else {})))


def test_sizes_that_differ_within_a_batch_name_both_samples_and_the_cure():
    ds = mixed(size=(6, 9))
    message = (
        r"one size, received 'cell 0' with \(6, 8, 3\) uint8 and 'cell 1' with \(6, 9, 3\) uint8 "
        r"\(data set 'cells'\); pass size=\(height, width\), or batch_size=1"
    )
    with pytest.raises(ValueError, match=message):
        BatchSource(ds, 2, shuffle=False)[0]
    assert BatchSource(ds, 2, size=(6, 8))[0][0].shape == (2, 6, 8, 3)
    assert BatchSource(ds, 1, shuffle=False)[1][0].shape == (1, 6, 9, 3)


@pytest.mark.parametrize("second", [{"dtype": np.uint16}, {"dtype": np.float32}, {"channels": 1}])
def test_kinds_that_differ_within_a_batch_are_named_and_not_converted(second):
    message = r"one dtype and number of channels, .*'cell 1' with .*; convert them in augment="
    with pytest.raises(ValueError, match=message):
        BatchSource(mixed(**second), 2, shuffle=False)[0]


class Unpacked(Exception):
    """An error that can't be made from one text."""

    def __init__(self, code, place):
        super().__init__(code, place)


@pytest.mark.parametrize("error", [ValueError("v"), TypeError("t"), OSError("o")])
def test_an_error_of_a_transform_names_sample_and_transform_and_keeps_its_type(error):
    def fails(image, mask, rng):
        raise error

    with pytest.raises(type(error), match=rf"^sample 'cell 0' of 'cells': fails: {error}$") as e:
        BatchSource(cells(), 2, augment=[Flip(), fails], shuffle=False)
    assert type(e.value) is type(error)
    assert e.value.__cause__.__cause__ is error


@pytest.mark.parametrize(
    "error", [KeyError("k"), IndexError("i"), StopIteration("s"), Unpacked(3, "p")]
)
def test_an_error_that_would_change_its_text_or_end_a_loop_becomes_a_runtime_error(error):
    def fails(image, mask, rng):
        if image[0, 0, 0]:  # not the sample that is looked at when the source is made
            raise error
        return image, mask

    source = BatchSource(cells(), 2, augment=fails, shuffle=False)
    message = rf"^sample 'cell 3' of 'cells': (?=.*fails).*{type(error).__name__}\("
    with pytest.raises(RuntimeError, match=message):
        source.sample(3, 0)
    with pytest.raises(RuntimeError, match=r"^sample 'cell \d' of 'cells'"):
        list(EpochSteps(source))


def test_an_error_of_reading_names_sample_and_files_and_keeps_its_type(tmp_path):
    files = lambda i: (tmp_path / f"{i}.png", tmp_path / f"{i}m.png")  # noqa: E731

    def read(index):
        if index:
            raise FileNotFoundError("gone")
        return pair_of(0)

    ds = Dataset(read, ["a", "b"], CELLS, "cells", files=files)
    with pytest.raises(FileNotFoundError, match=r"^sample 'b' of 'cells' \(files .*1m.png\): gone"):
        BatchSource(ds, 1, shuffle=False)[1]


def test_a_check_that_names_the_sample_already_is_not_repeated():
    ds = cells(read=lambda i: (pair_of(i)[0], pair_of(i)[1] + 7))
    with pytest.raises(ValueError, match=r"^sample 'cell 0' of 'cells': mask has ids \[7, 8\]"):
        BatchSource(ds, 1, shuffle=False)[0]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda i, m: (i[..., 0], m), r"odd: image must have shape \(height, width, ch"),
        (lambda i, m: (i, m[..., None]), r"odd: mask must have shape .*drop the channel axis"),
        (lambda i, m: (i, m / 2 + 0.25), r"odd: mask must hold whole class ids"),
        (lambda i, m: (i, m + 7), r"mask after Compose\(.*odd.*\) has ids \[7, 8\] outside 0..1"),
        (lambda i, m: (i, m[1:]), r"odd: image and mask must .* one size, .*\(6, 8\) and \(5, 8\)"),
    ],
)
def test_what_a_transform_returns_is_checked(returned, message):
    def odd(image, mask, rng):
        return returned(image, mask)

    with pytest.raises(ValueError, match=rf"^sample 'cell 0' of 'cells': {message}"):
        BatchSource(cells(), 2, augment=odd, shuffle=False)


def test_pixels_that_a_crop_leaves_without_a_class_are_ignored():
    source = BatchSource(cells(), 2, augment=RandomCrop((9, 9)))
    assert (source[0][1] == 255).any()


def test_a_crop_without_an_id_to_fill_with_says_so_through_the_batch():
    classes = ClassMap(["background", "cell"])
    ds = Dataset(pair_of, ["a", "b"], classes, "cells")
    with pytest.raises(ValueError, match=r"sample '\w' of 'cells': RandomCrop.*mask_fill="):
        BatchSource(ds, 2, augment=RandomCrop((9, 9)))[0]


def test_resize_is_the_first_step_of_the_chain():
    ds = cells(2, lambda i: pair_of(i, dtype=np.int32))
    with pytest.raises(TypeError, match=r"'cells': Resize\(size=\(4, 4\).*received int32"):
        BatchSource(ds, 2, size=(4, 4))


# -- shards --------------------------------------------------------------------------------------


@given(
    count=st.integers(1, 20),
    batch_size=st.integers(1, 5),
    shards=st.integers(1, 4),
    shuffle=st.booleans(),
)
def test_the_shards_of_an_epoch_are_disjoint_and_complete(count, batch_size, shards, shuffle):
    for epoch in range(2):
        seen = []
        for number in range(min(shards, count)):
            source = BatchSource(cells(count), batch_size, shuffle=shuffle, shard=(number, shards))
            first = epoch * source.steps_per_epoch
            own = [i for k in range(source.steps_per_epoch) for i in indices(source, first + k)]
            assert {i % shards for i in own} == {number}
            seen += own
        assert sorted(seen) == list(range(count))


def test_a_sample_is_augmented_alike_in_a_shard_and_in_the_whole():
    shard = BatchSource(cells(), 2, augment=AUGMENT, shard=(1, 2))
    whole = BatchSource(cells(), 2, augment=AUGMENT)
    assert all(same(shard.sample(i, 2), whole.sample(i, 2)) for i in (1, 3, 5))


def test_shards_of_one_length_have_orders_of_their_own():
    """Else neighbours, such as frames of a clip, would always train together."""
    orders = [BatchSource(cells(40), 4, shard=(i, 2)).order(0) // 2 for i in range(2)]
    assert not np.array_equal(*orders)


@pytest.mark.parametrize(
    ("shard", "error", "message"),
    [
        ((2, 2), ValueError, r"shard must be \(i, n\) with 0 <= i < n, received \(2, 2\)"),
        ((-1, 2), ValueError, r"with 0 <= i < n"),
        (1, TypeError, r"shard must be \(i, n\), received 1"),
        ((7, 8), ValueError, r"shard \(7, 8\) is empty: 'cells' has 7 samples"),
    ],
)
def test_a_shard_that_is_none_is_refused(shard, error, message):
    with pytest.raises(error, match=message):
        BatchSource(cells(), 2, shard=shard)


# -- drop_remainder ------------------------------------------------------------------------------


@given(count=st.integers(1, 20), batch_size=st.integers(1, 20))
def test_drop_remainder_leaves_full_batches_of_the_same_order(count, batch_size):
    if count < batch_size:
        message = rf"leaves no batch: batch_size is {batch_size} and there are {count} samples"
        with pytest.raises(ValueError, match=message):
            BatchSource(cells(count), batch_size, drop_remainder=True)
        return
    source = BatchSource(cells(count), batch_size, drop_remainder=True)
    assert source.steps_per_epoch == count // batch_size
    own = [i for k in range(source.steps_per_epoch) for i in indices(source, k)]
    assert own == source.order(0)[: len(own)].tolist()


@pytest.mark.parametrize("seed", [-1, 1.5, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=rf"seed must be an int >= 0, received {seed!r}"):
        BatchSource(cells(), 2, seed=seed)
