"""regions.matching: no larger set of pairs exists."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions.matching import matched_points, one_to_one

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9, unique=True)


def largest(pairs):
    """By trying all sets of pairs."""
    for count in range(len(pairs), 0, -1):
        for chosen in combinations(pairs, count):
            if all(len(set(side)) == count for side in zip(*chosen, strict=True)):
                return count
    return 0


@given(PAIRS)
def test_as_many_pairs_as_can_be_are_chosen(pairs):
    left, right = np.array(pairs, int).reshape(-1, 2).T
    chosen = [tuple(pair) for pair in one_to_one(left, right).tolist()]
    assert set(chosen) <= set(pairs)
    assert len({i for i, _ in chosen}) == len({j for _, j in chosen}) == largest(pairs)


@given(
    hnp.arrays(bool, (3, 3), elements=st.booleans()),
    hnp.arrays(bool, (3, 3), elements=st.booleans()),
    st.sampled_from([0.0, 1.0, 2**0.5]),
)
def test_points_are_matched_within_the_radius(one, other, radius):
    pairs = [
        (tuple(a), tuple(b))
        for a in np.argwhere(one)
        for b in np.argwhere(other)
        if ((a - b) ** 2).sum() <= radius**2 + 1e-9
    ][:12]
    if len(pairs) < 12:
        assert matched_points(one, other, radius) == largest(pairs)
    assert matched_points(one, other, radius) == matched_points(other, one, radius)
