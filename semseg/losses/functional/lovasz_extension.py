"""The Lovász extension of the Jaccard loss: linear in the errors, once they are in order."""

from typing import Any

import numpy as np
from keras import ops

from semseg._backend import call_numpy, numpy_is_at_hand
from semseg.losses.functional.overlap import mean_over_classes, overlap, probabilities
from semseg.losses.functional.pixels import Pixels, check_ids_given, prepare


def lovasz(
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
    """Lovász-softmax, and Lovász hinge for one logit; see `semseg.losses.Lovasz`.

    Args:
        y_true: (B, H, W) ids; shares have no Jaccard set to extend.
        y_pred: (B, H, W, C) logits; one channel is binary, of which the foreground counts.
        sample_weight: None, (B,) or (B, H, W): a pixel of weight 2 is two pixels.

    Returns:
        (1,) for `pooling="batch"`, (B,) for "image".

    Example:
        >>> from semseg.losses.functional import lovasz
        >>> np.asarray(lovasz(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2))))
        array([0.5])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    check_ids_given(pixels, "Lovasz", "; Jaccard() takes them")
    predicted = probabilities(pixels, from_logits)
    hinge = pixels.binary and from_logits
    losses = _extensions(pixels, _hinges(pixels) if hinge else _errors(pixels, predicted), pooling)
    found = overlap(pixels, predicted, pooling)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def _extensions(pixels: Pixels, errors: Any, pooling: str) -> Any:
    """The extension of each class's Jaccard loss in each group, (groups, K).

    Args:
        errors: how wrong each pixel is about each class, >= 0, (B, H, W, K).
    """
    classes = pixels.num_classes
    groups = 1 if pooling == "batch" else ops.shape(errors)[0]
    errors = ops.reshape(errors, (groups, -1, classes))
    ids = ops.reshape(pixels.target, (groups, -1))
    counts = ops.reshape(pixels.counts(), (groups, -1))
    if numpy_is_at_hand(errors):
        slopes = call_numpy(_slopes, (errors, ids, counts), errors.shape, errors.dtype)
        return ops.sum(errors * slopes, axis=1)
    errors, ids = ops.transpose(errors, (0, 2, 1)), ids[:, None]
    order = ops.argsort(-ops.stop_gradient(errors), axis=-1)
    errors = ops.take_along_axis(errors, order, axis=-1)
    true = ops.cast(ids == ops.arange(classes)[None, :, None], errors.dtype) * counts[:, None]
    true = ops.take_along_axis(true, order, axis=-1)
    counts = ops.take_along_axis(counts[:, None] + ops.zeros_like(errors), order, axis=-1)
    return ops.sum(errors * _steps(true, counts - true), axis=-1)


def _hinges(pixels: Pixels) -> Any:
    """The errors of one logit: the hinge of its margin, for both classes."""
    true = pixels.shares()
    margins = pixels.scores * (true[..., 1:] - true[..., :1])
    # A copy for each class keeps one form for all.
    return ops.relu(1 - ops.concatenate([margins, margins], axis=-1))


def _errors(pixels: Pixels, predicted: Any) -> Any:
    """The errors of probabilities: how far each is from 1 for the own class, from 0 for others."""
    return ops.abs(pixels.shares() - predicted)


def _steps(true: Any, false: Any) -> Any:
    """By how much each pixel, in order of falling errors, raises the Jaccard loss; (..., N)."""
    whole = ops.sum(true, axis=-1, keepdims=True)
    left = whole - ops.cumsum(true, axis=-1)
    union = whole + ops.cumsum(false, axis=-1)
    losses = 1 - left / ops.where(union > 0, union, 1.0)
    return ops.concatenate([losses[..., :1], losses[..., 1:] - losses[..., :-1]], axis=-1)


def _slopes(errors: np.ndarray, ids: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """`_steps` in the pixels' own order, (groups, N, K); a class without pixels has none."""
    slopes = np.zeros_like(errors)
    for group in range(len(errors)):
        kept = np.flatnonzero(counts[group])
        own_ids, weights = ids[group, kept], counts[group, kept].astype(np.float64)
        for k in np.unique(own_ids):
            order = _falling(errors[group, kept, k])
            ordered = weights[order]
            true = np.where(own_ids[order] == k, ordered, 0.0)
            left = true.sum() - np.cumsum(true)
            union = true.sum() + np.cumsum(ordered - true)
            slopes[group, kept[order], k] = np.diff(1 - left / union, prepend=0.0)
    return slopes


def _falling(errors: np.ndarray) -> np.ndarray:
    """The order of errors >= 0 from the largest to the least."""
    if errors.dtype != np.float32 or len(errors) >= 1 << 32:
        return np.argsort(-errors, kind="stable")
    # The bits of floats >= 0 are in the order of the floats; sorting pairs of bits and place
    # is three times as fast as sorting places.
    keys = errors.view(np.uint32).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(errors), dtype=np.uint64)
    keys.sort()
    return (keys[::-1] & np.uint64(0xFFFFFFFF)).astype(np.int64)
