"""Rand and information scores: pairs of pixels and bits, counted slowly and by others."""

from itertools import combinations

import numpy as np
import pytest
import sklearn.metrics
import sklearn.metrics.cluster
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, scenes

from semseg.metrics.functional import (
    adapted_rand_error,
    isbi_scores,
    variation_of_information,
)
from semseg.regions import components, thin_borders

SIDES = st.integers(1, 6)


@st.composite
def clusterings(draw):
    """Two numberings of one shape, 0 among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    shape = draw(SIDES), draw(SIDES)
    truth = rng.integers(0, draw(st.integers(1, 4)), shape)
    return truth, np.where(rng.random(shape) < 0.6, truth, rng.integers(0, 4, shape))


def slow_rand(truth, pred):
    """By looking at every pair of pixels."""
    pairs = list(combinations(zip(truth.tolist(), pred.tolist(), strict=True), 2))
    true = sum(a[0] == b[0] for a, b in pairs)
    guessed = sum(a[1] == b[1] for a, b in pairs)
    both = sum(a == b for a, b in pairs)
    error = 1 - 2 * both / (true + guessed) if true + guessed else np.nan
    return error, both / guessed if guessed else np.nan, both / true if true else np.nan


def slow_entropy(labels):
    shares = [labels.count(name) / len(labels) for name in set(labels)]
    return -sum(share * np.log2(share) for share in shares)


@given(clusterings())
def test_adapted_rand_error_counts_pairs(case):
    truth, pred = case
    expected = slow_rand(truth[truth != 0], pred[truth != 0])
    np.testing.assert_allclose(adapted_rand_error(truth, pred), expected)
    expected = slow_rand(truth.ravel(), pred.ravel())
    np.testing.assert_allclose(adapted_rand_error(truth, pred, ignored=None), expected)


@given(clusterings())
def test_adapted_rand_error_is_made_of_scikit_learns_pairs(case):
    truth, pred = (labels.ravel() for labels in case)
    pairs = sklearn.metrics.cluster.pair_confusion_matrix(truth, pred)
    found = adapted_rand_error(truth, pred, ignored=None)
    if pairs[1, 1]:
        assert found.recall == pytest.approx(pairs[1, 1] / pairs[1].sum())
        assert found.precision == pytest.approx(pairs[1, 1] / pairs[:, 1].sum())


@given(clusterings())
def test_variation_of_information_is_what_the_entropies_leave(case):
    truth, pred = (labels.ravel().tolist() for labels in case)
    both = slow_entropy(list(zip(truth, pred, strict=True)))
    splits, merges = both - slow_entropy(truth), both - slow_entropy(pred)
    found = variation_of_information(*case)
    np.testing.assert_allclose(found, (splits + merges, splits, merges), atol=1e-12)
    shared = sklearn.metrics.mutual_info_score(truth, pred) / np.log(2)
    expected = slow_entropy(truth) + slow_entropy(pred) - 2 * shared
    assert found.total == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
@given(clusterings())
def test_scikit_image_finds_the_same(case):
    """What scikit-image 0.26 returns as precision is what it documents as recall, and back."""
    skimage = pytest.importorskip("skimage.metrics")
    truth, pred = case
    for ignored in (0, None):
        names = () if ignored is None else (ignored,)
        if not (truth != ignored).any():
            continue
        error, recall, precision = skimage.adapted_rand_error(truth, pred, ignore_labels=names)
        found = adapted_rand_error(truth, pred, ignored=ignored)
        np.testing.assert_allclose(found, (error, precision, recall))
        bits = skimage.variation_of_information(truth, pred, ignore_labels=names)
        found = variation_of_information(truth, pred, ignored=ignored)
        np.testing.assert_allclose(found[1:], bits, atol=1e-12)


@given(clusterings())
def test_names_of_segments_mean_nothing_and_swapping_swaps_the_parts(case):
    truth, pred = case
    renamed = np.array([70, -5, 2**40, 0])[pred]
    options = {"ignored": None}
    error = adapted_rand_error(truth, pred, **options)
    np.testing.assert_array_equal(error, adapted_rand_error(truth, renamed, **options))
    np.testing.assert_array_equal(
        error, np.array(adapted_rand_error(pred, truth, **options))[[0, 2, 1]]
    )
    bits = variation_of_information(truth, pred)
    np.testing.assert_allclose(bits, variation_of_information(truth, renamed), atol=1e-12)
    swapped = np.array(variation_of_information(pred, truth))[[0, 2, 1]]
    np.testing.assert_allclose(bits, swapped, atol=1e-12)


@given(clusterings(), st.integers(0, 2**31))
def test_ignored_pixels_are_deleted_pixels(case, seed):
    truth, pred = case
    kept = np.random.default_rng(seed).random(truth.shape) < 0.6
    masked, anything = np.where(kept, truth, IGNORED), np.where(kept, pred, 77)
    for score, rest in (
        (adapted_rand_error, {"ignored": None}),
        (variation_of_information, {}),
    ):
        np.testing.assert_allclose(
            score(masked, anything, ignored=IGNORED), score(truth[kept], pred[kept], **rest)
        )


def test_splits_and_merges_are_told_apart():
    one, two = np.ones((4, 4), int), np.repeat([[1, 1, 2, 2]], 4, axis=0)
    assert adapted_rand_error(one, two)[1:] == (1.0, 7 / 15)
    assert adapted_rand_error(two, one)[1:] == (7 / 15, 1.0)
    assert variation_of_information(one, two)[1:] == (1.0, 0.0)
    scores = isbi_scores(*[np.pad(m, 1) for m in (one, one)])
    assert scores == (1,) * 6


def slow_isbi(truth, pred, thinned):
    """The challenge's script, with its names: p_ij, a_i, b_j and the pixels of no segment."""
    valid = truth != IGNORED
    segments = components((truth == 1) & valid, 4)
    pred_segments = components((pred == 1) & valid, 4)
    if thinned:
        pred_segments = thin_borders(pred_segments)
    kept = segments > 0
    total = kept.sum()
    if not total:
        return None
    p = np.zeros((segments.max() + 1, pred_segments.max() + 1))
    np.add.at(p, (segments[kept], pred_segments[kept]), 1 / total)
    nowhere, p = p[:, 0].sum(), p[:, 1:]
    a = np.bincount(segments[kept]) / total
    b = p.sum(0)
    both, true = (p**2).sum() + nowhere / total, (a**2).sum()
    guessed = (b**2).sum() + nowhere / total

    def xlogx(x):
        return (x[x > 0] * np.log(x[x > 0])).sum()

    alone = nowhere * np.log(total)
    true_entropy, entropy = -xlogx(a), -(xlogx(b) - alone)
    shared = true_entropy + entropy + xlogx(p) - alone
    return both, true, guessed, shared, true_entropy, entropy


