"""Scores that ask which pixels belong together, not what they are called: Rand and information."""

from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_ids
from semseg.metrics.functional.ids import (
    NOWHERE,
    as_numpy,
    check_one_shape,
    checked_ids,
    ratio,
)
from semseg.regions.objects import components, thin_borders


class AdaptedRandError(NamedTuple):
    """1 - F1 of the pairs of pixels that belong together, and what it is made of.

    Attributes:
        error: 0 for the same segments, up to 1.
        precision: share of the pairs joined in the prediction that are joined in the truth;
            merging lowers it.
        recall: share of the pairs joined in the truth that are joined in the prediction;
            splitting lowers it.
    """

    error: float
    precision: float
    recall: float


class VariationOfInformation(NamedTuple):
    """Bits that the true and the predicted segments do not say about each other.

    Attributes:
        total: `splits + merges`; 0 for the same segments.
        splits: H(prediction | truth), what false splits cost.
        merges: H(truth | prediction), what false merges cost.
    """

    total: float
    splits: float
    merges: float


class ISBIScores(NamedTuple):
    """The scores of the ISBI 2012 challenge, 1 for the same segments.

    Attributes:
        rand: V^Rand, the harmonic mean of `rand_splits` and `rand_merges`.
        info: V^Info, the harmonic mean of `info_splits` and `info_merges`.
        rand_splits: lowered by splits: share of the pairs joined in the truth that stay joined.
        rand_merges: lowered by merges: share of the pairs joined in the prediction that are right.
        info_splits: lowered by splits: mutual information over the prediction's entropy.
        info_merges: lowered by merges: mutual information over the truth's entropy.
    """

    rand: float
    info: float
    rand_splits: float
    rand_merges: float
    info_splits: float
    info_merges: float


def adapted_rand_error(
    segments: Any, pred_segments: Any, *, ignored: int | None = 0
) -> AdaptedRandError:
    """How wrongly pixels were joined and cut, over all pairs of pixels.

    `1 - 2 sum_ij n_ij (n_ij - 1) / (sum_i t_i (t_i - 1) + sum_j s_j (s_j - 1))` with the sizes of
    overlaps, true and predicted segments: the F-score of Arganda-Carreras et al., 2015, over pairs
    of different pixels, as scikit-image counts them.

    Args:
        segments: true segment numbers of any shape; the names mean nothing, only who shares one.
        pred_segments: predicted ones of the same shape.
        ignored: pixels with this true number are deleted, whatever was predicted there; 0, the
            border, by default. None counts all.

    Returns:
        `AdaptedRandError`; NaN where no two pixels belong together.

    Raises:
        ValueError: shapes that differ.
        TypeError: numbers that are not whole.

    Example:
        >>> scores = adapted_rand_error([[1, 1, 2, 2]], [[1, 1, 1, 1]])
        >>> round(scores.error, 4), round(scores.precision, 4), scores.recall
        (0.5, 0.3333, 1.0)
    """
    joint, true_sizes, pred_sizes = _contingency(*_counted(segments, pred_segments, ignored))
    both, true, guessed = (float((n * (n - 1)).sum()) for n in (joint, true_sizes, pred_sizes))
    error = 1 - ratio(2 * both, true + guessed)
    return AdaptedRandError(float(error), float(ratio(both, guessed)), float(ratio(both, true)))


def variation_of_information(
    segments: Any, pred_segments: Any, *, ignored: int | None = None
) -> VariationOfInformation:
    """How much the true and the predicted segments leave open about each other, in bits.

    VI = H(prediction | truth) + H(truth | prediction), a metric of partitions (Meila, 2007).

    Args:
        segments: true segment numbers of any shape; the names mean nothing, only who shares one.
        pred_segments: predicted ones of the same shape.
        ignored: pixels with this true number are deleted, whatever was predicted there.

    Returns:
        `VariationOfInformation`; NaN without pixels.

    Raises:
        ValueError: shapes that differ.
        TypeError: numbers that are not whole.

    Example:
        >>> variation_of_information([[1, 1, 2, 2]], [[1, 1, 1, 1]])
        VariationOfInformation(total=1.0, splits=0.0, merges=1.0)
    """
    sizes = _contingency(*_counted(segments, pred_segments, ignored))
    both, true, guessed = (_entropy(n) for n in sizes)
    # Rounded entropies may differ by less than 0, by a hair.
    splits, merges = (float(np.maximum(0.0, both - one)) for one in (true, guessed))
    return VariationOfInformation(splits + merges, splits, merges)


