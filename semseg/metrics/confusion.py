"""A Keras metric whose state is one exact confusion matrix."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import check_ignore_class, check_num_classes
from semseg.metrics import limbs
from semseg.metrics.counting import count_pairs, predicted_ids
from semseg.metrics.functional import confusion_matrix
from semseg.metrics.rates import Marginals, marginals
from semseg.metrics.shapes import are_scores, spread_weights
from semseg.metrics.soft_targets import are_shares, likeliest_ids


class ConfusionMetric(keras.metrics.Metric):
    """A metric whose state is the confusion matrix of all that it has seen.

    Counts are whole numbers, exact to 2**51 (weights to 2**-40), and the same for any batch size,
    order or number of replicas. What a score means is the subclass's `_score`.

    Args:
        num_classes: number of classes; 1 means binary with one logit, ids 0 and 1.
        ignore_class: true id of pixels that do not count, or None.
        threshold: where one-channel predictions become class 1: 0 for a logit, 0.5 for the output
            of a sigmoid.
        name: what logs call it; None: what `Scores` calls it.

    `update_state(y_true, y_pred, sample_weight=None)` takes ids (batch, height, width) and, told
        apart by the rank, predictions of the same shape (ids) or with one more axis (logits or
        probabilities). Weights have the mask's shape or its first axes, such as (batch,). Soft
        targets, floats of the shape of the scores such as `MixUp` makes, count as their largest
        share; where all are 0, and there is an `ignore_class`, the pixel is ignored.

    Raises:
        ValueError: shapes that do not fit; in eager use ids outside the classes and weights
            outside [0, 2**20). A compiled graph counts those pixels in `invalid_pixels` and
            holds them against every class.
    """

    _log_name = "confusion"

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name or self._log_name, dtype=dtype)
        self.num_classes = check_num_classes(num_classes)
        self._count = max(2, self.num_classes)
        self.ignore_class = check_ignore_class(ignore_class, self._count)
        self.threshold = float(threshold)
        # The last row holds the weight of the invalid pixels, then their number.
        shape = (len(limbs.UNITS), self._count + 1, self._count)
        self._limbs = self.add_variable(shape, initializer="zeros", dtype="int32", name="limbs")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if are_shares(y_true, y_pred, self._count):
            y_true = likeliest_ids(y_true, self.ignore_class, self.name)
        if are_scores(y_true.shape, y_pred.shape, self._count, self.name):
            y_pred = predicted_ids(y_pred, self.threshold)
        if sample_weight is not None:
            sample_weight = spread_weights(sample_weight, y_true, self.name)
        counts = count_pairs(y_true, y_pred, self._count, self.ignore_class, sample_weight)
        if is_concrete(counts) and int(counts[2, -1, 1]):
            self._raise_invalid(y_true, y_pred, sample_weight)
        self._limbs.assign(limbs.carried(ops.convert_to_tensor(self._limbs) + counts))

    def result(self) -> Any:
        """The score, float32, from exact counts."""
        return self._score(marginals(ops.convert_to_tensor(self._limbs)))

    def _score(self, counts: Marginals) -> Any:
        """The metric's value."""
        raise NotImplementedError

    def merge_state(self, metrics: Iterable["ConfusionMetric"]) -> None:
        """Adds what other metrics have seen, of other shards for instance.

        Raises:
            ValueError: a metric that counts other classes or ignores another id.
        """
        for other in metrics:
            if (other._count, other.ignore_class) != (self._count, self.ignore_class):
                raise ValueError(
                    f"metrics must count {self._count} classes with ignore_class="
                    f"{self.ignore_class} like {self.name}, received {other.name} with "
                    f"{other._count} and {other.ignore_class}"
                )
            both = ops.convert_to_tensor(self._limbs) + ops.convert_to_tensor(other._limbs)
            self._limbs.assign(limbs.carried(both))

    def confusion(self) -> np.ndarray:
        """What was seen so far: (C, C), rows = truth, columns = prediction.

        int64; float64 where weights with fractions were added.
        """
        return limbs.to_numpy(self._limbs)[:-1]

    @property
    def invalid_pixels(self) -> int:
        """Number of pixels so far whose id, true or predicted, was no class."""
        return int(limbs.to_numpy(self._limbs)[-1, 1])

    @property
    def _invalid_weight(self) -> float:
        """The weight of the invalid pixels: their number where there are no weights."""
        return float(limbs.to_numpy(self._limbs)[-1, 0])

    def _raise_invalid(self, y_true: Any, y_pred: Any, weights: Any) -> None:
        truth, prediction = (ops.convert_to_numpy(ids) for ids in (y_true, y_pred))
        weights = None if weights is None else ops.convert_to_numpy(weights)
        # The functional core finds the words: it refuses the same ids and weights.
        confusion_matrix(truth, prediction, self._count, self.ignore_class, weights)
        raise AssertionError("count_pairs and confusion_matrix disagree")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "threshold": self.threshold,
        }
