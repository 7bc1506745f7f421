"""Max pooling that remembers where the maxima were, and the unpooling that puts values back.

Badrinarayanan, Kendall and Cipolla, "SegNet", 2017 (arXiv:1511.00561v3), section 3: the decoder
upsamples with the positions that the encoder's pooling stored, so that edges stay in place.
"""

from typing import Any

import keras
from keras import ops

from semseg._backend import fused
from semseg._checks import check_count
from semseg.layers import windows

_SMALLEST_WINDOW, _LARGEST_WINDOW = 2, 16  # 16 * 16 positions still fit into one byte


@keras.saving.register_keras_serializable(package="semseg.layers")
class MaxPooling2DWithIndices(keras.layers.Layer):
    """Max pooling in non-overlapping windows that also gives each maximum's place.

    Any height and width >= 1 works: a size that the window does not divide is rounded up
    (PyTorch's `ceil_mode=True`). Of equal maxima the first in row-major order wins; a window that
    holds NaN gives NaN and the position of its first NaN.

    Args:
        pool_size: side of the square window, 2 .. 16; the stride is the same.

    Input: (batch, height, width, channels), floating point.

    Output: a pair, both (batch, ceil(height / pool_size), ceil(width / pool_size), channels):
        the maxima in the input's dtype, and their positions in the window, row-major, uint8.

    Example:
        >>> x = np.array([[1, 5, 0], [2, 3, 7]], "float32").reshape(1, 2, 3, 1)
        >>> pooled, indices = semseg.layers.MaxPooling2DWithIndices(2)(x)
        >>> np.squeeze(pooled).tolist(), np.squeeze(indices).tolist()
        ([5.0, 7.0], [1, 2])
    """

    def __init__(self, pool_size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = check_count("pool_size", pool_size, _SMALLEST_WINDOW, _LARGEST_WINDOW)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        if keras.backend.backend() == "tensorflow":
            return _pool_tensorflow(inputs, self.pool_size)
        return _pool(inputs, self.pool_size)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        batch, height, width, channels = input_shape
        p = self.pool_size
        sizes = [None if n is None else windows.cells(n, p) for n in (height, width)]
        shape = (batch, *sizes, channels)
        return shape, shape

    def compute_output_spec(self, inputs: Any) -> tuple[Any, Any]:
        # Keras gives both outputs the compute dtype where only the shapes are stated.
        shape, _ = self.compute_output_shape(inputs.shape)
        return (
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype="uint8"),
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}


@keras.saving.register_keras_serializable(package="semseg.layers")
class MaxUnpooling2D(keras.layers.Layer):
    """Puts values back where `MaxPooling2DWithIndices` found its maxima, zero elsewhere.

    Args:
        pool_size: the window of the pooling whose indices come in.

    Input: a list `[x, indices, like]`: values and uint8 positions, both
        (batch, rows, columns, channels), and any tensor that has the size before pooling
        (batch, height, width, ...), usually the pooling's input.

    Output: (batch, height, width, channels) in the dtype of `x`.

    Example:
        >>> x = np.array([[1, 5, 0], [2, 3, 7]], "float32").reshape(1, 2, 3, 1)
        >>> pooled, indices = semseg.layers.MaxPooling2DWithIndices(2)(x)
        >>> np.squeeze(semseg.layers.MaxUnpooling2D(2)([pooled, indices, x])).tolist()
        [[0.0, 5.0, 0.0], [0.0, 0.0, 7.0]]
    """

    def __init__(self, pool_size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = check_count("pool_size", pool_size, _SMALLEST_WINDOW, _LARGEST_WINDOW)
        self.built = True

    def call(self, inputs: Any) -> Any:
        self._check_sizes(*(tensor.shape for tensor in _three(inputs)))
        x, indices, like = inputs
        height, width = ops.shape(like)[1:3]
        if keras.backend.backend() == "tensorflow":
            return _unpool_tensorflow(x, indices, self.pool_size, height, width)
        return _unpool(x, indices, self.pool_size, height, width)

    def _check_sizes(self, x: Any, indices: Any, like: Any) -> None:
        """Of every call, as far as the sizes are known."""
        for name, axis in (("height", 1), ("width", 2)):
            if like[axis] is None or x[axis] is None:
                continue
            if windows.cells(like[axis], self.pool_size) != x[axis]:
                raise ValueError(
                    f"MaxUnpooling2D: the {name} of `like` must pool to that of x, received "
                    f"{like[axis]} for x of {x[axis]} with pool_size={self.pool_size}; pass the "
                    "tensor that went into the pooling"
                )
        if any(None not in pair and pair[0] != pair[1] for pair in zip(x, indices, strict=True)):
            raise ValueError(
                f"MaxUnpooling2D: x and indices must have one shape, received {x} and {indices}"
            )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        x, indices, like = _three(input_shape)
        self._check_sizes(x, indices, like)
        return (x[0], like[1], like[2], x[3])

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape([tensor.shape for tensor in inputs])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}


def _three(inputs: Any) -> Any:
    if len(inputs) != 3:
        raise ValueError(
            "MaxUnpooling2D must be called on a list [x, indices, like], received "
            f"{len(inputs)} inputs"
        )
    return inputs


# -- the same gradient, written twice: `keras.ops.custom_gradient` takes one output only ---------


def _pool(x: Any, p: int) -> tuple[Any, Any]:
    values, indices = windows.pool(ops.stop_gradient(x), p)
    height, width = ops.shape(x)[1:3]

    @ops.custom_gradient
    def pooled(x: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> Any:
            upstream = args[0] if upstream is None else upstream
            return windows.unpool(upstream, indices, p, height, width)

        # A tensor of this function's own: PyTorch hangs the gradient on what is returned.
        return values + 0.0, gradient

    return pooled(x), indices


def _unpool(x: Any, indices: Any, p: int, height: Any, width: Any) -> Any:
    @ops.custom_gradient
    def unpooled(x: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> Any:
            upstream = args[0] if upstream is None else upstream
            return windows.take(upstream, indices, p)

        return windows.unpool(x, indices, p, height, width), gradient

    return unpooled(x)


def _pool_tensorflow(x: Any, p: int) -> tuple[Any, Any]:
    import tensorflow as tf

    @tf.custom_gradient
    def pooled(x: Any) -> Any:
        height, width = ops.shape(x)[1:3]
        with fused():
            values, indices = windows.pool(x, p)

        def gradient(upstream: Any, _: Any) -> Any:
            with fused():
                return windows.unpool(upstream, indices, p, height, width)

        return (values, indices), gradient

    return pooled(x)


def _unpool_tensorflow(x: Any, indices: Any, p: int, height: Any, width: Any) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def unpooled(x: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            with fused():
                return windows.take(upstream, indices, p)

        with fused():
            return windows.unpool(x, indices, p, height, width), gradient

    return unpooled(x)
