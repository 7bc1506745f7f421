"""What Keras does not say about the backend it runs on."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np


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


def deciding_settings() -> dict[str, Any]:
    """What decides the bits of a result besides program and data, JSON-able.

    Determinism, threads and devices: sums in another order round differently.
    """
    backend = keras.backend.backend()
    variables = ("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE")
    return {
        "name": backend,
        "environment": {name: os.environ.get(name) for name in variables},
        **{"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}[backend](),
    }


def replicas() -> int:
    """How many copies of the model a `tf.distribute` strategy trains; 1 elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def random_state() -> list[Any] | None:
    """The state of PyTorch's own generators; None on backends that have none.

    Keras's `Dropout` without a seed draws from them, on PyTorch alone.
    """
    if keras.backend.backend() != "torch":
        return None
    import torch

    states = [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]
    return [state.numpy() for state in states]


def set_random_state(states: list[Any] | None) -> None:
    """Puts back what `random_state` gave."""
    if states is None:
        return
    import torch

    torch.set_rng_state(torch.from_numpy(states[0]))
    torch.cuda.set_rng_state_all([torch.from_numpy(state) for state in states[1:]])


def _cpus() -> int | None:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _of_tensorflow() -> dict[str, Any]:
    import tensorflow as tf
    from tensorflow.python.framework.config import is_op_determinism_enabled  # as Keras does

    details = tf.config.experimental.get_device_details
    gpus = tf.config.list_physical_devices("GPU")
    return {
        "deterministic": bool(is_op_determinism_enabled()),
        "threads in an operation": tf.config.threading.get_intra_op_parallelism_threads()
        or _cpus(),
        "operations at once": tf.config.threading.get_inter_op_parallelism_threads() or _cpus(),
        "devices": [device.device_type for device in tf.config.list_logical_devices()],
        "gpus": [details(gpu).get("device_name") for gpu in gpus],
    }


def _of_jax() -> dict[str, Any]:
    import jax

    return {
        "threads": _cpus(),
        "devices": [device.device_kind for device in jax.devices()],
        "matmul precision": jax.config.jax_default_matmul_precision,
        "x64": bool(jax.config.jax_enable_x64),
    }


def _of_torch() -> dict[str, Any]:
    import torch

    return {
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "threads": torch.get_num_threads(),
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "matmul precision": torch.get_float32_matmul_precision(),
        "cudnn": [torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark],
    }


def numpy_is_at_hand(x: Any) -> bool:
    """Whether NumPy may compute a part: `x` lies in the processor's memory, outside XLA.

    Sorting in NumPy is several times as fast as in TensorFlow, PyTorch and XLA there.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        return bool(x.device.type == "cpu")
    if backend != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU") and not in_xla()


def in_xla() -> bool:
    """Whether TensorFlow traces a function for XLA, which takes no Python functions."""
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return bool(GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def call_numpy(
    function: Callable[..., np.ndarray], inputs: Sequence[Any], shape: Sequence[Any], dtype: Any
) -> Any:
    """The result of a NumPy function of arrays, in the middle of a computation, no gradient.

    Args:
        function: takes NumPy arrays, gives one of `shape` and `dtype`.
        inputs: tensors.
        shape: of the result; None where TensorFlow does not know it while tracing.
        dtype: of the result.
    """
    backend = keras.backend.backend()
    name = keras.backend.standardize_dtype(dtype)
    if backend == "tensorflow":
        import tensorflow as tf

        result = tf.numpy_function(function, inputs, name, stateful=False)
        result.set_shape(shape)
        return tf.stop_gradient(result)
    if backend == "jax":
        import jax

        like = jax.ShapeDtypeStruct(tuple(shape), name)
        fixed = [jax.lax.stop_gradient(x) for x in inputs]
        return jax.pure_callback(lambda *xs: function(*map(np.asarray, xs)), like, *fixed)
    arrays = [keras.ops.convert_to_numpy(x) for x in inputs]
    return keras.ops.convert_to_tensor(function(*arrays), name)


def input_gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """The gradient of the sum of `function(x)` with respect to `x`."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        inputs = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = keras.ops.sum(function(inputs))
        gradient = tape.gradient(total, inputs, unconnected_gradients="zero")
        return np.asarray(gradient)
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: keras.ops.sum(function(x)))(x))
    import torch

    inputs = keras.ops.convert_to_tensor(x).requires_grad_(True)
    (gradient,) = torch.autograd.grad(keras.ops.sum(function(inputs)), inputs)
    return np.asarray(gradient.cpu())


def repeat_bit_for_bit() -> None:
    """Makes TensorFlow's operations give the same bits each time; the other backends do here."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def one_graph(function: Callable[..., Any], signature: Sequence[Any]) -> Callable[..., Any]:
    """A function compiled by TensorFlow, once for all sizes that are None.

    Args:
        function: of tensors.
        signature: of its arguments: (shape, dtype), or a list of such.
    """
    import tensorflow as tf

    def spec(argument: Any) -> Any:
        if isinstance(argument, list):
            return [spec(inner) for inner in argument]
        return tf.TensorSpec(*argument)

    specs = [spec(argument) for argument in signature]
    return tf.function(function, input_signature=specs, autograph=False)
