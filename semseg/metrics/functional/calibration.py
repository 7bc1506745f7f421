"""Whether probabilities mean what they say: calibration error and Brier score, per pixel."""

from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_ids, check_ignore_class, unknown_ids, unknown_ids_message
from semseg.metrics.functional.ids import as_numpy, ratio

# Sums of float16 softmax over many classes miss 1 by less.
_SUM_TOLERANCE = 1e-2


class CalibrationError(NamedTuple):
    """The expected calibration error, and the bins of a reliability diagram.

    Attributes:
        error: the mean over pixels of |accuracy - confidence| of their bin, in [0, 1].
        confidence: float64 (bins,), mean probability of the predicted class; NaN in empty bins.
        accuracy: float64 (bins,), share of the pixels that got their class; NaN in empty bins.
        pixels: int64 (bins,).
    """

    error: float
    confidence: np.ndarray
    accuracy: np.ndarray
    pixels: np.ndarray


def expected_calibration_error(
    mask: Any, probabilities: Any, ignore_class: int | None = None, *, bins: int = 15
) -> CalibrationError:
    """How far the probability of the predicted class is from how often it is right.

    Pixels are sorted by the probability of their predicted class into bins of one width, and
    `sum_b n_b / n |accuracy_b - confidence_b|` is taken over them (Guo et al., 2017, equation 3).
    Pixels of one image are no independent samples: the error of a set needs its images together.

    Args:
        mask: true ids of any shape, NumPy or a tensor of the Keras backend.
        probabilities: of that shape with one more axis of C classes, in [0, 1] and summing to 1:
            `keras.ops.softmax(logits)`. A last axis of 1 holds the probability of class 1.
        ignore_class: pixels with this true id are deleted, whatever was predicted there.
        bins: number of bins; bin b holds probabilities in (b / bins, (b + 1) / bins].

    Returns:
        `CalibrationError` with `error`, and `confidence`, `accuracy`, `pixels` of every bin.
        The error is NaN without pixels.

    Raises:
        ValueError: shapes that do not fit, no probabilities, ids outside the classes, `bins` < 1.

    Example:
        >>> mask = [0, 0, 0, 1]
        >>> probabilities = [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.4, 0.6]]
        >>> scores = expected_calibration_error(mask, probabilities, bins=5)
        >>> round(scores.error, 4)
        0.15
        >>> scores.accuracy[2:]
        array([0.5, 1. , nan])
    """
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"bins must be a whole number >= 1, received {bins!r}")
    truth, shares = _counted(mask, probabilities, ignore_class)
    guess, confidence = shares.argmax(-1), shares.max(-1)
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    pixels = np.bincount(number, minlength=bins)
    hits = np.bincount(number, weights=guess == truth, minlength=bins)
    total = np.bincount(number, weights=confidence, minlength=bins)
    error = float(ratio(np.abs(hits - total).sum(), pixels.sum()))
    return CalibrationError(error, ratio(total, pixels), ratio(hits, pixels), pixels)


def brier_score(mask: Any, probabilities: Any, ignore_class: int | None = None) -> float:
    """Mean squared error of the probabilities: the mean over pixels of sum_c (p_c - y_c)^2.

    0 for certain and right, 2 for certain and wrong (Brier, 1950, equation 2). For two classes
    it is twice what scikit-learn's `brier_score_loss` gives for one of them.

    Args:
        mask, probabilities, ignore_class: as in `expected_calibration_error`.

    Returns:
        The score; NaN without pixels.

    Raises:
        ValueError: as there.

    Example:
        >>> round(brier_score([0, 1], [[0.9, 0.1], [0.5, 0.5]]), 4)
        0.26
    """
    truth, shares = _counted(mask, probabilities, ignore_class)
    of_truth = np.take_along_axis(shares, truth[:, None], axis=1)[:, 0]
    # sum_c (p_c - y_c)^2 without the one-hot y.
    errors = (shares * shares).sum(-1) - 2 * of_truth + 1
    return float(ratio(errors.sum(), len(errors)))


def _counted(
    mask: Any, probabilities: Any, ignore_class: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """int64 (pixels,) ids and float64 (pixels, classes) probabilities of the pixels that count."""
    truth, shares = check_ids(as_numpy(mask), "mask"), as_numpy(probabilities)
    if shares.ndim != truth.ndim + 1 or shares.shape[:-1] != truth.shape or not shares.shape[-1]:
        raise ValueError(
            "probabilities must have the mask's shape and one more axis of classes, received mask "
            f"{truth.shape} and probabilities {shares.shape}"
        )
    num_classes = max(2, shares.shape[-1])
    ignore_class = check_ignore_class(ignore_class, num_classes)
    found = unknown_ids(truth, num_classes, ignore_class)
    if found:
        raise ValueError(unknown_ids_message(found, num_classes, ignore_class))
    if ignore_class is not None:
        kept = truth != ignore_class
        truth, shares = truth[kept], shares[kept]
    shares = shares.reshape(-1, shares.shape[-1]).astype(np.float64)
    if shares.shape[-1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=-1)
    _check_probabilities(shares)
    return truth.ravel().astype(np.int64), shares


def _check_probabilities(shares: np.ndarray) -> None:
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(
            f"probabilities must lie in [0, 1], received {shares.min()} to {shares.max()}; logits "
            "become probabilities with keras.ops.softmax(logits), or sigmoid for one channel"
        )
    sums = shares.sum(-1)
    if not (np.abs(sums - 1) <= _SUM_TOLERANCE).all():
        raise ValueError(
            f"probabilities must sum to 1 over the classes, received sums from {sums.min():.4g} to "
            f"{sums.max():.4g}; logits become probabilities with keras.ops.softmax(logits)"
        )
