"""Losses that are a mean over pixels: crossentropy, focal, the hardest pixels."""

from typing import Any

import keras
from keras import ops

from semseg._checks import check_choice
from semseg.losses.functional.class_weights import checked_class_weights
from semseg.losses.functional.hardest import hardest
from semseg.losses.functional.pixels import Pixels, prepare

DIVISORS = ("weights", "pixels", "sample_weights", None)


def crossentropy(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    ignore_class: int | None = None,
    class_weights: Any = None,
    label_smoothing: float = 0.0,
    from_logits: bool = True,
    divisor: str | None = "weights",
) -> Any:
    """Crossentropy a pixel; `semseg.losses.Crossentropy` says what the arguments mean.

    Args:
        y_true: (B, H, W) ids, or (B, H, W, C) shares.
        y_pred: (B, H, W, C) logits; one channel is binary.
        sample_weight: None, (B,) or (B, H, W).
        divisor: what the mean over all pixels of the result divides by: "weights" (the class
            weights of the valid pixels), "pixels" (their number), "sample_weights" (class
            weight times sample weight), None (nothing: plain losses, weighted).

    Returns:
        (B, H, W) values, 0 where a pixel is ignored; their mean is the loss.

    Example:
        >>> from semseg.losses.functional import crossentropy
        >>> values = crossentropy(np.array([[[0, 255]]]), np.zeros((1, 1, 2, 2)), ignore_class=255)
        >>> np.round(np.asarray(values), 4)  # the mean over two pixels is ln 2, that of the one
        array([[[1.3863, 0.    ]]])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    losses, weights = _crossentropies(pixels, class_weights, label_smoothing, from_logits)
    return _to_be_meaned(pixels, losses, weights, divisor)


def focal(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    gamma: float = 2.0,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    divisor: str | None = "weights",
) -> Any:
    """Focal loss a pixel, `(1 - p)**gamma * -log(p)`; see `semseg.losses.Focal`.

    Args and returns as of `crossentropy`; `gamma` >= 0, where 0 is the crossentropy.

    Example:
        >>> from semseg.losses.functional import focal
        >>> values = focal(np.array([[[0]]]), np.zeros((1, 1, 1, 2)))
        >>> np.round(np.asarray(values), 4)  # 0.5**2 * ln 2
        array([[[0.1733]]])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    table = checked_class_weights(class_weights, pixels)
    if pixels.soft:
        each = _focused(_negative_logs(pixels, from_logits), gamma)
        return _to_be_meaned(pixels, *_expected(pixels, each, table), divisor)
    losses = _focused(_of_the_true_class(pixels, from_logits), gamma)
    return _to_be_meaned(pixels, *_weighted(pixels, losses, table), divisor)


def hard_pixels(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    share: float = 0.25,
    threshold: float | None = None,
    ignore_class: int | None = None,
    class_weights: Any = None,
    from_logits: bool = True,
    divisor: str | None = "weights",
) -> Any:
    """Crossentropy of the hardest pixels of the batch; see `semseg.losses.HardPixels`.

    Args and returns as of `crossentropy`; the other pixels give 0 and do not count in the mean.

    Example:
        >>> from semseg.losses.functional import hard_pixels
        >>> logits = np.array([[[[0.0, 0.0], [9.0, 0.0]]]])
        >>> values = hard_pixels(np.array([[[0, 0]]]), logits, share=0.5)
        >>> np.round(np.asarray(values), 4)  # ln 2 of one pixel, twice as two are meaned
        array([[[1.3863, 0.    ]]])
    """
    pixels = prepare(y_true, y_pred, sample_weight, ignore_class)
    losses, weights = _crossentropies(pixels, class_weights, 0.0, from_logits)
    plain = losses
    if class_weights is not None:
        plain, _ = _crossentropies(pixels, None, 0.0, from_logits)
    kept = hardest(plain, pixels.counts() != 0, share, threshold)
    return _to_be_meaned(pixels, losses, weights, divisor, kept)


