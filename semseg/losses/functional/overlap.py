"""What the target and the prediction have in common, class by class, and means over classes."""

from typing import Any, NamedTuple

from keras import ops

from semseg._checks import check_choice
from semseg.losses.functional.class_weights import checked_class_weights
from semseg.losses.functional.pixels import Pixels

POOLINGS = ("batch", "image")
ABSENT = ("skip", "zero", "share")


class Overlap(NamedTuple):
    """Soft counts of groups of pixels (the batch, or each image), shape (groups, K) each.

    Attributes:
        both: pixels of the class that are predicted as it; of shares and probabilities the
            smaller, so that a prediction equal to a soft target counts as perfect.
        true: pixels of the class.
        predicted: pixels predicted as the class.
        pixels: (groups, 1) pixels that count.
    """

    both: Any
    true: Any
    predicted: Any
    pixels: Any


def overlap(pixels: Pixels, predicted: Any, pooling: str) -> Overlap:
    """Counts the pixels of each class in the batch or in each image.

    Args:
        predicted: (B, H, W, K) the `probabilities`.
    """
    check_choice("pooling", pooling, POOLINGS)
    counts = pixels.counts()[..., None]
    shares, predicted = pixels.shares() * counts, predicted * counts
    parts = (ops.minimum(shares, predicted), shares, predicted, counts)
    return Overlap(*(summed(part, pooling) for part in parts))


def summed(x: Any, pooling: str) -> Any:
    """(B, H, W, K) summed over the pixels of each group, (groups, K)."""
    axes = (0, 1, 2) if pooling == "batch" else (1, 2)
    return ops.reshape(ops.sum(x, axis=axes), (-1, x.shape[-1]))


def probabilities(pixels: Pixels, from_logits: bool) -> Any:
    """(B, H, W, K) probabilities; one logit becomes those of background and foreground."""
    scores = pixels.scores
    if pixels.binary:
        if from_logits:
            return ops.sigmoid(ops.concatenate([-scores, scores], axis=-1))
        return ops.concatenate([1 - scores, scores], axis=-1)
    return ops.softmax(scores, axis=-1) if from_logits else scores


def class_table(pixels: Pixels, class_weights: Any) -> Any:
    """(K,) weights or None; with one logit the foreground alone counts, unless they say else."""
    if pixels.binary and class_weights is None:
        class_weights = [0.0, 1.0]
    return checked_class_weights(class_weights, pixels)


def mean_over_classes(
    losses: Any, found: Overlap, pixels: Pixels, class_weights: Any, pooling: str, absent: str
) -> Any:
    """The weighted mean of (groups, K) losses over the classes that count, (groups,)."""
    check_choice("absent", absent, ABSENT)
    present, weights = found.true > 0, ops.ones_like(losses)
    table = class_table(pixels, class_weights)
    if table is not None:
        weights = weights * table
    if absent == "skip":
        weights = ops.where(present, weights, 0.0)
    instead = ratio(found.predicted, found.pixels) if absent == "share" else 0.0
    losses = ops.where(present, losses, instead)
    mean = ratio(ops.sum(weights * losses, axis=-1), ops.sum(weights, axis=-1))
    return of_pictures(mean, pixels, pooling)


def ratio(part: Any, whole: Any) -> Any:
    """`part / whole`, 0 where there is no whole, with a finite gradient."""
    return ops.where(whole > 0, part / ops.where(whole > 0, whole, 1.0), 0.0)


def of_pictures(values: Any, pixels: Pixels, pooling: str) -> Any:
    """Values of the groups; with a value an image, one weight a picture multiplies it."""
    if pooling == "image" and pixels.picture_factors is not None:
        # Inside an image's ratio equal weights of its pixels cancel.
        values = values * pixels.picture_factors
    return pixels.poisoned(values)
