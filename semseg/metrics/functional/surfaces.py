"""How far true and predicted surfaces are apart: Hausdorff and average distances."""

from typing import Any, NamedTuple

import numpy as np

from semseg.metrics.functional.ids import NOWHERE, checked_ids
from semseg.regions.surfaces import class_surface, distances_to


class SurfaceDistances(NamedTuple):
    """Distances of B images and C classes, in the unit of the spacing.

    NaN for a class in neither truth nor prediction, infinite for one that is missing on one side.

    Attributes:
        hausdorff: float64 (B, C), the largest distance from one surface to the other.
        hausdorff_95: float64 (B, C), the distance that 95 % of each surface keep.
        average: float64 (B, C), the mean over the pixels of both surfaces (ASSD).
    """

    hausdorff: np.ndarray
    hausdorff_95: np.ndarray
    average: np.ndarray


def surface_distances(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    spacing: float | tuple[float, float] = 1.0,
) -> SurfaceDistances:
    """How far the predicted surface of each class is from the true one, in pixels or millimetres.

    A surface are the pixels of a class that touch another by a side, and those at the frame. Each
    pixel of either is as far away as the nearest of the other. From these distances: the largest
    (Hausdorff), the larger of the two sides' 95th percentiles, and the mean of all. As in MONAI;
    the distances are exact.

    Distances have no upper end: one wrong pixel far away decides `hausdorff`, and a class that was
    missed is infinitely far. So say how many were missed beside a mean over those that were not.

    Args:
        mask: true ids, (height, width) or (batch, height, width), NumPy or a tensor of the Keras
            backend.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are not there, whatever was predicted: no surface
            runs on them or along them.
        spacing: the side of a pixel, or its height and width.

    Returns:
        `SurfaceDistances` with `hausdorff`, `hausdorff_95`, `average` of every image and class.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, a `spacing` that
            is not > 0.

    Example:
        >>> mask = np.zeros((20, 20), int)
        >>> mask[5:10, 5:10] = 1
        >>> found = surface_distances(mask, np.roll(mask, 3, axis=1), 2, spacing=(1.0, 0.5))
        >>> float(found.hausdorff[0, 1]), float(found.average[0, 1])
        (1.5, 0.75)
    """
    height, width = _checked_spacing(spacing)
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    truths, guesses = checked.images()
    found = np.full((3, len(truths), checked.num_classes), np.nan)
    for image, pair in enumerate(zip(truths, guesses, strict=True)):
        for class_id in range(checked.num_classes):
            true, guessed = (class_surface(ids, class_id, NOWHERE) for ids in pair)
            missed = distances_to(true, guessed, (height, width))
            wrong = distances_to(guessed, true, (height, width))
            if len(missed) or len(wrong):
                found[:, image, class_id] = _summary(missed, wrong)
    return SurfaceDistances(*found)


def _summary(missed: np.ndarray, wrong: np.ndarray) -> tuple[float, float, float]:
    both = np.concatenate([missed, wrong])
    if np.isinf(both).any():  # a percentile between two infinite values is NaN
        return np.inf, np.inf, np.inf
    return both.max(), max(np.percentile(side, 95) for side in (missed, wrong)), both.mean()


def _checked_spacing(spacing: Any) -> tuple[float, float]:
    try:
        sides = np.broadcast_to(np.asarray(spacing, np.float64), (2,))
    except (TypeError, ValueError):
        sides = np.zeros(2)
    if not ((sides > 0) & (sides < np.inf)).all():
        raise ValueError(
            f"spacing must be the side of a pixel > 0, or its (height, width), received {spacing!r}"
        )
    return float(sides[0]), float(sides[1])
