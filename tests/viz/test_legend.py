"""draw_legend: swatches with the exact colours, names beside them."""

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.viz import WRONG_COLOR, draw_legend
from semseg.viz._marks import HATCH_COLORS
from semseg.viz._theme import DARK, LIGHT

CELLS = ClassMap(["background", "cell_$x$", "Zellwände"], ignore_class=255)


def has(picture, color):
    return (picture == color).all(-1).any()


def test_all_classes_and_the_ignored_label_are_shown_by_default():
    picture = draw_legend(CELLS)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (600, 3)
    for color in (*CELLS.colors, *HATCH_COLORS):
        assert has(picture, color)


def test_a_map_without_ignored_label_shows_no_hatch():
    picture = draw_legend(ClassMap(["background", "cell"]))
    assert not has(picture, HATCH_COLORS[0])


def test_only_the_ids_asked_for_are_shown_in_their_order():
    picture = draw_legend(CELLS, width=600, ids=[2, 1])
    assert not has(picture, CELLS.colors[0])
    assert not has(picture, HATCH_COLORS[0])
    first = [np.argwhere((picture == CELLS.colors[i]).all(-1)).min(axis=0) for i in (2, 1)]
    assert first[0].tolist() < first[1].tolist() or first[0][1] < first[1][1]


def test_the_ignored_label_may_be_asked_for():
    assert has(draw_legend(CELLS, ids=[255]), HATCH_COLORS[0])


def test_a_mask_shows_its_classes_the_largest_first_and_the_ignored_last():
    mask = np.repeat([255, 0, 2], [50, 10, 30]).reshape(9, 10)
    np.testing.assert_array_equal(draw_legend(CELLS, ids=mask), draw_legend(CELLS, ids=[2, 0, 255]))
    assert not has(draw_legend(CELLS, ids=mask), CELLS.colors[1])


def test_a_mask_with_ids_outside_the_map_is_refused():
    with pytest.raises(ValueError, match=r"ids has ids \[7\] outside 0..2"):
        draw_legend(CELLS, ids=np.full((2, 2), 7))


@pytest.mark.parametrize(("dark", "look"), [(False, LIGHT), (True, DARK)])
def test_paper_and_ink_are_those_of_the_look(dark, look):
    picture = draw_legend(CELLS, dark=dark)
    assert (picture[[0, -1]] == look.paper).all()
    assert has(picture, look.ink)


def test_extra_entries_follow():
    assert has(draw_legend(CELLS, extra={"wrong": WRONG_COLOR}), WRONG_COLOR)


def test_a_narrow_legend_grows_in_height():
    many = ClassMap([f"class number {i}" for i in range(30)])
    heights = [draw_legend(many, width=width).shape[0] for width in (1200, 600, 300, 150)]
    assert heights == sorted(set(heights))


def test_the_margin_stays_white_all_around():
    long = ClassMap(["a name that is far too long for its place", "Donaudampfschifffahrtsgesell"])
    picture = draw_legend(long, width=150)
    for edge in (picture[:8], picture[-8:], picture[:, :8], picture[:, -8:]):
        assert (edge == 255).all()


def test_each_name_leaves_ink():
    blank = draw_legend(ClassMap([" ", "  "]), ids=[0])
    written = draw_legend(ClassMap(["Ä", " "]), ids=[0])
    assert (written < 90).sum() > (blank < 90).sum()


def test_nothing_to_show_is_an_empty_strip():
    assert (draw_legend(CELLS, ids=[]) == 255).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [0, 3]}, r"ids must be class ids in 0..2 and the ignored 255, received 3"),
        ({"ids": [-1]}, "ids must be class ids"),
        ({"width": 40}, "width must be a whole number of pixels >= 120, received 40"),
        ({"width": 300.5}, "width must be a whole number"),
        ({"extra": {"wrong": (1.0, 0.0, 0.0)}}, "extra must map names to .*for 'wrong'"),
        ({"extra": {"wrong": (0, 0, 256)}}, "extra must map names"),
        ({"extra": {"wrong": "red"}}, "extra must map names"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw_legend(CELLS, **options)
