"""What each layer takes and gives while a batch runs through a model."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from semseg.layers.pixel_scaling import SCALINGS
from semseg.training.trials import parts


class Seen:
    """What was seen of one batch.

    Attributes:
        scaling: the first layer that scales pixels, or None.
        scaled: what it gave.
        first_input: (lowest, highest) that came into the first convolution; None without any.
        dead: ReLU layers that gave 0 everywhere.
        largest: (layer, largest absolute value) of the layer that gave the largest.
        values: how many numbers all layers gave.
    """

    def __init__(self) -> None:
        self.scaling: Any = None
        self.scaled: np.ndarray | None = None
        self.first_input: tuple[float, float] | None = None
        self.dead: list[str] = []
        self.largest: tuple[str, float] = ("", 0.0)
        self.values = 0

    def see(self, layer: Any, given: Any, result: Any) -> None:
        """One layer's call."""
        for tensor in keras.tree.flatten(result):
            self.values += int(np.prod(tensor.shape)) if hasattr(tensor, "shape") else 0
        first = next(iter(keras.tree.flatten(result)), None)
        if len(getattr(first, "shape", ())) != 4:
            return
        array = keras.ops.convert_to_numpy(keras.ops.cast(first, "float32"))
        if isinstance(layer, SCALINGS) and self.scaling is None and self.first_input is None:
            self.scaling, self.scaled = layer, array
        if hasattr(layer, "kernel") and self.first_input is None:
            taken = keras.ops.convert_to_numpy(keras.ops.cast(given[0], "float32"))
            self.first_input = float(taken.min()), float(taken.max())
        if not isinstance(layer, SCALINGS):
            self._see_values(layer, array)

    def _see_values(self, layer: Any, array: np.ndarray) -> None:
        largest = float(np.abs(array).max(initial=0))
        if not largest <= self.largest[1]:  # NaN is the largest of all
            self.largest = layer.name, largest
        if _is_relu(layer) and not array.any():
            self.dead.append(layer.name)


@contextmanager
def watched(model: keras.Model) -> Iterator[Seen]:
    """A scope in which an eager call of the model tells what its layers do."""
    seen, layers = Seen(), parts(model)

    def watch(layer: Any) -> Any:
        call = layer.call

        @functools.wraps(call)
        def watching(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            seen.see(layer, args, result)
            return result

        return watching

    try:
        for layer in layers:
            layer.call = watch(layer)
        yield seen
    finally:
        for layer in layers:
            vars(layer).pop("call", None)


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return True
    return getattr(layer, "activation", None) in (keras.activations.relu, keras.activations.relu6)
