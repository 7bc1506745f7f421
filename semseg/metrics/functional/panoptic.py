"""Panoptic quality: classes and instances in one score."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_ids
from semseg.metrics.functional.ids import (
    CheckedIds,
    as_numpy,
    checked_ids,
    mean_of_present,
    ratio,
)
from semseg.metrics.functional.objects import overlaps


class PanopticScores(NamedTuple):
    """Counts of segments of C classes; those of parts of a set add up.

    Attributes:
        iou_sum: float64 (C,), the sum of the IoU of all pairs found.
        found: int64 (C,), pairs of a true and a predicted segment.
        missed: int64 (C,), true segments without one.
        invented: int64 (C,), predicted segments without one.
    """

    iou_sum: np.ndarray
    found: np.ndarray
    missed: np.ndarray
    invented: np.ndarray

    @property
    def pq(self) -> np.ndarray:
        """(C,) panoptic quality, `sq * rq`; NaN for a class in neither truth nor prediction."""
        return ratio(2 * self.iou_sum, 2 * self.found + self.missed + self.invented)

    @property
    def sq(self) -> np.ndarray:
        """(C,) segmentation quality, the mean IoU of the pairs; NaN without any."""
        return ratio(self.iou_sum, self.found)

    @property
    def rq(self) -> np.ndarray:
        """(C,) recognition quality, the F1 score of finding segments."""
        return ratio(2 * self.found, 2 * self.found + self.missed + self.invented)

    @property
    def mean(self) -> float:
        """The mean of `pq` over the classes that occur in truth or prediction."""
        return mean_of_present(self.pq)


def panoptic_quality(
    mask: Any,
    instances: Any,
    pred: Any,
    pred_instances: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    stuff: Sequence[int] = (),
) -> PanopticScores:
    """How well segments were found and how well they were cut: panoptic quality.

    A segment are the pixels of one image with one class and one instance number. A true and a
    predicted one of a class are a pair where their IoU is above 0.5, which gives each at most one
    partner; PQ = sum of the pairs' IoU / (found + missed / 2 + invented / 2) (Kirillov et al.,
    CVPR 2019, section 4.1).

    Args:
        mask: true class ids, (height, width) or (batch, height, width), NumPy or a tensor of the
            Keras backend. The counts of a batch are summed.
        instances: whole numbers of that shape that tell the segments of a class apart; their
            values mean nothing.
        pred: predicted class ids of that shape.
        pred_instances: predicted numbers of that shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id count in no segment. As in the paper, a predicted
            segment without a partner that lies there by more than half is not invented: this is
            the one thing for which it matters what was predicted there.
        stuff: classes without instances, such as sky: one segment an image, whatever the numbers.

    Returns:
        `PanopticScores` with the counts, and `pq`, `sq`, `rq` of every class and `mean`.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, `stuff` that is
            no class.
        TypeError: numbers that are not whole.

    Example:
        >>> mask = np.array([[1, 1, 1, 1, 0, 0]])
        >>> instances = np.array([[1, 1, 2, 2, 0, 0]])
        >>> grown = np.array([[1, 1, 1, 1, 0, 0]])
        >>> scores = panoptic_quality(mask, instances, mask, grown, 2, stuff=[0])
        >>> scores.pq, scores.missed
        (array([1., 0.]), array([0, 2]))
        >>> panoptic_quality(mask, instances, mask, 3 - instances, 2, stuff=[0]).mean
        1.0
    """
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    checked.images()  # refuses other shapes
    _check_stuff(stuff, checked.num_classes)
    numbers = [_checked_numbers(instances, "instances", checked.truth.shape)]
    numbers.append(_checked_numbers(pred_instances, "pred_instances", checked.truth.shape))
    counts = np.zeros((4, checked.num_classes))
    height, width = checked.truth.shape[-2:]
    maps = (checked.truth, numbers[0], checked.guess, numbers[1])
    images = (ids.reshape(-1, height, width) for ids in maps)
    for truth, true_numbers, guess, pred_numbers in zip(*images, strict=True):
        counts += _count(truth, true_numbers, guess, pred_numbers, checked, stuff)
    return PanopticScores(counts[0], *counts[1:].astype(np.int64))


def _count(
    truth: np.ndarray,
    instances: np.ndarray,
    guess: np.ndarray,
    pred_instances: np.ndarray,
    checked: CheckedIds,
    stuff: Sequence[int],
) -> np.ndarray:
    """(4, C): sum of IoU, and the segments found, missed and invented in one image."""
    void = np.zeros(truth.shape, bool)
    if checked.ignore_class is not None:
        void = truth == checked.ignore_class
    segments, classes = _segments(truth, instances, stuff, checked.num_classes)
    pred_segments, pred_classes = _segments(guess, pred_instances, stuff, checked.num_classes)
    left, right, iou = overlaps(np.where(void, 0, segments), np.where(void, 0, pred_segments))
    paired = (classes[left] == pred_classes[right]) & (iou > 0.5)
    left, right, iou = left[paired], right[paired], iou[paired]

    sizes = np.bincount(pred_segments.ravel())[1:]
    on_void = np.bincount(pred_segments[void], minlength=len(sizes) + 1)[1:]
    invented = 2 * on_void <= sizes
    invented[right] = False

    def of_classes(ids: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(ids, weights, minlength=checked.num_classes + 1)[:-1]

    found = of_classes(classes[left])
    missed = of_classes(classes) - found
    return np.stack(
        [of_classes(classes[left], iou), found, missed, of_classes(pred_classes[invented])]
    )


def _segments(
    ids: np.ndarray, instances: np.ndarray, stuff: Sequence[int], num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """The segments numbered from 1 on, and the class of each; `num_classes` for no class."""
    ids = np.where((ids >= 0) & (ids < num_classes), ids, num_classes).astype(np.int64)
    instances = np.where(np.isin(ids, list(stuff)), instances.flat[0], instances)
    numbers = np.unique(instances, return_inverse=True)[1].reshape(ids.shape)
    count = int(numbers.max()) + 1
    keys, segments = np.unique(ids * count + numbers, return_inverse=True)
    return segments.reshape(ids.shape) + 1, keys // count


def _checked_numbers(instances: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    numbers = check_ids(as_numpy(instances), name)
    if numbers.shape != shape:
        raise ValueError(f"{name} must have the mask's shape {shape}, received {numbers.shape}")
    return numbers


def _check_stuff(stuff: Any, num_classes: int) -> None:
    strangers = [class_id for class_id in stuff if class_id not in range(num_classes)]
    if strangers:
        raise ValueError(f"stuff must be classes in 0..{num_classes - 1}, received {strangers}")
