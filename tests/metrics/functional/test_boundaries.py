"""boundary_f1 and boundary_iou: equal to their definitions, and lawful."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, blobs, scenes

from semseg.metrics.functional import boundary_f1, boundary_iou

TOLERANCES = st.sampled_from([0.01, 0.06, 0.11, 0.2, 0.5])


def slow_boundary(ids, class_id, valid):
    """Pixels whose block of four holds the class and another, by looking at each."""
    places = []
    for y, x in np.ndindex(ids.shape):
        block = (slice(y, y + 2), slice(x, x + 2))
        around = set(ids[block][valid[block]].tolist())
        if valid[y, x] and class_id in around and len(around) > 1:
            places.append((y, x))
    return np.array(places).reshape(-1, 2)


def slow_share(places, others, radius):
    """Share of `places` with one of `others` within the radius; NaN without places."""
    if not len(places):
        return np.nan
    within = [any(a * a + b * b <= radius**2 + 1e-9 for a, b in others - place) for place in places]
    return np.mean(within)


def slow_f1(truth, pred, num_classes, tolerance, averaging):
    """SegNet's computeBFmeasure.m for one image, by distance."""
    valid, radius = truth != IGNORED, tolerance * np.hypot(*truth.shape)
    total, classes = 0, 0
    for class_id in range(num_classes):
        true, guessed = (slow_boundary(ids, class_id, valid) for ids in (truth, pred))
        recall, precision = slow_share(true, guessed, radius), slow_share(guessed, true, radius)
        if len(true) or (len(guessed) and averaging == "script"):
            classes += 1
            if len(true) and len(guessed) and recall + precision:
                total += 2 * recall * precision / (recall + precision)
    if classes:
        return total / classes
    return 0.0 if averaging == "script" else np.nan


def slow_rim(ids, class_id, valid, width):
    """Pixels of the class with another, or the picture's end, `width` rows or columns away."""
    rim = np.zeros(ids.shape, bool)
    for y, x in np.argwhere(valid & (ids == class_id)):
        for a in range(y - width, y + width + 1):
            for b in range(x - width, x + width + 1):
                outside = not (0 <= a < ids.shape[0] and 0 <= b < ids.shape[1])
                rim[y, x] |= outside or (valid[a, b] and ids[a, b] != class_id)
    return rim


@given(scenes(), TOLERANCES, st.sampled_from(["paper", "script"]))
def test_boundary_f1_is_the_mean_over_classes_of_what_is_within_the_tolerance(
    case, tolerance, averaging
):
    truth, pred, count = case
    found = boundary_f1(truth, pred, count, IGNORED, tolerance=tolerance, averaging=averaging)
    expected = slow_f1(truth, pred, count, tolerance, averaging)
    np.testing.assert_allclose(found.mean, expected)


@given(scenes(side=(1, 9)), st.sampled_from([0.01, 0.1, 0.3]))
def test_boundary_iou_is_that_of_the_rims(case, width):
    truth, pred, count = case
    valid, pixels = truth != IGNORED, max(1, round(width * np.hypot(*truth.shape)))
    found = boundary_iou(truth, pred, count, IGNORED, width=width)
    for class_id in range(count):
        one, other = (slow_rim(ids, class_id, valid, pixels) for ids in (truth, pred))
        assert found.intersection[class_id] == (one & other).sum()
        assert found.union[class_id] == (one | other).sum()


@given(scenes(), TOLERANCES)
def test_swapping_truth_and_prediction_swaps_precision_and_recall(case, tolerance):
    truth, pred, count = case
    ignored = truth == IGNORED
    back = np.where(ignored, IGNORED, pred), np.where(ignored, 0, truth)
    for matching in ("nearest", "one_to_one"):
        options = {"tolerance": tolerance, "averaging": "script", "matching": matching}
        found = boundary_f1(truth, pred, count, IGNORED, **options)
        swapped = boundary_f1(*back, count, IGNORED, **options)
        np.testing.assert_array_equal(found.precision, swapped.recall)
        np.testing.assert_array_equal(found.f1, swapped.f1)
    rims = boundary_iou(truth, pred, count, IGNORED), boundary_iou(*back, count, IGNORED)
    np.testing.assert_array_equal(rims[0].iou, rims[1].iou)


@given(scenes(), st.sampled_from(["nearest", "one_to_one"]))
def test_a_larger_tolerance_never_lowers_a_share(case, matching):
    truth, pred, count = case
    found = [
        boundary_f1(truth, pred, count, IGNORED, tolerance=t, matching=matching)
        for t in (0.01, 0.1, 0.3, 0.9)
    ]
    for narrow, wide in pairwise(found):
        for shares in ("precision", "recall", "f1"):
            one, other = getattr(narrow, shares), getattr(wide, shares)
            np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
            assert np.all((one <= other) | np.isnan(one))


@given(scenes(), TOLERANCES)
def test_one_to_one_never_finds_more_than_nearest(case, tolerance):
    truth, pred, count = case
    nearest, matched = (
        boundary_f1(truth, pred, count, IGNORED, tolerance=tolerance, matching=matching)
        for matching in ("nearest", "one_to_one")
    )
    for one, other in zip(matched[1:], nearest[1:], strict=True):
        assert np.all((one <= other) | np.isnan(one))


