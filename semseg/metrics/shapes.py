"""What the shapes of mask, prediction and weights say; nothing is told by values."""

from typing import Any

from keras import ops


def are_scores(true_shape: Any, pred_shape: Any, num_classes: int, name: str) -> bool:
    """Whether predictions are scores of `num_classes` >= 2 classes (True) or ids, by the rank."""
    rank = len(true_shape)
    if rank > 3 and true_shape[-1] == 1:
        raise ValueError(
            f"{name}: masks must have shape (batch, height, width), received "
            f"{tuple(true_shape)}; drop the channel axis with mask[..., 0]"
        )
    scores = len(pred_shape) == rank + 1
    allowed = {num_classes, 1} if num_classes == 2 else {num_classes}
    fits = len(pred_shape) in (rank, rank + 1) and _agree(true_shape, pred_shape)
    if not fits or (scores and pred_shape[-1] not in allowed):
        raise ValueError(
            f"{name}: y_pred must be ids of the mask's shape, or scores with a last axis of "
            f"{' or '.join(str(n) for n in sorted(allowed))} after it; received y_true "
            f"{tuple(true_shape)} and y_pred {tuple(pred_shape)} for {num_classes} classes"
        )
    return scores


def spread_weights(weights: Any, y_true: Any, name: str) -> Any:
    """float32 weights of the mask's shape from weights of its first axes."""
    weights = ops.cast(ops.convert_to_tensor(weights), "float32")
    missing = len(y_true.shape) - len(weights.shape)
    if missing < 0 or not _agree(y_true.shape, weights.shape):
        raise ValueError(
            f"{name}: sample_weight must have the mask's shape {tuple(y_true.shape)} or its "
            f"first axes, received {tuple(weights.shape)}"
        )
    weights = ops.reshape(weights, (*ops.shape(weights), *[1] * missing))
    return ops.broadcast_to(weights, ops.shape(y_true))


def _agree(shape: Any, other: Any) -> bool:
    """Whether two shapes have the same first axes, as far as they are known."""
    return all(a == b or None in (a, b) for a, b in zip(shape, other, strict=False))
