"""The centreline Dice loss of Shit and others."""

from typing import Any

import keras

from semseg._checks import check_count
from semseg.classes import ClassMap
from semseg.losses.functional.centerline import centerline_dice
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class CenterlineDice(SegmentationLoss):
    """`1 - 2 precision sensitivity / (precision + sensitivity)` of centrelines, a class.

    Precision is the share of the predicted centreline that lies in the true region, sensitivity
    the share of the true centreline that the prediction covers: Shit et al., CVPR 2021, "clDice".
    A gap in a vessel or a road costs as much where it is thin as where it is wide. The centreline
    is a soft skeleton, made of small poolings. The authors add the loss to one that sees whole
    regions: `Dice() + CenterlineDice()`.

    A line that is empty (of a region that fills the picture, or of a prediction that is the same
    everywhere) counts as covered, as with the authors' smoothing. Pixels without class belong to
    no region when lines are thinned.

    Args:
        iterations: erosions that thin a region, at least half the width in pixels of the widest
            structure; each costs three poolings of the prediction and of the truth.
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas; `y_true` must be ids.
            With several classes weigh those that are thin:
            `class_weights={"vessel": 1, "background": 0}`.

    Example:
        >>> loss = semseg.losses.CenterlineDice()
        >>> mask = np.array([[[0, 0, 0], [1, 1, 1], [0, 0, 0]]])
        >>> float(loss(mask, np.where(mask == 1, 99.0, -99.0)[..., None]))
        0.0
    """

    def __init__(
        self,
        iterations: int = 5,
        ignore_class: int | None = None,
        class_weights: Any = None,
        pooling: str = "batch",
        absent: str = "skip",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "centerline_dice",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            centerline_dice,
            name,
            reduction,
            dtype,
            class_map,
            iterations=check_count("iterations", iterations, 0),
            ignore_class=ignore_class,
            class_weights=class_weights,
            pooling=pooling,
            absent=absent,
            from_logits=bool(from_logits),
        )
