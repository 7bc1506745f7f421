"""Whether a doubt is worth something: scores of the pixels that are kept when the rest is not."""

from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_count
from semseg.metrics.functional.ids import as_numpy, checked_ids
from semseg.metrics.functional.rates import scores


class RejectCurve(NamedTuple):
    """Scores against the share of the pixels kept, from the most certain ones to all.

    Attributes:
        kept: float64 (points,), shares in (0, 1], ascending.
        pixel_accuracy, mean_iou: float64 (points,), of the pixels kept.
    """

    kept: np.ndarray
    pixel_accuracy: np.ndarray
    mean_iou: np.ndarray


def reject_curve(
    mask: Any,
    pred: Any,
    doubt: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    points: int = 20,
) -> RejectCurve:
    """Scores of the pixels whose doubt is low enough to keep them.

    A doubt that knows where the errors are makes the curve fall from the left to the right; one
    that knows nothing leaves it flat. Pixels of equal doubt are kept or left together, so the
    shares are those that the doubts allow: often, but not always, 1 / points, 2 / points, ...

    Args:
        mask: true ids of any shape, NumPy or a tensor of the Keras backend.
        pred: predicted ids of that shape.
        doubt: numbers of that shape, such as the entropy or the mutual information of
            `semseg.inference.mc_dropout`, or 1 - the highest probability.
        num_classes, ignore_class: as in `confusion_matrix`.
        points: of the curve, at most.

    Raises:
        ValueError: shapes that differ, NaN among the doubts of pixels that count, ids outside the
            classes, no pixel that counts.

    Example:
        >>> curve = reject_curve([0, 0, 1, 1], [0, 1, 1, 1], [0.1, 0.9, 0.2, 0.4], 2, points=4)
        >>> curve.kept.tolist(), curve.pixel_accuracy.tolist()
        ([0.25, 0.5, 0.75, 1.0], [1.0, 1.0, 1.0, 0.75])
    """
    check_count("points", points, 1)
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    doubt = as_numpy(doubt)
    if doubt.shape != checked.truth.shape:
        raise ValueError(
            f"doubt must have the shape of mask, {checked.truth.shape}, received {doubt.shape}"
        )
    counts = np.ones(doubt.shape, bool) if ignore_class is None else checked.truth != ignore_class
    doubt = doubt[counts]
    if not len(doubt) or np.isnan(doubt).any():
        what = "NaN in them" if len(doubt) else "none"
        raise ValueError(f"doubt must have numbers for the pixels that count, received {what}")
    truth, guess = checked.counted()
    ordered = np.sort(doubt)
    last = _last_places(ordered, points)
    step_of_pixel = np.searchsorted(ordered[last], doubt)
    cells = checked.num_classes**2
    pair = truth.astype(np.int64) * checked.num_classes + guess
    matrices = np.bincount(step_of_pixel * cells + pair, minlength=len(last) * cells)
    kept = matrices.reshape(len(last), checked.num_classes, -1).cumsum(axis=0)
    found = [scores(matrix) for matrix in kept]
    return RejectCurve(
        (last + 1) / len(doubt),
        np.array([f.pixel_accuracy for f in found]),
        np.array([f.mean_iou for f in found]),
    )


def _last_places(ordered: np.ndarray, points: int) -> np.ndarray:
    """Places in the sorted doubts up to which pixels are kept: the last of equal ones."""
    wanted = np.ceil(np.arange(1, points + 1) * len(ordered) / points).astype(int) - 1
    return np.unique(np.searchsorted(ordered, ordered[wanted], side="right") - 1)
