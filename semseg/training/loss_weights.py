"""Weights of a sum of losses that change from epoch to epoch."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from semseg._checks import check_at_least
from semseg.losses import WeightedSum


class LossWeights(keras.callbacks.Callback):
    """Sets the weights of a sum of losses at the beginning of each epoch, and logs them.

    The authors of the boundary loss raise its weight by 0.01 an epoch and lower that of the
    region's loss as much ("rebalance", Kervadec et al., MIDL 2019, section 3):

        LossWeights({"boundary": lambda epoch: 0.01 * (epoch + 1),
                     "dice": lambda epoch: 1 - 0.01 * (epoch + 1)})

    A weight is a function of the epoch alone, so that a resumed training goes on with the right
    one. Where one changes, the training step is traced anew (seconds on TensorFlow and JAX,
    nothing on PyTorch): for epochs of minutes. After `fit` the loss has the weights that it was
    compiled with.

    Args:
        schedules: {name of a loss in the sum: function of the epoch, from 0, giving a weight
            >= 0}. Losses that are not named keep their weight.

    Logs:
        `"<name>_weight"` each epoch, beside what `semseg.losses.loss_parts` shows.

    Raises:
        ValueError: at the beginning of `fit`, where the model's loss is no sum or has no loss of
            a name; in an epoch, a weight that is not a finite number >= 0.

    Example:
        >>> ds = semseg.data.digits("train", count=4, size=(32, 32))
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> loss = semseg.losses.Dice(255) + 0 * semseg.losses.Boundary(255)
        >>> model.compile("sgd", loss)
        >>> rising = semseg.training.LossWeights({"boundary": lambda epoch: 0.01 * epoch})
        >>> history = model.fit(ds.batches(2), epochs=2, callbacks=[rising], verbose=0)
        >>> history.history["boundary_weight"]
        [0.0, 0.01]
    """

    def __init__(self, schedules: Mapping[str, Callable[[int], float]]) -> None:
        super().__init__()
        self.schedules = dict(schedules)
        self._places: dict[str, int] = {}
        self._loss: WeightedSum | None = None
        self._compiled: list[float] = []  # its weights before and after

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        loss = self.model.loss
        names = [term.name for term in loss.losses] if isinstance(loss, WeightedSum) else []
        unknown = [name for name in self.schedules if names.count(name) != 1]
        if unknown:
            raise ValueError(
                f"LossWeights needs a sum of losses that holds each of {list(self.schedules)} "
                f"once, received {loss!r} with the names {names}; compile the model with such as "
                "Dice() + Boundary(), or give the losses a name="
            )
        self._places = {name: names.index(name) for name in self.schedules}
        if loss is self._loss:  # the last `fit` may have been broken off
            self._set(self._compiled)
        self._loss, self._compiled = loss, list(loss.weights)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        weights = list(self.model.loss.weights)
        for name, schedule in self.schedules.items():
            weight = check_at_least(f"the weight of {name}", schedule(epoch), 0)
            weights[self._places[name]] = weight
        self._set(weights)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            weights = self.model.loss.weights
            logs |= {f"{name}_weight": weights[k] for name, k in self._places.items()}

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._set(self._compiled)

    def _set(self, weights: list[float]) -> None:
        if weights != self.model.loss.weights:
            self.model.loss.weights = list(weights)
            # What was traced holds the old numbers.
            self.model.make_train_function(force=True)
            self.model.make_test_function(force=True)
