"""Every score that a confusion matrix holds."""

from typing import Any, Literal, NamedTuple

import numpy as np

from semseg.metrics.functional.confusion import as_confusion
from semseg.metrics.functional.ids import ratio

Absent = Literal["skip", "zero", "one"]
_ABSENT: dict[str, float] = {"skip": np.nan, "zero": 0.0, "one": 1.0}


class ConfusionScores(NamedTuple):
    """What `scores` finds: one number a class, then one for all."""

    iou: np.ndarray
    dice: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    mean_iou: float
    mean_dice: float
    mean_precision: float
    mean_accuracy: float  #: the mean of `recall`, under the name it has in segmentation
    pixel_accuracy: float
    frequency_weighted_iou: float
    kappa: float
    mcc: float
    absent: tuple[int, ...]  #: classes in neither truth nor prediction


def scores(
    confusion: Any, invalid: float = 0, *, absent: Absent = "skip", per_image: bool = False
) -> ConfusionScores:
    """All scores of a confusion matrix.

    With n_ij pixels of class i predicted as j, t_c = sum_j n_cj true and p_c = sum_i n_ic
    predicted ones, N in all: IoU = n_cc / (t_c + p_c - n_cc), Dice = 2 n_cc / (t_c + p_c),
    precision = n_cc / p_c, recall = n_cc / t_c (Long et al. 2015, section 5, for the pixel
    accuracies and the frequency-weighted IoU). Cohen's kappa = (o - e) / (1 - e) with o the pixel
    accuracy and e = sum_c t_c p_c / N^2. MCC is R_K of Gorodkin 2004.

    Args:
        confusion: (C, C) counts or weights, rows = truth.
        invalid: number of pixels whose label is no class; they stand in every denominator, and
            leave kappa and MCC without a value.
        absent: what a share of nothing is, such as the IoU of a class in neither truth nor
            prediction, or the recall of one that is not in the truth. `"skip"`: NaN, left out of
            the means. `"zero"` and `"one"`: that value, which then counts in the means.
        per_image: take (images, C, C) and mean every score over the images that have it. That
            is another number than the set's: small objects in few images weigh more.

    Returns:
        A NamedTuple; per class float64 (C,), else floats. Kappa and MCC are NaN where they are
        0 / 0: only one class in truth or prediction.

    Raises:
        ValueError: a matrix that is not square, an unknown `absent`.

    Example:
        >>> found = scores([[6, 2, 0], [0, 2, 0], [0, 0, 0]])
        >>> found.iou.tolist(), found.mean_iou, found.absent
        ([0.75, 0.5, nan], 0.625, (2,))
        >>> scores([[6, 2, 0], [0, 2, 0], [0, 0, 0]], absent="zero").mean_iou
        0.4166666666666667
    """
    if absent not in _ABSENT:
        raise ValueError(f'absent must be "skip", "zero" or "one", received {absent!r}')
    matrices = as_confusion(confusion, 3 if per_image else 2).astype(np.float64)
    found = _scores(matrices if per_image else matrices[None], invalid, _ABSENT[absent])
    means: dict[str, Any] = {name: _mean_of_present(v, axis=0) for name, v in found.items()}
    # Arrays of no axes become plain floats.
    means = {name: mean if mean.ndim else float(mean) for name, mean in means.items()}
    whole = matrices.sum(axis=0) if per_image else matrices
    seen = whole.sum(axis=0) + whole.sum(axis=1)
    return ConfusionScores(**means, absent=tuple(np.flatnonzero(seen == 0).tolist()))


def _scores(matrices: np.ndarray, invalid: float, absent: float) -> dict[str, np.ndarray]:
    """Scores of (N, C, C) matrices: (N, C) per class, else (N,)."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    truth, guess = matrices.sum(axis=2), matrices.sum(axis=1)

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.where(whole + invalid > 0, ratio(part, whole + invalid), absent)

    iou = share(hits, truth + guess - hits)
    per_class = {
        "iou": iou,
        "dice": share(2 * hits, truth + guess),
        "precision": share(hits, guess),
        "recall": share(hits, truth),
    }
    pixels = truth.sum(axis=1)
    return {
        **per_class,
        "mean_iou": _mean_of_present(iou, axis=1),
        "mean_dice": _mean_of_present(per_class["dice"], axis=1),
        "mean_precision": _mean_of_present(per_class["precision"], axis=1),
        "mean_accuracy": _mean_of_present(per_class["recall"], axis=1),
        "pixel_accuracy": ratio(hits.sum(axis=1), pixels + invalid),
        "frequency_weighted_iou": ratio(
            np.where(truth > 0, truth * iou, 0).sum(axis=1), pixels + invalid
        ),
        "kappa": _unless(invalid, _kappa(hits, truth, guess)),
        "mcc": _unless(invalid, _mcc(hits, truth, guess)),
    }


def _kappa(hits: np.ndarray, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """(o - e) / (1 - e), times N^2."""
    pixels = truth.sum(axis=1)
    by_chance = (truth * guess).sum(axis=1)
    return ratio(pixels * hits.sum(axis=1) - by_chance, pixels**2 - by_chance)


def _mcc(hits: np.ndarray, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    pixels = truth.sum(axis=1)
    covariance = pixels * hits.sum(axis=1) - (truth * guess).sum(axis=1)
    variances = [pixels**2 - (side**2).sum(axis=1) for side in (truth, guess)]
    return ratio(covariance, np.sqrt(variances[0] * variances[1]))


def _unless(invalid: float, values: np.ndarray) -> np.ndarray:
    """NaN with invalid pixels: they could lower the agreement by chance, and so raise the score."""
    return np.full_like(values, np.nan) if invalid else values


def _mean_of_present(values: np.ndarray, axis: int) -> np.ndarray:
    present = ~np.isnan(values)
    return ratio(np.where(present, values, 0).sum(axis=axis), present.sum(axis=axis))
