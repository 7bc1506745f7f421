"""Scores near the boundaries alone: a trimap's band."""

from typing import Any

import numpy as np

from semseg.metrics.functional.confusion import confusion_matrix, pixel_accuracy
from semseg.metrics.functional.ids import NOWHERE, checked_ids
from semseg.regions.boundaries import boundary_band


def trimap_confusion(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    width: float,
) -> np.ndarray:
    """Counts like `confusion_matrix`, of the pixels near a true boundary only.

    The band is made of the pixels at most `width` away from one of another class in the truth
    (Kohli, Ladicky and Torr, 2009; Chen et al., DeepLab, 2018, plot mean IoU over the width).
    Every score of a confusion matrix can be read from it: `Scores(trimap_confusion(...))`.

    Args:
        mask: true ids, (height, width) or (batch, height, width), NumPy or a tensor of the Keras
            backend.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are not there. They make no band beside them; where
            they hide the border of two classes, as Pascal VOC's rims do, the classes are as far
            apart as they are, so that a width of 10 reaches 5 pixels beyond a rim of 5.
        width: in pixels, >= 1: 1 takes one pixel on each side of every boundary.

    Returns:
        int64 (num_classes, num_classes), rows = truth. Matrices of parts of a set add up.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, `width` < 1.

    Example:
        >>> mask, pred = [[0, 0, 0, 1, 1, 1]], [[1, 0, 0, 0, 1, 1]]
        >>> trimap_confusion(mask, pred, 2, width=1)
        array([[1, 0],
               [1, 0]])
    """
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    truths, guesses = checked.images()
    bands = np.stack([boundary_band(truth, width, NOWHERE) for truth in truths])
    return confusion_matrix(truths[bands], guesses[bands], checked.num_classes)


def trimap_accuracy(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    width: float,
) -> float:
    """Share of the pixels near a true boundary that got their class; NaN where there is none.

    Args:
        mask, pred, num_classes, ignore_class, width: as in `trimap_confusion`.

    Raises:
        ValueError: as there.

    Example:
        >>> mask, pred = [[0, 0, 0, 1, 1, 1]], [[1, 0, 0, 0, 1, 1]]
        >>> trimap_accuracy(mask, pred, 2, width=1)
        0.5
        >>> trimap_accuracy(mask, pred, 2, width=2)
        0.75
    """
    return pixel_accuracy(trimap_confusion(mask, pred, num_classes, ignore_class, width=width))
