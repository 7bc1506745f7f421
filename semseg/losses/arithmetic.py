"""Losses that add and scale like numbers: `0.5 * Dice() + Crossentropy()`."""

import math
from collections.abc import Sequence
from typing import Any

import keras


class Arithmetic(keras.losses.Loss):
    """A loss with `+` and `*`; sums take any Keras loss, factors any finite number."""

    def __add__(self, other: Any) -> "WeightedSum":
        if isinstance(other, int) and other == 0:  # where sum() starts
            return WeightedSum(*_terms(self))
        if not isinstance(other, keras.losses.Loss):
            return NotImplemented
        (losses, weights), (others, their_weights) = _terms(self), _terms(other)
        return WeightedSum([*losses, *others], [*weights, *their_weights])

    def __radd__(self, other: Any) -> "WeightedSum":
        if isinstance(other, keras.losses.Loss):
            return WeightedSum([other], [1.0]) + self
        return self.__add__(other)

    def __mul__(self, factor: Any) -> "WeightedSum":
        if isinstance(factor, bool) or not isinstance(factor, (int, float)):
            return NotImplemented
        losses, weights = _terms(self)
        return WeightedSum(losses, [weight * factor for weight in weights])

    __rmul__ = __mul__


@keras.saving.register_keras_serializable(package="semseg.losses")
class WeightedSum(Arithmetic):
    """A weighted sum of losses, what `0.5 * Dice() + Crossentropy()` makes.

    Each loss reduces for itself, sample weights and replicas included, so that the sum's value is
    the sum of the values.

    Args:
        losses: Keras losses, ours or others.
        weights: one finite number each.

    Example:
        >>> loss = 0.5 * semseg.losses.Dice() + semseg.losses.Crossentropy()
        >>> loss
        0.5 * Dice() + Crossentropy()
    """

    def __init__(
        self,
        losses: Sequence[keras.losses.Loss],
        weights: Sequence[float],
        name: str = "weighted_sum",
    ) -> None:
        super().__init__(name=name)
        if not losses or len(losses) != len(weights):
            raise ValueError(
                f"WeightedSum needs losses and as many weights, received {len(losses)} and "
                f"{len(weights)}"
            )
        bad = [w for w in weights if not math.isfinite(w)]
        if bad:
            raise ValueError(f"the weights of a sum of losses must be finite, received {bad}")
        self.losses = list(losses)
        self.weights = [float(w) for w in weights]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        terms = zip(self.weights, self.losses, strict=True)
        first, *others = [w * loss(y_true, y_pred, sample_weight) for w, loss in terms]
        return sum(others, first)

    def get_config(self) -> dict[str, Any]:
        return {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses],
            "weights": self.weights,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WeightedSum":
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(losses, config["weights"], config["name"])

    def __repr__(self) -> str:
        terms = zip(self.weights, self.losses, strict=True)
        return " + ".join(f"{loss!r}" if w == 1 else f"{w:g} * {loss!r}" for w, loss in terms)


def _terms(loss: keras.losses.Loss) -> tuple[list[keras.losses.Loss], list[float]]:
    if isinstance(loss, WeightedSum):
        return loss.losses, loss.weights
    return [loss], [1.0]
