"""The boundary loss: probabilities weighed by their distance from the true boundary."""

from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import call_numpy, in_xla
from semseg.losses.functional.overlap import (
    mean_over_classes,
    overlap,
    probabilities,
    ratio,
    summed,
)
from semseg.losses.functional.pixels import check_ids_given, prepare


def boundary(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    pooling: str = "batch",
    absent: str = "skip",
) -> Any:
    """Mean of signed distance times probability; see `semseg.losses.Boundary`.

    Args:
        y_true: (B, H, W) ids.
        y_pred: (B, H, W, C) logits; one channel is binary, of which the foreground counts.
        sample_weight: None, (B,) or (B, H, W).

    Returns:
        (1,) for `pooling="batch"`, (B,) for "image".

    Example:
        >>> from semseg.losses.functional import boundary
        >>> np.asarray(boundary(np.array([[[1, 0, 0, 0]]]), np.zeros((1, 1, 4, 1))))
        array([0.75])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    check_ids_given(pixels, "Boundary", ": shares have no boundary")
    if keras.backend.backend() == "tensorflow" and in_xla():
        raise ValueError(
            "Boundary measures distances in NumPy, which XLA can't call; compile the model with "
            "jit_compile=False"
        )
    # A pixel without class belongs to no region.
    ids = ops.where(pixels.valid, pixels.target, -1)
    shape = (*ids.shape, pixels.num_classes)
    distances = call_numpy(_distances(pixels.num_classes), (ids,), shape, "float32")
    distances = ops.cast(distances, pixels.scores.dtype)
    predicted = probabilities(pixels, from_logits)
    found = overlap(pixels, predicted, pooling)
    weighed = summed(distances * predicted * pixels.counts()[..., None], pooling)
    losses = ratio(weighed, found.pixels)
    return mean_over_classes(losses, found, pixels, class_weights, pooling, absent)


def _distances(num_classes: int) -> Any:
    """A NumPy function: ids (B, H, W) -> signed distances (B, H, W, K) in pixels."""

    def distances(ids: np.ndarray) -> np.ndarray:
        from semseg.regions.distances import signed_distance

        result = np.zeros((*ids.shape, num_classes), np.float32)
        for picture, own in zip(ids, result, strict=True):
            for k in np.unique(picture[picture >= 0]):
                own[..., k] = signed_distance(picture == k)
        return result

    return distances
