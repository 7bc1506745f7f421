"""MixUp: a loss of its shares is the mixture of the losses of the two masks, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg
from semseg.data.transforms import MixUp

IGNORED = 255
seeds = st.integers(0, 2**32 - 1)
OPTIONS = st.tuples(st.sampled_from([2, 5]), st.booleans(), st.booleans())


def batch(seed, num_classes, has_ignored, count=3, size=(5, 6)):
    """Images whose value is their number in the batch, masks and weights at random."""
    rng = np.random.default_rng(seed)
    ids = [*range(num_classes)] + ([IGNORED] if has_ignored else [])
    masks = rng.choice(ids, (count, *size)).astype(np.uint8)
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], masks.shape).astype(np.float32)
    images = np.broadcast_to(np.arange(count, dtype=np.float64)[:, None, None, None], (3, 5, 6, 1))
    return images, masks, weights


def own_shares(images, mixed, place):
    """(partner, share of its own) of a mixed picture, told by its pixels: a mean of two numbers.

    The numbers are 0, 1 and 2, so there may be two explanations; all are given.
    """
    value = float(mixed[place].flat[0])
    found = []
    for partner in {0, 1, 2} - {place}:
        own = (value - partner) / (place - partner)
        if -1e-9 <= own <= 1 + 1e-9:
            found.append((partner, own))
    return found


def weights_of(masks, weights):
    return np.where(masks == IGNORED, 0, np.ones(masks.shape) if weights is None else weights)


@given(seed=seeds, options=OPTIONS)
def test_the_crossentropy_is_the_mixture_of_both_pixel_by_pixel(seed, options):
    num_classes, has_ignored, has_weights = options
    images, masks, weights = batch(seed, num_classes, has_ignored)
    weights = weights if has_weights else None
    ignored = IGNORED if has_ignored else None
    mixup = MixUp(1.0, num_classes=num_classes, ignore_class=ignored)
    mixed, shares, *rest = mixup(images, masks, np.random.default_rng(seed), weights)
    assert len(rest) == int(has_ignored or has_weights)
    kept = rest[0] if rest else np.ones(masks.shape)
    logs = np.random.default_rng(1).normal(size=(*masks.shape, num_classes))
    loss = -(shares * logs).sum(-1) * kept

    def loss_of(place):
        ids = np.where(masks[place] == IGNORED, 0, masks[place]).astype(int)
        return -np.take_along_axis(logs[at], ids[..., None], -1)[..., 0] * one[place]

    one = weights_of(masks, weights)
    for at in range(3):
        expected = [
            own * loss_of(at) + (1 - own) * loss_of(partner)
            for partner, own in own_shares(images, mixed, at)
        ]
        assert any(np.allclose(loss[at], e, atol=1e-5) for e in expected)
    total = shares.sum(-1)
    assert np.all((np.abs(total - 1) < 1e-6) | (total == 0))
    assert not kept[total == 0].any()
    if not has_ignored:
        assert total.all(), "a class without weight is a class"


def test_semsegs_crossentropy_of_each_pixel_is_the_mixture():
    images, masks, weights = batch(0, 5, True)
    mixup = MixUp(1.0, num_classes=5, ignore_class=IGNORED)
    mixed, shares, kept = mixup(images, masks, np.random.default_rng(3), weights)
    logits = np.random.default_rng(1).normal(size=(3, 5, 6, 5)).astype(np.float32)

    for at in range(3):
        weight = kept[[at]]
        soft = semseg.losses.Crossentropy(reduction=None)(shares[[at]], logits[[at]], weight)
        parts = {}
        for other in range(3):
            loss = semseg.losses.Crossentropy(ignore_class=IGNORED, reduction=None)
            parts[other] = np.asarray(loss(masks[[other]], logits[[at]], weights[[other]]))
        expected = [
            own * parts[at] + (1 - own) * parts[partner]
            for partner, own in own_shares(images, mixed, at)
        ]
        assert any(np.allclose(soft, e, atol=1e-5) for e in expected)


def test_semsegs_losses_take_what_it_makes():
    images, masks, weights = batch(0, 5, True)
    logits = np.random.default_rng(1).normal(size=(3, 5, 6, 5)).astype(np.float32)
    for given_weights in (None, weights):
        never = MixUp(num_classes=5, ignore_class=IGNORED, probability=0)
        rng = np.random.default_rng(0)
        _, shares, kept = never(images, masks, rng, given_weights)
        for loss in (semseg.losses.Crossentropy, semseg.losses.Dice, semseg.losses.Focal):
            hard = loss(ignore_class=IGNORED)(masks, logits, sample_weight=given_weights)
            soft = loss()(shares, logits, sample_weight=kept)
            assert float(soft) == pytest.approx(float(hard), rel=1e-5), loss.__name__


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("uint8", 0.5), ("uint16", 0.5), ("int16", 0.5), ("float32", 1e-3)]
)
def test_pictures_are_rounded_to_the_nearest_value(dtype, tolerance):
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (2, 8, 8, 3)).astype(dtype)
    if dtype == "int16":
        images -= 128
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[1] = 1
    mixed, shares = MixUp(5.0, num_classes=2)(images, masks, np.random.default_rng(0))
    own = shares[0, 0, 0, 0]
    assert 0 < own < 1
    exact = own * images[0].astype(float) + (1 - own) * images[1].astype(float)
    assert np.abs(mixed[0] - exact).max() <= tolerance + 1e-4


@pytest.mark.parametrize("alpha", [0.2, 2.0])
def test_shares_are_drawn_from_the_beta_distribution(alpha):
    masks = np.stack([np.zeros((1, 1), np.uint8), np.ones((1, 1), np.uint8)])
    images, rng = masks[..., None] * 1.0, np.random.default_rng(0)
    mixup = MixUp(alpha, num_classes=2)
    own = np.array([mixup(images, masks, rng)[1][0, 0, 0, 0] for _ in range(3000)])
    assert own.mean() == pytest.approx(0.5, abs=0.03)
    assert own.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)  # of Beta(alpha, alpha)


def test_a_batch_of_one_has_the_same_form():
    images, masks, _ = batch(0, 5, True)
    mixup = MixUp(num_classes=5, ignore_class=IGNORED)
    mixed, shares, weights = mixup(images[:1], masks[:1], np.random.default_rng(0))
    np.testing.assert_array_equal(mixed, images[:1])
    np.testing.assert_array_equal(shares.argmax(-1)[weights > 0], masks[:1][weights > 0])
    np.testing.assert_array_equal(weights, masks[:1] != IGNORED)


def test_what_it_needs_to_know_is_asked_for():
    images, masks, _ = batch(0, 5, True)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"MixUp\(\) needs num_classes= outside of a pipeline"):
        MixUp()(images, masks, rng)
    with pytest.raises(ValueError, match=r"ids of 5 classes and None for none, received .*255"):
        MixUp(num_classes=5)(images, masks, rng)
    with pytest.raises(ValueError, match="num_classes of MixUp must be >= 2, received 1; soft tar"):
        MixUp(num_classes=1)
    class_map = semseg.ClassMap(["a", "b", "c"], ignore_class=255)
    assert MixUp().suited(class_map) == MixUp(num_classes=3, ignore_class=255)
    for wrong in ({"num_classes": 7}, {"ignore_class": 9}):
        with pytest.raises(ValueError, match=r"of MixUp must be the data set's, .*; leave it out"):
            MixUp(**wrong).suited(class_map)
    with pytest.raises(ValueError, match="ignore_class"):
        MixUp(num_classes=5, ignore_class=0)
