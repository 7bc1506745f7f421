"""object_scores: as many objects found as a search through all pairings finds."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, blobs, scenes

from semseg.metrics.functional import object_scores
from semseg.regions import split_touching

THRESHOLDS = [0.1, 0.25, 1 / 3, 0.5, 0.6, 0.75, 1.0]


def slow_objects(inside):
    """Sets of places that hang together by sides and corners, by flooding."""
    todo, objects = {tuple(place) for place in np.argwhere(inside)}, []
    while todo:
        found, edge = set(), [todo.pop()]
        while edge:
            y, x = edge.pop()
            found.add((y, x))
            around = {(y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & todo
            todo -= around
            edge += around
        objects.append(found)
    return objects


def most_pairs(one, other, threshold):
    """The largest number of pairs at the threshold, by trying every order of the longer side."""
    if len(one) > len(other):
        one, other = other, one
    best = 0
    for order in permutations(other, len(one)):
        pairs = zip(one, order, strict=True)
        best = max(best, sum(len(a & b) / len(a | b) >= threshold - 1e-9 for a, b in pairs))
    return best


@given(scenes(side=(1, 7)))
def test_counts_are_those_of_the_best_of_all_pairings(case):
    truth, pred, count = case
    found = object_scores(truth, pred, count, IGNORED, iou_thresholds=THRESHOLDS, background=None)
    for class_id in range(count):
        one, other = (slow_objects((ids == class_id) & (truth != IGNORED)) for ids in (truth, pred))
        if max(len(one), len(other)) > 6:
            continue
        for row, threshold in enumerate(THRESHOLDS):
            pairs = most_pairs(one, other, threshold)
            assert found.found[row, class_id] == pairs
            assert found.missed[row, class_id] == len(one) - pairs
            assert found.invented[row, class_id] == len(other) - pairs


@given(scenes())
def test_more_is_found_at_a_lower_threshold_and_swapping_swaps_missed_and_invented(case):
    truth, pred, count = case
    ignored = truth == IGNORED
    found = object_scores(truth, pred, count, IGNORED, iou_thresholds=THRESHOLDS)
    assert (np.diff(found.found, axis=0) <= 0).all()
    back = np.where(ignored, IGNORED, pred), np.where(ignored, 0, truth)
    swapped = object_scores(*back, count, IGNORED, iou_thresholds=THRESHOLDS)
    np.testing.assert_array_equal(found.found, swapped.found)
    np.testing.assert_array_equal(found.missed, swapped.invented)


@given(st.integers(0, 999), st.booleans())
def test_counts_of_a_batch_are_sums(seed, split):
    truth = np.stack([blobs(seed + k, (12, 11), 3) for k in range(3)])
    pred = np.stack([blobs(seed + k, (12, 11), 3, size=4) for k in range(3)])
    options = {"iou_thresholds": THRESHOLDS, "split": split}
    parts = [object_scores(t, p, 3, **options) for t, p in zip(truth, pred, strict=True)]
    whole = object_scores(truth, pred, 3, **options)
    for counts in ("found", "missed", "invented"):
        expected = sum(getattr(part, counts) for part in parts)
        np.testing.assert_array_equal(getattr(whole, counts), expected)


def test_two_halves_of_a_true_object_are_one_found_and_one_invented():
    truth = np.ones((4, 7), int)
    pred = truth.copy()
    pred[:, 3] = 0
    found = object_scores(truth, pred, 2, iou_thresholds=[0.4, 0.5])
    assert found.found[:, 1].tolist() == [1, 0]
    assert found.invented[:, 1].tolist() == [1, 2] and found.missed[:, 1].tolist() == [0, 1]
    np.testing.assert_allclose(found.precision[:, 1], [1 / 2, 0])
    np.testing.assert_allclose(found.recall[:, 1], [1, 0])
    np.testing.assert_allclose(found.f1[:, 1], [2 / 3, 0])


def test_touching_objects_are_one_part_and_two_after_splitting():
    y, x = np.ogrid[:30, :60]
    truth = (((y - 15) ** 2 + (x - 17) ** 2 < 100) | ((y - 15) ** 2 + (x - 35) ** 2 < 100)) * 1
    pred = truth.copy()
    pred[split_touching(truth) == 1] = 0  # one of the two is missing
    whole = object_scores(truth, pred, 2)
    split = object_scores(truth, pred, 2, split=True)
    assert (whole.found[0, 1] + whole.missed[0, 1], split.found[0, 1]) == (1, 1)
    assert (split.missed[0, 1], split.invented[0, 1]) == (1, 0)
    farther = object_scores(truth, pred, 2, split=True, min_distance=25)
    assert farther.found[0, 1] + farther.missed[0, 1] == 1


def test_a_class_without_objects_has_no_scores_and_the_background_has_none():
    mask = np.array([[0, 1, 0]])
    found = object_scores(mask, mask, 3)
    assert found.f1[0, 1] == 1
    assert np.isnan(found.f1[0, [0, 2]]).all() and np.isnan(found.recall[0, 0])
    assert object_scores(mask, mask, 3, background=None).found.tolist() == [[2, 1, 0]]
    assert object_scores(mask, mask, 3, background=1).found.tolist() == [[2, 0, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iou_thresholds": [0.5, 1.5]}, r"iou_thresholds must be .* in \(0, 1\], received"),
        ({"iou_thresholds": 0.5}, "iou_thresholds must be a sequence"),
        ({"iou_thresholds": []}, "iou_thresholds must be a sequence"),
        ({"background": 255}, "background must be None or a class in 0..1, received 255"),
        ({"split": True, "min_distance": 0}, "min_distance must be > 0 pixels"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        object_scores(np.eye(3, dtype=int), np.eye(3, dtype=int), 2, **options)
