"""draw_error: correct, wrong and ignored pixels can't be mistaken for each other."""

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.viz import CORRECT_COLOR, ERROR_COLORS, WRONG_COLOR, draw_error
from semseg.viz._marks import hatch
from semseg.viz.error_picture import error_key

RNG = np.random.default_rng(0)
CELLS = ClassMap(["background", "cell", "border"], ignore_class=255)
MASK = RNG.choice([0, 1, 2, 255], (20, 30))
PRED = RNG.choice([0, 1, 2], (20, 30))
IMAGE = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
IGNORED = MASK == 255
WRONG = (MASK != PRED) & ~IGNORED
CORRECT = MASK == PRED


def test_without_an_image_three_looks_are_exact():
    drawn = draw_error(MASK, PRED, CELLS)
    assert drawn.dtype == np.uint8
    assert (drawn[CORRECT] == CORRECT_COLOR).all()
    assert (drawn[WRONG] == WRONG_COLOR).all()
    np.testing.assert_array_equal(drawn[IGNORED], hatch(20, 30)[IGNORED])


def test_correct_pixels_show_the_image_grey_and_dimmed():
    drawn = draw_error(MASK, PRED, CELLS, IMAGE)
    assert (drawn[WRONG] == WRONG_COLOR).all()
    np.testing.assert_array_equal(drawn[IGNORED], hatch(20, 30)[IGNORED])
    shown = drawn[CORRECT].astype(int)
    assert (shown == shown[:, :1]).all()
    assert shown.max() < 110 < max(WRONG_COLOR)
    brightness = IMAGE[CORRECT] @ [0.299, 0.587, 0.114]
    assert np.corrcoef(brightness, shown[:, 0])[0, 1] > 0.99


def test_what_was_predicted_under_ignored_pixels_does_not_show():
    other = np.where(IGNORED, (PRED + 1) % 3, PRED)
    np.testing.assert_array_equal(draw_error(MASK, PRED, CELLS), draw_error(MASK, other, CELLS))


def test_a_class_predicted_as_ignored_is_wrong():
    drawn = draw_error(np.zeros((2, 2), int), np.full((2, 2), 255), CELLS)
    assert (drawn == WRONG_COLOR).all()


def test_a_perfect_prediction_has_no_wrong_pixel():
    drawn = draw_error(PRED, PRED, CELLS, IMAGE)
    assert not (drawn == WRONG_COLOR).all(-1).any()


def slow_kind(truth, predicted, background):
    """The colour of one labelled pixel, by hand."""
    if truth == predicted:
        return CORRECT_COLOR
    if truth == background:
        return ERROR_COLORS["false"]
    return ERROR_COLORS["missed" if predicted in (background, 255) else "confused"]


@pytest.mark.parametrize("background", [0, 1, 2])
def test_kinds_of_errors_are_what_a_slow_loop_says(background):
    pred_mask = RNG.choice([0, 1, 2, 255], MASK.shape)
    drawn = draw_error(MASK, pred_mask, CELLS, background=background)
    for y, x in zip(*np.nonzero(~IGNORED), strict=True):
        expected = slow_kind(MASK[y, x], pred_mask[y, x], background)
        assert tuple(drawn[y, x]) == expected
    np.testing.assert_array_equal(drawn[IGNORED], hatch(20, 30)[IGNORED])


def test_the_background_has_a_name_or_an_id():
    by_name = draw_error(MASK, PRED, CELLS, IMAGE, background="cell")
    np.testing.assert_array_equal(by_name, draw_error(MASK, PRED, CELLS, IMAGE, background=1))


@pytest.mark.parametrize("background", ["Cell", 3, -1, 255, True, 1.0])
def test_a_background_that_is_no_class_is_refused(background):
    with pytest.raises(ValueError, match=r"background must be None, one of the names 'background'"):
        draw_error(MASK, PRED, CELLS, background=background)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MASK, PRED[:5], CELLS), "pred_mask must have the size .*20x30, received 5x30"),
        ((MASK, PRED, CELLS, IMAGE[:, :7]), "image must have the size of mask, 20x30, received 20"),
        ((MASK, PRED + 9, CELLS), r"pred_mask has ids \[9, 10, 11\] outside"),
        ((MASK, PRED / 2, CELLS), "pred_mask must hold whole class ids"),
        ((MASK, np.zeros((20, 30, 5)), CELLS), "pred_mask must have shape .*argmax"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_error(*arguments)


def test_the_key_names_what_can_occur():
    def names(background, class_map):
        return [entry.name for entry in error_key(background, class_map)]

    assert names(None, CELLS) == ["wrong", "correct"]
    assert names(0, CELLS) == ["missed", "false", "confused", "correct"]
    assert names(0, ClassMap(["background", "cell"])) == ["missed", "false", "correct"]
