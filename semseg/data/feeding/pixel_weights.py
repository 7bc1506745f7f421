"""One weight a pixel: from its class, or from a function of the whole mask."""

from collections.abc import Callable, Sequence

import numpy as np

from semseg.classes import ClassMap

SampleWeight = Sequence[float] | np.ndarray | Callable[[np.ndarray], np.ndarray]


class PixelWeights:
    """The `sample_weight` maps of a stream; ignored pixels have the weight 0.

    Args:
        sample_weight: one weight a class, or a function of a mask (height, width) that gives its
            map (height, width). It sees ignored pixels as background, id 0.
        class_map: the classes.
    """

    def __init__(self, sample_weight: SampleWeight, class_map: ClassMap) -> None:
        self._ignore_class = class_map.ignore_class
        self._of_mask = sample_weight if callable(sample_weight) else None
        self._of_class = np.zeros(0, np.float32)
        if not callable(sample_weight):
            self._of_class = _checked_weights(sample_weight, class_map.num_classes)

    def of_decoded(self, mask: np.ndarray) -> np.ndarray | None:
        """The map of a mask before augmentation, which has to move it; None for class weights."""
        if self._of_mask is None:
            return None
        ignored = mask == self._ignore_class
        weights = np.asarray(self._of_mask(np.where(ignored, mask.dtype.type(0), mask)))
        if weights.shape != mask.shape or weights.dtype.kind not in "uifb":
            raise ValueError(
                f"sample_weight must give a map of the mask's shape {mask.shape}, received "
                f"{weights.dtype} of shape {weights.shape}"
            )
        if not np.isfinite(weights).all() or weights.min(initial=0) < 0:
            raise ValueError("sample_weight must give finite weights >= 0")
        return np.where(ignored, 0, weights).astype(np.float32)

    def of_batch(self, mask: np.ndarray, moved: np.ndarray | None) -> np.ndarray:
        """The map of a mask after augmentation, from the one that moved with it."""
        if moved is not None:
            return np.where(mask == self._ignore_class, np.float32(0), moved)
        weights = self._of_class.take(mask, mode="clip")  # ids past the classes: the 0 at the end
        weights[mask < 0] = 0
        return weights


def _checked_weights(sample_weight: Sequence[float] | np.ndarray, num_classes: int) -> np.ndarray:
    """The weights with a 0 behind them, for everything that is no class."""
    try:
        weights = np.asarray(sample_weight, np.float32)
    except (TypeError, ValueError):
        raise TypeError(
            "sample_weight must be one weight a class or a function of a mask, received "
            f"{sample_weight!r}"
        ) from None
    if weights.shape != (num_classes,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"sample_weight must hold one finite weight >= 0 a class, {num_classes} of them, "
            f"received {sample_weight!r}"
        )
    return np.append(weights, np.float32(0))
