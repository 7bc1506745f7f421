"""The centreline Dice loss: are thin structures covered along their middle, without gaps?"""

from typing import Any

from keras import ops

from semseg._checks import check_count
from semseg.losses.functional.overlap import (
    mean_over_classes,
    overlap,
    probabilities,
    ratio,
    summed,
)
from semseg.losses.functional.pixels import check_ids_given, prepare


def centerline_dice(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    iterations: int = 5,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """Harmonic mean of two covered shares of centrelines; see `semseg.losses.CenterlineDice`.

    Args:
        y_true: (B, H, W) ids.
        y_pred: (B, H, W, C) logits; one channel is binary, of which the foreground counts.
        sample_weight: None, (B,) or (B, H, W).
        iterations: erosions that thin a region to its centreline.

    Returns:
        (1,) for `pooling="batch"`, (B,) for "image".

    Example:
        >>> from semseg.losses.functional import centerline_dice
        >>> line = np.array([[[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]])
        >>> cut = np.where(line == 1, 9.0, -9.0)[..., None]
        >>> cut[0, 1, 3] = -9.0  # three quarters are found
        >>> np.round(np.asarray(centerline_dice(line, cut)), 2)  # 1 - 2 * 0.75 / 1.75
        array([0.14])
    """
    check_count("iterations", iterations, 0)
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    check_ids_given(pixels, "CenterlineDice", "; Dice() takes them")
    counts = pixels.counts()[..., None]
    counted = ops.cast(counts > 0, counts.dtype)  # other pixels belong to no region
    true = pixels.shares() * counted
    predicted = probabilities(pixels, from_logits) * counted

    def covered(line: Any, region: Any) -> Any:
        """The share of a line that a region covers; of no line nothing is missing."""
        length = summed(line * counts, pooling)
        return ops.where(length > 0, ratio(summed(line * region * counts, pooling), length), 1.0)

    precision = covered(centerline(predicted, iterations), true)
    sensitivity = covered(centerline(true, iterations), predicted)
    losses = 1 - ratio(2 * precision * sensitivity, precision + sensitivity)
    found = overlap(pixels, predicted, pooling)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def centerline(regions: Any, iterations: int) -> Any:
    """The soft skeleton of (B, H, W, K) shares: what openings of their erosions take away.

    Shit et al., CVPR 2021, algorithm 1.
    """
    line = ops.zeros_like(regions)
    for _ in range(iterations + 1):
        eroded = _eroded(regions)
        lost = ops.relu(regions - _largest(eroded, (3, 3)))  # by opening
        line = line + ops.relu(lost - line * lost)
        regions = eroded
    return line


def _eroded(x: Any) -> Any:
    """The least of each pixel and its four neighbours."""
    return -ops.maximum(_largest(-x, (3, 1)), _largest(-x, (1, 3)))


def _largest(x: Any, window: tuple[int, int]) -> Any:
    return ops.max_pool(x, window, strides=1, padding="same", data_format="channels_last")
