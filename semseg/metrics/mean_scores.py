"""Keras metrics of one number each, from one exact confusion matrix."""

from typing import Any

import keras

from semseg.metrics.confusion import ConfusionMetric
from semseg.metrics.rates import Marginals, mean_of_present

_registered = keras.saving.register_keras_serializable(package="semseg.metrics")


@_registered
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

    _log_name = "mean_iou"

    def _score(self, counts: Marginals) -> Any:
        return mean_of_present(counts.iou())


@_registered
class PixelAccuracy(ConfusionMetric):
    """Share of the pixels that got their class. Large classes decide it.

    Example:
        >>> metric = semseg.metrics.PixelAccuracy(num_classes=2, ignore_class=255)
        >>> metric.update_state(np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]]))
        >>> round(float(metric.result()), 4)
        0.6667
    """

    _log_name = "pixel_accuracy"

    def _score(self, counts: Marginals) -> Any:
        return counts.pixel_accuracy()


@_registered
class MeanAccuracy(ConfusionMetric):
    """Share of each class's pixels that were found (recall), meaned over the classes in the truth.

    False alarms cost a class nothing: predicting a rare class too often raises it.

    Example:
        >>> metric = semseg.metrics.MeanAccuracy(num_classes=2)
        >>> metric.update_state(np.array([[0, 0, 0, 0, 1]]), np.array([[0, 0, 0, 1, 1]]))
        >>> float(metric.result())  # class 0: 3 of 4, class 1: 1 of 1
        0.875
    """

    _log_name = "mean_accuracy"

    def _score(self, counts: Marginals) -> Any:
        return mean_of_present(counts.accuracy())


@_registered
class MeanDice(ConfusionMetric):
    """Dice (F1) of each class, meaned over the classes that occur in truth or prediction.

    Dice = 2 IoU / (1 + IoU): the same order of two models for one class, a higher number.

    Example:
        >>> metric = semseg.metrics.MeanDice(num_classes=2)
        >>> metric.update_state(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 1, 0]]))
        >>> round(float(metric.result()), 4)  # class 0: 4 of 5, class 1: 2 of 3
        0.7333
    """

    _log_name = "mean_dice"

    def _score(self, counts: Marginals) -> Any:
        return mean_of_present(counts.dice())


@_registered
class FrequencyWeightedIoU(ConfusionMetric):
    """Intersection over union, meaned over the true pixels instead of the classes.

    Example:
        >>> metric = semseg.metrics.FrequencyWeightedIoU(num_classes=2)
        >>> metric.update_state(np.array([[0, 0, 0, 1]]), np.array([[0, 0, 0, 0]]))
        >>> float(metric.result())  # class 0: 3 of 4, for 3 of 4 pixels; class 1: none
        0.5625
    """

    _log_name = "frequency_weighted_iou"

    def _score(self, counts: Marginals) -> Any:
        return counts.frequency_weighted_iou()
