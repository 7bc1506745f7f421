"""draw_outline: lines exactly where classes meet, and nothing else changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from semseg.classes import ClassMap
from semseg.viz import draw_outline

MAPS = {
    "no background": ClassMap(["a", "b", "c"], ignore_class=255),
    "background": ClassMap(["Background", "b", "c"], ignore_class=255),
}
MASKS = npst.arrays(
    np.uint8, st.tuples(*[st.integers(1, 9)] * 2), elements=st.sampled_from([0, 1, 2, 255])
)


def slow_near(mask, reach):
    """Whether another id stands at most `reach` rows and columns away."""
    found = np.zeros(mask.shape, bool)
    for y, x in np.ndindex(mask.shape):
        around = mask[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        found[y, x] = (around != mask[y, x]).any()
    return found


@settings(deadline=None)
@given(MASKS, st.integers(1, 3), st.sampled_from(sorted(MAPS)))
def test_lines_rims_and_picture_are_where_a_slow_loop_says(mask, width, kind):
    class_map = MAPS[kind]
    image = np.arange(mask.size * 3).reshape(*mask.shape, 3).astype(np.uint8)
    has_line = mask != 255
    if kind == "background":
        has_line &= mask != 0
    line = slow_near(mask, width) & has_line
    rim = slow_near(mask, width + max(1, width // 2)) & has_line & ~line
    drawn = draw_outline(image, mask, class_map, width)
    np.testing.assert_array_equal(drawn[line], class_map.colorize(mask)[line])
    np.testing.assert_array_equal(drawn[rim], image[rim] // 2)
    np.testing.assert_array_equal(drawn[~line & ~rim], image[~line & ~rim])


def test_the_picture_that_is_passed_stays_what_it_is():
    image, mask = np.full((6, 8, 3), 200, np.uint8), np.eye(6, 8, dtype=int)
    draw_outline(image, mask, MAPS["no background"])
    assert (image == 200).all()


@pytest.mark.parametrize(("side", "width"), [(40, 1), (600, 2), (1800, 6)])
def test_lines_grow_with_the_picture(side, width):
    mask = np.zeros((20, side), int)
    mask[:, side // 2 :] = 1
    drawn = draw_outline(np.zeros((20, side, 3), np.uint8), mask, MAPS["background"])
    assert (drawn[0] == MAPS["background"].colors[1]).all(-1).sum() == width


def test_ids_beyond_8_bits_are_told_apart():
    class_map = ClassMap([str(i) for i in range(300)])
    drawn = draw_outline(np.zeros((1, 4, 3), np.uint8), [[3, 3, 259, 259]], class_map, 1)
    assert [tuple(c) for c in drawn[0, 1:3]] == [class_map.colors[3], class_map.colors[259]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, "width must be a whole number of pixels >= 1, received 0"),
        ({"width": 1.5}, "width must be a whole number .* received 1.5"),
        ({"mask": np.zeros((3, 3), int)}, "mask must have the size .*6x8, received 3x3"),
        ({"mask": np.full((6, 8), 3)}, r"mask has ids \[3\] outside 0..2"),
        ({"image": np.zeros((1, 6, 8, 3))}, "image must be one picture"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = {"image": np.zeros((6, 8, 3), np.uint8), "mask": np.zeros((6, 8), int)} | changes
    with pytest.raises(ValueError, match=message):
        draw_outline(**arguments, class_map=MAPS["background"])
