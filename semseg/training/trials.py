"""Trials: a model that is trained a little, and afterwards is what it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from semseg._backend import random_state, set_random_state


class Kept:
    """The values of a model's variables, to be put back as often as one likes."""

    def __init__(self, model: keras.Model) -> None:
        found = [*model.variables, *(v for m in getattr(model, "metrics", []) for v in m.variables)]
        optimizer = getattr(model, "optimizer", None)
        found += [] if optimizer is None else optimizer.variables
        self._variables = list({id(v): v for v in found}.values())
        # Copies: PyTorch's backend hands out its own memory, JAX gives its buffers away.
        self._values = [np.array(keras.ops.convert_to_numpy(v)) for v in self._variables]

    def put_back(self) -> None:
        """Writes all values where they were."""
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)


@contextmanager
def left_as_found(model: keras.Model) -> Iterator[Kept]:
    """A scope after which variables and random generators are bit for bit what they were."""
    python, numpy, torch = random.getstate(), np.random.get_state(), random_state()  # noqa: NPY002
    flags = [(layer, layer._looked) for layer in parts(model) if hasattr(layer, "_looked")]
    kept = Kept(model)
    try:
        yield kept
    finally:
        kept.put_back()
        for layer, flag in flags:
            layer._looked = flag
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        set_random_state(torch)


def parts(model: keras.Model) -> list[Any]:
    """All layers, those of nested models too, without the models themselves."""
    found = model._flatten_layers(include_self=False)
    return [layer for layer in found if not isinstance(layer, keras.Model)]


def twin(model: keras.Model, name: str | None = None) -> keras.Model:
    """A model of the same layers and variables, whose compilation is its own.

    Raises:
        ValueError: a model that is not made of inputs and outputs.
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"model must be functional (made of inputs and outputs), received {model.name!r} of "
            f"{type(model).__name__}"
        )
    if isinstance(model, keras.Sequential):  # has no `input` before its first call
        return keras.Model(model.inputs[0], model.outputs[0], name=name or model.name)
    return keras.Model(model.input, model.output, name=name or model.name)


def single_rate(optimizer: Any) -> Any:
    """The optimizer that has the one learning rate, without loss scaling; None for several."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    return inner if "learning_rate" in inner.get_config() else None


def with_learning_rate(optimizer: Any, learning_rate: Any) -> keras.optimizers.Optimizer:
    """A fresh optimizer with the arguments of this one, which has a single rate, and another."""
    inner = single_rate(optimizer)
    fresh = type(inner).from_config({**inner.get_config(), "learning_rate": learning_rate})
    if inner is optimizer:
        return fresh
    return type(optimizer)(fresh, initial_scale=optimizer.initial_scale)
