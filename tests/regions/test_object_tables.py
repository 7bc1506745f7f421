"""regions.object_table: each row equal to the pixels of its object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import object_table

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
PAIRS = SHAPES.flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.int32, shape, elements=st.sampled_from([0, 0, 3, 4, 70000])),
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 255])),
    )
)


@given(PAIRS, st.sampled_from([None, 255]))
def test_rows_are_the_pixels_with_one_number_and_one_class(pair, ignored):
    objects, mask = pair
    table = object_table(objects, mask, ignored)
    expected = {
        key: np.argwhere((objects == key[0]) & (mask == key[1]))
        for key in sorted({(int(n), int(c)) for n, c in zip(objects.flat, mask.flat, strict=True)})
        if key[0] != 0 and key[1] != ignored
    }
    keys = list(zip(table.numbers.tolist(), table.class_ids.tolist(), strict=True))
    assert keys == list(expected)
    for row, places in enumerate(expected.values()):
        assert table.areas[row] == len(places)
        np.testing.assert_allclose(table.centroids[row], places.mean(axis=0))
        box = [*places.min(axis=0), *(places.max(axis=0) + 1)]
        assert table.boxes[row].tolist() == box
    assert [column.shape for column in table] == [
        (len(keys),), (len(keys),), (len(keys),), (len(keys), 4), (len(keys), 2)
    ]  # fmt: skip


def test_without_a_mask_all_are_of_class_1_and_without_objects_the_table_is_empty():
    table = object_table(np.array([[True, False]]))
    assert (table.numbers.tolist(), table.class_ids.tolist()) == ([1], [1])
    assert [len(column) for column in object_table(np.zeros((2, 3), int))] == [0] * 5


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"the shape of objects, \(2, 3\), received \(3, 2\)"):
        object_table(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(ValueError, match=r"objects must have shape \(height, width\), received"):
        object_table(np.zeros((2, 3, 1), int))
