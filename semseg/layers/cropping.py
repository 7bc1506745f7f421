"""Cropping to the size of another tensor, and padding to a multiple: how any size works."""

from typing import Any

import keras
from keras import ops

from semseg._checks import check_count
from semseg.layers.windows import cells


@keras.saving.register_keras_serializable(package="semseg.layers")
class CropLike(keras.layers.Layer):
    """Cuts a part with the height and width of `like` out of `x`.

    With the default offset the origin stays, so that shifting a picture by the stride of a
    network shifts its logits.

    Args:
        offset: first row and first column that are kept.

    Input: a list `[x, like]`, both (batch, height, width, channels), `x` at least as large as
        `like` and `offset` together.

    Output: (batch, height of `like`, width of `like`, channels of `x`).

    Example:
        >>> x, like = np.ones((1, 6, 8, 2)), np.ones((1, 5, 7, 3))
        >>> tuple(semseg.layers.CropLike()([x, like]).shape[1:])
        (5, 7, 2)
    """

    def __init__(self, offset: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.offset = check_count("offset", offset, 0)
        self.built = True

    def call(self, inputs: Any) -> Any:
        x, like = inputs
        self._check_sizes(x.shape, like.shape)
        height, width = ops.shape(like)[1:3]
        first = self.offset
        return x[:, first : first + height, first : first + width]

    def _check_sizes(self, x: Any, like: Any) -> None:
        """Of every call: a slice beyond the end would give fewer pixels without a word."""
        for name, axis in (("height", 1), ("width", 2)):
            known = x[axis] is not None and like[axis] is not None
            if known and x[axis] < like[axis] + self.offset:
                raise ValueError(
                    f"CropLike: x must be at least as large as `like` and the offset "
                    f"{self.offset} together, received {name} {x[axis]} and {like[axis]}"
                )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        x, like = input_shape
        self._check_sizes(x, like)
        return (x[0], like[1], like[2], x[3])

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape([tensor.shape for tensor in inputs])
        return keras.KerasTensor(shape, dtype=inputs[0].dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "offset": self.offset}


@keras.saving.register_keras_serializable(package="semseg.layers")
class PadToMultiple(keras.layers.Layer):
    """Pads the bottom and the right with zeros until `multiple` divides height and width.

    Args:
        multiple: an int >= 1, such as the stride of the encoder that follows.

    Example:
        >>> tuple(semseg.layers.PadToMultiple(32)(np.ones((1, 33, 64, 3))).shape[1:])
        (64, 64, 3)
    """

    def __init__(self, multiple: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.multiple = check_count("multiple", multiple, 1)

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        height, width = (cells(n, self.multiple) * self.multiple for n in shape[1:3])
        missing = [[0, height - shape[1]], [0, width - shape[2]]]
        padded = ops.pad(inputs, [[0, 0], *missing, [0, 0]])
        # Padding by a dynamic amount forgets the number of channels.
        return ops.reshape(padded, (shape[0], height, width, inputs.shape[3]))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        batch, height, width, channels = input_shape
        m = self.multiple
        sizes = [None if n is None else cells(n, m) * m for n in (height, width)]
        return (batch, *sizes, channels)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "multiple": self.multiple}
