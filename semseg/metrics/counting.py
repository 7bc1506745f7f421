"""Counting (truth, prediction) pairs with `keras.ops`: exact on every backend."""

from typing import Any

import keras
from keras import ops

from semseg._backend import fused
from semseg.metrics import limbs
from semseg.metrics.functional.confusion import LARGEST_WEIGHT

_WITHIN_INT32 = ("bool", "int8", "uint8", "int16", "uint16", "int32")
# On JAX, sums of 10-bit halves of this many weights stay within int32.
_CHUNK = 2**20


def count_pairs(
    truth: Any, prediction: Any, num_classes: int, ignore_class: int | None, weights: Any = None
) -> Any:
    """The confusion matrix of two id tensors of one shape, with a row for what is no class.

    Args:
        truth, prediction: ids of any number type. A pixel whose truth is `ignore_class` is not
            there at all; any other pixel with a fraction, or an id outside `range(num_classes)`,
            on either side is invalid.
        weights: None, or float32 of the same shape. A pixel whose weight is not a number in
            [0, 2**20) is invalid, of weight 1.

    Returns:
        Limbs (4, num_classes + 1, num_classes), not carried; rows = truth. The last row holds
        the weight of the invalid pixels, then their number.
    """
    cells = num_classes * num_classes
    with fused():
        pair = _pairs(truth, prediction, num_classes, ignore_class)
        if weights is not None:
            weights = ops.reshape(weights, (-1,))
            good = ops.logical_and(weights >= 0, weights < LARGEST_WEIGHT)
            pair = ops.where(ops.logical_or(good, pair > cells), pair, cells)
            pieces = limbs.pieces(ops.where(good, weights, 1.0))
            invalid = ops.sum(ops.cast(pair == cells, "int32"))
    if weights is None:
        counts = _bincount(pair, cells + 2)
        invalid, sums = counts[cells], limbs.of_whole_numbers(counts)
    else:
        sums = _sum_pieces(pair, pieces, cells + 2)
    matrix = ops.reshape(sums[:, :cells], (-1, num_classes, num_classes))
    row = ops.stack([sums[:, cells], limbs.of_whole_numbers(invalid)], axis=1)
    row = ops.pad(row[:, None], [[0, 0], [0, 0], [0, num_classes - 2]])
    return ops.concatenate([matrix, row], axis=1)


def predicted_ids(scores: Any, threshold: float) -> Any:
    """(..., classes) logits or probabilities -> (...) int32 ids; one channel by its threshold."""
    if scores.shape[-1] == 1:
        return ops.cast(scores[..., 0] > threshold, "int32")
    with fused():
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # ops.argmax first makes -0.0 less than 0.0: four more passes over all scores.
            return tf.argmax(scores, axis=-1, output_type=tf.int32)
        return ops.cast(ops.argmax(scores, axis=-1), "int32")


def _pairs(truth: Any, prediction: Any, num_classes: int, ignore_class: int | None) -> Any:
    """One number a pixel: its cell of the matrix, then one for invalid, one for ignored."""
    cells = num_classes * num_classes
    no_class = num_classes + (ignore_class == num_classes)
    truth, prediction = (_whole(ops.reshape(ids, (-1,)), no_class) for ids in (truth, prediction))
    known = ops.logical_and(_in_range(truth, num_classes), _in_range(prediction, num_classes))
    pair = ops.where(known, truth * num_classes + prediction, cells)
    if ignore_class is None:
        return pair
    return ops.where(truth == ignore_class, cells + 1, pair)


def _whole(ids: Any, no_class: int) -> Any:
    """int32 ids; a fraction, or an id beyond int32, becomes an id that is no class."""
    whole = ops.cast(ids, "int32")
    if keras.backend.standardize_dtype(ids.dtype) in _WITHIN_INT32:
        return whole
    return ops.where(ops.cast(whole, ids.dtype) == ids, whole, no_class)


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


def _sum_pieces(values: Any, pieces: list[Any], size: int) -> Any:
    """Limbs (4, size), not carried: the sum of the pieces that stand at each value."""
    nothing = ops.zeros((size,), "int32")
    lower, upper = zip(*(_sum_piece(values, piece, size) for piece in pieces), strict=True)
    return ops.stack([*lower, nothing]) + ops.stack([nothing, *upper])


def _sum_piece(values: Any, piece: Any, size: int) -> tuple[Any, Any]:
    """Sums of int32 in [0, 2**20] as two limbs, the lower below 2**20 for each 2**20 pixels."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        sums = tf.raw_ops.DenseBincount(
            input=values, size=size, weights=tf.cast(piece, tf.int64), binary_output=False
        )
        return _split(sums)
    if backend == "torch":
        # Whole numbers: exact in float64, which ops.bincount would make float32.
        return _split(values.bincount(piece.double(), size).long())
    lower, upper = 0, 0
    for start in range(0, values.shape[0], _CHUNK):
        at, part = values[start : start + _CHUNK], piece[start : start + _CHUNK]
        halves = (ops.bitwise_and(part, 1023), ops.right_shift(part, 10))
        low, high = (ops.segment_sum(half, at, num_segments=size) for half in halves)
        low = low + ops.left_shift(ops.bitwise_and(high, 1023), 10)
        lower += ops.bitwise_and(low, 2**limbs.LIMB_BITS - 1)
        upper += ops.right_shift(high, 10) + ops.right_shift(low, limbs.LIMB_BITS)
    nothing = ops.zeros((size,), "int32")
    return nothing + lower, nothing + upper


def _split(sums: Any) -> tuple[Any, Any]:
    """int64 sums as two int32 limbs."""
    upper = ops.right_shift(sums, limbs.LIMB_BITS)
    lower = sums - ops.left_shift(upper, limbs.LIMB_BITS)
    return ops.cast(lower, "int32"), ops.cast(upper, "int32")
