"""CropLike: the top left part, as large as the other tensor."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.layers import CropLike, PadToMultiple

lengths = st.integers(1, 6)


@given(lengths, lengths, st.integers(0, 3), st.integers(0, 3))
def test_the_origin_stays_and_the_rest_is_cut(height, width, more_rows, more_columns):
    shape = (2, height + more_rows, width + more_columns, 3)
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    cropped = CropLike()([x, np.zeros((2, height, width, 1), np.float32)])
    np.testing.assert_array_equal(np.asarray(cropped), x[:, :height, :width])


def test_a_model_keeps_what_is_known_of_the_shape():
    x, like = keras.Input((None, None, 4)), keras.Input((5, None, 2))
    assert CropLike()([x, like]).shape == (None, 5, None, 4)


@pytest.mark.parametrize(("size", "name"), [((2, 4), "height"), ((4, 2), "width")])
def test_a_picture_smaller_than_its_twin_is_refused(size, name):
    x, like = np.zeros((1, *size, 1), np.float32), np.zeros((1, 3, 3, 1), np.float32)
    with pytest.raises(
        ValueError, match=f"at least as large as `like` .*, received {name} 2 and 3"
    ):
        CropLike()([x, like])
    layer = CropLike()
    layer([like, like])  # what it saw first says nothing about what comes
    with pytest.raises(ValueError, match=f"received {name} 2 and 3"):
        layer([x, like])


@pytest.mark.parametrize("number", [True, 2.0, -1, "1"])
def test_offset_and_multiple_are_whole_numbers(number):
    with pytest.raises(ValueError, match=r"offset must be an int >= 0, received"):
        CropLike(number)
    with pytest.raises(ValueError, match=r"multiple must be an int >= 1, received"):
        PadToMultiple(number)
    assert CropLike(np.int64(2)).get_config()["offset"] == 2
