"""The Dice losses: what prediction and mask share, class by class or in one ratio."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.region_losses import dice, generalized_dice
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Dice(SegmentationLoss):
    """`1 - 2 both / (true + predicted)` of each class, meaned over the classes.

    `true` and `predicted` are sums of target and probability over the valid pixels, `both` of the
    smaller of the two. For hard predictions it is 1 minus the Dice score of `semseg.metrics`; a
    prediction that equals a soft target has loss 0 (Wang et al., NeurIPS 2023, "Dice Semimetric
    Losses"). Nothing is added to numerator or denominator.

    Every class counts alike, however few pixels it has; Keras's `Dice` pools all classes into
    one ratio by default, where a rare class vanishes. With one logit the foreground alone counts.

    Under `tf.distribute` each replica makes a ratio of its own pixels and Keras averages them,
    which is not the ratio of all.

    Args:
        ignore_class: id of pixels without class, or None; taken from `class_map` if that has one.
        class_weights: one number >= 0 a class (for one logit two: [1, 1] counts the background
            too) as a list or an array, or {name: weight} with `class_map`; or None. The mean
            divides by their sum, as in segmentation_models.pytorch (MONAI: by the classes).
        pooling: "batch" counts pixels over the batch; "image" makes a ratio of each image, whose
            mean is the loss (noisier where images are small, fairer where sizes differ).
        absent: what a class contributes that has no pixel in the batch (or image): "skip",
            nothing, the mean is over the others; "zero", a loss of 0, as in
            segmentation_models.pytorch; "share", the share of the pixels predicted as it, so
            that false alarms in images without foreground are seen.
        from_logits: False where the model ends in a softmax or sigmoid.
        class_map: gives `ignore_class`, and the names for `class_weights`.
        reduction: as in Keras, over the values of the images.

    `call` shapes: `y_true` (batch, height, width) ids, or (batch, height, width, classes) shares
        that sum to 1; `y_pred` (batch, height, width, classes). Returns (1,) or with
        `pooling="image"` (batch,), float32. `sample_weight` (batch, height, width): a pixel of
        weight 2 is two pixels; (batch,): the same for all pixels of an image, or with
        `pooling="image"` a factor of its loss.

    Raises:
        ValueError: a mask with a channel axis or fractions, ids outside the classes (in eager
            use; a compiled graph can't raise and gives a NaN loss instead).

    Example:
        >>> loss = semseg.losses.Dice(ignore_class=255)
        >>> float(loss(np.array([[[0, 1, 255]]]), np.zeros((1, 1, 3, 2), "float32")))
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
        name: str = "dice",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            dice,
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


@keras.saving.register_keras_serializable(package="semseg.losses")
class GeneralizedDice(SegmentationLoss):
    """`1 - 2 sum(v both) / sum(v (true + predicted))` with `v = 1 / true**2` a class.

    One ratio in which a class weighs by the inverse square of its size: Sudre et al., DLMIA 2017,
    "Generalised Dice overlap as a deep learning loss function". `true`, `predicted` and `both` as
    in `semseg.losses.Dice`. MONAI gives an absent class the largest weight of the others, which
    is `absent="share"`, and by default makes a ratio of each image, which is `pooling="image"`.

    Args:
        absent: "skip" and "zero" leave a class without pixels out of both sums; "share" gives it
            the largest weight of the others, so that what is predicted as it counts.
        ignore_class, class_weights, pooling, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas. Class weights multiply
            `v`; with one logit the foreground alone counts unless they say otherwise.

    Example:
        >>> loss = semseg.losses.GeneralizedDice()
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
        name: str = "generalized_dice",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            generalized_dice,
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
