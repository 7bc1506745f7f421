"""What a loss sees of a batch: checked, clean under ignored pixels, in float32 or better."""

from typing import Any, NamedTuple

from keras import ops
from keras.backend import standardize_dtype

from semseg._backend import is_concrete
from semseg._checks import check_ids, check_ignore_class, unknown_ids, unknown_ids_message

# How far the shares of a soft target may be from a sum of 1 (half precision, resizing).
_SUM_TOLERANCE = 1e-2


class Pixels(NamedTuple):
    """A batch as every loss reads it.

    Attributes:
        target: (B, H, W) int32 ids, any class where the pixel has none; or (B, H, W, K) shares.
        scores: (B, H, W, channels), harmless constants where the pixel does not count.
        valid: (B, H, W) bool, the pixels that have a class.
        factors: (B, H, W) sample weights, or None.
        picture_factors: (B,) the sample weights where they came one a picture, or None.
        unknown: scalar bool, whether a label is neither a class nor ignored (in a graph, where
            nothing can be raised).
    """

    target: Any
    scores: Any
    valid: Any
    factors: Any
    picture_factors: Any
    unknown: Any

    @property
    def soft(self) -> bool:
        return len(self.target.shape) == 4

    @property
    def binary(self) -> bool:
        return bool(self.scores.shape[-1] == 1)

    @property
    def num_classes(self) -> int:
        return max(2, self.scores.shape[-1])

    def counts(self) -> Any:
        """(B, H, W) how much each pixel counts: its sample weight, 0 for ignored pixels."""
        valid = ops.cast(self.valid, self.scores.dtype)
        return valid if self.factors is None else ops.where(self.valid, self.factors, 0.0)

    def shares(self) -> Any:
        """(B, H, W, K) the target as shares of the classes, one-hot for ids."""
        if self.soft:
            return self.target
        return ops.one_hot(self.target, self.num_classes, dtype=self.scores.dtype)

    def poisoned(self, values: Any) -> Any:
        """`values`, or NaN where a label is no class: a wrong mask must not train in silence."""
        return ops.where(self.unknown, float("nan"), values)


def prepare(
    y_true: Any, y_pred: Any, sample_weight: Any = None, ignore_class: int | None = None
) -> Pixels:
    """Checks shapes and labels, and replaces what stands under pixels that do not count.

    Args:
        y_true: (B, H, W) ids, or (B, H, W, C) soft targets whose classes sum to 1 (those of a
            pixel without class, which has sample weight 0, may be anything).
        y_pred: (B, H, W, C) scores; one channel is binary.
        sample_weight: None, (B,) or (B, H, W). A pixel of weight 0 is a deleted pixel.
        ignore_class: id of pixels without class, or None.

    Raises:
        ValueError: shapes that would broadcast, labels outside the classes (in eager use).
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if standardize_dtype(y_pred.dtype) != "float64":
        y_pred = ops.cast(y_pred, "float32")
    _check_shapes(y_true, y_pred)
    num_classes = max(2, y_pred.shape[-1])
    ignore_class = check_ignore_class(ignore_class, num_classes)
    factors = picture_factors = None
    if sample_weight is not None:
        factors, picture_factors = _factors(sample_weight, y_true, y_pred.dtype)
    if len(y_true.shape) == 4:
        target, valid, unknown = _soft(ops.cast(y_true, y_pred.dtype), factors)
    else:
        target, valid, unknown = _ids(y_true, num_classes, ignore_class)
    kept = valid if factors is None else ops.logical_and(valid, factors != 0)
    scores = y_pred
    if ignore_class is not None or factors is not None:
        # What stands under an ignored pixel must not reach the gradient: 0 * NaN is NaN.
        scores = ops.where(kept[..., None], y_pred, 1.0 / num_classes)
    return Pixels(target, scores, valid, factors, picture_factors, unknown)


def check_ids_given(pixels: Pixels, loss: str, why: str) -> None:
    """Refuses shares of classes for a loss that looks at the ids' shapes or order."""
    if pixels.soft:
        raise ValueError(
            f"{loss} needs ids (batch, height, width), received soft targets of shape "
            f"{tuple(pixels.target.shape)}{why}"
        )


