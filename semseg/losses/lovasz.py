"""The Lovász losses: the IoU itself, made continuous."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.lovasz_extension import lovasz
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Lovasz(SegmentationLoss):
    """The Lovász extension of the Jaccard loss, of each class, meaned over the classes.

    Berman et al., CVPR 2018, "The Lovász-Softmax loss": Lovász-softmax for several logits or
    probabilities, Lovász hinge for one logit. Equal to 1 minus the IoU where predictions are hard
    and, unlike soft sums, built from which pixels are wrong rather than by how much they sum to.
    segmentation_models.pytorch and the authors skip absent classes too, but for one logit: without
    foreground they return the largest hinge, which `absent="skip"` leaves out.

    Costs a sort of all pixels for every class that is present. On a processor it is done by NumPy
    (except under XLA, whose own sort is slower).

    Args:
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas; `y_true` must be ids.

    Example:
        >>> loss = semseg.losses.Lovasz()
        >>> float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32")))
        0.5
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
        name: str = "lovasz",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            lovasz,
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
