"""The focal loss: crossentropy that turns to the pixels which are still wrong."""

from typing import Any

import keras

from semseg._checks import check_at_least
from semseg.classes import ClassMap
from semseg.losses.functional.pixel_losses import focal
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Focal(SegmentationLoss):
    """`(1 - p)**gamma * -log(p)` of each pixel's class, meaned over the valid pixels.

    Lin et al., ICCV 2017, "Focal Loss for Dense Object Detection", equation 4. Their alpha is
    `class_weights`, but meaned as in `Crossentropy`: `sum(w[y] * loss) / sum(w[y])`. With
    `divisor="pixels"` it is the paper's, and Keras's. One logit is a sigmoid, more are a softmax.
    In segmentation_models.pytorch, and in MONAI by default, each of several logits is a sigmoid;
    MONAI's softmax divides by the number of classes too.

    Args:
        gamma: >= 0; 0 is the crossentropy, 2 the paper's best.
        ignore_class, class_weights, divisor, from_logits, class_map, reduction: as in
            `semseg.losses.Crossentropy`, and so are shapes, soft targets, errors and replicas.

    Example:
        >>> loss = semseg.losses.Focal(gamma=2.0)
        >>> round(float(loss(np.array([[[0]]]), np.zeros((1, 1, 1, 2), "float32"))), 4)
        0.1733
    """

    def __init__(
        self,
        gamma: float = 2.0,
        ignore_class: int | None = None,
        class_weights: Any = None,
        divisor: str = "weights",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            focal,
            name,
            reduction,
            dtype,
            class_map,
            gamma=check_at_least("gamma", gamma, 0),
            ignore_class=ignore_class,
            class_weights=class_weights,
            divisor=divisor,
            from_logits=bool(from_logits),
        )
