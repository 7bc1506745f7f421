"""Keras metrics that read one exact confusion matrix."""

from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import check_ignore_class, check_num_classes
from semseg.metrics.counting import LIMB_BITS, add_to_limbs, count_pairs, predicted_ids
from semseg.metrics.functional import confusion_matrix

_WITHIN_INT32 = ("bool", "int8", "uint8", "int16", "uint16", "int32")


class ConfusionMetric(keras.metrics.Metric):
    """A metric whose state is the confusion matrix of all that it has seen.

    Counts are whole numbers, exact to 2**51, and the same for any batch size, order or number
    of replicas. What a score means is the subclass's `score`.

    Args:
        num_classes: number of classes; 1 means binary with one logit, ids 0 and 1.
        ignore_class: true id of pixels that do not count, or None.
        threshold: where one-channel predictions become class 1: 0 for a logit, 0.5 for the output
            of a sigmoid.

    `update_state(y_true, y_pred)` takes ids (batch, height, width) and, told apart by the rank,
        predictions of the same shape (ids) or with one more axis (logits or probabilities).

    Raises:
        ValueError: shapes that do not fit; in eager use ids outside the classes. A compiled graph
            counts those pixels in `invalid_pixels` and holds them against every class.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = check_num_classes(num_classes)
        self._count = max(2, self.num_classes)
        self.ignore_class = check_ignore_class(ignore_class, self._count)
        self.threshold = float(threshold)
        # The last row of the limbs holds the invalid pixels in its first cell.
        shape = (self._count + 1, self._count)
        self._low, self._high = (
            self.add_variable(shape, initializer="zeros", dtype="int32", name=name)
            for name in ("low", "high")
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if sample_weight is not None:
            raise ValueError(
                f"{self.name} counts pixels and takes no sample_weight; pass it to compile in "
                "metrics=[...], not in weighted_metrics=[...]"
            )
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if self._are_scores(y_true.shape, y_pred.shape):
            y_pred = predicted_ids(y_pred, self.threshold)
        truth, prediction = self._whole(y_true), self._whole(y_pred)
        counts, invalid = count_pairs(truth, prediction, self._count, self.ignore_class)
        if is_concrete(invalid) and int(invalid):
            self._raise_invalid(y_true, y_pred)
        row = ops.pad(ops.reshape(invalid, (1, 1)), [[0, 0], [0, self._count - 1]])
        low, high = add_to_limbs(
            ops.convert_to_tensor(self._low),
            ops.convert_to_tensor(self._high),
            ops.concatenate([counts, ops.cast(row, "int32")], axis=0),
        )
        self._low.assign(low)
        self._high.assign(high)

    def result(self) -> Any:
        """The score, float32, from exact counts."""
        low, high = ops.convert_to_tensor(self._low), ops.convert_to_tensor(self._high)
        # All sums are of whole numbers, limb by limb; only their end is rounded to float32. The
        # low limb is halved before: a sum over 2048 of its cells could leave int32.
        half = LIMB_BITS // 2
        middle = ops.right_shift(low, half)
        low = low - ops.left_shift(middle, half)
        limbs = ((high, 2.0**LIMB_BITS), (middle, 2.0**half), (low, 1.0))
        sums = [[ops.cast(s, "float32") * unit for s in _marginals(limb)] for limb, unit in limbs]
        return self.score(*(high + middle + low for high, middle, low in zip(*sums, strict=True)))

    def score(self, intersection: Any, union: Any, pixels: Any) -> Any:
        """The metric's value from (C,) intersections, (C,) unions and the number of pixels."""
        raise NotImplementedError

    def confusion(self) -> np.ndarray:
        """The counts so far: int64 (C, C), rows = truth, columns = prediction."""
        return self._counts()[:-1]

    @property
    def invalid_pixels(self) -> int:
        """Number of pixels so far whose id, true or predicted, was no class."""
        return int(self._counts()[-1, 0])

    def _counts(self) -> np.ndarray:
        low, high = (
            ops.convert_to_numpy(limb).astype(np.int64) for limb in (self._low, self._high)
        )
        return (high << LIMB_BITS) + low

    def _are_scores(self, true_shape: Any, pred_shape: Any) -> bool:
        """Whether predictions are scores (True) or ids; told by the rank, never by the values."""
        rank = len(true_shape)
        if rank > 3 and true_shape[-1] == 1:
            raise ValueError(
                f"{self.name}: masks must have shape (batch, height, width), received "
                f"{tuple(true_shape)}; drop the channel axis with mask[..., 0]"
            )
        are_scores = len(pred_shape) == rank + 1
        allowed = {self._count, 1} if self._count == 2 else {self._count}
        fits = len(pred_shape) in (rank, rank + 1) and all(
            true == pred or None in (true, pred)
            for true, pred in zip(true_shape, pred_shape, strict=False)
        )
        if not fits or (are_scores and pred_shape[-1] not in allowed):
            raise ValueError(
                f"{self.name}: y_pred must be ids of the mask's shape, or scores with a last axis "
                f"of {' or '.join(str(n) for n in sorted(allowed))} after it; received y_true "
                f"{tuple(true_shape)} and y_pred {tuple(pred_shape)} with num_classes="
                f"{self.num_classes}"
            )
        return are_scores

    def _whole(self, ids: Any) -> Any:
        """int32 ids; a fraction, or an id beyond int32, becomes an id that is no class."""
        whole = ops.cast(ids, "int32")
        if keras.backend.standardize_dtype(ids.dtype) in _WITHIN_INT32:
            return whole
        no_class = self._count + (self.ignore_class == self._count)
        return ops.where(ops.cast(whole, ids.dtype) == ids, whole, no_class)

    def _raise_invalid(self, y_true: Any, y_pred: Any) -> None:
        truth, prediction = (ops.convert_to_numpy(ids) for ids in (y_true, y_pred))
        # The functional core finds the words: it refuses the same ids.
        confusion_matrix(truth, prediction, self._count, self.ignore_class)
        raise AssertionError("count_pairs and confusion_matrix disagree")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "threshold": self.threshold,
        }


