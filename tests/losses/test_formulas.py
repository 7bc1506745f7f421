"""Every loss and its gradient against the formula of its paper, and against the metrics."""

import numpy as np
import pytest
from loss_batches import IGNORE, WEIGHTS, batch, both_forms, equal, ours
from scipy.ndimage import distance_transform_edt

from semseg.losses import (
    MCC,
    Boundary,
    Crossentropy,
    Dice,
    Focal,
    FocalTversky,
    GeneralizedDice,
    HardPixels,
    Jaccard,
    Lovasz,
    Tversky,
)
from semseg.metrics import functional as metrics

tf = pytest.importorskip("tensorflow")

# `xp` is NumPy, or PyTorch for its gradients; `p` (N, K) are the probabilities of the valid
# pixels, `ids` (N,) their classes. Classes without pixels are skipped.


def probabilities(xp, scores):
    if scores.shape[-1] == 1:
        foreground = 1 / (1 + xp.exp(-scores[:, 0]))
        return xp.stack([1 - foreground, foreground], 1)
    powers = xp.exp(scores)
    return powers / powers.sum(1)[:, None]


def mean_of_classes(one, p, ids, binary):
    """The mean over the classes that are there; of two, when there is one logit, the second."""
    classes = [1] if binary else np.unique(ids).tolist()
    return sum(one(k) for k in classes) / len(classes)


def ratios(formula):
    """A loss of true positives, false positives and false negatives of each class."""

    def loss(xp, p, ids, binary, scores, maps):
        def one(k):
            hit = p[ids == k, k].sum()
            return formula(hit, p[ids != k, k].sum(), (1 - p[ids == k, k]).sum())

        return mean_of_classes(one, p, ids, binary)

    return loss


def crossentropy(xp, p, ids, binary, scores, maps):
    return sum(-xp.log(p[i, k]) for i, k in enumerate(ids)) / len(ids)


def weighted_crossentropy(xp, p, ids, binary, scores, maps):
    total = sum(-WEIGHTS[k] * xp.log(p[i, k]) for i, k in enumerate(ids))
    return total / sum(WEIGHTS[k] for k in ids)


def focal(xp, p, ids, binary, scores, maps):
    return sum(-((1 - p[i, k]) ** 2) * xp.log(p[i, k]) for i, k in enumerate(ids)) / len(ids)


def hard_pixels(xp, p, ids, binary, scores, maps):
    each = xp.stack([-xp.log(p[i, k]) for i, k in enumerate(ids)])
    order = xp.argsort(each)
    return each[order[-int(np.ceil(0.3 * len(ids))) :]].mean()


def generalized_dice(xp, p, ids, binary, scores, maps):
    """Sudre et al., section 2."""
    classes = [1] if binary else np.unique(ids).tolist()
    weights = {k: 1 / float((ids == k).sum()) ** 2 for k in classes}
    shared = sum(weights[k] * p[ids == k, k].sum() for k in classes)
    both = sum(weights[k] * (float((ids == k).sum()) + p[:, k].sum()) for k in classes)
    return 1 - 2 * shared / both


