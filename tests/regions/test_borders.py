"""regions.borders: equal to their definitions, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import border_weights, touching_borders

MASKS = hnp.arrays(
    st.sampled_from([np.uint8, np.uint16, np.int32, np.int64]),
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
    elements=st.sampled_from([0, 0, 1, 2, 3, 200]),
)


def slow_weights(mask, w0, sigma):
    """Equation 2 of the U-Net paper, from every pixel to every pixel."""
    height, width = mask.shape
    places = np.stack(np.mgrid[:height, :width], -1).reshape(-1, 2)
    weights = np.ones(mask.shape)
    objects = [np.argwhere(mask == i) for i in np.unique(mask[mask > 0])]
    for y, x in places:
        if mask[y, x] or len(objects) < 2:
            continue
        distances = sorted(np.hypot(*(o - (y, x)).T).min() for o in objects)
        weights[y, x] += w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return weights


def components(mask):
    """Eight neighbours, by flooding."""
    found = np.zeros(mask.shape, int)
    for start in np.argwhere(mask):
        if found[tuple(start)]:
            continue
        number, todo = found.max() + 1, [tuple(start)]
        while todo:
            y, x = todo.pop()
            inside = 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]
            if inside and mask[y, x] and not found[y, x]:
                found[y, x] = number
                todo += [(y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return found


@given(MASKS, st.sampled_from([0.0, 1.0, 10.0]), st.sampled_from([0.3, 1.0, 5.0]))
def test_border_weights_equal_the_paper_s_equation(mask, w0, sigma):
    objects = components(mask) if mask.max() <= 1 else mask
    np.testing.assert_allclose(
        border_weights(mask, w0, sigma), slow_weights(objects, w0, sigma), rtol=1e-5
    )


def test_a_semantic_mask_has_its_connected_parts_for_objects():
    semantic = np.array([[1, 1, 0, 0, 1]])
    instances = np.array([[7, 7, 0, 0, 9]])
    np.testing.assert_array_equal(border_weights(semantic), border_weights(instances))
    assert border_weights(semantic).max() > 8


def test_far_objects_weigh_as_much_as_their_distance_says():
    """What is cut off is less than float32 can hold."""
    mask = np.zeros((3, 400), np.uint16)
    mask[1, 0], mask[1, 399] = 1, 2
    for sigma in (5, 40, 200):
        np.testing.assert_allclose(
            border_weights(mask, sigma=sigma), slow_weights(mask, 10, sigma), rtol=1e-6
        )


@given(MASKS, st.integers(1, 4))
def test_touching_borders_are_the_pixels_that_meet_two_instances(mask, width):
    padded = np.pad(mask.astype(int), width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * width + 1,) * 2)
    met = [[len(set(window[window > 0].tolist())) > 1 for window in row] for row in windows]
    np.testing.assert_array_equal(touching_borders(mask, width), met)


@pytest.mark.parametrize("function", [border_weights, touching_borders])
def test_bad_masks_are_named(function):
    with pytest.raises(ValueError, match=r"mask must have shape \(height, width\), received"):
        function(np.zeros((2, 3, 1), int))
    with pytest.raises(ValueError, match=r"ids >= 0 .*received -1"):
        function(np.array([[0, -1]]))


def test_bad_numbers_are_named():
    mask = np.zeros((2, 2), int)
    with pytest.raises(ValueError, match=r"w0 must be >= 0.*w0=-1"):
        border_weights(mask, w0=-1)
    with pytest.raises(ValueError, match=r"sigma > 0.*sigma=0"):
        border_weights(mask, sigma=0)
    with pytest.raises(ValueError, match=r"width must be a whole number.*received 0"):
        touching_borders(mask, width=0)
