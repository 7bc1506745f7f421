"""Limbs: whole numbers and weights that add up exactly."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics import limbs
from semseg.metrics.limbs import LIMB_BITS

UNITS = [Fraction(1, 2**40), Fraction(1, 2**20), Fraction(1), Fraction(2**20)]


def exactly(values):
    """The number that four limbs of one number stand for, without rounding."""
    return sum(int(v) * u for v, u in zip(np.asarray(values).ravel(), UNITS, strict=True))


limb = st.integers(0, 2**31 - 2**20)


@given(st.lists(limb, min_size=3, max_size=3), st.integers(0, 2**30))
def test_carrying_changes_no_number_and_leaves_20_bits(lower, last):
    before = np.array([*lower, last], np.int32)[:, None]
    after = np.asarray(limbs.carried(before))
    assert exactly(after) == exactly(before)
    assert (after[:3] >= 0).all() and (after[:3] < 2**LIMB_BITS).all()
    halves = np.asarray(limbs.halves(after)).ravel()
    units = [Fraction(float(u)) for u in limbs.HALF_UNITS]
    assert sum(int(h) * u for h, u in zip(halves, units, strict=True)) == exactly(before)
    assert (halves[:6] < 2 ** (LIMB_BITS // 2)).all()


@given(st.lists(st.integers(0, 2**31 - 2**20 - 1), max_size=20))
def test_any_series_of_counts_is_exact_beyond_int32(counts):
    state = np.zeros((4, 1), np.int32)
    for count in counts:
        added = limbs.of_whole_numbers(np.array([count], np.int32))
        state = np.asarray(limbs.carried(state + np.asarray(added)))
    assert limbs.to_numpy(state).tolist() == [sum(counts)]


@given(st.lists(st.floats(0, 2**20, exclude_max=True, width=32), min_size=1, max_size=20))
def test_a_weight_is_cut_into_pieces_that_add_up_to_it(weights):
    weights = np.array(weights, np.float32)
    pieces = [np.asarray(piece) for piece in limbs.pieces(weights)]
    for k, weight in enumerate(weights.tolist()):
        error = exactly([*(piece[k] for piece in pieces), 0]) - Fraction(weight)
        assert abs(error) <= Fraction(1, 2**41)
        if weight == 0 or weight >= 2.0**-16:
            assert error == 0
    assert all((piece >= 0).all() and (piece <= 2**20).all() for piece in pieces)


def test_whole_numbers_come_back_as_int64_and_others_as_float64():
    whole = limbs.to_numpy(np.array([[0], [0], [5], [2**30]], np.int32))
    assert whole.dtype == np.int64 and whole.tolist() == [2**50 + 5]
    half = limbs.to_numpy(np.array([[0], [2**19], [5], [0]], np.int32))
    assert half.dtype == np.float64 and half.tolist() == [5.5]