def _crossentropies(
    pixels: Pixels, class_weights: Any, smoothing: float, from_logits: bool
) -> tuple[Any, Any]:
    """Losses times class weight, and the class weight or None, (B, H, W) each."""
    table = checked_class_weights(class_weights, pixels)
    if smoothing and from_logits and not pixels.soft and not pixels.binary:
        return _weighted(pixels, _smoothed(pixels, smoothing), table)
    if pixels.soft or smoothing:
        each = _negative_logs(pixels, from_logits)
        if smoothing:
            each = (1 - smoothing) * each + smoothing * ops.mean(each, axis=-1, keepdims=True)
        return _expected(pixels, each, table)
    return _weighted(pixels, _of_the_true_class(pixels, from_logits), table)


def _to_be_meaned(
    pixels: Pixels, losses: Any, weights: Any, divisor: str | None, kept: Any = None
) -> Any:
    """Losses (class weights in, sample weights not) so scaled that their mean is the loss.

    Args:
        weights: the class weights, None where all are 1.
        kept: how much each valid pixel counts where only some do.
    """
    check_choice("divisor", divisor, DIVISORS)
    # Losses are finite under ignored pixels, so that a product is enough to leave them out.
    counted = ops.cast(pixels.valid, losses.dtype)
    if kept is not None:
        counted = counted * kept
    factors = (
        counted if pixels.factors is None else ops.where(counted > 0, counted * pixels.factors, 0.0)
    )
    if divisor is None:
        return losses * pixels.poisoned(factors)
    divided = factors if divisor == "sample_weights" else counted
    if divisor != "pixels" and weights is not None:
        divided = divided * weights
    total = ops.sum(divided)
    number = ops.cast(ops.prod(ops.shape(losses)), losses.dtype)
    scale = ops.where(total > 0, number / ops.where(total > 0, total, 1.0), 0.0)
    return losses * (factors * pixels.poisoned(scale))


def _weighted(pixels: Pixels, losses: Any, table: Any) -> tuple[Any, Any]:
    """Losses of ids, times the class weight of the id."""
    if table is None:
        return losses, None
    weights = ops.take(table, pixels.target, axis=0)
    return losses * weights, weights


def _expected(pixels: Pixels, each: Any, table: Any) -> tuple[Any, Any]:
    """The mean loss of a class drawn from the target's shares; `each` is (B, H, W, K)."""
    shares = pixels.shares() if table is None else pixels.shares() * table
    return ops.sum(shares * each, axis=-1), ops.sum(shares, axis=-1)


def _of_the_true_class(pixels: Pixels, from_logits: bool) -> Any:
    """-log(p) of the class a pixel has, (B, H, W)."""
    if not pixels.binary:
        return ops.sparse_categorical_crossentropy(
            pixels.target, pixels.scores, from_logits=from_logits
        )
    target = ops.cast(pixels.target, pixels.scores.dtype)
    return ops.binary_crossentropy(target, pixels.scores[..., 0], from_logits=from_logits)


def _smoothed(pixels: Pixels, smoothing: float) -> Any:
    """Crossentropy of ids and logits with a part of the target spread over all classes.

    Half the time and memory of the logarithms one by one. Only for shares that sum to exactly 1:
    TensorFlow's gradient takes it for granted.
    """
    target = (1 - smoothing) * pixels.shares() + smoothing / pixels.num_classes
    return ops.categorical_crossentropy(target, pixels.scores, from_logits=True)


def _negative_logs(pixels: Pixels, from_logits: bool) -> Any:
    """-log(p) of every class, (B, H, W, K)."""
    scores = pixels.scores
    if from_logits and pixels.binary:
        return ops.softplus(ops.concatenate([scores, -scores], axis=-1))
    if from_logits:
        return -ops.log_softmax(scores, axis=-1)
    if pixels.binary:
        scores = ops.concatenate([1 - scores, scores], axis=-1)
    return -ops.log(ops.clip(scores, keras.config.epsilon(), 1.0))


def _focused(losses: Any, gamma: float) -> Any:
    """`(1 - p)**gamma * losses` of `losses = -log(p)`, exact for p near 1."""
    missing = -ops.expm1(-losses)
    # The power's derivative at 0 is infinite for gamma < 1 and 0 * inf for gamma = 0.
    positive = missing > 0
    power = ops.power(ops.where(positive, missing, 1.0), gamma)
    return ops.where(positive, power * losses, 0.0)