def isbi_scores(
    mask: Any, pred: Any, ignore_class: int | None = None, *, thinned: bool = True
) -> ISBIScores:
    """The Rand and information scores of the ISBI 2012 challenge on membranes, of one image.

    Objects are the parts, by four neighbours, of class 1; class 0 are the borders between them.
    Only pixels of true objects count (foreground-restricted); one that was predicted as border
    is an object of its own. Arganda-Carreras et al., 2015, and the challenge's script, except that
    one object, found whole, has an `info` of 1, not 0.
    The challenge takes the best over thresholds of the probability of class 1:
    `max(isbi_scores(mask, p > t).rand for t in np.linspace(0, 0.9, 10))`.

    Args:
        mask: true ids 0 and 1, (height, width), NumPy or a tensor of the Keras backend.
        pred: predicted ids 0 and 1 of the same shape.
        ignore_class: pixels with this true id do not count, whatever was predicted; on both sides
            they hold no object together.
        thinned: predicted borders are thinned to lines first, as the challenge's final scores do,
            so that their width does not count.

    Returns:
        `ISBIScores`; NaN without a true object.

    Raises:
        ValueError: other shapes, other ids.

    Example:
        >>> mask = np.ones((8, 9), int)
        >>> mask[:, 4] = 0
        >>> gap = mask.copy()
        >>> gap[5, 4] = 1
        >>> isbi_scores(mask, mask).rand, round(isbi_scores(mask, gap).rand, 4)
        (1.0, 0.6667)
    """
    checked = checked_ids(mask, pred, 2, ignore_class)
    if checked.truth.ndim != 2:
        raise ValueError(
            f"mask and pred must have shape (height, width), received {checked.truth.shape}; the "
            "scores of a stack are the mean of those of its images"
        )
    (truth,), (guess,) = checked.images()
    segments = components(truth == 1, neighbours=4)
    pred_segments = components(guess == 1, neighbours=4)
    if thinned:
        pred_segments = thin_borders(pred_segments)
    kept = (segments > 0) & (truth != NOWHERE)
    return _isbi(segments[kept], _alone_where_border(pred_segments[kept]))


def _isbi(segments: np.ndarray, pred_segments: np.ndarray) -> ISBIScores:
    sizes = _contingency(segments, pred_segments)
    both, true, guessed = (float((n.astype(float) ** 2).sum()) for n in sizes)
    joint_bits, true_bits, pred_bits = (_entropy(n) for n in sizes)
    shared_bits = true_bits + pred_bits - joint_bits
    return ISBIScores(
        rand=float(ratio(2 * both, true + guessed)),
        info=_of_bits(2 * shared_bits, true_bits + pred_bits),
        rand_splits=float(ratio(both, true)),
        rand_merges=float(ratio(both, guessed)),
        info_splits=_of_bits(shared_bits, pred_bits),
        info_merges=_of_bits(shared_bits, true_bits),
    )


def _of_bits(shared: float, whole: float) -> float:
    """The share of the information that is shared; where there is none to miss, 1."""
    return 1.0 if whole == 0 else float(np.clip(shared / whole, 0.0, 1.0))


def _alone_where_border(segments: np.ndarray) -> np.ndarray:
    """Flat segments in which every 0 has become a segment of its own."""
    numbers = segments.astype(np.int64)
    border = numbers == 0
    numbers[border] = numbers.max(initial=0) + 1 + np.arange(np.count_nonzero(border))
    return numbers


def _counted(
    segments: Any, pred_segments: Any, ignored: int | None
) -> tuple[np.ndarray, np.ndarray]:
    truth = check_ids(as_numpy(segments), "segments")
    guess = check_ids(as_numpy(pred_segments), "pred_segments")
    check_one_shape(truth, guess)
    if ignored is None:
        return truth.ravel(), guess.ravel()
    kept = truth != ignored
    return truth[kept], guess[kept]


def _contingency(
    segments: np.ndarray, pred_segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes of the overlaps that there are, of the true and of the predicted segments, int64."""
    truth, true_sizes = np.unique(segments, return_inverse=True, return_counts=True)[1:]
    guess, pred_sizes = np.unique(pred_segments, return_inverse=True, return_counts=True)[1:]
    pairs = truth.ravel().astype(np.int64) * len(pred_sizes) + guess.ravel()
    return np.unique(pairs, return_counts=True)[1], true_sizes, pred_sizes


def _entropy(sizes: np.ndarray) -> float:
    """Bits of a partition into parts of these sizes; NaN without parts."""
    if len(sizes) < 2:
        return 0.0 if len(sizes) else float("nan")
    total = sizes.sum()
    return float(np.log2(total) - (sizes * np.log2(sizes)).sum() / total)
