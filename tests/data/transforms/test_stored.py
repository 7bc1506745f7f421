"""from_dict: what it refuses. That all transforms come back is in the contract."""

import numpy as np
import pytest

from semseg.data.transforms import Compose, Flip, Pad, from_dict


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"name": "Rotate"}, "name must be one of Affine, .*Rotate90.*, received 'Rotate'"),
        ({}, "name must be one of Affine, .*received None"),
        ({"name": "Flip", "axis": 1}, "Flip can't be made of .*'axis'"),
        ({"name": "Pad", "size": [0, 4]}, r"size must be \(height, width\)"),
    ],
)
def test_what_describes_no_transform_is_refused(stored, message):
    with pytest.raises(ValueError, match=message):
        from_dict(stored)


def test_numpy_numbers_become_plain_ones():
    stored = Pad((np.int64(4), 5), mask_fill=np.uint8(9)).to_dict()
    assert type(stored["mask_fill"]) is int and stored["size"] == [4, 5]


def test_a_function_can_not_be_stored():
    def invert(image, mask, rng):
        return 255 - image, mask

    with pytest.raises(TypeError, match="only semseg's own transforms .* the function invert"):
        Compose([Flip(), invert]).to_dict()
