"""from_arrays: what is in memory, encoded, and copied when it is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semseg.classes import ClassMap
from semseg.data import from_arrays

CELLS = ClassMap(["background", "cell"], ignore_class=255, remap={7: 1})
IMAGES = np.arange(3 * 4 * 6 * 2, dtype=np.float32).reshape(3, 4, 6, 2)
MASKS = (np.arange(3 * 4 * 6) % 2).astype(np.uint8).reshape(3, 4, 6)


@given(raw=arrays(np.uint8, (3, 4, 6), elements=st.sampled_from([0, 1, 7, 255])), data=st.data())
def test_a_sample_is_the_array_and_the_encoded_mask(raw, data):
    as_list = data.draw(st.booleans())
    images, masks = (list(IMAGES), list(raw)) if as_list else (IMAGES, raw)
    ds = from_arrays(images, masks, CELLS)
    i = data.draw(st.integers(0, 2))
    np.testing.assert_array_equal(ds[i][0], IMAGES[i])
    np.testing.assert_array_equal(ds[i][1], CELLS.encode(raw[i]))
    assert ds[i][0].dtype == IMAGES.dtype


def test_colours_are_encoded():
    ids = np.random.default_rng(0).choice([0, 1, 255], (3, 4, 6))
    ds = from_arrays(IMAGES, [CELLS.colorize(mask) for mask in ids], CELLS)
    for i in range(3):
        np.testing.assert_array_equal(ds[i][1], ids[i])


def test_sizes_may_differ():
    images = [np.zeros((n, n + 1, 1), np.uint8) for n in (1, 2, 3)]
    ds = from_arrays(images, [image[..., 0] for image in images], CELLS)
    assert [mask.shape for _, mask in ds] == [(1, 2), (2, 3), (3, 4)]


def test_nothing_is_copied_until_it_is_read_and_then_nothing_is_shared():
    images, masks = IMAGES.copy(), MASKS.copy()
    ds = from_arrays(images, masks, ClassMap(["a", "b"]))
    images[1], masks[1] = 5, 1
    image, mask = ds[1]
    assert (image == 5).all() and (mask == 1).all()
    image[:], mask[:] = 9, 0
    assert (images[1] == 5).all() and (masks[1] == 1).all()


def test_names_are_numbers_unless_given():
    assert from_arrays(IMAGES, MASKS, CELLS).ids == ["0", "1", "2"]
    ds = from_arrays(IMAGES, MASKS, CELLS, ids=("x", "y", "z"), name="tiles")
    assert (ds.ids, ds.name) == (["x", "y", "z"], "tiles")


def test_different_numbers_are_refused():
    with pytest.raises(ValueError, match=r"must be as many, received 3, 2 and 3"):
        from_arrays(IMAGES, MASKS[:2], CELLS)
    with pytest.raises(ValueError, match=r"must be as many, received 3, 3 and 1"):
        from_arrays(IMAGES, MASKS, CELLS, ids=["a"])
    with pytest.raises(ValueError, match="ids must name at least one sample"):
        from_arrays([], [], CELLS)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (IMAGES[0], MASKS[0] + 2, r"sample 'x' of 'arrays': mask has ids \[2, 3\]"),
        (IMAGES[0], MASKS[0] * 0.5, r"sample 'x' of 'arrays': mask must hold whole class ids"),
        (IMAGES[0], MASKS[0].T, r"sample 'x' of 'arrays': .*the mask looks transposed"),
        (IMAGES[0], MASKS[:1], r"sample 'x' of 'arrays': mask must have shape \(height, width\)"),
        (IMAGES[0, ..., 0], MASKS[0], r"sample 'x' .*add the channel axis with image\[..., None\]"),
    ],
)
def test_what_is_no_pair_is_named_when_it_is_read(image, mask, message):
    ds = from_arrays([image], [mask], CELLS, ids=["x"])
    with pytest.raises(ValueError, match=message):
        ds[0]


def test_a_mask_of_text_names_the_sample():
    with pytest.raises(TypeError, match=r"sample '0' of 'arrays': mask must hold integer"):
        from_arrays(IMAGES[:1], [np.full((4, 6), "cell")], CELLS)[0]
