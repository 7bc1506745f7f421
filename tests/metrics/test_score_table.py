"""Scores: a mapping of numbers that prints as a table."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics import Scores

CONFUSION = np.array([[6, 2, 0], [0, 2, 0], [0, 0, 0]])
NAMES = ["background", "cell", "debris"]


def test_the_keys_come_in_order():
    assert list(Scores(CONFUSION, NAMES)) == [
        "mean_iou",
        "pixel_accuracy",
        "mean_accuracy",
        "iou/background",
        "iou/cell",
        "iou/debris",
        "accuracy/background",
        "accuracy/cell",
        "accuracy/debris",
    ]


def test_absent_classes_are_left_out_of_the_means_and_named():
    scores = Scores(CONFUSION, NAMES)
    assert scores.absent == ("debris",)
    assert math.isnan(scores["iou/debris"]) and math.isnan(scores["accuracy/debris"])
    assert scores["mean_iou"] == (6 / 8 + 2 / 4) / 2
    assert scores["mean_accuracy"] == (6 / 8 + 2 / 2) / 2
    assert scores["pixel_accuracy"] == 8 / 10


def test_a_class_that_is_only_predicted_counts_as_missed():
    scores = Scores([[3, 1], [0, 0]], ["a", "b"])
    assert scores.absent == ()
    assert scores["iou/b"] == 0.0
    assert math.isnan(scores["accuracy/b"])


def test_printing_shows_a_table():
    assert str(Scores(CONFUSION * 1000, NAMES)) == (
        "class          IoU  accuracy  pixels\n"
        "background  0.7500    0.7500   8,000\n"
        "cell        0.5000    1.0000   2,000\n"
        "debris           -         -       0\n"
        "mean IoU 0.6250, pixel accuracy 0.8000; absent and left out of the mean: debris"
    )


def test_printing_says_how_many_pixels_were_invalid():
    lines = str(Scores([[2, 0], [0, 2]], invalid_pixels=1234)).splitlines()
    assert lines[0] == "class     IoU  accuracy  pixels"
    assert lines[-1].endswith("; 1,234 pixels with a label that is no class: errors all")


def test_a_short_form_is_shown_in_a_shell():
    expected = "Scores(mean_iou=0.6250, pixel_accuracy=0.8000, 3 classes)"
    assert repr(Scores(CONFUSION, NAMES)) == expected


def test_a_description_can_be_written_as_json_and_scored_again():
    scores = Scores(CONFUSION, NAMES, invalid_pixels=3)
    read = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert read["accuracy/background"] == scores["accuracy/background"]
    assert read["names"] == NAMES and read["invalid_pixels"] == 3 and read["absent"] == []
    again = Scores(read["confusion"], read["names"], read["invalid_pixels"])
    assert dict(again) == dict(scores)
    assert Scores(CONFUSION, NAMES).to_dict()["iou/debris"] is None


def test_an_empty_set_has_no_scores():
    scores = Scores(np.zeros((2, 2), int))
    assert scores.absent == ("0", "1")
    assert all(math.isnan(value) for value in scores.values())
    assert json.dumps(scores.to_dict(), allow_nan=False)


@given(st.integers(2, 6), st.integers(0, 2**31), st.integers(0, 50))
def test_no_score_leaves_0_to_1_and_the_table_has_a_line_a_class(count, seed, invalid):
    confusion = np.random.default_rng(seed).integers(0, 9, (count, count))
    scores = Scores(confusion, invalid_pixels=invalid)
    assert len(scores) == 3 + 2 * count
    assert all(math.isnan(value) or 0 <= value <= 1 for value in scores.values())
    assert len(str(scores).splitlines()) == count + 2


def test_an_unknown_score_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match="'iou/dog'; the scores are mean_iou, pixel_accuracy"):
        Scores(CONFUSION, NAMES)["iou/dog"]


def test_names_name_all_classes():
    with pytest.raises(ValueError, match="names must name 3 classes, received 2"):
        Scores(CONFUSION, ["a", "b"])


@pytest.mark.parametrize("shape", [(2, 3), (4,), (2, 2, 2)])
def test_a_confusion_matrix_is_square(shape):
    with pytest.raises(ValueError, match=r"confusion must have shape \(C, C\), received"):
        Scores(np.zeros(shape, int))
