"""What a difference of scores is worth: intervals over images, and a paired test."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from semseg.metrics.functional.ids import as_numpy, ratio

# The counts that all scores are made of, each (..., C): right, true and predicted pixels.
_Score = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

# Draws made at once, so that many draws of many images fit into memory.
_BLOCK = 200


class Interval(NamedTuple):
    """A score of a set, and between which values it lies; floats, or arrays (C,) by class.

    Attributes:
        value: the score of all images together.
        low: the lower end of the interval.
        high: the upper end.
    """

    value: Any
    low: Any
    high: Any


class Comparison(NamedTuple):
    """How two models differ on the same images; floats, or arrays (C,) by class.

    Attributes:
        difference: score of `a` minus score of `b`.
        low: the lower end of the interval of the difference.
        high: the upper end.
        p_value: how often exchanging the models on random images gives a difference as large, in
            either direction. Small: it is no accident of which images were taken.
    """

    difference: Any
    low: Any
    high: Any
    p_value: Any


def bootstrap(
    confusions: Any,
    n: int = 1000,
    seed: int = 0,
    *,
    score: str = "mean_iou",
    level: float = 0.95,
) -> Interval:
    """The interval of a score over the choice of images: the percentile bootstrap.

    Images are drawn anew, with replacement, `n` times; every time their matrices are added and the
    set is scored (Efron and Tibshirani, 1993, section 13.3). A class that no drawn image holds is
    left out of that draw's mean, and of its own interval.

    Args:
        confusions: (N, C, C) counts: `confusion_matrix(..., per_image=True)`. Where images hang
            together (frames of a video, tiles of a scan), add up each group first: the draws must
            be independent.
        n: number of draws.
        seed: of the draws; the same seed gives the same interval.
        score: `"mean_iou"`, `"pixel_accuracy"`, `"mean_accuracy"`, or by class `"class_iou"`,
            `"class_accuracy"`.
        level: share of the draws inside the interval.

    Returns:
        `Interval` with `value`, `low`, `high`; NaN where a class is absent.

    Raises:
        ValueError: another shape, counts below 0, unknown `score`, `n` < 1, `level` outside (0, 1).

    Example:
        >>> good, bad = [[1, 0], [0, 1]], [[1, 0], [1, 0]]
        >>> confusions = [good] * 25 + [bad] * 25
        >>> value, low, high = bootstrap(confusions)
        >>> round(value, 3), round(low, 3), round(high, 3)
        (0.583, 0.485, 0.688)
    """
    function = _score_function(score)
    _check_draws(n, level)
    counts = _marginals(_checked_confusions(confusions))
    draws = function(*_drawn(counts, n, seed))
    return Interval(_plain(function(*_total(counts))[0]), *_percentiles(draws, level))


def compare(
    confusions_a: Any,
    confusions_b: Any,
    n: int = 1000,
    seed: int = 0,
    *,
    score: str = "mean_iou",
    level: float = 0.95,
) -> Comparison:
    """Whether one model is better than another on the same images: a paired permutation test.

    If the models were equally good, it would not matter whose matrix is whose. So for every image
    the two are exchanged by the toss of a coin, `n` times, and the sets are scored:
    p = (1 + draws with a difference as large) / (1 + n), in either direction (Phipson and Smyth,
    2010: never 0). The interval is a bootstrap over images, the same ones for both.

    Args:
        confusions_a: (N, C, C) counts of N images, rows = truth, by the first model.
        confusions_b: those by the second, of the same images in the same order.
        n, seed, score, level: as in `bootstrap`.

    Returns:
        `Comparison` with `difference`, `low`, `high`, `p_value`.

    Raises:
        ValueError: as in `bootstrap`; matrices of other images, told by their true pixels.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> def confusions(share_right):
        ...     right = rng.binomial(100, share_right, (30, 2))
        ...     return [[[r, 100 - r], [100 - s, s]] for r, s in right.tolist()]
        >>> better = compare(confusions(0.9), confusions(0.8))
        >>> round(better.difference, 2), better.p_value < 0.01
        (0.16, True)
    """
    function = _score_function(score)
    _check_draws(n, level)
    a = _marginals(_checked_confusions(confusions_a, "confusions_a"))
    b = _marginals(_checked_confusions(confusions_b, "confusions_b"))
    _check_same_images(a, b)
    observed = (function(*_total(a)) - function(*_total(b)))[0]
    gained = _exchanged(a, b, n, seed)
    exchanged = function(*(_total(a) + gained)) - function(*(_total(b) - gained))
    # As large but for rounding; an exchange that has no score speaks against nothing.
    as_large = ~(np.abs(exchanged) < np.abs(observed) - 1e-12)
    p_value = np.where(np.isnan(observed), np.nan, (1 + as_large.sum(0)) / (1 + n))
    drawn = function(*_drawn(a, n, seed)) - function(*_drawn(b, n, seed))
    low, high = _percentiles(drawn, level)
    return Comparison(_plain(observed), low, high, _plain(p_value))


def _class_iou(right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return ratio(right, true + predicted - right)


def _class_accuracy(right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return ratio(right, true)


def _pixel_accuracy(right: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return ratio(right.sum(-1), true.sum(-1))


def _mean_over_classes(by_class: _Score) -> _Score:
    def mean(*counts: np.ndarray) -> np.ndarray:
        values = by_class(*counts)
        present = ~np.isnan(values)
        return ratio(np.where(present, values, 0).sum(-1), present.sum(-1))

    return mean


_SCORES: dict[str, _Score] = {
    "mean_iou": _mean_over_classes(_class_iou),
    "pixel_accuracy": _pixel_accuracy,
    "mean_accuracy": _mean_over_classes(_class_accuracy),
    "class_iou": _class_iou,
    "class_accuracy": _class_accuracy,
}


def _score_function(score: Any) -> _Score:
    if score not in _SCORES:
        raise ValueError(f"score must be one of {', '.join(_SCORES)}, received {score!r}")
    return _SCORES[score]


def _drawn(counts: np.ndarray, n: int, seed: int) -> np.ndarray:
    """(3, n, C): the counts of sets whose images are drawn with replacement."""
    rng, images = np.random.default_rng((seed, 0)), counts.shape[1]
    shares = np.full(images, 1 / images)
    # Products in float64 are fast, and exact while they are of whole numbers below 2**53.
    blocks = [rng.multinomial(images, shares, size).astype(float) @ counts for size in _blocks(n)]
    return np.concatenate(blocks, axis=1)


def _exchanged(a: np.ndarray, b: np.ndarray, n: int, seed: int) -> np.ndarray:
    """(3, n, C): what the set of `a` gains when random images are exchanged with `b`."""
    rng, images = np.random.default_rng((seed, 1)), a.shape[1]
    gain = b - a
    blocks = [(rng.random((size, images)) < 0.5).astype(float) @ gain for size in _blocks(n)]
    return np.concatenate(blocks, axis=1)


def _blocks(n: int) -> list[int]:
    return [min(_BLOCK, n - start) for start in range(0, n, _BLOCK)]


def _total(counts: np.ndarray) -> np.ndarray:
    """(3, 1, C): the counts of all images, shaped as those of one draw."""
    return counts.sum(axis=1, keepdims=True)


def _marginals(confusions: np.ndarray) -> np.ndarray:
    """(N, C, C) matrices -> float64 (3, N, C): right, true and predicted pixels."""
    parts = [np.diagonal(confusions, axis1=1, axis2=2), confusions.sum(2), confusions.sum(1)]
    return np.stack(parts)


def _percentiles(draws: np.ndarray, level: float) -> tuple[Any, Any]:
    """Ends of the middle `level` of the draws, (n,) or (n, C), leaving out those that are NaN."""
    ends = np.full((2, *draws.shape[1:]), np.nan)
    for index in np.ndindex(draws.shape[1:]):
        values = draws[(slice(None), *index)]
        values = values[~np.isnan(values)]
        if len(values):
            ends[(slice(None), *index)] = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return _plain(ends[0]), _plain(ends[1])


def _plain(values: np.ndarray) -> Any:
    """A float for a score of the set, the array for scores by class."""
    return values if values.ndim else float(values)


def _checked_confusions(confusions: Any, name: str = "confusions") -> np.ndarray:
    array = as_numpy(confusions)
    if array.ndim != 3 or array.shape[1] != array.shape[2] or 0 in array.shape:
        raise ValueError(
            f"{name} must have shape (N, C, C), one matrix an image, received {array.shape}; one "
            "matrix of the whole set says nothing about its images"
        )
    counts = array.astype(np.float64)
    bad = counts[~((counts >= 0) & (counts < np.inf))]
    if len(bad):
        raise ValueError(f"{name} must hold counts >= 0, received {bad[0]}")
    return counts


def _check_same_images(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ValueError(
            "confusions_a and confusions_b must be of the same images and classes, received "
            f"(images, classes) {a.shape[1:]} and {b.shape[1:]}"
        )
    differ = ~np.isclose(a[1], b[1], rtol=1e-9).all(-1)
    if differ.any():
        raise ValueError(
            "confusions_a and confusions_b must be of the same images in the same order, but "
            f"{np.count_nonzero(differ)} images have other true pixels, the first at index "
            f"{differ.argmax()}; score both models on one list of images"
        )


def _check_draws(n: Any, level: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be a whole number of draws >= 1, received {n!r}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), received {level!r}")
