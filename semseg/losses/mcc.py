"""The loss of Matthews's correlation coefficient."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.region_losses import mcc
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class MCC(SegmentationLoss):
    """1 minus the correlation of target and prediction, of each class, meaned over the classes.

    `(both N - true predicted) / sqrt(true (N - true) predicted (N - predicted))` over N pixels,
    with `true`, `predicted` and `both` as in `semseg.losses.Dice`: Abhishek and Hamarneh, ISBI
    2021, "Matthews correlation coefficient loss for deep convolutional networks". Unlike Dice it
    sees the background that is left alone, so that foreground and background of one logit have
    the same loss. It is 0 for a perfect prediction, 1 for one that knows nothing, up to 2 for one
    that is mostly wrong.

    With two classes and hard predictions it is 1 minus `mcc` of `semseg.metrics.functional.scores`;
    with more, that one is a single coefficient of all classes (Gorodkin 2004), this a mean of one
    a class against the others. The loss of a class that fills everything, which correlates with
    nothing, is the share of pixels missed.

    Args:
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas.

    Example:
        >>> loss = semseg.losses.MCC()
        >>> float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32")))
        1.0
    """

    def __init__(
        self,
        ignore_class: int | None = None,
        class_weights: Any = None,
        pooling: str = "batch",
        absent: str = "skip",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mcc",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mcc,
            name,
            reduction,
            dtype,
            class_map,
            ignore_class=ignore_class,
            class_weights=class_weights,
            pooling=pooling,
            absent=absent,
            from_logits=bool(from_logits),
        )
