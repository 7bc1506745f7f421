"""Counts of (truth, prediction), and the two scores that need no more than a line."""

from typing import Any

import numpy as np

from semseg.metrics.functional.ids import as_numpy, checked_ids, ratio

#: Weights are numbers in [0, LARGEST_WEIGHT), the range in which Keras metrics add them exactly.
LARGEST_WEIGHT = 2**20


def confusion_matrix(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    sample_weight: Any = None,
    *,
    per_image: bool = False,
) -> np.ndarray:
    """Counts how often each class was predicted for each class.

    Args:
        mask: true ids, any shape, NumPy or a tensor of the Keras backend.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are left out.
        sample_weight: what a pixel counts, in [0, 2**20): of the mask's shape, or of its first
            axes, such as one weight an image.
        per_image: one matrix for each entry of the first axis instead of one for all.

    Returns:
        int64 (num_classes, num_classes), rows = truth, columns = prediction; float64 with
        weights; (batch, num_classes, num_classes) per image. Matrices of parts of a set add up
        to that of the whole.

    Raises:
        ValueError: shapes that differ, ids outside the classes on either side, weights that are
            negative, not finite or too large.

    Example:
        >>> confusion_matrix([[0, 1], [1, 255]], [[0, 1], [0, 1]], 2, ignore_class=255)
        array([[1, 0],
               [1, 1]])
    """
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    truth, guess = checked.counted()
    cells: tuple[int, ...] = (checked.num_classes, checked.num_classes)
    places = truth.astype(np.int64) * checked.num_classes + guess
    if per_image:
        images = _image_of_each_pixel(checked.truth.shape)
        places += images[_kept(checked)] * (cells[0] * cells[1])
        cells = (len(checked.truth), *cells)
    if sample_weight is None:
        counts = np.bincount(places, minlength=np.prod(cells)).astype(np.int64)
    else:
        weights = _checked_weights(sample_weight, checked.truth.shape, _kept(checked))
        counts = np.bincount(places, weights, minlength=np.prod(cells))
    return counts.reshape(cells)


def class_iou(confusion: Any, invalid: float = 0) -> np.ndarray:
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
    confusion = as_confusion(confusion)
    intersection = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - intersection + invalid
    return ratio(intersection, union)


def pixel_accuracy(confusion: Any, invalid: float = 0) -> float:
    """Share of the pixels that got their class: sum of n_cc / number of pixels; NaN without any.

    Example:
        >>> pixel_accuracy(np.array([[3, 1], [0, 0]]))
        0.75
    """
    confusion = as_confusion(confusion)
    return float(ratio(np.trace(confusion), confusion.sum() + invalid))


def as_confusion(confusion: Any, ndim: int = 2) -> np.ndarray:
    """A (C, C) matrix of counts, or (images, C, C)."""
    array = np.asarray(confusion)
    if array.ndim != ndim or array.shape[-1] != array.shape[-2] or not array.shape[-1]:
        form = "(C, C)" if ndim == 2 else "(images, C, C) with per_image=True"
        raise ValueError(f"confusion must have shape {form}, received {array.shape}")
    return array


def _kept(checked: Any) -> np.ndarray:
    """Which pixels count, in the mask's shape."""
    if checked.ignore_class is None:
        return np.ones(checked.truth.shape, bool)
    return checked.truth != checked.ignore_class


def _image_of_each_pixel(shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) < 2:
        raise ValueError(f"mask must have a first axis of images for per_image=True, not {shape}")
    return np.broadcast_to(np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)), shape)


def _checked_weights(sample_weight: Any, shape: tuple[int, ...], kept: np.ndarray) -> np.ndarray:
    """float64 weights of the pixels that count."""
    weights = np.asarray(as_numpy(sample_weight), np.float64)
    if weights.shape != shape[: weights.ndim]:
        raise ValueError(
            f"sample_weight must have the mask's shape {shape} or its first axes, received "
            f"{weights.shape}"
        )
    weights = weights.reshape(*weights.shape, *[1] * (len(shape) - weights.ndim))
    weights = np.broadcast_to(weights, shape)[kept]
    good = (weights >= 0) & (weights < LARGEST_WEIGHT)
    if not good.all():
        raise ValueError(
            f"sample_weight must lie in [0, 2**20), received {weights[~good][0]} "
            f"({np.count_nonzero(~good)} pixels); only the ratios of weights matter"
        )
    return weights
