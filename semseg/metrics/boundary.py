"""Boundary F1 as a Keras metric, for eager use."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import check_ignore_class, check_num_classes
from semseg.metrics import limbs
from semseg.metrics.counting import predicted_ids
from semseg.metrics.functional.boundaries import boundary_f1
from semseg.metrics.functional.ids import mean_of_present
from semseg.metrics.shapes import are_scores
from semseg.metrics.soft_targets import are_shares

# Sums of the pieces of so many numbers stay within int32.
_IMAGES = 1024


@keras.saving.register_keras_serializable(package="semseg.metrics")
class BoundaryF1(keras.metrics.Metric):
    """How well the boundaries of the classes were met, meaned over images: SegNet's BF measure.

    Boundaries are found with OpenCV and SciPy, which no compiled step can hold: use it in a loop
    of your own, or with `compile(run_eagerly=True)`. Images without a boundary in the truth are
    left out. See `functional.boundary_f1`.

    Args:
        num_classes: number of classes; 1 means binary with one logit, ids 0 and 1.
        ignore_class: true id of pixels that do not count, or None.
        tolerance: how far a boundary may be off, as a share of the image's diagonal.
        threshold: where one-channel predictions become class 1.
        name: what logs call it.

    `update_state(y_true, y_pred)` takes (batch, height, width) ids, and ids or scores as `MeanIoU`.

    Raises:
        ValueError: in a compiled step; weights; what `functional.boundary_f1` refuses.

    Example:
        >>> metric = semseg.metrics.BoundaryF1(num_classes=2)
        >>> mask = np.zeros((1, 100, 100), int)
        >>> mask[:, 30:60, 30:60] = 1
        >>> metric.update_state(mask, np.roll(mask, 3, axis=2))
        >>> round(float(metric.result()), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = None,
        tolerance: float = 0.0075,
        threshold: float = 0.0,
        name: str = "boundary_f1",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = check_num_classes(num_classes)
        self.ignore_class = check_ignore_class(ignore_class, max(2, self.num_classes))
        self.tolerance = float(tolerance)
        self.threshold = float(threshold)
        # The sum over images, then their number: whole numbers, whatever the batches.
        shape = (len(limbs.UNITS), 2)
        self._limbs = self.add_variable(shape, initializer="zeros", dtype="int32", name="limbs")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not is_concrete(y_pred):
            if keras.backend.backend() == "torch":
                return  # never compiled: Keras asks for shapes alone
            raise ValueError(
                f"{self.name} needs the values of masks, and a compiled step has none; pass "
                "run_eagerly=True to compile, or call semseg.metrics.functional.boundary_f1 on "
                "what semseg.inference.predict returns"
            )
        if are_shares(y_true, y_pred, max(2, self.num_classes)):
            raise ValueError(f"{self.name} needs ids: soft targets, as of MixUp, have no boundary")
        if len(y_true.shape) < 3:
            raise ValueError(
                f"{self.name} needs y_true of shape (batch, height, width), received "
                f"{tuple(y_true.shape)}; one mask becomes a batch with mask[None]"
            )
        if sample_weight is not None:
            raise ValueError(f"{self.name} measures images and takes no sample_weight")
        if are_scores(y_true.shape, y_pred.shape, max(2, self.num_classes), self.name):
            y_pred = predicted_ids(y_pred, self.threshold)
        for start in range(0, y_true.shape[0], _IMAGES):
            part = slice(start, start + _IMAGES)
            self._add(ops.convert_to_tensor(self._of_images(y_true[part], y_pred[part])))

    def _of_images(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """The scores of the images that have one, float32."""
        found = boundary_f1(
            y_true, y_pred, self.num_classes, self.ignore_class, tolerance=self.tolerance
        )
        means = np.array([mean_of_present(image) for image in found.f1])
        return means[~np.isnan(means)].astype("float32")

    def _add(self, means: Any) -> None:
        sums = [ops.sum(piece) for piece in limbs.pieces(means)]
        count = ops.full_like(sums[0], means.shape[0])
        seen = ops.stack([limbs.of_pieces(sums), limbs.of_whole_numbers(count)], axis=1)
        self._limbs.assign(limbs.carried(ops.convert_to_tensor(self._limbs) + seen))

    def merge_state(self, metrics: Iterable["BoundaryF1"]) -> None:
        """Adds the images that other metrics have seen."""
        for other in metrics:
            both = ops.convert_to_tensor(self._limbs) + ops.convert_to_tensor(other._limbs)
            self._limbs.assign(limbs.carried(both))

    def result(self) -> Any:
        """The mean over images, float32; NaN before the first."""
        total, images = limbs.to_numpy(self._limbs).tolist()
        return ops.convert_to_tensor(total / images if images else float("nan"), "float32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "tolerance": self.tolerance,
            "threshold": self.threshold,
        }