def mcc(xp, p, ids, binary, scores, maps):
    """Abhishek and Hamarneh, equation 4, each class against the others."""

    def one(k):
        own, other = p[ids == k, k], p[ids != k, k]
        tp, fp, fn, tn = own.sum(), other.sum(), (1 - own).sum(), (1 - other).sum()
        return 1 - (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5

    return mean_of_classes(one, p, ids, binary)


def lovasz(xp, p, ids, binary, scores, maps):
    """Berman et al., algorithm 1, and equation 9 for one logit."""

    def one(k):
        if binary:
            errors = 1 - scores[:, 0] * xp.asarray(np.where(ids == 1, 1.0, -1.0))
            errors = errors * (errors > 0)
        else:
            errors = xp.stack([1 - p[i, k] if c == k else p[i, k] for i, c in enumerate(ids)])
        wrong, total, before = set(), 0.0, 0.0
        for i in reversed(np.argsort(np.array(errors.tolist()), kind="stable").tolist()):
            wrong.add(i)
            true = {i for i, c in enumerate(ids) if c == k}
            jaccard = 1 - len(true - wrong) / len(true | wrong)
            total, before = total + errors[i] * (jaccard - before), jaccard
        return total

    return mean_of_classes(one, p, ids, binary)


def boundary(xp, p, ids, binary, scores, maps):
    """Kervadec et al., equation 5."""
    return mean_of_classes(lambda k: (p[:, k] * xp.asarray(maps[:, k])).mean(), p, ids, binary)


def one_hot2dist(region):
    """The distance maps of the authors of the boundary loss."""
    if not region.any() or region.all():
        return np.zeros(region.shape)
    outside = ~region
    return distance_transform_edt(outside) * outside - (distance_transform_edt(region) - 1) * region


FORMULAS = {
    "Crossentropy": (Crossentropy, {}, crossentropy),
    "weighted": (Crossentropy, {"class_weights": WEIGHTS}, weighted_crossentropy),
    "Focal": (Focal, {}, focal),
    "HardPixels": (HardPixels, {"share": 0.3}, hard_pixels),
    "Dice": (Dice, {}, ratios(lambda hit, fp, fn: 1 - 2 * hit / (2 * hit + fp + fn))),
    "Jaccard": (Jaccard, {}, ratios(lambda hit, fp, fn: 1 - hit / (hit + fp + fn))),
    "Tversky": (
        Tversky,
        {"alpha": 0.2, "beta": 0.9},
        ratios(lambda hit, fp, fn: 1 - hit / (hit + 0.2 * fp + 0.9 * fn)),
    ),
    "FocalTversky": (
        FocalTversky,
        {},
        ratios(lambda hit, fp, fn: (1 - hit / (hit + 0.3 * fp + 0.7 * fn)) ** 0.75),
    ),
    "GeneralizedDice": (GeneralizedDice, {}, generalized_dice),
    "MCC": (MCC, {}, mcc),
    "Lovasz": (Lovasz, {}, lovasz),
    "Boundary": (Boundary, {}, boundary),
}


@both_forms
@pytest.mark.parametrize("absent", [None, 1], ids=["all classes", "one absent"])
@pytest.mark.parametrize("name", FORMULAS)
def test_the_loss_and_its_gradient_are_those_of_the_paper(name, absent, channels):
    make, arguments, formula = FORMULAS[name]
    if channels == 1 and (absent is not None or "class_weights" in arguments):
        return  # of one logit the foreground counts
    ids, logits = batch(channels, absent=absent)
    maps = np.stack(
        [
            [
                one_hot2dist(picture == k) if (picture == k).any() else picture * 0.0
                for k in (0, 1, 2)
            ]
            for picture in ids
        ]
    )
    valid = ids != IGNORE
    given = ids[valid], channels == 1
    maps = np.moveaxis(maps, 1, -1)[valid]

    loss = make(ignore_class=IGNORE, dtype="float64", **arguments)
    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = loss(ids, tensor)
    gradient = tape.gradient(value, tensor).numpy()

    flat = logits[valid]
    # The maps are float32 within the loss, exact for small whole numbers only.
    rel = 1e-6 if name == "Boundary" else 1e-9
    equal(value, formula(np, probabilities(np, flat), *given, flat, maps), rel=rel)
    assert not gradient[~valid].any()
    torch = pytest.importorskip("torch")
    scores = torch.tensor(flat, requires_grad=True)
    formula(torch, probabilities(torch, scores), *given, scores, maps).backward()
    np.testing.assert_allclose(gradient[valid], scores.grad.numpy(), rtol=1e-5, atol=1e-9)


# -- the metrics --------------------------------------------------------------------------------


@pytest.mark.parametrize("averaged", [None, 1], ids=["all classes", "one absent"])
def test_at_hard_predictions_dice_and_jaccard_are_1_minus_the_metric(averaged):
    ids, logits = batch(3, absent=averaged)
    guess = logits.argmax(-1)
    scores = metrics.scores(metrics.confusion_matrix(ids, guess, 3, IGNORE))
    hard = 1e4 * np.eye(3)[guess]
    there = np.unique(ids[ids != IGNORE])
    equal(ours(Jaccard, ids, hard), 1 - np.asarray(scores.iou)[there].mean())
    equal(ours(Dice, ids, hard), 1 - np.asarray(scores.dice)[there].mean())


def test_at_hard_predictions_of_two_classes_mcc_is_1_minus_the_metric():
    ids, logits = batch(1)
    guess = (logits[..., 0] > 0).astype(int)
    scores = metrics.scores(metrics.confusion_matrix(ids, guess, 2, IGNORE))
    equal(ours(MCC, ids, 1e4 * (2 * guess - 1)[..., None]), 1 - scores.mcc)
    equal(ours(MCC, ids, 1e4 * np.eye(2)[guess]), 1 - scores.mcc)


def test_a_class_that_fills_everything_costs_what_is_missed():
    logits = np.array([[[[-99.0], [99.0], [99.0], [99.0]]]])
    equal(ours(MCC, np.ones((1, 1, 4), int), logits), 0.25)


def test_with_fractional_weights_too():
    weights = np.random.default_rng(0).random((1, 300, 400), np.float32)
    logits = np.full((1, 300, 400, 1), 99.0, np.float32)
    logits[:, :30] = -99
    found = float(MCC()(np.ones((1, 300, 400), int), logits, weights))
    assert found == pytest.approx(weights[:, :30].sum() / weights.sum(), rel=1e-4)