def _ids(y_true: Any, num_classes: int, ignore_class: int | None) -> tuple[Any, Any, Any]:
    if is_concrete(y_true):
        ids = check_ids(ops.convert_to_numpy(y_true), "y_true")
        found = unknown_ids(ids, num_classes, ignore_class)
        if found:
            raise ValueError(unknown_ids_message(found, num_classes, ignore_class, "y_true"))
    # Keras hands ids over in the loss's dtype: they are whole numbers up to 2**24 in float32.
    labels = ops.cast(y_true, "float32")
    ids = ops.clip(ops.cast(labels, "int32"), 0, num_classes - 1)
    known = ops.cast(ids, "float32") == labels  # neither cut off nor clipped, nor NaN
    right = known if ignore_class is None else ops.logical_or(known, labels == ignore_class)
    return ids, known, ops.logical_not(ops.all(right))


def _soft(y_true: Any, factors: Any) -> tuple[Any, Any, Any]:
    shares = ops.concatenate([1 - y_true, y_true], -1) if y_true.shape[-1] == 1 else y_true
    # A comparison with NaN is False: ask for what is right, not for what is wrong.
    right = ops.logical_and(
        ops.all(ops.logical_and(shares >= 0, shares <= 1 + _SUM_TOLERANCE), -1),
        ops.abs(ops.sum(shares, -1) - 1) <= _SUM_TOLERANCE,
    )
    known = right if factors is None else ops.logical_or(right, factors == 0)
    unknown = ops.logical_not(ops.all(known))
    if is_concrete(y_true) and bool(ops.convert_to_numpy(unknown)):
        raise ValueError(
            "y_true of shape (batch, height, width, classes) must hold shares >= 0 that sum to 1 "
            "over the classes; ids have no channel axis (mask[..., 0]), and pixels without a "
            "class get sample_weight 0"
        )
    return ops.where(right[..., None], shares, 1.0 / shares.shape[-1]), right, unknown


def _check_shapes(y_true: Any, y_pred: Any) -> None:
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    pairs = list(zip(true, pred, strict=False))
    if len(pred) == 4 and len(true) in (3, 4) and all(t == p or None in (t, p) for t, p in pairs):
        return
    hint = ""
    if len(true) == len(pred) == 4 and true[-1] == 1:
        hint = "; drop the mask's channel axis with mask[..., 0]"
    elif true[1:3] != pred[1:3] and len(true) in (3, 4) and len(pred) == 4:
        hint = "; resize the logits or the mask, semseg's models give the size of the image"
    raise ValueError(
        "y_true must be ids (batch, height, width) or soft targets (batch, height, width, "
        "classes), and y_pred scores (batch, height, width, classes), received shapes "
        f"{true} and {pred}{hint}"
    )


def _factors(sample_weight: Any, y_true: Any, dtype: Any) -> tuple[Any, Any]:
    """Sample weights as (B, H, W), and as (B,) or None; Keras would spread (B,) along the width."""
    given = weights = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    of_pictures, shape = None, tuple(y_true.shape)[:3]
    # (batch, 1) as Keras may hand them over.
    if len(given.shape) == 1 or (len(given.shape) == 2 and given.shape[1] == 1):
        of_pictures = ops.reshape(given, (-1,))
        weights = of_pictures[:, None, None]
    if len(weights.shape) != 3 or any(
        None not in (own, true) and own not in (1, true)
        for own, true in zip(weights.shape, shape, strict=True)
    ):
        raise ValueError(
            "sample_weight must hold one number a picture (batch,) or a pixel (batch, height, "
            f"width), received shape {tuple(given.shape)} for masks of shape {shape}"
        )
    return ops.broadcast_to(weights, ops.shape(y_true)[:3]), of_pictures