def test_one_to_one_differs_where_a_boundary_is_doubled():
    """A strip where the truth has an edge: both of its sides lie near the one true boundary."""
    truth = np.repeat([[0] * 20 + [1] * 20], 40, axis=0)
    pred = truth.copy()
    pred[:, 20] = 0
    pred[:, 19] = 1
    options = {"tolerance": 1.01 / np.hypot(40, 40)}
    assert boundary_f1(truth, pred, 2, **options).precision.tolist() == [[1, 1]]
    matched = boundary_f1(truth, pred, 2, matching="one_to_one", **options)
    assert matched.precision[0, 0] == pytest.approx(1 / 3) and matched.recall[0, 0] == 1


@pytest.mark.parametrize("matching", ["nearest", "one_to_one"])
def test_where_in_the_picture_a_thing_lies_does_not_matter(matching):
    found = set()
    for y, x in ((4, 4), (9, 17), (20, 11)):
        truth, pred = np.zeros((2, 48, 48), int)
        truth[y : y + 12, x : x + 15] = blobs(3, (12, 15), 3)
        pred[y : y + 12, x : x + 15] = blobs(4, (12, 15), 3)
        f1 = boundary_f1(truth, pred, 3, tolerance=0.03, matching=matching)
        rims = boundary_iou(truth, pred, 3, width=0.03)
        found.add((f1.mean, *rims.intersection[1:], *rims.union[1:]))
    assert len(found) == 1


def test_a_shift_within_the_tolerance_is_perfect_and_beyond_it_is_not():
    truth = np.zeros((360, 480), int)
    truth[100:200, 100:300] = 1  # SegNet's tolerance is 4.5 pixels here
    assert boundary_f1(truth, np.roll(truth, 4, axis=1), 2).mean == 1
    assert boundary_f1(truth, np.roll(truth, 5, axis=1), 2).mean < 0.8


def test_an_invented_class_counts_by_the_script_and_not_by_the_paper():
    truth = np.zeros((20, 20), int)
    truth[:, 10:] = 1
    pred = truth.copy()
    pred[9:11, 4:6] = 2
    paper = boundary_f1(truth, pred, 4)
    script = boundary_f1(truth, pred, 4, averaging="script")
    assert np.isnan(paper.f1[0, 2:]).all()
    assert script.f1[0, 2] == 0 and np.isnan(script.f1[0, 3])
    assert paper.mean == pytest.approx(np.nanmean(paper.f1))
    assert script.mean == pytest.approx(paper.mean * 2 / 3)


def test_an_image_without_a_boundary_is_left_out_by_the_paper_and_0_by_the_script():
    truth = np.zeros((2, 20, 20), int)
    truth[1, :, 10:] = 1
    assert boundary_f1(truth, truth, 2).mean == 1
    assert boundary_f1(truth, truth, 2, averaging="script").mean == 0.5
    assert np.isnan(boundary_f1(truth[:1], truth[:1], 2).mean)


def test_a_boundary_that_was_not_predicted_counts_0():
    truth = np.zeros((20, 20), int)
    truth[:, 10:] = 1
    found = boundary_f1(truth, np.zeros_like(truth), 2)
    assert found.mean == 0 and found.recall.tolist() == [[0, 0]]
    assert np.isnan(found.precision).all()


@given(st.lists(st.integers(0, 999), min_size=1, max_size=4))
def test_a_batch_is_scored_image_by_image(seeds):
    truth = np.stack([blobs(seed, (12, 10), 3) for seed in seeds])
    pred = np.stack([blobs(seed + 1, (12, 10), 3) for seed in seeds])
    f1 = [boundary_f1(t, p, 3, tolerance=0.1) for t, p in zip(truth, pred, strict=True)]
    whole = boundary_f1(truth, pred, 3, tolerance=0.1)
    np.testing.assert_array_equal(whole.f1, np.concatenate([image.f1 for image in f1]))
    means = [image.mean for image in f1 if not np.isnan(image.mean)]
    assert not means or whole.mean == pytest.approx(np.mean(means))
    rims = [boundary_iou(t, p, 3) for t, p in zip(truth, pred, strict=True)]
    whole = boundary_iou(truth, pred, 3)
    np.testing.assert_array_equal(whole.union, sum(image.union for image in rims))
    np.testing.assert_array_equal(whole.intersection, sum(image.intersection for image in rims))


def test_absent_classes_are_left_out_of_boundary_iou():
    truth = blobs(0, (9, 9), 2)
    found = boundary_iou(truth, truth, 4)
    assert found.iou[:2].tolist() == [1, 1] and np.isnan(found.iou[2:]).all()
    assert found.mean == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: boundary_f1(m, m, 2, tolerance=4.5), r"tolerance must be a share .* \(0, 1\)"),
        (lambda m: boundary_f1(m, m, 2, tolerance=0), "tolerance must be a share"),
        (lambda m: boundary_iou(m, m, 2, width=3), "width=pixels / math.hypot"),
        (
            lambda m: boundary_f1(m, m, 2, averaging="macro"),
            "averaging must be 'paper' or 'script', received 'macro'",
        ),
        (
            lambda m: boundary_f1(m, m, 2, matching="bipartite"),
            "matching must be 'nearest' or 'one_to_one', received 'bipartite'",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((4, 4), int))