@given(scenes(num_classes=(2,), side=(1, 12)), st.booleans())
def test_isbi_scores_are_those_of_the_challenges_script(case, thinned):
    truth, pred, _ = case
    found = isbi_scores(truth, pred, IGNORED, thinned=thinned)
    expected = slow_isbi(truth, pred, thinned)
    if expected is None:
        assert np.isnan(found).all()
        return
    both, true, guessed, shared, true_entropy, entropy = expected
    assert found.rand_splits == pytest.approx(both / true)
    assert found.rand_merges == pytest.approx(both / guessed)
    assert found.rand == pytest.approx(2 * both / (true + guessed))
    if entropy > 1e-9:
        assert found.info_splits == pytest.approx(shared / entropy, abs=1e-9)
    if true_entropy > 1e-9:
        assert found.info_merges == pytest.approx(shared / true_entropy, abs=1e-9)
    if entropy + true_entropy > 1e-9:
        assert found.info == pytest.approx(2 * shared / (entropy + true_entropy), abs=1e-9)
    assert all(0 <= score <= 1 for score in found)


def membranes(width):
    """Two cells with a border of `width` columns between them."""
    mask = np.ones((16, 33), int)
    mask[:, 16 - width // 2 : 17 + width // 2] = 0
    return mask


def test_after_thinning_the_width_of_a_border_does_not_count():
    truth = membranes(1)
    for width in (3, 5, 7):
        assert isbi_scores(truth, membranes(width)).rand == 1
        assert isbi_scores(truth, membranes(width), thinned=False).rand < 1


def test_a_gap_in_a_border_merges_two_objects():
    truth = membranes(3)
    pred = truth.copy()
    pred[7] = 1
    scores = isbi_scores(truth, pred)
    assert scores.rand_splits == 1 and scores.rand_merges == pytest.approx(0.5, abs=0.02)
    assert scores.info_merges == 0 and scores.info == 0


def test_a_prediction_of_borders_alone_makes_every_pixel_an_object():
    scores = isbi_scores(membranes(1), np.zeros((16, 33), int))
    pixels = 16 * 32
    assert scores.rand_merges == 1 and scores.rand_splits == pytest.approx(2 / pixels)
    assert scores.info_merges == 1 and scores.info_splits == pytest.approx(1 / np.log2(pixels))


def test_the_best_over_thresholds_is_taken_as_the_docstring_says():
    truth = membranes(1)
    probability = np.where(truth == 1, 0.9, 0.35)
    best = max(isbi_scores(truth, probability > t).rand for t in np.linspace(0, 0.9, 10))
    assert best == 1 and isbi_scores(truth, probability > 0.2).rand < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adapted_rand_error([1, 2], [1]), r"one shape, received \(2,\) and \(1,\)"),
        (lambda: variation_of_information([0.5], [1]), "segments must hold whole class ids"),
        (lambda: isbi_scores([[[0]]], [[[0]]]), "scores of a stack are the mean"),
        (lambda: isbi_scores([[2]], [[0]]), r"mask has ids \[2\] outside 0..1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
