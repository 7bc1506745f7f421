"""regions.cleaning: specks and holes, against flooding pixel by pixel."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import fill_holes, remove_small

IGNORED = 255
MASKS = hnp.arrays(
    st.sampled_from([np.uint8, np.int32, np.int64]),
    st.tuples(st.integers(1, 10), st.integers(1, 10)),
    elements=st.sampled_from([0, 0, 1, 1, 1, 2, IGNORED]),
)
INSIDE = hnp.arrays(bool, st.tuples(st.integers(1, 10), st.integers(1, 10)))


def flood(mask, start, steps):
    """The places that hang together with `start`."""
    found, todo = set(), [start]
    while todo:
        y, x = todo.pop()
        within = 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]
        if within and (y, x) not in found and mask[y, x] == mask[start]:
            found.add((y, x))
            todo += [(y + a, x + b) for a, b in steps]
    return found


SIDES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
ALL = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]


def slow_remove_small(mask, least, background):
    found = mask.copy()
    for place in np.ndindex(mask.shape):
        if mask[place] not in (background, IGNORED) and len(flood(mask, place, ALL)) < least:
            found[place] = background
    return found


def slow_fill_holes(mask, background):
    found = mask.copy()
    for place in np.ndindex(mask.shape):
        if mask[place] != background:
            continue
        hole = flood(mask, place, SIDES)
        beside = {(y + a, x + b) for y, x in hole for a, b in SIDES} - hole
        if all(0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] for y, x in beside):
            ids = {int(mask[p]) for p in beside}
            if len(ids) == 1 and IGNORED not in ids:
                found[place] = ids.pop()
    return found


@given(MASKS, st.integers(1, 12), st.sampled_from([0, 2]))
def test_what_is_removed_hangs_together_with_too_few_pixels(mask, least, background):
    found = remove_small(mask, least, background=background, ignore_class=IGNORED)
    np.testing.assert_array_equal(found, slow_remove_small(mask, least, background))
    assert found.dtype == mask.dtype


@given(MASKS, st.sampled_from([0, 1]))
def test_what_is_filled_is_enclosed_by_one_class(mask, background):
    found = fill_holes(mask, background=background, ignore_class=IGNORED)
    np.testing.assert_array_equal(found, slow_fill_holes(mask, background))
    assert found.dtype == mask.dtype


@given(INSIDE)
def test_holes_of_a_binary_mask_are_those_of_scipy(inside):
    found = fill_holes(inside)
    np.testing.assert_array_equal(found, scipy.ndimage.binary_fill_holes(inside))
    assert found.dtype == bool


@given(MASKS, st.integers(1, 12))
def test_doing_it_again_changes_nothing_and_neither_does_least_1(mask, least):
    given_mask = mask.copy()
    once = remove_small(mask, least)
    np.testing.assert_array_equal(remove_small(once, least), once)
    np.testing.assert_array_equal(remove_small(mask, 1), mask)
    np.testing.assert_array_equal(fill_holes(fill_holes(mask)), fill_holes(mask))
    np.testing.assert_array_equal(mask, given_mask)  # a copy is changed


def test_a_hole_in_a_part_that_hangs_together_by_corners_is_a_hole():
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert fill_holes(diamond).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert remove_small(diamond, 4).tolist() == diamond.tolist()
    assert not remove_small(diamond, 5).any()


def test_ignored_pixels_stay_whatever_is_beside_them():
    few = np.array([[1, 1, 1, IGNORED]])
    assert remove_small(few, 2, ignore_class=IGNORED).tolist() == few.tolist()
    ring = np.pad(np.zeros((1, 1), int), 1, constant_values=IGNORED)
    assert fill_holes(ring, ignore_class=IGNORED).tolist() == ring.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: remove_small(m, 0), "least must be an int >= 1, received 0"),
        (lambda m: remove_small(m[None], 2), r"mask must have shape \(height, width\), received"),
        (lambda m: fill_holes(m[0]), r"mask must have shape \(height, width\), received \(4,\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((3, 4), int))
