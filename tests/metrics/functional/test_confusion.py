"""The functional core: ids -> confusion matrix -> scores, in NumPy."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics.functional import class_iou, confusion_matrix, pixel_accuracy


@st.composite
def masks(draw):
    """Truth and prediction of one shape, and the number of classes."""
    num_classes = draw(st.sampled_from([2, 3, 11]))
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return *rng.integers(0, num_classes, (2, *shape)), num_classes


@given(masks())
def test_the_matrix_is_that_of_scikit_learn(case):
    truth, pred, num_classes = case
    expected = sklearn.metrics.confusion_matrix(
        truth.ravel(), pred.ravel(), labels=range(num_classes)
    )
    found = confusion_matrix(truth, pred, num_classes)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@given(masks())
def test_the_scores_are_those_of_scikit_learn(case):
    truth, pred, num_classes = case
    confusion = confusion_matrix(truth, pred, num_classes)
    present = np.union1d(truth, pred)
    expected = sklearn.metrics.jaccard_score(
        truth.ravel(), pred.ravel(), labels=present, average=None
    )
    iou = class_iou(confusion)
    np.testing.assert_allclose(iou[present], expected)
    assert np.isnan(np.delete(iou, present)).all()
    expected = sklearn.metrics.accuracy_score(truth.ravel(), pred.ravel())
    assert pixel_accuracy(confusion) == pytest.approx(expected)


@given(masks(), st.integers(0, 2**31))
def test_ignored_pixels_are_deleted_pixels_whatever_was_predicted_there(case, seed):
    truth, pred, num_classes = case
    kept = np.random.default_rng(seed).random(truth.shape) < 0.6
    masked = np.where(kept, truth, 255)
    anything = np.where(kept, pred, 77)
    np.testing.assert_array_equal(
        confusion_matrix(masked, anything, num_classes, ignore_class=255),
        confusion_matrix(truth[kept], pred[kept], num_classes),
    )


@given(masks(), st.integers(0, 2**31))
def test_weights_are_what_a_pixel_counts(case, seed):
    truth, pred, num_classes = case
    weights = np.random.default_rng(seed).random(truth.shape)
    found = confusion_matrix(truth, pred, num_classes, sample_weight=weights)
    assert found.dtype == np.float64
    for cell in np.ndindex(found.shape):
        here = (truth == cell[0]) & (pred == cell[1])
        assert found[cell] == pytest.approx(weights[here].sum())
    whole = np.random.default_rng(seed).integers(0, 3, truth.shape[:1])
    spread = np.broadcast_to(whole.reshape(-1, *[1] * (truth.ndim - 1)), truth.shape)
    np.testing.assert_array_equal(
        confusion_matrix(truth, pred, num_classes, sample_weight=whole),
        confusion_matrix(truth, pred, num_classes, sample_weight=spread),
    )


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf, 2**20])
def test_a_weight_that_is_no_weight_is_refused_where_it_counts(bad):
    with pytest.raises(ValueError, match=r"must lie in \[0, 2\*\*20\), received .* \(1 pixels\)"):
        confusion_matrix([0, 1], [0, 1], 2, sample_weight=[1, bad])
    found = confusion_matrix([0, 255], [0, 1], 2, 255, sample_weight=[1, bad])
    assert found.tolist() == [[1, 0], [0, 0]]


def test_weights_and_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"the mask's shape \(2,\) or its first axes, .* \(3,\)"):
        confusion_matrix([0, 1], [0, 1], 2, sample_weight=[1, 2, 3])
    with pytest.raises(ValueError, match="must have a first axis of images for per_image=True"):
        confusion_matrix([0, 1], [0, 1], 2, per_image=True)


@given(masks(), masks())
def test_matrices_of_parts_add_up(one, other):
    num_classes = max(one[2], other[2])
    parts = [confusion_matrix(t, p, num_classes) for t, p, _ in (one, other)]
    whole = confusion_matrix(
        np.concatenate([one[0].ravel(), other[0].ravel()]),
        np.concatenate([one[1].ravel(), other[1].ravel()]),
        num_classes,
    )
    np.testing.assert_array_equal(sum(parts), whole)


@given(masks())
def test_swapping_truth_and_prediction_transposes_the_matrix_and_keeps_iou(case):
    truth, pred, num_classes = case
    confusion = confusion_matrix(truth, pred, num_classes)
    np.testing.assert_array_equal(confusion_matrix(pred, truth, num_classes), confusion.T)
    np.testing.assert_array_equal(class_iou(confusion.T), class_iou(confusion))


@given(masks())
def test_a_prediction_equal_to_the_truth_is_perfect(case):
    truth, _, num_classes = case
    confusion = confusion_matrix(truth, truth, num_classes)
    assert set(class_iou(confusion)[np.unique(truth)]) == {1.0}
    assert pixel_accuracy(confusion) == 1.0


@given(masks(), st.integers(1, 1000))
def test_invalid_pixels_stand_in_every_union(case, invalid):
    truth, pred, num_classes = case
    confusion = confusion_matrix(truth, pred, num_classes)
    intersection = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - intersection + invalid
    np.testing.assert_array_equal(class_iou(confusion, invalid), intersection / union)
    expected = intersection.sum() / (truth.size + invalid)
    assert pixel_accuracy(confusion, invalid) == expected


def test_counts_beyond_2_to_the_31_stay_whole():
    confusion = np.array([[2**40 + 1, 0], [0, 1]], np.int64)
    assert class_iou(confusion).tolist() == [1.0, 1.0]


def test_an_empty_set_has_no_accuracy():
    assert np.isnan(pixel_accuracy(np.zeros((2, 2), int)))
    assert np.isnan(class_iou(np.zeros((2, 2), int))).all()


def test_one_class_means_binary():
    assert confusion_matrix([0, 1, 1], [0, 1, 0], 1).tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int64", "uint64", "float32"])
def test_ids_of_any_number_type_are_taken(dtype):
    ids = np.array([0, 1, 1], dtype)
    for other in (ids, ids.astype(np.uint8), ids.astype(np.uint64)):
        assert confusion_matrix(ids, other, 2).tolist() == [[1, 0], [0, 2]]


def test_tensors_are_taken_too():
    tf = pytest.importorskip("tensorflow")
    assert confusion_matrix(tf.constant([0, 1]), tf.constant([0, 1]), 2).tolist() == [
        [1, 0],
        [0, 1],
    ]
    with pytest.raises(TypeError, match="received a symbolic tensor; inside a compiled function"):
        tf.function(lambda ids: confusion_matrix(ids, ids, 2))(tf.constant([0, 1]))


@pytest.mark.parametrize(
    ("mask", "pred", "arguments", "message"),
    [
        ([0, 1], [0], {}, r"one shape, received \(2,\) and \(1,\); logits become ids"),
        ([0, 3], [0, 0], {}, r"mask has ids \[3\] outside 0..2 \(1 pixels of id 3, 1 in all\)"),
        ([0, 0], [0, 7], {}, r"pred has ids \[7\] outside 0..2"),
        ([0, -1], [0, 0], {}, r"mask has ids \[-1\] outside"),
        ([0, 255], [0, 0], {"num_classes": 2}, r"remap=\{255: 1\}"),
        ([0.5, 1], [0, 0], {}, "mask must hold whole class ids, received float64 with fractions"),
        ([0, 1], [0.5, 0], {}, "pred must hold whole class ids, received float64"),
        ([0, 1], [0, 0], {"ignore_class": 1}, "ignore_class must lie outside 0..2, received 1"),
        ([0, 1], [0, 0], {"num_classes": 0}, "num_classes must be >= 1, received 0"),
    ],
)
def test_what_cannot_be_counted_is_named(mask, pred, arguments, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(mask, pred, **{"num_classes": 3, **arguments})


@pytest.mark.parametrize("function", [class_iou, pixel_accuracy])
def test_a_confusion_matrix_is_square(function):
    with pytest.raises(ValueError, match=r"confusion must have shape \(C, C\), received \(2, 3\)"):
        function(np.zeros((2, 3)))
