"""Bilinear upsampling by a whole factor, fixed or as the start of something learnt."""

from typing import Any

import keras
import numpy as np
from keras import ops

from semseg._checks import check_count


@keras.saving.register_keras_serializable(package="semseg.layers")
class BilinearUpsampling2D(keras.layers.Layer):
    """Enlarges by a whole factor with half-pixel centres, under any height and width.

    `keras.layers.UpSampling2D(interpolation="bilinear")` fails where sizes are dynamic.

    Args:
        factor: an int >= 1.

    Input: (batch, height, width, channels).

    Output: (batch, factor * height, factor * width, channels) in the input's dtype. Borders are
        repeated, so that a constant stays that constant up to the edge.

    Example:
        >>> x = np.array([0.0, 1.0], "float32").reshape(1, 1, 2, 1)
        >>> np.squeeze(semseg.layers.BilinearUpsampling2D(2)(x))[0].tolist()
        [0.0, 0.25, 0.75, 1.0]
    """

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = check_count("factor", factor, 1)

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        size = (shape[1] * self.factor, shape[2] * self.factor)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # keras.ops.image.resize tests its sizes as Python numbers; and TensorFlow's own
            # returns float32 for bfloat16.
            return tf.cast(tf.image.resize(inputs, size, "bilinear"), inputs.dtype)
        return ops.image.resize(inputs, size, interpolation="bilinear", data_format="channels_last")

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return _enlarged(input_shape, self.factor)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="semseg.layers")
class LearnedUpsampling2D(keras.layers.Layer):
    """A transposed convolution that starts as bilinear upsampling and is learnt from there.

    Long, Shelhamer and Darrell, 2015 (arXiv:1411.4038), section 3.3: kernel 2 * factor, stride
    factor, every channel into every channel, bilinear on the diagonal at the start. Borders are
    repeated before, so that nothing fades towards the edge.

    Args:
        factor: an even int >= 2.
        kernel_size: an even int >= 2 * factor, side of the kernel; None: 2 * factor, which is what
            bilinear upsampling needs. A larger one starts with zeros around it.

    Input: (batch, height, width, channels).

    Output: (batch, factor * height, factor * width, channels).
    """

    def __init__(self, factor: int = 2, kernel_size: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = check_count("factor", factor, 2)
        smallest = 2 * self.factor
        kernel_size = smallest if kernel_size is None else kernel_size
        self.kernel_size = check_count("kernel_size", kernel_size, smallest)
        for name, size in (("factor", self.factor), ("kernel_size", self.kernel_size)):
            if size % 2:
                raise ValueError(f"{name} must be even, received {size}")

    def build(self, input_shape: Any) -> None:
        side, channels = self.kernel_size, input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(side, side, channels, channels),
            initializer=BilinearKernel(self.factor),
        )

    def call(self, inputs: Any) -> Any:
        shape, f = ops.shape(inputs), self.factor
        margin = (self.kernel_size - f) // 2  # how far a kernel reaches over its cell
        n = -(-margin // f)
        x = ops.concatenate([inputs[:, :1]] * n + [inputs] + [inputs[:, -1:]] * n, axis=1)
        x = ops.concatenate([x[:, :, :1]] * n + [x] + [x[:, :, -1:]] * n, axis=2)
        x = ops.conv_transpose(x, self.kernel, strides=f, padding="valid")
        # Cell i, which stands at i + n now, begins at (i + n) * f + margin.
        first = n * f + margin
        return x[:, first : first + shape[1] * f, first : first + shape[2] * f]

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return _enlarged(input_shape, self.factor)

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "factor": self.factor, "kernel_size": self.kernel_size}


@keras.saving.register_keras_serializable(package="semseg.layers")
class BilinearKernel(keras.initializers.Initializer):
    """Bilinear interpolation on the diagonal of a (side, side, channels, channels) kernel.

    Taps `1 - |i - centre| / factor`, zero beyond; no class is mixed into another.

    Args:
        factor: of the upsampling, an int >= 1; None: `(side + 1) // 2`, as in the FCN authors'
            `surgery.interp`. In a larger kernel the taps stand in the middle.

    Example:
        >>> kernel = semseg.layers.BilinearKernel()((4, 4, 1, 1))
        >>> np.asarray(kernel)[0, :, 0, 0].tolist()
        [0.0625, 0.1875, 0.1875, 0.0625]
    """

    def __init__(self, factor: int | None = None) -> None:
        self.factor = None if factor is None else check_count("factor", factor, 1)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        rows, columns, out_channels, in_channels = shape
        kernel = np.zeros(shape, np.float32)
        diagonal = range(min(out_channels, in_channels))
        taps = np.outer(_taps(rows, self.factor), _taps(columns, self.factor))
        kernel[:, :, diagonal, diagonal] = taps[..., None]
        return ops.convert_to_tensor(kernel, dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


def _taps(side: int, factor: int | None) -> np.ndarray:
    factor = (side + 1) // 2 if factor is None else factor
    return np.maximum(0, 1 - np.abs(np.arange(side) - (side - 1) / 2) / factor)


def _enlarged(shape: Any, factor: int) -> tuple[Any, ...]:
    batch, height, width, channels = shape
    return (batch, *(None if n is None else n * factor for n in (height, width)), channels)