@keras.saving.register_keras_serializable(package="semseg.metrics")
class MeanIoU(ConfusionMetric):
    """Intersection over union, meaned over the classes that occur in truth or prediction.

    One matrix over all that was seen: the value of the set, not a mean over batches or images.

    Example:
        >>> metric = semseg.metrics.MeanIoU(num_classes=2, ignore_class=255)
        >>> metric.update_state(np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]]))
        >>> float(metric.result())  # class 0: 1 of 2, class 1: 1 of 2
        0.5
        >>> metric.confusion().tolist()
        [[1, 0], [1, 1]]
    """

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        name: str = "mean_iou",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes, ignore_class, threshold, name, dtype)

    def score(self, intersection: Any, union: Any, pixels: Any) -> Any:
        present = ops.cast(union > 0, "float32")
        iou = intersection / ops.maximum(union, 1.0)
        classes = ops.sum(present)
        mean = ops.sum(iou * present) / ops.maximum(classes, 1.0)
        return ops.where(classes > 0, mean, float("nan"))


@keras.saving.register_keras_serializable(package="semseg.metrics")
class PixelAccuracy(ConfusionMetric):
    """Share of the pixels that got their class.

    Example:
        >>> metric = semseg.metrics.PixelAccuracy(num_classes=2, ignore_class=255)
        >>> metric.update_state(np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]]))
        >>> round(float(metric.result()), 4)
        0.6667
    """

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        name: str = "pixel_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes, ignore_class, threshold, name, dtype)

    def score(self, intersection: Any, union: Any, pixels: Any) -> Any:
        share = ops.sum(intersection) / ops.maximum(pixels, 1.0)
        return ops.where(pixels > 0, share, float("nan"))


def _marginals(limb: Any) -> tuple[Any, Any, Any]:
    """Intersections, unions (invalid pixels in each) and the number of pixels, of one limb."""
    counts, invalid = limb[:-1], limb[-1, 0]
    intersection = ops.diagonal(counts)
    union = ops.sum(counts, axis=0) + ops.sum(counts, axis=1) - intersection + invalid
    return intersection, union, ops.sum(counts) + invalid
