"""Scores of whole objects: found, missed, invented."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.metrics.functional.ids import checked_ids, ratio
from semseg.regions.matching import one_to_one
from semseg.regions.objects import components, split_touching


class ObjectScores(NamedTuple):
    """Counts of objects at T thresholds and C classes; those of parts of a set add up.

    Attributes:
        iou_thresholds: float64 (T,).
        found: int64 (T, C), pairs of a true and a predicted object.
        missed: int64 (T, C), true objects without one.
        invented: int64 (T, C), predicted objects without one.
    """

    iou_thresholds: np.ndarray
    found: np.ndarray
    missed: np.ndarray
    invented: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """(T, C) share of the predicted objects that are right; NaN without any."""
        return ratio(self.found, self.found + self.invented)

    @property
    def recall(self) -> np.ndarray:
        """(T, C) share of the true objects that were found; NaN without any."""
        return ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> np.ndarray:
        """(T, C) found / (found + half of missed and invented); NaN without any object."""
        return ratio(2 * self.found, 2 * self.found + self.missed + self.invented)


def object_scores(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    iou_thresholds: Sequence[float] = (0.5,),
    background: int | None = 0,
    split: bool = False,
    min_distance: float = 5.0,
) -> ObjectScores:
    """How many objects were found, missed and invented, objects being the parts of a class.

    A true and a predicted object of one class are a pair where their intersection over union
    reaches the threshold; every object is in one pair at most, and there are as many pairs as can
    be (above 0.5 there is no choice).

    Args:
        mask: true ids, (height, width) or (batch, height, width), NumPy or a tensor of the Keras
            backend. The counts of a batch are summed.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are deleted on both sides before objects are made.
        iou_thresholds: in (0, 1].
        background: the class that has no objects, counted 0 throughout; None: every class has.
        split: objects are connected parts, by eight neighbours. True cuts them at their necks as
            well, in truth and prediction, for classes whose objects touch: a watershed,
            `semseg.regions.split_touching`.
        min_distance: pixels between the middles of two objects that `split` keeps apart.

    Returns:
        `ObjectScores` with `found`, `missed`, `invented`, and `precision`, `recall`, `f1`.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, thresholds outside
            (0, 1], `background` no class, `min_distance` <= 0.

    Example:
        >>> mask = [[1, 1, 0, 1, 1, 0, 0, 0]]
        >>> pred = [[1, 1, 0, 0, 1, 0, 1, 0]]
        >>> scores = object_scores(mask, pred, 2, iou_thresholds=[0.5, 0.75])
        >>> scores.found[:, 1].tolist(), scores.missed[:, 1].tolist()
        ([2, 1], [0, 1])
        >>> scores.f1[:, 1].round(2)
        array([0.8, 0.4])
    """
    thresholds = _checked_thresholds(iou_thresholds)
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    if background is not None and not 0 <= background < checked.num_classes:
        raise ValueError(
            f"background must be None or a class in 0..{checked.num_classes - 1}, received "
            f"{background!r}"
        )
    counts = np.zeros((3, len(thresholds), checked.num_classes), np.int64)
    for truth, guess in zip(*checked.images(), strict=True):
        for class_id in set(range(checked.num_classes)) - {background}:
            true_objects, objects = (
                split_touching(ids == class_id, min_distance)
                if split
                else components(ids == class_id)
                for ids in (truth, guess)
            )
            counts[:, :, class_id] += _count(true_objects, objects, thresholds)
    return ObjectScores(thresholds, *counts)


def _count(true_objects: np.ndarray, objects: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """(3, thresholds): objects found, missed and invented."""
    true_count, count = int(true_objects.max()), int(objects.max())
    left, right, iou = overlaps(true_objects, objects)
    # A whole number of pixels over another is compared with a rounded share.
    reached = (iou >= threshold - 1e-9 for threshold in thresholds)
    found = np.array([len(one_to_one(left[pairs], right[pairs])) for pairs in reached])
    return np.stack([found, true_count - found, count - found])


def overlaps(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of objects that share pixels, numbered from 0, and their IoU."""
    both = (one > 0) & (other > 0)
    columns = int(other.max()) + 1
    pairs, shared = np.unique(
        one[both].astype(np.int64) * columns + other[both], return_counts=True
    )
    left, right = np.divmod(pairs, columns)
    sizes, other_sizes = np.bincount(one.ravel()), np.bincount(other.ravel())
    return left - 1, right - 1, shared / (sizes[left] + other_sizes[right] - shared)


def _checked_thresholds(iou_thresholds: Any) -> np.ndarray:
    thresholds = np.asarray(iou_thresholds, np.float64)
    if (
        thresholds.ndim != 1
        or not len(thresholds)
        or not ((thresholds > 0) & (thresholds <= 1)).all()
    ):
        raise ValueError(
            f"iou_thresholds must be a sequence of numbers in (0, 1], received {iou_thresholds!r}"
        )
    return thresholds
