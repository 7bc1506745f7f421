"""Logits and gradients of small networks with fixed weights, on whatever backend Keras runs.

`tests/models` holds TensorFlow to the papers and to PyTorch twins; these numbers, which are
TensorFlow's, hold the other backends to TensorFlow.
"""

from functools import cache, partial

import keras
import numpy as np
from keras import ops
from narrow import narrowed

from semseg.models import FCN, SegNet, SegNetBasic

fcn = partial(narrowed(FCN, 4), num_classes=3, fc_units=8)
segnet_basic = partial(narrowed(SegNetBasic, 4), num_classes=3)
NETWORKS = {
    "fcn8s": fcn,
    "fcn16s pad100": partial(fcn, variant="16s", padding="pad100", learned_upsampling=True),
    "segnet": partial(narrowed(SegNet, 4), num_classes=3),
    "segnet_basic": segnet_basic,
    "segnet_basic fcn": partial(segnet_basic, decoder="fcn"),
}

# Of the logits and of the picture's gradient: length, and cosine with a fixed picture.
EXPECTED = {
    "fcn8s": (21.7308, -0.00635269, 0.138372, -0.0196865),
    "fcn16s pad100": (1.10018, -0.013477, 0.0308986, -0.00828985),
    "segnet": (6.99541, -0.00780583, 1.14841e-05, -0.0129425),
    "segnet_basic": (273.999, -0.00684135, 3.62034, 0.00950764),
    "segnet_basic fcn": (1357.03, -0.0185073, 18.237, -0.00959469),
}


@cache
def built(name):
    return NETWORKS[name]()


def network(name):
    """A network whose weights do not come from a backend's random numbers."""
    model, rng = built(name), np.random.default_rng(7)
    values = []
    for weight in model.weights:
        if len(weight.shape) == 4:
            fan_in = np.prod(weight.shape[:3])
            values.append(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
        else:
            low = 0.8 if weight.name in ("gamma", "moving_variance") else -0.2
            values.append(rng.uniform(low, low + 0.4, weight.shape))
    model.set_weights(values)
    return model


def numbers(name):
    """Logits and a gradient that flows back from all of them, as lengths and directions."""
    model, rng = network(name), np.random.default_rng(8)
    picture = rng.uniform(0, 255, (1, 37, 45, 3)).astype("float32")
    # As many classes as colours: it also says in which direction logits and gradient point.
    upstream = rng.normal(size=picture.shape).astype("float32")

    def total(x):
        logits = model(x)
        return ops.sum(logits * ops.convert_to_tensor(upstream)), logits

    logits, gradient = _logits_and_gradient(total, picture)
    return (*_length_and_cosine(logits, upstream), *_length_and_cosine(gradient, upstream))


def _length_and_cosine(x, other):
    x = np.asarray(x)
    length = np.linalg.norm(x)
    return float(length), float(np.sum(x * other) / (length * np.linalg.norm(other)))


def _logits_and_gradient(total, picture):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        picture = tf.constant(picture)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value, logits = total(picture)
        return logits, tape.gradient(value, picture)
    if backend == "jax":
        import jax

        (_, logits), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(picture)
        return logits, gradient
    import torch

    picture = torch.tensor(picture, requires_grad=True)
    value, logits = total(picture)
    value.backward()
    return logits.detach(), picture.grad
