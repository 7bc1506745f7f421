"""Which pixels of a batch are the hardest."""

import math
from typing import Any

import numpy as np
from keras import ops

from semseg._backend import call_numpy, numpy_is_at_hand


def hardest(losses: Any, valid: Any, share: float, threshold: float | None) -> Any:
    """How much each pixel counts among the hardest: 1, 0, or a part where the last ones tie.

    Args:
        losses: (B, H, W) -log(p) of the pixels' classes; no gradient passes.
        valid: (B, H, W) bool, the pixels to choose from.
        share: of the valid pixels, rounded up, at least this many are kept.
        threshold: None, or a probability: pixels whose class has less are kept as well.

    Returns:
        (B, H, W) in [0, 1]; sums to the number kept.
    """
    losses = ops.where(valid, ops.stop_gradient(losses), -1.0)
    number = ops.sum(ops.cast(valid, losses.dtype))
    wanted = ops.ceil(number * share)
    last = _largest(ops.reshape(losses, (-1,)), ops.cast(wanted, "int32"))
    above = ops.cast(losses > last, losses.dtype)
    tied = ops.cast(ops.logical_and(valid, losses == last), losses.dtype)
    part = (wanted - ops.sum(above)) / ops.maximum(ops.sum(tied), 1.0)
    kept = above + tied * part
    if threshold is not None:
        kept = ops.where(losses > -math.log(threshold), 1.0, kept)
    return ops.where(valid, kept, 0.0)


def _largest(values: Any, rank: Any) -> Any:
    """The value of (N,) that `rank` - 1 others are not below, rank >= 1."""
    if numpy_is_at_hand(values):
        return call_numpy(_largest_in_numpy, (values, rank), (), values.dtype)
    ordered = ops.sort(values)
    return ops.take(ordered, ops.shape(values)[0] - ops.maximum(rank, 1))


def _largest_in_numpy(values: np.ndarray, rank: np.ndarray) -> np.ndarray:
    place = len(values) - max(int(rank), 1)
    return np.partition(values, place)[place]
