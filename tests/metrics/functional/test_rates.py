"""scores: every score of one matrix, its laws and what other libraries find."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from semseg.metrics.functional import confusion_matrix, scores

PER_CLASS = ("iou", "dice", "precision", "recall")
FOR_ALL = (
    "mean_iou",
    "mean_dice",
    "mean_precision",
    "mean_accuracy",
    "pixel_accuracy",
    "frequency_weighted_iou",
    "kappa",
    "mcc",
)


@st.composite
def masks(draw, shape=(3, 4, 5)):
    """Truth, a prediction that is often right, the number of classes; some may be absent."""
    count = draw(st.sampled_from([2, 3, 11]))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    used = rng.choice(count, rng.integers(1, count + 1), replace=False)
    truth, pred = rng.choice(used, (2, *shape))
    return truth, np.where(rng.random(shape) < 0.5, truth, pred), count


def matrices():
    return masks().map(lambda case: confusion_matrix(*case))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@given(masks(), st.booleans())
def test_scikit_learn_finds_the_same(case, weighted):
    truth, pred, count = case
    weights = np.random.default_rng(0).random(truth.shape) if weighted else None
    found = scores(confusion_matrix(*case, sample_weight=weights), absent="zero")
    flat = (truth.ravel(), pred.ravel())
    given = {"sample_weight": None if weights is None else weights.ravel()}
    per_class = {"labels": range(count), "average": None, "zero_division": 0, **given}
    for name, function in (
        ("iou", sklearn.metrics.jaccard_score),
        ("dice", sklearn.metrics.f1_score),
        ("precision", sklearn.metrics.precision_score),
        ("recall", sklearn.metrics.recall_score),
    ):
        np.testing.assert_allclose(getattr(found, name), function(*flat, **per_class))
    accuracy = sklearn.metrics.accuracy_score(*flat, **given)
    assert found.pixel_accuracy == pytest.approx(accuracy)
    if len(np.unique(truth)) > 1 and len(np.unique(pred)) > 1:
        kappa = sklearn.metrics.cohen_kappa_score(*flat, **given)
        assert found.kappa == pytest.approx(kappa)
        assert found.mcc == pytest.approx(sklearn.metrics.matthews_corrcoef(*flat, **given))


@given(masks())
def test_torchmetrics_finds_the_same(case):
    torchmetrics = pytest.importorskip("torchmetrics")
    import torch

    truth, pred, count = (torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in case)
    found = scores(confusion_matrix(*case), absent="zero")
    jaccard = torchmetrics.functional.jaccard_index
    theirs = jaccard(pred, truth, "multiclass", num_classes=count, average="none")
    np.testing.assert_allclose(found.iou, theirs, rtol=1e-6)


@given(masks())
def test_segmentation_models_pytorch_finds_the_same(case):
    smp = pytest.importorskip("segmentation_models_pytorch")
    import torch

    truth, pred, count = (torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in case)
    stats = smp.metrics.get_stats(pred, truth, mode="multiclass", num_classes=count)
    theirs = [s.sum(0).numpy() for s in stats]
    confusion = confusion_matrix(*case)
    np.testing.assert_array_equal(np.diag(confusion), theirs[0])
    np.testing.assert_array_equal(confusion.sum(0) - np.diag(confusion), theirs[1])


@given(masks(), st.integers(0, 2**31))
def test_renaming_classes_renames_scores(case, seed):
    truth, pred, count = case
    names = np.random.default_rng(seed).permutation(count)
    before = scores(confusion_matrix(*case))
    after = scores(confusion_matrix(names[truth], names[pred], count))
    for key in PER_CLASS:
        np.testing.assert_array_equal(getattr(after, key)[names], getattr(before, key))
    for key in FOR_ALL:
        assert getattr(after, key) == pytest.approx(getattr(before, key), nan_ok=True)
    assert set(after.absent) == {names[c] for c in before.absent}


@given(masks(), st.sampled_from(["skip", "one"]))
def test_a_perfect_prediction_has_only_ones(case, absent):
    truth, _, count = case
    found = scores(confusion_matrix(truth, truth, count), absent=absent)
    values = [getattr(found, key) for key in FOR_ALL[:6]] + [found.iou[truth.ravel()]]
    assert all(np.all(value == 1) for value in values)
    if len(np.unique(truth)) > 1:
        assert found.kappa == found.mcc == 1


def identities(found, confusion):
    np.testing.assert_allclose(found.dice, 2 * found.iou / (1 + found.iou))
    assert np.nanmax(found.iou - found.dice) <= 0
    truth = confusion.sum(axis=1) / confusion.sum()
    assert found.pixel_accuracy == pytest.approx(np.nansum(truth * found.recall))
    assert found.frequency_weighted_iou == pytest.approx(np.nansum(truth * found.iou))
    harmonic = 2 / (1 / found.precision + 1 / found.recall)
    both = found.iou > 0
    np.testing.assert_allclose(found.dice[both], harmonic[both])


@pytest.mark.filterwarnings("ignore:divide by zero")
@given(matrices())
def test_scores_are_tied_to_each_other(confusion):
    identities(scores(confusion), confusion)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_union_without_the_intersection_taken_off_is_noticed():
    confusion = np.array([[6, 2], [0, 2]])
    found = scores(confusion)
    wrong = np.diag(confusion) / (confusion.sum(0) + confusion.sum(1))
    with pytest.raises(AssertionError):
        identities(found._replace(iou=wrong), confusion)


@given(masks(), st.integers(0, 2**31))
def test_no_wrong_label_raises_a_score_of_a_perfect_prediction(case, seed):
    truth, _, count = case
    rng = np.random.default_rng(seed)
    pred = np.where(rng.random(truth.shape) < 0.3, rng.integers(0, count, truth.shape), truth)
    found = scores(confusion_matrix(truth, pred, count))
    for key in FOR_ALL:
        assert np.isnan(getattr(found, key)) or getattr(found, key) <= 1
    if (pred != truth).any():
        assert found.mean_iou < 1 and found.pixel_accuracy < 1 and found.mean_dice < 1


def test_absent_classes_are_what_was_asked_for():
    confusion = [[3, 1, 0], [0, 0, 0], [0, 0, 0]]
    by_policy = {absent: scores(confusion, absent=absent) for absent in ("skip", "zero", "one")}
    assert all(found.absent == (2,) for found in by_policy.values())
    assert by_policy["skip"].iou.tolist()[:2] == [0.75, 0.0] and np.isnan(by_policy["skip"].iou[2])
    assert by_policy["skip"].mean_iou == 0.75 / 2
    assert by_policy["zero"].mean_iou == 0.75 / 3
    assert by_policy["one"].mean_iou == 1.75 / 3
    # Class 1 is not absent, but has no true pixel to be found.
    assert [found.mean_accuracy for found in by_policy.values()] == [0.75, 0.75 / 3, 2.75 / 3]


def test_the_mean_over_images_is_not_the_value_of_the_set():
    truth = np.array([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    pred = np.array([[[0, 0, 0, 0]], [[1, 1, 1, 1]]])
    each = confusion_matrix(truth, pred, 2, per_image=True)
    of_set, over_images = scores(each.sum(axis=0)), scores(each, per_image=True)
    assert of_set.mean_iou == (3 / 4 + 4 / 5) / 2
    assert over_images.mean_iou == ((3 / 4 + 0) / 2 + 1) / 2


@given(masks())
def test_scores_of_images_are_meaned_over_those_that_have_them(case):
    truth, pred, count = case
    each = confusion_matrix(truth, pred, count, per_image=True)
    np.testing.assert_array_equal(each.sum(axis=0), confusion_matrix(*case))
    found, alone = scores(each, per_image=True), [scores(one) for one in each]
    for key in (*PER_CLASS, *FOR_ALL):
        values = np.array([getattr(one, key) for one in alone])
        present = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            expected = np.where(present, values, 0).sum(0) / present.sum(0)
        np.testing.assert_allclose(getattr(found, key), expected)


def test_kappa_and_mcc_have_no_value_without_chance_or_with_invalid_pixels():
    one_class = scores([[5, 0], [0, 0]])
    assert np.isnan(one_class.kappa) and np.isnan(one_class.mcc)
    invalid = scores([[5, 1], [1, 5]], invalid=1)
    assert np.isnan(invalid.kappa) and np.isnan(invalid.mcc)
    assert invalid.pixel_accuracy == 10 / 13


@pytest.mark.parametrize(
    ("confusion", "arguments", "message"),
    [
        (np.zeros((2, 3)), {}, r"confusion must have shape \(C, C\), received \(2, 3\)"),
        (np.zeros((4, 2, 2)), {}, r"must have shape \(C, C\), received \(4, 2, 2\)"),
        (
            np.eye(2),
            {"per_image": True},
            r"\(images, C, C\) with per_image=True, received",
        ),
        (np.eye(2), {"absent": "nan"}, 'absent must be "skip", "zero" or "one", received \'nan\''),
    ],
)
def test_what_has_no_scores_is_refused(confusion, arguments, message):
    with pytest.raises(ValueError, match=message):
        scores(confusion, **arguments)
