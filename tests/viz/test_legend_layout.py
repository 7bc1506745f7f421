"""Legends: every name is there, whole, apart from the others and inside."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.viz._legend_layout import item_box, lay_out
from semseg.viz._text import font, text_width, wrap

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=40)
LISTS = st.lists(NAMES, min_size=1, max_size=24)
WIDTHS = st.integers(100, 1500)
SIZES = st.sampled_from([13, 14, 18])


def overlap(a, b):
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


@settings(deadline=None, max_examples=40)
@given(LISTS, WIDTHS, SIZES)
def test_entries_lie_inside_and_never_overlap(names, width, size):
    layout = lay_out(names, width, size)
    boxes = [item_box(item, size) for item in layout.items]
    assert len(boxes) == len(names)
    for box in boxes:
        assert box.left >= 0
        assert box.right <= width
        assert box.top >= 0
        assert box.bottom <= layout.height
    assert not any(overlap(a, b) for a, b in combinations(boxes, 2))


def test_boxes_of_a_larger_font_than_was_planned_do_overlap():
    layout = lay_out(["cell", "border", "nucleus"], 240, 13)
    boxes = [item_box(item, 39) for item in layout.items]
    assert any(overlap(a, b) for a, b in combinations(boxes, 2))


@settings(deadline=None, max_examples=40)
@given(NAMES, WIDTHS, SIZES)
def test_wrapping_loses_no_letter(name, width, size):
    kept = "".join("".join(wrap(name, width, size)).split())
    assert kept == "".join("".join(c if c.isprintable() else " " for c in name).split())


@settings(deadline=None, max_examples=40)
@given(LISTS, WIDTHS)
def test_a_wider_legend_is_never_higher(names, width):
    assert lay_out(names, width + 200, 14).height <= lay_out(names, width, 14).height


def test_a_name_that_fits_is_kept_with_its_spaces():
    assert wrap("two  spaces ", 500, 14) == ["two  spaces "]


def test_names_break_between_words_and_long_words_inside():
    room = text_width("fluorescent", 14)
    assert wrap("fluorescent nucleus", room, 14) == ["fluorescent", "nucleus"]
    pieces = wrap("fluorescent" * 2, room, 14)
    assert len(pieces) > 1
    assert all(text_width(piece, 14) <= room for piece in pieces)


def test_entries_of_a_column_are_aligned_and_rows_read_from_left_to_right():
    items = lay_out(["a", "a longer one", "b", "c", "d"], 200, 14).items
    lefts = sorted({item.swatch.left for item in items})
    columns = len(lefts)
    assert columns > 1
    assert [lefts.index(item.swatch.left) for item in items] == [i % columns for i in range(5)]


def test_no_names_need_no_room():
    assert lay_out([], 300, 14) == ((), 0)


@pytest.mark.parametrize("letter", list("äöüßéçÅñøŁž$_") + ["\N{GREEK SMALL LETTER ALPHA}"])
def test_letters_beyond_ascii_have_a_shape_of_their_own(letter):
    missing = bytes(font(20).getmask("\uffff"))
    assert bytes(font(20).getmask(letter)) not in (missing, b"")
