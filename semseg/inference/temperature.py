"""A model with another end: its logits, or a temperature between them and what it gave before."""

from typing import Any

import keras

from semseg.analysis.graph import opened, without_activation
from semseg.inference.forward import last_activation
from semseg.layers import Logits
from semseg.models.supervision import without_supervision


def with_end(model: keras.Model, activation: str | None, temperature: float = 1.0) -> keras.Model:
    """The model without its activation, then a temperature and this activation.

    The layers are shared, so that there is one set of weights. A last layer that holds the
    activation inside, such as `Conv2D(..., activation="softmax")`, is copied.

    Args:
        model: a functional or `Sequential` model; of several outputs "logits" is kept.
        activation: None, "softmax" or "sigmoid".
        temperature: what the logits are divided by.

    Raises:
        TypeError: a model without a graph.
    """
    functional = opened(model)
    if functional is None:
        raise TypeError(
            "model must be a functional keras.Model, or a Sequential whose input is known, "
            f"received {model!r}; a subclassed model has no graph whose end could be exchanged"
        )
    plain = without_supervision(functional)
    logits, end = _cut(plain)
    class_map, name = (end.class_map, end.name) if end is not None else (None, "calibrated")
    output = Logits(class_map, activation, temperature, name=name)(logits)
    return keras.Model(plain.input, output, name=model.name)


def _cut(model: keras.Model) -> tuple[Any, Logits | None]:
    """The tensor of the logits, and the `Logits` layer that stood behind it."""
    history = model.outputs[0]._keras_history
    last = history.operation
    call = last._inbound_nodes[history.node_index]
    inner = opened(last)
    if inner is not None:
        logits, end = _cut(inner)
        nested = keras.Model(inner.input, logits, name=last.name)
        return nested(*call.arguments.args, **call.arguments.kwargs), end
    if isinstance(last, Logits):
        return call.input_tensors[0], last
    if last_activation(model) is None:
        return model.outputs[0], None
    return _without_activation(last, call.input_tensors[0]), None


def _without_activation(last: keras.layers.Layer, given: Any) -> Any:
    """What a last layer would give without its activation."""
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        return given
    return without_activation(last, given.shape)(given)
