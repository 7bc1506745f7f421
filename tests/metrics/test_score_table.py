"""Scores: a mapping of numbers that prints as a table."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics import Scores
from semseg.metrics.functional import scores

CONFUSION = np.array([[6, 2, 0], [0, 2, 0], [0, 0, 0]])
NAMES = ["background", "cell", "debris"]


def test_the_keys_come_in_order():
    means = "mean_iou pixel_accuracy mean_accuracy mean_dice frequency_weighted_iou kappa mcc"
    parts = ("iou", "accuracy", "dice", "precision")
    per_class = [f"{part}/{name}" for part in parts for name in NAMES]
    assert list(Scores(CONFUSION, NAMES)) == [*means.split(), *per_class]


def test_the_values_are_those_of_the_functional_core():
    table, found = Scores(CONFUSION, NAMES, 3), scores(CONFUSION, 3)
    for key in ("mean_iou", "mean_dice", "frequency_weighted_iou", "pixel_accuracy"):
        assert table[key] == getattr(found, key)
    for key, column in (("accuracy", found.recall), ("dice", found.dice)):
        np.testing.assert_array_equal([table[f"{key}/{name}"] for name in NAMES], column)
    assert table["precision/cell"] == found.precision[1]


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
        "class          IoU  accuracy    Dice  pixels\n"
        "background  0.7500    0.7500  0.8571   8,000\n"
        "cell        0.5000    1.0000  0.6667   2,000\n"
        "debris           -         -       -       0\n"
        "mean IoU 0.6250, pixel accuracy 0.8000; absent and left out of the mean: debris"
    )


def test_printing_says_how_many_pixels_were_invalid():
    lines = str(Scores([[2, 0], [0, 2]], invalid_pixels=1234)).splitlines()
    assert lines[0] == "class     IoU  accuracy    Dice  pixels"
    assert lines[-1].endswith("; 1,234 pixels with a label that is no class: errors all")


def test_weights_are_shown_as_they_are():
    scores = Scores([[0.5, 0.25], [0, 2]], ["a", "b"], invalid_pixels=0.125)
    assert scores.confusion.dtype == np.float64
    assert str(scores).splitlines()[1] == "a      0.5714    0.5714  0.7273    0.75"
    assert scores.to_dict()["invalid_pixels"] == 0.125


def test_a_pasted_table_keeps_its_columns():
    lines = Scores(CONFUSION, ["a|b", "cell", "debris"]).to_markdown().splitlines()
    assert lines[2] == r"| a\|b | 0.7500 | 0.7500 | 0.8571 | 8 |"
    assert lines[4] == "| debris | - | - | - | 0 |"
    assert lines[-1].endswith("left out of the mean: debris")


def test_a_spreadsheet_reads_all_digits_and_any_name():
    scores = Scores(CONFUSION, ['the "big", one', "cell", "debris"])
    rows = list(csv.DictReader(scores.to_csv().splitlines()))
    assert [row["class"] for row in rows] == list(scores.names)
    assert float(rows[0]["dice"]) == scores.dice[0]
    assert rows[2]["iou"] == "" and rows[2]["pixels"] == "0"


def test_a_short_form_is_shown_in_a_shell():
    expected = "Scores(mean_iou=0.6250, pixel_accuracy=0.8000, 3 classes)"
    assert repr(Scores(CONFUSION, NAMES)) == expected


def test_a_description_can_be_written_as_json_and_scored_again():
    scores = Scores(CONFUSION, NAMES, invalid_pixels=3)
    read = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert read["accuracy/background"] == scores["accuracy/background"]
    assert read["names"] == NAMES and read["invalid_pixels"] == 3 and read["absent"] == []
    again = Scores(read["confusion"], read["names"], read["invalid_pixels"])
    assert again.to_dict() == scores.to_dict()
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
    assert len(scores) == 7 + 4 * count
    assert all(math.isnan(value) or -1 <= value <= 1 for value in scores.values())
    assert scores["mean_dice"] >= scores["mean_iou"]
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
