"""Soft targets, as mixed pictures have them, as the ids that a metric counts."""

from typing import Any

import keras
from keras import ops

from semseg._backend import fused, is_concrete
from semseg.metrics.counting import predicted_ids

_TOLERANCE = 1e-2  # of a sum of shares in half precision


def are_shares(y_true: Any, y_pred: Any, num_classes: int) -> bool:
    """Whether a target holds shares of the classes: floats of the scores' shape, 4 axes or more.

    Told by shapes and dtype; ids of that shape would be whole numbers.
    """
    shape = tuple(y_true.shape)
    return (
        len(shape) > 3
        and len(shape) == len(y_pred.shape)
        and shape[-1] == y_pred.shape[-1] == num_classes
        and keras.backend.is_float_dtype(keras.backend.standardize_dtype(y_true.dtype))
    )


def likeliest_ids(shares: Any, ignore_class: int | None, name: str) -> Any:
    """(..., classes) shares -> (...) int32: the first of the largest.

    A pixel whose shares are all 0 is ignored where there is an `ignore_class`. Without one it is
    invalid (-1), as is a pixel of values that are no shares.

    Raises:
        ValueError: shares below 0 or of another sum than 1 (in eager use).
    """
    ids = predicted_ids(shares, threshold=0.5)
    with fused():
        exact = ops.cast(shares, "float32")
        is_empty = ops.all(exact == 0, -1)
        # A comparison with NaN is False: ask for what is right.
        right = ops.logical_and(
            ops.all(exact >= 0, -1), ops.abs(ops.sum(exact, -1) - 1) <= _TOLERANCE
        )
        invalid = -2 if ignore_class == -1 else -1
        without = ops.where(is_empty, invalid if ignore_class is None else ignore_class, invalid)
        ids = ops.where(right, ids, ops.cast(without, "int32"))
    known = right if ignore_class is None else ops.logical_or(right, is_empty)
    if is_concrete(known) and not bool(ops.all(known)):
        raise ValueError(
            f"{name}: soft targets (batch, height, width, classes) must be shares >= 0 that sum to "
            "1 over the classes, or all 0 for a pixel without class where there is an "
            f"ignore_class ({ignore_class}); received others in "
            f"{int(ops.sum(ops.cast(ops.logical_not(known), 'int32')))} pixels"
        )
    return ids
