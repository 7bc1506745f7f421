"""regions.boundaries: equal to their definitions, pixel by pixel."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import boundary_band, class_boundary, contour_band

IGNORED = 255
MASKS = hnp.arrays(
    st.sampled_from([np.uint8, np.int32, np.int64]),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0, 0, 1, 1, 2, 7, IGNORED]),
)


def window(mask, y, x, before, after):
    return mask[max(0, y - before) : y + after + 1, max(0, x - before) : x + after + 1]


def slow_boundary(mask, class_id):
    found = np.zeros(mask.shape, bool)
    for y, x in np.ndindex(mask.shape):
        block = set(window(mask, y, x, 0, 1).ravel().tolist()) - {IGNORED}
        found[y, x] = mask[y, x] != IGNORED and class_id in block and len(block) > 1
    return found


def slow_boundary_band(mask, width):
    found = np.zeros(mask.shape, bool)
    for y, x in np.argwhere(mask != IGNORED):
        others = np.argwhere((mask != IGNORED) & (mask != mask[y, x]))
        found[y, x] = any(a * a + b * b <= width * width + 1e-9 for a, b in others - (y, x))
    return found


def slow_contour_band(mask, width):
    found = np.zeros(mask.shape, bool)
    for y, x in np.argwhere(mask != IGNORED):
        around = window(mask, y, x, width, width)
        outside = around.size < (2 * width + 1) ** 2
        found[y, x] = outside or not set(around.ravel().tolist()) <= {mask[y, x], IGNORED}
    return found


@given(MASKS, st.sampled_from([0, 1, 7, 9]))
def test_the_boundary_of_a_class_is_in_blocks_of_four_that_it_shares(mask, class_id):
    found = class_boundary(mask, class_id, IGNORED)
    np.testing.assert_array_equal(found, slow_boundary(mask, class_id))


@given(MASKS, st.sampled_from([1.0, 1.5, 2.0, 4.0, 9.0]))
def test_a_boundary_band_holds_what_is_near_another_class(mask, width):
    found = boundary_band(mask, width, IGNORED)
    np.testing.assert_array_equal(found, slow_boundary_band(mask, width))


@given(MASKS, st.integers(1, 4))
def test_a_contour_band_holds_what_erosions_take_away(mask, width):
    found = contour_band(mask, width, IGNORED)
    np.testing.assert_array_equal(found, slow_contour_band(mask, width))


@given(hnp.arrays(np.uint8, (8, 9), elements=st.integers(0, 1)), st.integers(1, 3))
def test_a_contour_band_is_that_of_the_published_erosion(mask, width):
    """As in the code of Boundary IoU: a frame of zeros, then `width` erosions by 3 x 3."""
    padded = np.pad(mask, 1)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    np.testing.assert_array_equal(contour_band(mask, width) & (mask == 1), mask - eroded == 1)


@given(MASKS)
def test_two_classes_have_one_boundary(mask):
    mask = np.where(mask == IGNORED, IGNORED, mask > 0)
    np.testing.assert_array_equal(
        class_boundary(mask, 0, IGNORED), class_boundary(mask, 1, IGNORED)
    )


@pytest.mark.parametrize(
    "marks", [lambda m: class_boundary(m, 1, 255), lambda m: boundary_band(m, 3, 255)]
)
def test_between_a_class_and_what_is_ignored_there_is_no_boundary(marks):
    mask = np.ones((6, 8), np.uint8)
    mask[:, 4:] = 255
    assert not marks(mask).any()
    mask[0, 7] = 0  # behind the ignored pixels, four columns away
    assert not marks(mask).any()


def test_a_band_reaches_across_what_is_ignored():
    mask = np.array([[0, 0, 0, 255, 255, 1, 1]])
    assert boundary_band(mask, 2, 255).sum() == 0
    assert boundary_band(mask, 3, 255).astype(int).tolist() == [[0, 0, 1, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: boundary_band(m, 0.5), "width must be >= 1 pixel, received 0.5"),
        (lambda m: boundary_band(m, float("nan")), "width must be >= 1 pixel, received nan"),
        (lambda m: contour_band(m, 1.5), "width must be a whole number of pixels >= 1, received"),
        (lambda m: contour_band(m, 0), "width must be a whole number of pixels >= 1, received 0"),
        (lambda m: class_boundary(m[0], 1), r"shape \(height, width\), received \(3,\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((3, 3), int))
