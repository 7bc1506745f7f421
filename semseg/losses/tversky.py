"""The Tversky losses: Dice with a price each for false alarms and misses."""

from typing import Any

import keras

from semseg._checks import check_at_least
from semseg.classes import ClassMap
from semseg.losses.functional.region_losses import tversky
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Tversky(SegmentationLoss):
    """`1 - both / (both + alpha FP + beta FN)` of each class, meaned over the classes.

    Salehi et al., MLMI 2017, "Tversky loss function for image segmentation using 3D fully
    convolutional deep networks". FP are the pixels that are predicted as a class without being of
    it, FN those of it that are not. 0.5 and 0.5 are `Dice`, 1 and 1 are `Jaccard`; more `beta`
    finds more of a rare class, at the price of false alarms. Names as in the paper, MONAI and
    segmentation_models.pytorch; in Keras's `Tversky` alpha is the price of a miss.

    Args:
        alpha: the price of a false positive, >= 0.
        beta: the price of a false negative, >= 0; the defaults are the paper's best.
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas.

    Example:
        >>> loss = semseg.losses.Tversky(alpha=0.5, beta=0.5)
        >>> float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32")))
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        ignore_class: int | None = None,
        class_weights: Any = None,
        pooling: str = "batch",
        absent: str = "skip",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        dtype: Any = None,
    ) -> None:
        alpha, beta = _checked_prices(alpha, beta)
        super().__init__(
            tversky,
            name,
            reduction,
            dtype,
            class_map,
            alpha=alpha,
            beta=beta,
            ignore_class=ignore_class,
            class_weights=class_weights,
            pooling=pooling,
            absent=absent,
            from_logits=bool(from_logits),
        )


@keras.saving.register_keras_serializable(package="semseg.losses")
class FocalTversky(SegmentationLoss):
    """The Tversky loss of each class to the power `1 / gamma`, meaned over the classes.

    Abraham and Khan, ISBI 2019, "A novel focal Tversky loss function with improved attention
    U-Net for lesion segmentation", equation 4. segmentation_models.pytorch raises the mean over
    the classes to the power `gamma` instead.

    Args:
        alpha, beta: as in `semseg.losses.Tversky` (the paper calls them beta and alpha).
        gamma: >= 1; 1 is `Tversky`, 4 / 3 the paper's best. More turns to classes with a small
            loss.
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas.

    Example:
        >>> loss = semseg.losses.FocalTversky(alpha=0.5, beta=0.5, gamma=2.0)
        >>> round(float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32"))), 4)
        0.7071
    """

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 4 / 3,
        ignore_class: int | None = None,
        class_weights: Any = None,
        pooling: str = "batch",
        absent: str = "skip",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_tversky",
        dtype: Any = None,
    ) -> None:
        alpha, beta = _checked_prices(alpha, beta)
        super().__init__(
            tversky,
            name,
            reduction,
            dtype,
            class_map,
            alpha=alpha,
            beta=beta,
            gamma=check_at_least("gamma", gamma, 1),
            ignore_class=ignore_class,
            class_weights=class_weights,
            pooling=pooling,
            absent=absent,
            from_logits=bool(from_logits),
        )


def _checked_prices(alpha: Any, beta: Any) -> tuple[float, float]:
    alpha, beta = check_at_least("alpha", alpha, 0), check_at_least("beta", beta, 0)
    if not alpha + beta > 0:
        raise ValueError("alpha and beta must not both be 0: nothing would be an error")
    return alpha, beta
