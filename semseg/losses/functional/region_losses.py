"""Losses of whole regions: Dice, Jaccard, Tversky and their kin, from soft counts a class."""

from typing import Any

from keras import ops

from semseg._checks import check_choice
from semseg.losses.functional.overlap import (
    ABSENT,
    class_table,
    mean_over_classes,
    of_pictures,
    overlap,
    probabilities,
    ratio,
)
from semseg.losses.functional.pixels import prepare


def dice(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """`1 - 2 both / (true + predicted)`, meaned over classes; see `semseg.losses.Dice`.

    Args:
        y_true: (B, H, W) ids, or (B, H, W, C) shares.
        y_pred: (B, H, W, C) logits; one channel is binary, of which the foreground counts.
        sample_weight: None, (B,) or (B, H, W).

    Returns:
        (1,) for `pooling="batch"`, (B,) for "image".

    Example:
        >>> from semseg.losses.functional import dice
        >>> np.asarray(dice(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2))))
        array([0.5])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    found = overlap(pixels, probabilities(pixels, from_logits), pooling)
    losses = 1 - ratio(2 * found.both, found.true + found.predicted)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def jaccard(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """`1 - both / (true + predicted - both)`; see `semseg.losses.Jaccard`.

    Args and returns as of `dice`.

    Example:
        >>> from semseg.losses.functional import jaccard
        >>> np.round(np.asarray(jaccard(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2)))), 4)
        array([0.6667])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    found = overlap(pixels, probabilities(pixels, from_logits), pooling)
    losses = 1 - ratio(found.both, found.true + found.predicted - found.both)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def tversky(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    gamma: float = 1.0,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """`(1 - both / (both + alpha FP + beta FN))**(1 / gamma)`; see `semseg.losses.Tversky`.

    Args and returns as of `dice`; `gamma` > 1 makes it the focal Tversky loss.

    Example:
        >>> from semseg.losses.functional import tversky
        >>> half = tversky(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2)), alpha=0.5, beta=0.5)
        >>> np.asarray(half)  # equal halves are Dice's
        array([0.5])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    found = overlap(pixels, probabilities(pixels, from_logits), pooling)
    false_positive = found.predicted - found.both
    false_negative = found.true - found.both
    errors = alpha * false_positive + beta * false_negative
    losses = _root(ratio(errors, found.both + errors), gamma)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def generalized_dice(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """`1 - 2 sum(v both) / sum(v (true + predicted))`, `v = 1 / true**2`.

    See `semseg.losses.GeneralizedDice`; args and returns as of `dice`.

    Example:
        >>> from semseg.losses.functional import generalized_dice
        >>> np.asarray(generalized_dice(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2))))
        array([0.5])
    """
    check_choice("absent", absent, ABSENT)
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    found = overlap(pixels, probabilities(pixels, from_logits), pooling)
    table = class_table(pixels, class_weights)
    weights = ratio(1.0, ops.square(found.true))
    if absent == "share":
        largest = ops.max(weights, axis=-1, keepdims=True)
        weights = ops.where(found.true > 0, weights, largest)
    if table is not None:
        weights = weights * table
    both = ops.sum(weights * found.both, axis=-1)
    whole = ops.sum(weights * (found.true + found.predicted), axis=-1)
    # A group without any class that counts has no loss.
    values = ops.where(whole > 0, 1 - ratio(2 * both, whole), 0.0)
    return of_pictures(values, pixels, pooling)


def mcc(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """1 minus Matthews's correlation of target and prediction; see `semseg.losses.MCC`.

    Args and returns as of `dice`.

    Example:
        >>> from semseg.losses.functional import mcc
        >>> np.asarray(mcc(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2))))  # knows nothing
        array([1.])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    found = overlap(pixels, probabilities(pixels, from_logits), pooling)
    whole = ops.sum(found.true, axis=-1, keepdims=True)
    others = whole - found.true  # exactly 0 where a class has all pixels
    both, true, predicted = (
        ratio(part, whole) for part in (found.both, found.true, found.predicted)
    )
    spread = _deviation(true) * _deviation(predicted)
    correlation = ratio(both - true * predicted, spread)
    # A class that fills everything correlates with nothing.
    losses = ops.where(others > 0, 1 - correlation, 1 - both)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def _deviation(share: Any) -> Any:
    """`sqrt(p (1 - p))`; near 0, where the derivative of the root is infinite, 0."""
    variance = share * (1 - share)
    enough = variance > 1e-30
    return ops.where(enough, ops.sqrt(ops.where(enough, variance, 1.0)), 0.0)


def _root(losses: Any, gamma: float) -> Any:
    """`losses**(1 / gamma)`; at 0, where the derivative of the root is infinite, none."""
    if gamma == 1:
        return losses
    positive = losses > 0
    return ops.where(positive, ops.power(ops.where(positive, losses, 1.0), 1 / gamma), 0.0)
