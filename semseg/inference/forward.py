"""A model as one function of arrays, compiled once for all sizes."""

import hashlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._backend import one_graph
from semseg._checks import check_choice
from semseg.inference.kept import kept
from semseg.layers import Logits
from semseg.metrics.counting import predicted_ids
from semseg.models.supervision import main_output

OUTPUTS = ("ids", "probabilities", "logits")


class Forward:
    """`forward(images, output)`: pictures (batch, height, width, channels) in, pixels out.

    On TensorFlow one graph serves every size (Keras's `predict` compiles one with XLA for each);
    it stays with the model. JAX compiles for each size.

    Args:
        model: one input of rank 4; one output of rank 4, or several of which one is "logits".

    Raises:
        ValueError: a model of other inputs or outputs.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4:
            raise ValueError(
                "model must take one input (batch, height, width, channels), received a model "
                f"with input shape {shape}"
            )
        self.size: tuple[int | None, int | None] = shape[1:3]
        self.channels: int | None = shape[3]
        self.num_outputs = _checked_output(model)
        self.activation = last_activation(model)

    def __call__(self, images: np.ndarray, output: str) -> np.ndarray:
        """Ids (batch, height, width), or scores (batch, height, width, classes) in float32."""
        if keras.backend.backend() == "tensorflow":
            return np.asarray(self._graph(output, images.dtype)(images))
        return np.asarray(ops.convert_to_numpy(self.converted(self._predict(images), output)))

    def check_output(self, output: str) -> None:
        """Refuses an unknown output, and logits of a model that gives probabilities."""
        check_choice("output", output, OUTPUTS)
        if output == "logits" and self.activation is not None:
            raise ValueError(
                f"output='logits' needs a model that gives logits; {self.model.name!r} ends in a "
                f"{self.activation}: ask for 'probabilities'"
            )

    def finished(self, scores: np.ndarray, kind: str, output: str) -> np.ndarray:
        """`output` of scores that were changed outside, of kind "logits" or "probabilities"."""
        if output == kind:
            return scores
        activation = self.activation if kind == "logits" else "softmax or sigmoid"
        converted = _converted(ops.convert_to_tensor(scores), output, activation)
        return np.asarray(ops.convert_to_numpy(converted))

    @property
    def kind(self) -> str:
        """What the model itself gives: "logits" or "probabilities"."""
        return "logits" if self.activation is None else "probabilities"

    def _predict(self, images: np.ndarray) -> Any:
        return self.model.predict_on_batch(images)

    def converted(self, outputs: Any, output: str) -> Any:
        """What was asked for of the model's own outputs, as tensors."""
        scores = ops.convert_to_tensor(main_output(outputs))
        if output == self.kind:
            return ops.cast(scores, "float32")
        return _converted(scores, output, self.activation)

    def _graph(self, output: str, dtype: np.dtype) -> Callable[[np.ndarray], Any]:
        """The compiled function, made once as long as the model has these variables."""
        return kept(self.model, (output, dtype), lambda: self._traced(output, dtype))

    def _traced(self, output: str, dtype: np.dtype) -> Callable[[np.ndarray], Any]:
        def compute(images: Any) -> Any:
            return self.converted(self.model(images, training=False), output)

        return one_graph(compute, [((None, *self.size, self.channels), dtype)])


def weights_digest(model: keras.Model) -> str:
    """A hash of all weights and the temperature: which model made a prediction."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    for layer in model._flatten_layers():
        if isinstance(layer, Logits) and layer.temperature != 1:  # as good as a weight
            digest.update(repr(layer.temperature).encode())
    return digest.hexdigest()


def last_activation(model: keras.Model) -> str | None:
    """What the model's last layer does: "softmax", "sigmoid", or None: it gives logits."""
    last = model.layers[-1]
    if isinstance(last, keras.Model):
        return last_activation(last)
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    activation = getattr(last, "activation", None)
    for name in ("softmax", "sigmoid"):
        if activation in (name, getattr(keras.activations, name)):
            return name
    return None


def _converted(scores: Any, output: str, activation: str | None) -> Any:
    """Ids of scores of any kind, or probabilities of logits (no activation)."""
    if output == "ids":
        ids = predicted_ids(scores, 0.0 if activation is None else 0.5)
        return ops.cast(ids, "uint8" if scores.shape[-1] <= 256 else "uint16")
    scores = ops.cast(scores, "float32")
    return ops.sigmoid(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


def _checked_output(model: keras.Model) -> int:
    output = main_output(model.output if len(model.outputs) > 1 else model.outputs[0])
    shape = getattr(output, "shape", None)
    if shape is None or len(shape) != 4 or shape[-1] is None:
        received = f"outputs {output!r}" if shape is None else f"an output of shape {shape}"
        raise ValueError(
            f"model must give scores for each pixel, (batch, height, width, classes), received a "
            f"model with {received}"
        )
    return int(shape[-1])
