"""Pixel-wise crossentropy over the pixels that have a class."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import check_ids, check_ignore_class, unknown_ids, unknown_ids_message

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


@keras.saving.register_keras_serializable(package="semseg.losses")
class Crossentropy(keras.losses.Loss):
    """Crossentropy of integer masks and logits, meaned over the valid pixels.

    Ignored pixels count as if they were not there: they change neither loss nor gradient, whatever
    the logits under them are (NaN too). A batch of ignored pixels alone gives 0 and no gradient.

    With class weights `w` the mean is the weighted one of PyTorch,
    `sum(w[y] * loss) / sum(w[y])`; the SegNet authors' Caffe divides by the number of valid pixels.

    The last axis of `y_pred` decides the form: one logit is binary (ids 0 and 1), more are a
    softmax over that many classes.

    Under `tf.distribute` the replicas' means are averaged, as for every Keras loss: that equals
    one device exactly when the replicas hold equally many valid pixels.

    Args:
        ignore_class: id of pixels without class, or None.
        class_weights: one number >= 0 a class (two for one binary logit), or None.
        label_smoothing: 0 <= s < 1; the target is `1 - s` of the class and `s` spread over all.
        from_logits: False where the model ends in a softmax or sigmoid.
        reduction: as in Keras. "sum" and None give weighted losses without any division.

    `call` shapes: `y_true` (batch, height, width) ids, `y_pred` (batch, height, width, classes);
        returns (batch, height, width) float32. `sample_weight` holds one factor a picture
        (batch,) or a pixel (batch, height, width); as in Keras it does not enter the divisor.

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
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        from_logits: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must lie in [0, 1), received {label_smoothing}")
        self.ignore_class = check_ignore_class(ignore_class, 1)
        self.class_weights = None if class_weights is None else _checked_weights(class_weights)
        self.label_smoothing = float(label_smoothing)
        self.from_logits = bool(from_logits)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            y_true = ops.convert_to_tensor(y_true)
            sample_weight = _picture_weights(sample_weight, tuple(y_true.shape))
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        # Keras casts both to the loss dtype before; ids survive in float32 up to 2**24.
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        num_classes = self._check(y_true, y_pred)
        ids = ops.cast(y_true, "int32")
        whole = ops.cast(ids, "float32") == ops.cast(y_true, "float32")
        known = ops.logical_and(whole, ops.logical_and(ids >= 0, ids < num_classes))
        valid = ops.ones_like(known)
        if self.ignore_class is not None:
            valid = ops.logical_not(ops.logical_and(whole, ids == self.ignore_class))
        scored = ops.logical_and(known, valid)
        ids = ops.where(scored, ids, 0)
        losses = _pixel_losses(
            ids,
            # What stands under an ignored pixel must not reach the gradient: 0 * NaN is NaN.
            ops.where(scored[..., None], y_pred, 1.0 / y_pred.shape[-1]),
            self.label_smoothing,
            self.from_logits,
        )
        weights = ops.cast(scored, "float32")
        if self.class_weights is not None:
            weights = weights * ops.take(ops.convert_to_tensor(self.class_weights), ids, axis=0)
        losses = ops.where(scored, losses * weights, 0.0)
        losses = ops.where(ops.logical_and(valid, ops.logical_not(known)), float("nan"), losses)
        return losses * self._scale(weights)

    def _scale(self, weights: Any) -> Any:
        """Keras divides the sum by the number of all pixels: make that the sum of the weights."""
        if self.reduction not in _MEANS:
            return 1.0
        pixels = ops.cast(ops.prod(ops.shape(weights)), "float32")
        total = ops.sum(weights)
        return ops.where(total > 0, pixels / ops.where(total > 0, total, 1.0), 0.0)

    def _check(self, y_true: Any, y_pred: Any) -> int:
        """Refuses shapes that would broadcast; gives the number of classes (2 for one logit)."""
        rank = len(y_true.shape)
        if len(y_pred.shape) != rank + 1 or any(
            true != pred and None not in (true, pred)
            for true, pred in zip(y_true.shape, y_pred.shape[:rank], strict=True)
        ):
            hint = ""
            if rank == len(y_pred.shape) and y_true.shape[-1] == 1:
                hint = "; drop the mask's channel axis with mask[..., 0]"
            elif rank == len(y_pred.shape):
                hint = "; a one-hot mask becomes ids with mask.argmax(-1)"
            raise ValueError(
                "Crossentropy: y_true must be ids (batch, height, width) and y_pred scores "
                f"(batch, height, width, classes), received shapes {tuple(y_true.shape)} and "
                f"{tuple(y_pred.shape)}{hint}"
            )
        num_classes = max(2, y_pred.shape[-1])
        check_ignore_class(self.ignore_class, num_classes)
        if self.class_weights is not None and len(self.class_weights) != num_classes:
            raise ValueError(
                f"class_weights must hold {num_classes} numbers for y_pred with last axis "
                f"{y_pred.shape[-1]}, received {len(self.class_weights)}"
            )
        if is_concrete(y_true):
            ids = check_ids(ops.convert_to_numpy(y_true), "y_true")
            found = unknown_ids(ids, num_classes, self.ignore_class)
            if found:
                raise ValueError(
                    unknown_ids_message(found, num_classes, self.ignore_class, "y_true")
                )
        return num_classes

    def get_config(self) -> dict[str, Any]:
        weights = None if self.class_weights is None else self.class_weights.tolist()
        return {
            **super().get_config(),
            "ignore_class": self.ignore_class,
            "class_weights": weights,
            "label_smoothing": self.label_smoothing,
            "from_logits": self.from_logits,
        }


def _pixel_losses(ids: Any, scores: Any, smoothing: float, from_logits: bool) -> Any:
    """Crossentropy a pixel: ids (...), scores (..., classes) -> (...)."""
    if scores.shape[-1] == 1:
        target = ops.cast(ids, "float32") * (1 - smoothing) + smoothing / 2
        return ops.binary_crossentropy(target, scores[..., 0], from_logits=from_logits)
    losses = ops.sparse_categorical_crossentropy(ids, scores, from_logits=from_logits)
    if smoothing:
        if not from_logits:
            scores = ops.log(ops.clip(scores, keras.config.epsilon(), 1.0))
        uniform = ops.logsumexp(scores, axis=-1) - ops.mean(scores, axis=-1)
        losses = (1 - smoothing) * losses + smoothing * uniform
    return losses


def _picture_weights(sample_weight: Any, mask_shape: tuple[int | None, ...]) -> Any:
    """Weights of the mask's rank; Keras would spread one weight a picture along the width."""
    weights = ops.convert_to_tensor(sample_weight)
    while len(weights.shape) < len(mask_shape):
        weights = ops.expand_dims(weights, -1)
    shapes = zip(weights.shape, mask_shape, strict=False)
    if len(weights.shape) > len(mask_shape) or any(
        None not in (own, true) and own not in (1, true) for own, true in shapes
    ):
        raise ValueError(
            "sample_weight must hold one number a picture (batch,) or a pixel (batch, height, "
            f"width), received shape {np.shape(sample_weight)} for masks of shape {mask_shape}"
        )
    return weights


def _checked_weights(class_weights: Sequence[float]) -> np.ndarray:
    weights = np.asarray(class_weights, np.float32)
    if weights.ndim != 1 or len(weights) < 2:
        raise ValueError(
            f"class_weights must be a list with one number a class, received {class_weights!r}"
        )
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"class_weights must be finite and >= 0, and not all 0, received {class_weights!r}"
        )
    return weights
