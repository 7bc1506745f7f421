"""Local response normalisation across channels, as the SegNet-Basic authors use on pixels."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="semseg.layers")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by `(bias + alpha / size * sum of squares of near channels) ** beta`.

    Krizhevsky, Sutskever and Hinton, 2012, section 3.3, in Caffe's form, which divides alpha by
    the number of channels summed. Computed in float32 under every dtype policy.

    Args:
        size: an odd number of neighbouring channels.
        alpha, beta, bias: the constants of the formula.

    Example:
        >>> layer = semseg.layers.LocalResponseNormalization()
        >>> round(float(np.asarray(layer(np.full((1, 1, 1, 3), 128.0)))[0, 0, 0, 0]), 1)
        76.6
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise ValueError(f"size must be an odd int >= 1, received {size!r}")
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, "float32")
        channels, reach = x.shape[-1], self.size // 2
        squares = ops.pad(ops.square(x), [[0, 0], [0, 0], [0, 0], [reach, reach]])
        near = sum(squares[..., i : i + channels] for i in range(self.size))
        return x / (self.bias + self.alpha / self.size * near) ** self.beta

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        constants = {"size": self.size, "alpha": self.alpha, "beta": self.beta, "bias": self.bias}
        return {**super().get_config(), **constants}
