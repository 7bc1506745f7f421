"""The parts of a sum of losses in the logs."""

from typing import Any

import keras
from keras import ops

from semseg._backend import replicas
from semseg.losses.arithmetic import WeightedSum
from semseg.losses.segmentation_loss import MEANS


@keras.saving.register_keras_serializable(package="semseg.losses")
class LossPart(keras.metrics.Mean):
    """A loss as a metric: its mean over the batches, each by its number of pictures.

    Args:
        loss: any Keras loss.
        name: None for the loss's own with "_loss" behind it.

    Example:
        >>> part = semseg.losses.LossPart(semseg.losses.Dice())
        >>> part.update_state(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32"))
        >>> part.name, float(part.result())
        ('dice_loss', 0.5)
    """

    def __init__(self, loss: keras.losses.Loss, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name or f"{loss.name}_loss", dtype=dtype)
        self.loss = loss

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        value = self.loss(y_true, y_pred, sample_weight)
        if self.loss.reduction in MEANS:  # which Keras has divided by the replicas
            value = value * replicas()
        super().update_state(value, ops.cast(ops.shape(y_pred)[0], self.dtype))

    def get_config(self) -> dict[str, Any]:
        loss = keras.saving.serialize_keras_object(self.loss)
        return {"loss": loss, "name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossPart":
        return cls(**{**config, "loss": keras.saving.deserialize_keras_object(config["loss"])})


def loss_parts(loss: keras.losses.Loss) -> list[LossPart]:
    """Metrics that show each loss of a sum by its name, before it is weighted.

    `loss` in the logs is the sum of weight times part. Each part is computed once more, which
    for the losses of pixels and regions is little beside the model.

    Args:
        loss: a sum such as `Dice() + 0.01 * Boundary()`.

    Returns:
        A metric a loss, for `compile(metrics=...)`; where `fit` gets sample weights, for
        `weighted_metrics=`.

    Raises:
        TypeError: a loss that is no sum.
        ValueError: losses whose names collide.

    Example:
        >>> loss = semseg.losses.Dice() + 0.01 * semseg.losses.Boundary()
        >>> [part.name for part in semseg.losses.loss_parts(loss)]
        ['dice_loss', 'boundary_loss']
    """
    if not isinstance(loss, WeightedSum):
        raise TypeError(f"loss must be a sum of losses, received {loss!r}, which is in the logs")
    names: list[str] = []
    for term in loss.losses:
        earlier = sum(term.name == other.name for other in loss.losses[: len(names)])
        names.append(f"{term.name}_{earlier + 1}_loss" if earlier else f"{term.name}_loss")
    if len(set(names)) < len(names):
        raise ValueError(f"{loss!r} has parts of one name among {names}; give the losses a name=")
    return [LossPart(term, name) for term, name in zip(loss.losses, names, strict=True)]
