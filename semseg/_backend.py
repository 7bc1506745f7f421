"""What Keras does not say about the backend it runs on."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras


def is_concrete(x: Any) -> bool:
    """Whether `x` holds values now: not a Keras tensor, not traced, not compiled."""
    if isinstance(x, keras.KerasTensor):
        return False
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.is_tensor(x) or tf.executing_eagerly()
    if backend == "jax":
        import jax

        return not isinstance(x, jax.core.Tracer)
    import torch

    return not torch.is_tensor(x) or x.device.type != "meta"


def fused() -> AbstractContextManager[Any]:
    """A scope whose element-wise operations TensorFlow compiles into one kernel.

    Only attributes are put on the operations, so that exporters and other backends see plain ones
    and neighbouring convolutions keep their own kernels. Eager TensorFlow refuses the scope.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            return tf.xla.experimental.jit_scope()
    return nullcontext()
