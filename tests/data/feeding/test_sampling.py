"""`sampling=`: how often each sample is drawn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.sampling import balanced_probabilities, classes_in
from semseg.data.transforms import Brightness

NAMES = ["road", "car", "sign", "never"]


def dataset(classes_of_samples):
    """One picture a sample, whose mask holds just these classes."""

    def read(index):
        mask = np.full((2, 4), 255, np.uint8)
        mask.ravel()[: len(classes_of_samples[index])] = list(classes_of_samples[index])
        return np.full((2, 4, 3), 100 + index, np.uint8), mask

    ids = [f"s{i}" for i in range(len(classes_of_samples))]
    return Dataset(read, ids, ClassMap(NAMES, ignore_class=255), "streets")


def probabilities(ds, members=None):
    members = np.arange(len(ds)) if members is None else members
    return balanced_probabilities(ds, members, lambda i: ds[i][1])


@given(st.lists(st.sets(st.integers(0, 2)), min_size=1, max_size=12))
def test_balanced_chooses_a_class_and_then_a_sample_that_holds_it(samples):
    present = sorted(set().union(*samples))
    if not present:
        with pytest.raises(ValueError, match="'balanced' needs classes, but 'streets' has none"):
            probabilities(dataset(samples))
        return
    expected = np.zeros(len(samples))
    for c in present:
        holders = [i for i, classes in enumerate(samples) if c in classes]
        for i in holders:
            expected[i] += 1 / len(present) / len(holders)
    np.testing.assert_allclose(probabilities(dataset(samples)), expected, rtol=1e-12)


def test_balanced_draws_every_class_as_often():
    """Nine roads to one sign: each class has a third of 3,000 draws, within five deviations."""
    ds = dataset([{0}] * 18 + [{1}] * 10 + [{2}] * 2)
    source = BatchSource(ds, 10, sampling="balanced")
    drawn = Counter(
        next(iter(np.unique(ds[i][1])[:1])) for e in range(100) for i in source.order(e)
    )
    assert sum(drawn.values()) == 3000
    assert all(abs(drawn[c] - 1000) < 5 * np.sqrt(3000 * (1 / 3) * (2 / 3)) for c in range(3))


def test_weights_draw_in_proportion_and_a_zero_never():
    source = BatchSource(dataset([{0}] * 4), 2, sampling=[3, 1, 0, 0])
    drawn = Counter(i for epoch in range(500) for i in source.order(epoch).tolist())
    assert set(drawn) == {0, 1}
    assert abs(drawn[0] - 1500) < 5 * np.sqrt(2000 * 0.75 * 0.25)


def test_the_draws_differ_from_epoch_to_epoch_and_seed_to_seed():
    orders = {
        BatchSource(dataset([{0}] * 30), 2, seed=seed, sampling=np.ones(30)).order(e).tobytes()
        for seed in range(3)
        for e in range(3)
    }
    assert len(orders) == 9


def test_a_sample_that_is_drawn_twice_in_an_epoch_is_augmented_anew():
    source = BatchSource(dataset([{0}, {0}]), 2, augment=Brightness(0.5), sampling=[0, 1])
    images, _ = source[0]
    assert source.order(0).tolist() == [1, 1]
    assert not np.array_equal(images[0], images[1])


def test_a_shard_is_balanced_among_its_own_samples():
    ds = dataset([{0}, {1}, {0}, {2}, {0}, {2}])
    source = BatchSource(ds, 2, sampling="balanced", shard=(1, 2))
    assert {i % 2 for epoch in range(20) for i in source.order(epoch)} == {1}
    members = np.arange(1, 6, 2)
    np.testing.assert_allclose(probabilities(ds, members=members), [1 / 2, 1 / 4, 1 / 4])


def test_the_pass_over_the_masks_uses_the_cache():
    ds = dataset([{0}, {1}, {2}])
    reads = Counter()
    read = ds._read
    ds._read = lambda i: (reads.update([i]), read(i))[1]
    BatchSource(ds, 2, sampling="balanced", cache="ram")[0]
    assert reads == {0: 1, 1: 1, 2: 1}


def test_classes_in_tells_which_classes_occur_ignored_pixels_left_out():
    ds = dataset([{0, 2}, set(), {1}])
    found = classes_in(lambda i: ds[i][1], range(3), 4)
    assert found.astype(int).tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("sampling", "error", "message"),
    [
        ("even", ValueError, "sampling must be None, 'balanced' or one weight a sample, .*'even'"),
        ({"a": 1}, TypeError, "sampling must be None, 'balanced' or one weight a sample"),
        ([1, 2], ValueError, r"one finite weight >= 0 a sample, 3 of them .*shape \(2,\)"),
        ([1, -1, 2], ValueError, r"received shape \(3,\) from -1.0 to 2.0"),
        ([1, np.nan, 2], ValueError, "one finite weight"),
        ([0, 0, 0], ValueError, "gives every sample of the shard the weight 0"),
    ],
)
def test_weights_that_are_none_are_refused(sampling, error, message):
    with pytest.raises(error, match=message):
        BatchSource(dataset([{0}] * 3), 2, sampling=sampling)


def test_sampling_without_shuffle_is_refused():
    with pytest.raises(ValueError, match="sampling= draws at random; leave shuffle=True"):
        BatchSource(dataset([{0}]), 1, shuffle=False, sampling="balanced")
