"""Scores from one matrix: ids -> counts of (truth, prediction) -> everything else."""

from typing import Any

import numpy as np

from semseg.metrics.functional.ids import checked_ids, ratio


def confusion_matrix(
    mask: Any, pred: Any, num_classes: int, ignore_class: int | None = None
) -> np.ndarray:
    """Counts how often each class was predicted for each class.

    Args:
        mask: true ids, any shape, NumPy or a tensor of the Keras backend.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are left out.

    Returns:
        int64 (num_classes, num_classes), rows = truth, columns = prediction. Matrices of parts
        of a set add up to that of the whole.

    Raises:
        ValueError: shapes that differ, ids outside the classes on either side.

    Example:
        >>> confusion_matrix([[0, 1], [1, 255]], [[0, 1], [0, 1]], 2, ignore_class=255)
        array([[1, 0],
               [1, 1]])
    """
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    num_classes = checked.num_classes
    truth, guess = checked.counted()
    pairs = truth.astype(np.int64) * num_classes + guess
    counts = np.bincount(pairs, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def class_iou(confusion: Any, invalid: int = 0) -> np.ndarray:
    """Intersection over union of each class: n_cc / (t_c + p_c - n_cc).

    Args:
        confusion: (C, C) counts, rows = truth.
        invalid: number of pixels whose label is no class. Each could have been any class, so it
            stands in the union of every class: an invalid label never raises a score.

    Returns:
        float64 (C,); NaN for a class that is absent from truth and prediction.

    Example:
        >>> class_iou(np.array([[3, 1], [0, 0]])).tolist()
        [0.75, 0.0]
    """
    confusion = _as_confusion(confusion)
    intersection = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - intersection + invalid
    return ratio(intersection, union)


def pixel_accuracy(confusion: Any, invalid: int = 0) -> float:
    """Share of the pixels that got their class: sum of n_cc / number of pixels; NaN without any.

    Example:
        >>> pixel_accuracy(np.array([[3, 1], [0, 0]]))
        0.75
    """
    confusion = _as_confusion(confusion)
    return float(ratio(np.trace(confusion), confusion.sum() + invalid))


def _as_confusion(confusion: Any) -> np.ndarray:
    array = np.asarray(confusion)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"confusion must have shape (C, C), received {array.shape}")
    return array
