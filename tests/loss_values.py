"""Values and gradients of every loss for one batch, on whatever backend Keras runs.

The laws of `tests/losses` hold TensorFlow to the formulas; these numbers, which are TensorFlow's,
hold the other backends to TensorFlow.
"""

import keras
import numpy as np

from semseg import losses

IGNORE = 255
# Value, and the length of the gradient, for three classes and for one logit.
EXPECTED = {
    "Boundary": (0.271589, 0.018803, 0.215979, 0.027030),
    "CenterlineDice": (0.659288, 0.047817, 0.512945, 0.060367),
    "Crossentropy": (0.672717, 0.069221, 0.410402, 0.043760),
    "Dice": (0.657577, 0.037400, 0.495974, 0.039281),
    "Focal": (0.433655, 0.073974, 0.180242, 0.041231),
    "FocalTversky": (0.730178, 0.031161, 0.601106, 0.037818),
    "GeneralizedDice": (0.659581, 0.037632, 0.495974, 0.039281),
    "HardPixels": (1.198076, 0.175312, 0.855512, 0.132433),
    "Jaccard": (0.793211, 0.027214, 0.663078, 0.035105),
    "Lovasz": (0.699172, 0.035176, 1.444540, 0.186984),
    "MCC": (0.986501, 0.056141, 0.994467, 0.065813),
    "Tversky": (0.657581, 0.037424, 0.507304, 0.042555),
}


def batch(channels):
    rng = np.random.default_rng(5)
    ids = rng.integers(0, max(2, channels), (2, 5, 6))
    logits = rng.normal(size=(2, 5, 6, channels)).astype(np.float32)
    weights = rng.random((2, 5, 6), np.float32)
    ids[0, 1] = IGNORE
    logits[0, 1] = np.nan
    return ids, logits, weights


def value_and_length(name, channels):
    """The loss's value and the Euclidean length of its gradient."""
    loss = getattr(losses, name)(ignore_class=IGNORE)
    ids, logits, weights = batch(channels)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        logits = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(ids, logits, weights)
        gradient = tape.gradient(value, logits)
    elif backend == "jax":
        import jax

        pure = jax.jit(jax.value_and_grad(lambda x: loss(ids, x, weights)))
        value, gradient = pure(logits)
    else:
        import torch

        logits = torch.tensor(logits, requires_grad=True)
        value = loss(ids, logits, weights)
        value.backward()
        value, gradient = value.detach(), logits.grad
    return float(value), float(np.linalg.norm(np.asarray(gradient)))
