"""Masks are checked once; ignored pixels get a pattern that no class has."""

import numpy as np
import pytest

from semseg._palette import color_distance, default_colors
from semseg.classes import ClassMap
from semseg.viz._marks import CORRECT_COLOR, HATCH_COLORS, WRONG_COLOR, hatch
from semseg.viz._masks import class_rows, paint

CELLS = ClassMap(["background", "cell"], ignore_class=255)


def test_paint_gives_class_colors_exactly_and_hatches_ignored_pixels():
    mask = np.array([[0, 1, 255], [1, 255, 0]])
    picture = paint(class_rows(mask, CELLS), CELLS)
    for i in (0, 1):
        assert (picture[mask == i] == CELLS.colors[i]).all()
    np.testing.assert_array_equal(picture[mask == 255], hatch(2, 3)[mask == 255])


@pytest.mark.parametrize(
    ("dtype", "ignored"),
    [("uint8", 255), ("uint16", 65535), ("int8", -1), ("int64", -1), ("float32", 300)],
)
def test_any_integer_dtype_and_ignored_id_are_drawn_alike(dtype, ignored):
    cells = ClassMap(["background", "cell"], ignore_class=ignored)
    mask = np.array([[0, 1, ignored]]).astype(dtype)
    assert class_rows(mask, cells).tolist() == [[0, 1, 2]]


def test_more_than_256_classes_are_drawn():
    many = ClassMap([f"class {i}" for i in range(300)], ignore_class=65535)
    mask = np.array([[0, 256, 299, 65535]], np.uint16)
    assert class_rows(mask, many).tolist() == [[0, 256, 299, 300]]
    assert paint(class_rows(mask, many), many)[0, 2].tolist() == list(many.colors[299])


def test_the_hatch_has_two_greys_in_equal_parts_and_shows_both_in_any_small_square():
    stripes = hatch(64, 48)
    colors, counts = np.unique(stripes.reshape(-1, 3), axis=0, return_counts=True)
    assert sorted(map(tuple, colors.tolist())) == sorted(HATCH_COLORS)
    assert counts[0] == counts[1]
    squares = np.lib.stride_tricks.sliding_window_view(stripes[..., 0], (5, 5))
    assert (squares.min(axis=(2, 3)) < squares.max(axis=(2, 3))).all()


def test_no_default_color_is_near_the_marks_for_any_kind_of_eyes():
    classes = np.array(default_colors(11))
    assert color_distance(np.array([WRONG_COLOR]), classes).min() > 0.06
    greys = np.array([*HATCH_COLORS, CORRECT_COLOR])
    assert color_distance(np.array([WRONG_COLOR]), greys).min() > 0.15


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.full((2, 3), 7), r"mask has ids \[7\] outside 0..1 and the ignored 255 \(6 pixels"),
        (np.full((2, 3), 0.5), "mask must hold whole class ids.*never be normalised"),
        (np.zeros((4, 2, 3, 9), int), r"mask must have shape \(height, width\)"),
        (np.zeros((4, 2, 9), int), "batch are drawn one by one, and logits become ids"),
        (np.zeros((4, 2, 1), int), r"drop the channel axis with mask\[..., 0\]"),
        (np.zeros((4, 2, 3), int), r"colours are turned into ids by ClassMap.encode"),
        (np.zeros((0, 3), int), "mask must not be empty"),
    ],
)
def test_what_is_no_mask_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        class_rows(mask, CELLS)
