"""Cropping to the size of another tensor: how odd sizes come back."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="semseg.layers")
class CropLike(keras.layers.Layer):
    """Crops the bottom and the right of `x` to the height and width of `like`.

    The origin stays, so that shifting a picture by the stride of a network shifts its logits.

    Input: a list `[x, like]`, both (batch, height, width, channels), `x` at least as large.

    Output: (batch, height of `like`, width of `like`, channels of `x`).

    Example:
        >>> x, like = np.ones((1, 6, 8, 2)), np.ones((1, 5, 7, 3))
        >>> tuple(semseg.layers.CropLike()([x, like]).shape[1:])
        (5, 7, 2)
    """

    def build(self, input_shape: Any) -> None:
        x, like = input_shape
        for name, axis in (("height", 1), ("width", 2)):
            if x[axis] is not None and like[axis] is not None and x[axis] < like[axis]:
                raise ValueError(
                    f"CropLike: x must be at least as large as `like`, received {name} "
                    f"{x[axis]} and {like[axis]}"
                )
        self.built = True

    def call(self, inputs: Any) -> Any:
        x, like = inputs
        height, width = ops.shape(like)[1:3]
        return x[:, :height, :width]

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        x, like = input_shape
        return (x[0], like[1], like[2], x[3])

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape([tensor.shape for tensor in inputs])
        return keras.KerasTensor(shape, dtype=inputs[0].dtype)
