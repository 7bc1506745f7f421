"""What every score of a mask and a prediction keeps, whatever it scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, scenes

from semseg.metrics.functional import (
    boundary_f1,
    boundary_iou,
    confusion_matrix,
    isbi_scores,
    object_scores,
    surface_distances,
    trimap_accuracy,
    trimap_confusion,
)


def options_of(function, **options):
    return lambda mask, pred, count: function(mask, pred, count, IGNORED, **options)


SCORES = {
    "boundary_f1": options_of(boundary_f1, tolerance=0.1),
    "boundary_f1, script": options_of(boundary_f1, tolerance=0.1, averaging="script"),
    "boundary_f1, one to one": options_of(boundary_f1, tolerance=0.1, matching="one_to_one"),
    "boundary_iou": options_of(boundary_iou, width=0.1),
    "confusion_matrix": options_of(confusion_matrix),
    "object_scores": options_of(object_scores, iou_thresholds=[0.2, 0.5]),
    "object_scores, split": options_of(object_scores, split=True, min_distance=2),
    "surface_distances": options_of(surface_distances, spacing=(1, 2)),
    "trimap_accuracy": options_of(trimap_accuracy, width=2),
    "trimap_confusion": options_of(trimap_confusion, width=2),
}
BINARY_SCORES = {
    "isbi_scores": lambda mask, pred, count: isbi_scores(mask, pred, IGNORED),
    "isbi_scores, not thinned": lambda m, p, count: isbi_scores(m, p, IGNORED, thinned=False),
}
ALL_SCORES = SCORES | BINARY_SCORES


def assert_equal(one, other):
    """Scores, tuples of scores and arrays, NaN where NaN."""
    one, other = (parts if isinstance(parts, tuple) else (parts,) for parts in (one, other))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def classes_of(name):
    return (2,) if name in BINARY_SCORES else (2, 3, 5)


@pytest.mark.parametrize("name", ALL_SCORES)
@given(st.data())
def test_what_is_predicted_on_ignored_pixels_does_not_matter(name, data):
    truth, pred, count = data.draw(scenes(classes_of(name)))
    ignored = truth == IGNORED
    anything = np.random.default_rng(0).integers(-9, 300, truth.shape)
    expected = ALL_SCORES[name](truth, pred, count)
    assert_equal(ALL_SCORES[name](truth, np.where(ignored, anything, pred), count), expected)


@pytest.mark.parametrize("name", ALL_SCORES)
@given(st.data())
def test_a_number_type_is_only_a_container(name, data):
    truth, pred, count = data.draw(scenes(classes_of(name)))
    expected = ALL_SCORES[name](truth, pred, count)
    for dtype in ("uint8", "float32", "uint64"):
        assert_equal(ALL_SCORES[name](truth.astype(dtype), pred.astype("int16"), count), expected)
    assert_equal(ALL_SCORES[name](truth.tolist(), pred.astype(dtype), count), expected)


# Boundary scores measure in shares of the diagonal, Boundary IoU counts the frame, and thinning may
# draw the line on either side where two objects are equally far.
MARGINLESS = [
    "confusion_matrix",
    "isbi_scores, not thinned",
    "object_scores",
    "object_scores, split",
    "trimap_accuracy",
    "trimap_confusion",
]


@pytest.mark.parametrize("name", MARGINLESS)
@given(st.data(), st.integers(1, 5))
def test_a_margin_that_is_ignored_changes_nothing(name, data, margin):
    truth, pred, count = data.draw(scenes(classes_of(name)))
    wide = np.pad(truth, margin, constant_values=IGNORED), np.pad(pred, margin, mode="edge")
    assert_equal(ALL_SCORES[name](*wide, count), ALL_SCORES[name](truth, pred, count))


@pytest.mark.parametrize("matching", ["nearest", "one_to_one"])
@given(scenes(), st.integers(1, 5))
def test_an_ignored_margin_changes_no_boundary(matching, case, margin):
    truth, pred, count = case
    found = []
    for pixels in (0, margin):
        one, other = np.pad(truth, pixels, constant_values=IGNORED), np.pad(pred, pixels)
        tolerance = 1.5 / np.hypot(*one.shape)
        if tolerance < 1:
            options = {"tolerance": tolerance, "matching": matching}
            found.append(boundary_f1(one, other, count, IGNORED, **options))
    if len(found) == 2:
        assert_equal(*found)


@pytest.mark.parametrize("name", SCORES)
@given(st.data())
def test_classes_may_be_renumbered(name, data):
    truth, pred, count = data.draw(scenes((3, 5)))
    order = np.append(0, 1 + np.random.default_rng(0).permutation(count - 1))  # 0: background
    table = np.arange(256)
    table[:count] = order
    expected, found = (
        SCORES[name](truth, pred, count),
        SCORES[name](table[truth], table[pred], count),
    )
    if name in ("confusion_matrix", "trimap_confusion"):
        np.testing.assert_array_equal(found[order][:, order], expected)
    elif name.startswith("object_scores"):
        np.testing.assert_array_equal(found.found[:, order], expected.found)
        np.testing.assert_array_equal(found.invented[:, order], expected.invented)
    elif name == "surface_distances":
        assert_equal(tuple(part[:, order] for part in found), tuple(expected))
    elif name == "trimap_accuracy":
        assert_equal(found, expected)
    else:
        assert_equal(found.mean, expected.mean)


@pytest.mark.parametrize("name", ALL_SCORES)
def test_where_nothing_counts_there_is_no_error_and_no_score_above_0(name):
    found = ALL_SCORES[name](np.full((5, 6), IGNORED), np.zeros((5, 6), int), 2)
    parts = found if isinstance(found, tuple) else (found,)
    for part in parts[1:] if name.startswith("object_scores") else parts:  # not the thresholds
        assert not np.nan_to_num(part).any()


@pytest.mark.parametrize("name", ALL_SCORES)
def test_tensors_are_taken_and_symbols_refused(name):
    tf = pytest.importorskip("tensorflow")
    mask = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1]])
    expected = ALL_SCORES[name](mask, mask.T, 2)
    assert_equal(ALL_SCORES[name](tf.constant(mask), tf.constant(mask.T), 2), expected)
    with pytest.raises(TypeError, match="received a symbolic tensor; inside a compiled function"):
        tf.function(lambda ids: ALL_SCORES[name](ids, ids, 2))(tf.constant(mask))


@pytest.mark.parametrize("name", ALL_SCORES)
@pytest.mark.parametrize(
    ("mask", "pred", "message"),
    [
        ([[0, 1]], [[0, 1], [1, 0]], r"one shape, received \(1, 2\) and \(2, 2\)"),
        ([[0, 7]], [[0, 1]], r"mask has ids \[7\] outside 0..1 and the ignored 255"),
        ([[0, 1]], [[0, -1]], r"pred has ids \[-1\] outside 0..1"),
        ([[0, 0.5]], [[0, 1]], "mask must hold whole class ids"),
    ],
)
def test_what_cannot_be_scored_is_named(name, mask, pred, message):
    with pytest.raises(ValueError, match=message):
        ALL_SCORES[name](mask, pred, 2)


@pytest.mark.parametrize("name", [name for name in ALL_SCORES if name != "confusion_matrix"])
@pytest.mark.parametrize("shape", [(4,), (0, 3), (1, 2, 3, 4)])
def test_shapes_need_a_picture(name, shape):
    with pytest.raises(ValueError, match=r"shape \(height, width\)"):
        ALL_SCORES[name](np.zeros(shape, int), np.zeros(shape, int), 2)
