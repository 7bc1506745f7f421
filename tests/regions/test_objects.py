"""regions.objects: connected parts, necks and borders."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import components, split_touching, thin_borders

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def same_partition(one, other):
    pairs = np.unique(np.stack([one.ravel(), other.ravel()], 1), axis=0)
    return len(pairs) == len(np.unique(one)) == len(np.unique(other))


def discs(shape, *discs):
    y, x = np.ogrid[: shape[0], : shape[1]]
    found = np.zeros(shape, bool)
    for row, column, radius in discs:
        found |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
    return found


@given(MASKS, st.sampled_from([4, 8]))
def test_components_are_those_of_scipy(inside, neighbours):
    structure = scipy.ndimage.generate_binary_structure(2, neighbours // 4)
    expected, count = scipy.ndimage.label(inside, structure)
    found = components(inside, neighbours)
    assert found.max() == count and same_partition(found, expected)
    np.testing.assert_array_equal(found > 0, inside)


@given(MASKS, st.sampled_from([0.5, 1.0, 3.0, 8.0]))
def test_splitting_keeps_every_pixel_and_joins_no_parts(inside, min_distance):
    found, parts = split_touching(inside, min_distance), components(inside)
    np.testing.assert_array_equal(found > 0, inside)
    assert set(np.unique(found)) - {0} == set(range(1, found.max() + 1))
    for number in range(1, found.max() + 1):
        assert len(np.unique(parts[found == number])) == 1


def test_discs_that_touch_are_cut_at_the_neck():
    inside = discs((30, 60), (14, 12, 10), (14, 29, 10), (14, 52, 4))
    found = split_touching(inside)
    assert components(inside).max() == 2 and found.max() == 3
    left, right = (np.argwhere(found == found[14, column])[:, 1] for column in (12, 29))
    # The discs share columns 19 to 22.
    assert 19 <= left.max() <= 22 and 19 <= right.min() <= 22


def test_a_small_object_beside_a_large_one_is_cut_off_at_the_neck_not_half_way():
    inside = discs((60, 80), (30, 30, 24), (30, 60, 9))
    found = split_touching(inside)
    assert found.max() == 2
    neck = np.argwhere(found == found[30, 60])[:, 1].min()
    assert 50 <= neck <= 55  # half way between the middles is 45


@pytest.mark.parametrize("shape", [(9, 9), (8, 8), (4, 20), (1, 30)])
def test_a_rectangle_stays_whole(shape):
    assert split_touching(np.pad(np.ones(shape, bool), 2)).max() == 1


def test_a_small_object_near_a_large_one_is_found():
    inside = discs((30, 40), (14, 14, 10), (14, 28, 2))
    assert split_touching(inside, 20).max() == components(inside).max() == 2


@given(hnp.arrays(np.int32, (7, 9), elements=st.sampled_from([0, 0, 0, 1, 2, 5])))
def test_thin_borders_keeps_objects_and_leaves_lines(objects):
    found = thin_borders(objects)
    np.testing.assert_array_equal(found[objects > 0], objects[objects > 0])
    assert set(np.unique(found)) <= {0} | set(np.unique(objects))
    if objects.any():
        # Every pixel of a line has two objects, or another line, beside it.
        for y, x in np.argwhere(found == 0):
            around = found[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            assert len(set(around.ravel().tolist())) > 2 or (around == 0).sum() > 1


def test_a_border_of_any_width_becomes_one_line_in_its_middle():
    for width in (1, 3, 5):
        objects = np.ones((5, 21), int)
        objects[:, 10:] = 2
        objects[:, 10 - width // 2 : 11 + width // 2] = 0
        line = np.argwhere(thin_borders(objects) == 0)
        assert line.tolist() == [[row, 10] for row in range(5)]


def test_nothing_grows_from_nothing():
    assert not thin_borders(np.zeros((3, 4), int)).any()
    assert not split_touching(np.zeros((3, 4), int)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: components(m, 6), "neighbours must be 4 or 8, received 6"),
        (lambda m: split_touching(m, 0), "min_distance must be > 0 pixels, received 0"),
        (lambda m: thin_borders(m - 1), r"objects must hold numbers from 0 .* received -1 to -1"),
        (lambda m: components(m[:0]), r"inside must not be empty, received shape \(0, 4\)"),
        (lambda m: split_touching(m[:, :0]), r"must not be empty, received shape \(3, 0\)"),
        (lambda m: components(m[None]), r"inside must have shape \(height, width\), received"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((3, 4), int))
