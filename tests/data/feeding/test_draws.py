"""Draws: what is random follows from seed, purpose, epoch and index, and from nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.feeding.draws import Draws, sample_rng


def first_numbers(seed, epoch, index, turn=0):
    return sample_rng(seed, epoch, index, turn).integers(2**63, size=2).tobytes()


def test_no_two_generators_are_alike():
    """NumPy's SeedSequence takes [1], [1, 0] and [1, 0, 0] for the same."""
    keys = [(s, e, i, t) for s in (0, 1, 2**32, 2**32 + 1) for e in (0, 1) for i in (0, 1)
            for t in (0, 1)]  # fmt: skip
    assert len({first_numbers(*key) for key in keys}) == len(keys)


def test_the_order_and_the_first_sample_do_not_share_their_numbers():
    order = Draws(1000, (0, 1), True, 5).of_epoch(3)[0]
    same_numbers = sample_rng(5, 3, 0, 0).permutation(1000)
    assert not np.array_equal(order, same_numbers)


@given(count=st.integers(1, 30), seed=st.integers(0, 99))
def test_the_turn_counts_how_often_a_sample_was_drawn_before(count, seed):
    chances = np.random.default_rng(seed).random(count) ** 4
    draws = Draws(count, (0, 1), True, seed, chances / chances.sum())
    indices, turns = draws.of_epoch(1)
    assert len(indices) == count
    seen = []
    for index, turn in zip(indices.tolist(), turns.tolist(), strict=True):
        assert turn == seen.count(index)
        seen.append(index)


def test_without_replacement_every_turn_is_the_first():
    assert not Draws(30, (1, 3), True, 0).of_epoch(0)[1].any()


def test_an_epoch_is_the_same_however_the_epochs_are_asked_for():
    draws, others = Draws(9, (0, 1), True, 0), Draws(9, (0, 1), True, 0)
    backwards = {epoch: draws.of_epoch(epoch)[0].tolist() for epoch in (3, 2, 1, 0)}
    assert all(others.of_epoch(epoch)[0].tolist() == backwards[epoch] for epoch in range(4))
