"""Counting (truth, prediction) pairs with `keras.ops`: exact integers on every backend."""

from typing import Any

import keras
from keras import ops

# Counts are kept as two int32 limbs, low < 2**20: good to 2**51 on backends without int64, and
# limbs of replicas may be added as they are.
LIMB_BITS = 20


def count_pairs(
    truth: Any, prediction: Any, num_classes: int, ignore_class: int | None
) -> tuple[Any, Any]:
    """The confusion matrix of two id tensors of one shape, and the number of invalid pixels.

    Args:
        truth, prediction: integer ids. A pixel whose truth is `ignore_class` is not there at all;
            any other pixel with an id outside `range(num_classes)` on either side is invalid.

    Returns:
        int32 (num_classes, num_classes), rows = truth; int32 scalar.
    """
    truth = ops.reshape(ops.cast(truth, "int32"), (-1,))
    prediction = ops.reshape(ops.cast(prediction, "int32"), (-1,))
    known = ops.logical_and(_in_range(truth, num_classes), _in_range(prediction, num_classes))
    cells = num_classes * num_classes
    pair = ops.where(known, truth * num_classes + prediction, cells)
    if ignore_class is not None:
        pair = ops.where(truth == ignore_class, cells + 1, pair)
    counts = _bincount(pair, cells + 2)
    return ops.reshape(counts[:cells], (num_classes, num_classes)), counts[cells]


def predicted_ids(scores: Any, threshold: float) -> Any:
    """(..., classes) logits or probabilities -> (...) int32 ids; one channel by its threshold."""
    if scores.shape[-1] == 1:
        return ops.cast(scores[..., 0] > threshold, "int32")
    return ops.cast(ops.argmax(scores, axis=-1), "int32")


def add_to_limbs(low: Any, high: Any, counts: Any) -> tuple[Any, Any]:
    """(low, high) + counts, carried; int32 counts below 2**31 - 2**20."""
    total = low + counts
    carry = ops.right_shift(total, LIMB_BITS)
    return total - ops.left_shift(carry, LIMB_BITS), high + carry


def _in_range(ids: Any, num_classes: int) -> Any:
    return ops.logical_and(ids >= 0, ids < num_classes)


def _bincount(values: Any, size: int) -> Any:
    """Counts of int32 values in [0, size): the fast kernel of each backend."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # tf.math.bincount has no XLA kernel: the raw operation with a constant size has one.
        return tf.raw_ops.DenseBincount(
            input=values, size=size, weights=tf.constant([], tf.int32), binary_output=False
        )
    if backend == "torch":
        return ops.cast(ops.bincount(values, minlength=size), "int32")
    return ops.segment_sum(ops.ones_like(values), values, num_segments=size)
