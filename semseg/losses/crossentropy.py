"""Pixel-wise crossentropy over the pixels that have a class."""

from typing import Any

import keras

from semseg._checks import check_at_least
from semseg.classes import ClassMap
from semseg.losses.functional.pixel_losses import crossentropy
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Crossentropy(SegmentationLoss):
    """Crossentropy of masks and logits, meaned over the valid pixels.

    Ignored pixels count as if they were not there: they change neither loss nor gradient, whatever
    the logits under them are (NaN too). A batch of ignored pixels alone gives 0 and no gradient.

    The last axis of `y_pred` decides the form: one logit is binary (ids 0 and 1), more are a
    softmax over that many classes.

    Under `tf.distribute` the replicas' means are averaged, as for every Keras loss: that equals
    one device exactly when the replicas hold equally many valid pixels.

    Args:
        ignore_class: id of pixels without class, or None; taken from `class_map` if that has one.
        class_weights: one number >= 0 a class (two for one binary logit) as a list or an array, or
            {name: weight} with `class_map`, where classes without a name weigh 1; or None.
        label_smoothing: 0 <= s < 1; the target is `1 - s` of the class and `s` spread over all.
            Weights are those of the mask's class (PyTorch weighs the spread part class by class).
        divisor: what the weighted losses are divided by. "weights", the mean of PyTorch:
            `sum(w[y] * loss) / sum(w[y])`. "pixels", the SegNet authors' Caffe and Keras (and
            PyTorch for soft targets): the number of valid pixels. segmentation_models.pytorch
            divides by all pixels, ignored ones too.
        from_logits: False where the model ends in a softmax or sigmoid.
        class_map: gives `ignore_class`, and the names for `class_weights`.
        reduction: as in Keras. "sum" and None give weighted losses without any division.

    `call` shapes: `y_true` (batch, height, width) ids, or (batch, height, width, classes) shares
        that sum to 1; `y_pred` (batch, height, width, classes). Returns (batch, height, width)
        float32. `sample_weight` holds one factor a picture (batch,) or a pixel (batch, height,
        width); as in Keras it does not enter the divisor.

    Raises:
        ValueError: a mask with a channel axis or fractions, ids outside the classes (in eager
            use; a compiled graph can't raise and gives a NaN loss instead).

    Example:
        >>> loss = semseg.losses.Crossentropy(ignore_class=255)
        >>> mask = np.array([[[0, 1, 255]]])
        >>> round(float(loss(mask, np.zeros((1, 1, 3, 2), "float32"))), 4)  # ln 2
        0.6931
    """

    def __init__(
        self,
        ignore_class: int | None = None,
        class_weights: Any = None,
        label_smoothing: float = 0.0,
        divisor: str = "weights",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            crossentropy,
            name,
            reduction,
            dtype,
            class_map,
            ignore_class=ignore_class,
            class_weights=class_weights,
            label_smoothing=check_at_least("label_smoothing", label_smoothing, 0, below=1),
            divisor=divisor,
            from_logits=bool(from_logits),
        )
