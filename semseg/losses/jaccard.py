"""The Jaccard loss, 1 minus a soft intersection over union."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.region_losses import jaccard
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Jaccard(SegmentationLoss):
    """`1 - both / (true + predicted - both)` of each class, meaned over the classes.

    For hard predictions it is 1 minus the IoU of `semseg.metrics`; a prediction that equals a
    soft target has loss 0 (Wang et al., NeurIPS 2023, "Jaccard Metric Losses"). `true`,
    `predicted` and `both` as in `semseg.losses.Dice`.

    Args:
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas.

    Example:
        >>> loss = semseg.losses.Jaccard()
        >>> round(float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32"))), 4)
        0.6667
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
        name: str = "jaccard",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            jaccard,
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
