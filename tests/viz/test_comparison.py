"""draw_comparison: aligned columns, exact colours, one legend."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.viz import CORRECT_COLOR, ERROR_COLORS, WRONG_COLOR, comparison, draw_comparison
from semseg.viz._cells import cell_width, fitted_size, resize_rows
from semseg.viz._marks import HATCH_COLORS
from semseg.viz._theme import DARK, LIGHT

CELLS = ClassMap(["background", "cell", "border", "rare"], ignore_class=255)
INK = (10, 200, 30)  # the colour of the test pictures, in no legend


def sample(height=24, width=32):
    """A flat picture whose truth is class 1 and whose prediction is class 2 everywhere."""
    image = np.full((height, width, 3), INK, np.uint8)
    return image, np.full((height, width), 1), np.full((height, width), 2)


def panel(*sizes, **options):
    images, masks, pred_masks = zip(*(sample(*size) for size in sizes), strict=True)
    return draw_comparison(images, masks, pred_masks, CELLS, **options)


def spans(picture, color):
    """(left, right) and the (top, bottom) of each block of rows with a long run of one colour."""
    same = (picture == color).all(-1)
    rows = np.flatnonzero(same.sum(axis=1) > 40)
    columns = np.flatnonzero(same[rows].any(axis=0))
    starts = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    return (columns[0], columns[-1] + 1), [(block[0], block[-1] + 1) for block in starts]


def test_four_columns_are_equally_wide_and_aligned_in_all_rows():
    picture = panel((24, 32), (32, 32), (48, 32))
    looks = (INK, CELLS.colors[1], CELLS.colors[2], WRONG_COLOR)
    columns, rows = zip(*(spans(picture, look) for look in looks), strict=True)
    assert len({right - left for left, right in columns}) == 1
    gaps = {b[0] - a[1] for a, b in pairwise(columns)}
    assert len(gaps) == 1
    assert 4 <= gaps.pop() <= 12
    assert len(rows[0]) == 3
    assert all(row == rows[0] for row in rows)


def test_margins_are_white_and_equal():
    picture = panel((24, 32))
    (left, _), _ = spans(picture, INK)
    (_, right), _ = spans(picture, WRONG_COLOR)
    assert left == picture.shape[1] - right
    assert (picture[:, :left] == 255).all()
    assert (picture[:, right:] == 255).all()


def test_small_pictures_are_enlarged_by_a_whole_factor():
    picture = panel((96, 128))
    (left, right), [(top, bottom)] = spans(picture, INK)
    assert (bottom - top, right - left) == (192, 256)
    assert 600 <= picture.shape[1] <= 1200


@pytest.mark.parametrize("max_width", [480, 600, 1200, 2400])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (96, 128), (40, 900), (900, 40)])
def test_the_panel_keeps_to_its_width(size, max_width):
    picture = panel(size, max_width=max_width)
    assert picture.dtype == np.uint8
    assert max_width / 2 <= picture.shape[1] <= max_width


def test_pictures_of_different_sizes_are_equally_wide():
    (left, right), rows = spans(panel((20, 20), (60, 120), (33, 50)), INK)
    cell = right - left
    heights = [bottom - top for top, bottom in rows]
    assert heights == [cell, round(cell / 2), round(cell * 33 / 50)]


def test_the_error_column_shows_correct_wrong_and_ignored():
    image, mask, pred_mask = np.zeros((40, 60, 3), np.uint8), *np.ones((2, 40, 60), int)
    mask[:, 20:40], mask[:, 40:] = 2, 255
    picture = draw_comparison([image], [mask], [pred_mask], CELLS)
    for color in (WRONG_COLOR, CORRECT_COLOR, *HATCH_COLORS):
        assert (picture == color).all(-1).sum() > 100


def test_without_predictions_two_columns_and_no_error_key_are_drawn():
    image, mask, _ = sample()
    picture = draw_comparison([image], [mask], None, CELLS)
    assert not (picture == WRONG_COLOR).all(-1).any()
    (left, right), _ = spans(picture, INK)
    assert right - left > picture.shape[1] / 2.5


def test_the_legend_names_the_classes_present_and_no_other():
    image, mask, pred_mask = sample()
    picture = draw_comparison([image], [mask], [pred_mask], CELLS)
    below = picture[spans(picture, INK)[1][-1][1] :]
    present = [(below == color).all(-1).sum() > 50 for color in CELLS.colors]
    assert present == [False, True, True, False]
    assert not (below == HATCH_COLORS[0]).all(-1).any()


def models(**options):
    image, mask, pred_mask = sample(96, 128)
    masks = {"first": [pred_mask], "second": [mask]}
    return draw_comparison([image], [mask], masks, CELLS, **options)


def test_several_models_stand_beside_the_truth_and_above_their_errors():
    picture = models()
    truth, (upper, *_) = spans(picture, CELLS.colors[1])
    wrong, (lower, *_) = spans(picture, WRONG_COLOR)
    first, _ = spans(picture[: upper[1]], CELLS.colors[2])
    assert wrong == first
    cell = wrong[1] - wrong[0]
    gap = first[0] - (truth[0] + cell)
    assert truth[1] == first[1] + gap + cell  # the second prediction looks as the truth
    assert lower[0] > upper[1]
    assert lower[1] - lower[0] == upper[1] - upper[0]


def test_the_share_of_right_pixels_stands_above_the_errors(monkeypatch):
    image, mask, pred_mask = sample()
    pred_mask[:6], mask[12:] = 1, 255
    seen = captions_of(monkeypatch, [image], [mask], {"a": [pred_mask], "b": [mask * 0]})
    assert seen == [["image", "truth", "a", "b"], ["", "", "50.0% right", "0.0% right"]]


def test_a_hundred_per_cent_is_said_where_all_is_right(monkeypatch):
    image, mask, _ = sample(96, 128)
    nearly = mask.copy()
    nearly[0, 0] = 2
    seen = captions_of(monkeypatch, [image], [mask], {"a": [mask], "b": [nearly]})
    assert seen[1][2:] == ["100.0% right", "99.9% right"]


def test_a_sample_without_labels_has_no_share(monkeypatch):
    image, mask, _ = sample()
    seen = captions_of(monkeypatch, [image], [mask * 0 + 255], {"a": [mask]})
    assert seen[1][-1] == "no label"


def captions_of(monkeypatch, *arguments):
    rows = []
    assemble = comparison.assemble
    monkeypatch.setattr(
        comparison, "assemble", lambda *given: rows.extend(given[0]) or assemble(*given)
    )
    draw_comparison(*arguments, CELLS)
    return [list(row.captions) for row in rows]


def test_errors_by_kind_have_their_colours_and_their_key():
    plain, by_kind = (panel((24, 32), background=b) for b in (None, "background"))
    assert not (plain == ERROR_COLORS["confused"]).all(-1).any()
    assert not (by_kind == WRONG_COLOR).all(-1).any()
    for color in ERROR_COLORS.values():
        assert (by_kind == color).all(-1).sum() > 100


def test_dark_pictures_have_the_same_pixels_on_dark_paper():
    light, dark = panel((96, 128)), panel((96, 128), dark=True)
    assert light.shape == dark.shape
    assert tuple(light[0, 0]) == LIGHT.paper
    assert tuple(dark[0, 0]) == DARK.paper
    (left, right), [(top, bottom)] = spans(light, INK)
    inside = np.s_[top:bottom, left:right]
    np.testing.assert_array_equal(light[inside], dark[inside])


def test_a_stretched_picture_is_said_to_be_one():
    image, mask, pred_mask = sample()
    plain = draw_comparison([image], [mask], [pred_mask], CELLS)
    deep = draw_comparison([image.astype(np.uint16)], [mask], [pred_mask], CELLS)
    assert len(deep) > len(plain)


def test_titles_are_free_texts_and_wrap():
    long = ("a title that is much too long for one line of its narrow column", "$x_1$", "ü", "")
    assert panel((24, 32), titles=long).shape[0] > panel((24, 32)).shape[0]


def test_a_batch_is_a_sequence_of_pictures():
    image, mask, pred_mask = sample()
    batch = draw_comparison(image[None], mask[None], pred_mask[None], CELLS)
    np.testing.assert_array_equal(batch, draw_comparison([image], [mask], [pred_mask], CELLS))


@settings(deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=4), st.integers(100, 700))
def test_cells_fit_and_whole_factors_are_kept_where_there_is_room(widths, room):
    cell = cell_width(widths, room)
    assert min(room, 96) <= cell <= room
    assert cell == room or cell % max(widths) == 0


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(96, 600))
def test_a_fitted_picture_keeps_to_its_cell_and_is_never_empty(height, width, cell):
    rows, columns = fitted_size((height, width), cell)
    assert 1 <= columns <= cell
    assert 1 <= rows <= 2 * cell
    assert columns == cell or rows == 2 * cell


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_enlarging_by_a_whole_factor_repeats_each_pixel(height, width, factor):
    rows = np.arange(height * width).reshape(height, width)
    grown = resize_rows(rows, (factor * height, factor * width))
    np.testing.assert_array_equal(grown, np.kron(rows, np.ones((factor, factor), int)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": []}, "as many pictures each, received 0, 1 and 1"),
        ({"images": [], "masks": [], "pred_masks": []}, "images must hold at least one picture"),
        ({"images": sample()[0]}, "images must be a sequence of pictures, received one of shape"),
        (
            {"masks": [np.zeros((5, 5), int)]},
            r"masks\[0\] must have the size .*24x32, received 5x5",
        ),
        ({"pred_masks": [np.zeros((5, 5), int)]}, r"pred_masks\[0\] must have the size"),
        ({"pred_masks": [np.full((24, 32), 8)]}, r"pred_masks\[0\] has ids \[8\] outside 0..3"),
        ({"masks": [np.full((24, 32), 0.5)]}, r"masks\[0\] must hold whole class ids"),
        ({"images": [np.zeros((1, 24, 32, 3))]}, r"images\[0\] must be one picture"),
        ({"titles": ("image", "truth")}, "titles must hold 4 texts"),
        ({"titles": "abcd"}, "titles must hold 4 texts"),
        ({"pred_masks": {}}, "pred_masks must name at least one model, received {}"),
        ({"pred_masks": {"U-Net": []}}, "received 1, 1 and 0"),
        (
            {"pred_masks": {"U-Net": [np.full((24, 32), 8)]}},
            r"pred_masks\['U-Net'\]\[0\] has ids \[8\]",
        ),
        ({"background": "sky"}, "background must be None, one of the names"),
        ({"max_width": 100}, "max_width must be a whole number of pixels >= 480, received 100"),
    ],
)
def test_bad_input_is_refused(changes, message):
    image, mask, pred_mask = sample()
    arguments = {"images": [image], "masks": [mask], "pred_masks": [pred_mask]} | changes
    with pytest.raises(ValueError, match=message):
        draw_comparison(**arguments, class_map=CELLS)
