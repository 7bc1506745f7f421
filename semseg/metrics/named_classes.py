"""Keras metrics that know the classes' names."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from semseg.classes import ClassMap
from semseg.metrics.confusion import ConfusionMetric
from semseg.metrics.rates import Marginals, mean_of_present
from semseg.metrics.score_table import Scores

_registered = keras.saving.register_keras_serializable(package="semseg.metrics")


class NamedClassesMetric(ConfusionMetric):
    """A metric that takes a ClassMap, or the number of classes, which are then called 0, 1, ..."""

    def __init__(
        self,
        class_map: ClassMap | None,
        num_classes: int | None,
        ignore_class: int | None,
        threshold: float,
        name: str | None,
        dtype: Any,
    ) -> None:
        if (class_map is None) == (num_classes is None):
            raise ValueError(
                f"pass class_map= or num_classes=, one of them; received {class_map!r} and "
                f"{num_classes!r}"
            )
        if class_map is not None:
            if not isinstance(class_map, ClassMap):
                raise TypeError(f"class_map must be a semseg.ClassMap, received {class_map!r}")
            if ignore_class not in (None, class_map.ignore_class):
                raise ValueError(
                    f"ignore_class={ignore_class} and the ClassMap's {class_map.ignore_class} "
                    "must agree; class_map alone is enough"
                )
            num_classes, ignore_class = class_map.num_classes, class_map.ignore_class
        super().__init__(num_classes, ignore_class, threshold, name, dtype)  # type: ignore[arg-type]
        self.class_map = class_map
        self.names = class_map.names if class_map else tuple(map(str, range(self._count)))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.class_map is None:
            return {**config, "class_map": None}
        return {**config, "num_classes": None, "class_map": self.class_map.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "NamedClassesMetric":
        described = config.get("class_map")
        if isinstance(described, Mapping):
            config = {**config, "class_map": ClassMap.from_dict(described)}
        return cls(**config)


@_registered
class ClassIoU(NamedClassesMetric):
    """Intersection over union of one class.

    Args:
        target_class: the class's name in `class_map`, or its id.
        num_classes: number of classes where there is no `class_map`.
        ignore_class: true id of pixels that do not count; a `class_map` brings its own.
        threshold: as in `MeanIoU`.
        class_map: the classes.
        name: what logs call it; None: `iou/` and the class.

    Raises:
        ValueError: a class that is not there.

    Example:
        >>> streets = semseg.ClassMap(["Road", "Car", "Sky"])
        >>> metric = semseg.metrics.ClassIoU("Road", class_map=streets)
        >>> metric.update_state(np.array([[0, 0, 1, 2]]), np.array([[0, 1, 1, 2]]))
        >>> metric.name, float(metric.result())
        ('iou/Road', 0.5)
    """

    def __init__(
        self,
        target_class: int | str,
        num_classes: int | None = None,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        class_map: ClassMap | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(class_map, num_classes, ignore_class, threshold, name, dtype)
        self.target_class = target_class
        self._target = self._id_of(target_class)
        self.name = name or f"iou/{self.names[self._target]}"

    def _id_of(self, target_class: int | str) -> int:
        if isinstance(target_class, str) and target_class in self.names:
            return self.names.index(target_class)
        if not isinstance(target_class, str) and target_class in range(self._count):
            return int(target_class)
        raise ValueError(
            f"target_class must be one of {', '.join(self.names)} or an id in "
            f"0..{self._count - 1}, received {target_class!r}"
        )

    def _score(self, counts: Marginals) -> Any:
        return counts.iou()[self._target]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_class": self.target_class}


@_registered
class SegmentationScores(NamedClassesMetric):
    """All scores of one confusion matrix in one metric, for the price of one.

    `result()` is a dict of float32 scalars: `mean_iou`, `pixel_accuracy`, `mean_accuracy`,
    `mean_dice`, `frequency_weighted_iou`, `invalid_pixels` and `iou/NAME` of each class. Keras logs
    each under its own key, so `monitor="val_iou/Road"` works. `scores()` is the table.

    Args:
        class_map: the classes, with their ignored label.
        num_classes: their number, where there is no ClassMap.
        ignore_class: true id of pixels that do not count; a `class_map` brings its own.
        threshold: as in `MeanIoU`.

    Example:
        >>> streets = semseg.ClassMap(["Road", "Car", "Sky"], ignore_class=255)
        >>> metric = semseg.metrics.SegmentationScores(streets)
        >>> metric.update_state(np.array([[0, 0, 1, 255]]), np.array([[0, 1, 1, 1]]))
        >>> result = metric.result()
        >>> float(result["mean_iou"]), float(result["iou/Road"])
        (0.5, 0.5)
        >>> metric.scores().absent
        ('Sky',)
    """

    _log_name = "segmentation_scores"

    def __init__(
        self,
        class_map: ClassMap | None = None,
        num_classes: int | None = None,
        ignore_class: int | None = None,
        threshold: float = 0.0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(class_map, num_classes, ignore_class, threshold, name, dtype)

    def _score(self, counts: Marginals) -> dict[str, Any]:
        iou = counts.iou()
        return {
            "mean_iou": mean_of_present(iou),
            "pixel_accuracy": counts.pixel_accuracy(),
            "mean_accuracy": mean_of_present(counts.accuracy()),
            "mean_dice": mean_of_present(counts.dice()),
            "frequency_weighted_iou": counts.frequency_weighted_iou(),
            "invalid_pixels": counts.invalid_pixels,
            **dict(zip((f"iou/{name}" for name in self.names), ops.unstack(iou), strict=True)),
        }

    def scores(self) -> Scores:
        """What was seen so far as a table."""
        return Scores(self.confusion(), self.names, self._invalid_weight)
