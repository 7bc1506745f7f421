"""panoptic_quality: as the paper defines it, as torchmetrics counts it, and lawful."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_scenes import IGNORED, blobs, scenes

from semseg.metrics.functional import panoptic_quality
from semseg.metrics.functional.panoptic import PanopticScores

COUNTS = PanopticScores._fields


@st.composite
def panoptic_scenes(draw):
    """True and predicted classes and instance numbers, the number of classes, stuff."""
    truth, pred, count = draw(scenes())
    seed = draw(st.integers(0, 999))
    instances, found = (blobs(seed + k, truth.shape, 3, size=4) for k in (0, draw(st.booleans())))
    return truth, instances, pred, found, count, draw(st.sampled_from([(), (0,), (0, 1)]))


def slow_segments(ids, instances, stuff):
    """(class, number) -> set of places."""
    found = {}
    for place in np.ndindex(ids.shape):
        class_id = int(ids[place])
        key = class_id, None if class_id in stuff else int(instances[place])
        found.setdefault(key, set()).add(place)
    return found


def slow_quality(truth, instances, pred, pred_instances, count, stuff):
    """Section 4.1 of the paper, by sets of places."""
    void = {tuple(place) for place in np.argwhere(truth == IGNORED)}
    true = slow_segments(truth, instances, stuff)
    guessed = slow_segments(pred, pred_instances, stuff)
    counts = {key: np.zeros(count) for key in COUNTS}
    for class_id in range(count):
        ours = [s for key, s in true.items() if key[0] == class_id]
        theirs = [s for key, s in guessed.items() if key[0] == class_id]
        partners = set()
        for one in ours:
            shares = [len(one & other) / len(one | (other - void)) for other in theirs]
            best = int(np.argmax(shares)) if shares else 0
            if shares and shares[best] > 0.5:
                partners.add(best)
                counts["iou_sum"][class_id] += shares[best]
        counts["found"][class_id] = len(partners)
        counts["missed"][class_id] = len(ours) - len(partners)
        counts["invented"][class_id] = sum(
            k not in partners and len(other & void) <= len(other) / 2
            for k, other in enumerate(theirs)
        )
    return counts


@given(panoptic_scenes())
def test_counts_are_those_of_sets_of_places(case):
    *maps, count, stuff = case
    found = panoptic_quality(*maps, count, IGNORED, stuff=stuff)
    expected = slow_quality(*case)
    for key in COUNTS:
        np.testing.assert_allclose(getattr(found, key), expected[key])
    np.testing.assert_allclose(found.pq, found.rq * np.nan_to_num(found.sq))


@settings(max_examples=20)
@given(panoptic_scenes())
def test_torchmetrics_finds_the_same(case):
    detection = pytest.importorskip("torchmetrics.functional.detection")
    import torch

    truth, instances, pred, pred_instances, count, stuff = case
    found = panoptic_quality(*case[:4], count, IGNORED, stuff=stuff)
    theirs = detection.panoptic_quality(
        torch.from_numpy(np.stack([pred, pred_instances], -1))[None],
        torch.from_numpy(np.stack([truth, instances], -1))[None],
        things=set(range(count)) - set(stuff),
        stuffs=set(stuff),
        return_sq_and_rq=True,
        return_per_class=True,
    ).numpy()
    order = [c for c in range(count) if c not in stuff] + list(stuff)
    ours = np.stack([found.pq, found.sq, found.rq], -1)[order]
    np.testing.assert_allclose(np.nan_to_num(ours), np.nan_to_num(theirs), rtol=1e-6)


@given(panoptic_scenes())
def test_numbers_of_instances_mean_nothing(case):
    truth, instances, pred, pred_instances, count, stuff = case
    expected = panoptic_quality(*case[:4], count, IGNORED, stuff=stuff)
    names = np.array([2**40, -3, 0])
    renamed = truth, names[instances], pred, (7 - pred_instances).astype(np.uint8)
    np.testing.assert_array_equal(expected, panoptic_quality(*renamed, count, IGNORED, stuff=stuff))


@given(panoptic_scenes())
def test_the_truth_itself_is_perfect_and_counts_of_a_batch_are_sums(case):
    truth, instances, *_, count, stuff = case
    options = {"num_classes": count, "ignore_class": IGNORED, "stuff": stuff}
    perfect = panoptic_quality(truth, instances, truth % IGNORED, instances, **options)
    assert not perfect.missed.any()
    np.testing.assert_array_equal(perfect.sq[perfect.found > 0], 1)
    others = truth, instances, truth * 0, instances
    batch = [np.stack(pair) for pair in zip(case[:4], others, strict=True)]
    parts = [panoptic_quality(*(ids[k] for ids in batch), **options) for k in range(2)]
    np.testing.assert_allclose(panoptic_quality(*batch, **options), np.add(*parts))


def test_a_segment_in_the_void_is_not_invented():
    truth = np.array([[IGNORED, IGNORED, IGNORED, 0, 0, 0]])
    for inside, invented in ((3, 0), (2, 0), (1, 1)):
        pred = np.zeros_like(truth)
        pred[0, 3 - inside : 5 - inside + (inside == 3)] = 1
        found = panoptic_quality(truth, truth, pred, pred, 2, IGNORED)
        assert found.invented[1] == invented, inside


def test_what_is_no_class_in_the_void_counts_nowhere():
    truth = np.array([[IGNORED, IGNORED, 1, 1, 0]])
    pred = np.array([[2**62, -1, 1, 1, 0]])
    found = panoptic_quality(truth, truth, pred, truth, 2, IGNORED)
    assert found.found.tolist() == [1, 1] and not (found.missed + found.invented).any()


def test_two_merged_are_both_missed_and_a_class_that_is_nowhere_has_no_score():
    mask, instances = np.ones((2, 4), int), np.array([[1, 1, 2, 2]] * 2)
    found = panoptic_quality(mask, instances, mask, mask, 3)
    assert (found.found[1], found.missed[1], found.invented[1]) == (0, 2, 1)
    assert found.mean == found.pq[1] == 0 and np.isnan(found.sq[1]) and np.isnan(found.pq[2])
    merged_stuff = panoptic_quality(mask, instances, mask, mask, 3, stuff=[1])
    assert merged_stuff.mean == 1


IDS = np.zeros((2, 3), int)


@pytest.mark.parametrize(
    ("maps", "options", "error", "message"),
    [
        (
            (IDS, IDS[:1], IDS, IDS),
            {},
            ValueError,
            r"instances must have the mask's shape \(2, 3\)",
        ),
        ((IDS, IDS, IDS, IDS[0]), {}, ValueError, "pred_instances must have the mask's shape"),
        ((IDS, IDS + 0.5, IDS, IDS), {}, ValueError, "instances must hold whole"),
        ((IDS + 5, IDS, IDS, IDS), {}, ValueError, r"mask has ids \[5\] outside 0..1"),
        ((IDS[0],) * 4, {}, ValueError, r"shape \(height, width\)"),
        ((IDS,) * 4, {"stuff": [2]}, ValueError, r"stuff must be classes in 0..1, received \[2\]"),
    ],
)
def test_what_cannot_be_scored_is_named(maps, options, error, message):
    with pytest.raises(error, match=message):
        panoptic_quality(*maps, 2, **options)
