"""What the encoders of `keras.applications` expect their pixels to be."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

_MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue, in [0, 1]
_DEVIATION = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red, in [0, 255]


@keras.saving.register_keras_serializable(package="semseg.layers")
class ImageNetScaling(keras.layers.Layer):
    """RGB pixels [0, 255] as `keras.applications.imagenet_utils.preprocess_input` makes them.

    Constants are taken in turn for other numbers of channels; one channel gets their mean. Of three
    and more channels the first are red, green and blue.
    Works in float32 under every dtype policy.

    Args:
        mode: "caffe" (BGR less its mean), "tf" (to [-1, 1]) or "torch" (to [0, 1], then
            less the mean and divided by the deviation).
    """

    def __init__(self, mode: Literal["caffe", "tf", "torch"], **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if mode not in ("caffe", "tf", "torch"):
            raise ValueError(f"mode must be 'caffe', 'tf' or 'torch', received {mode!r}")
        self.mode = mode
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, "float32")
        channels = x.shape[-1]
        if self.mode == "tf":
            return x / 127.5 - 1.0
        if self.mode == "torch":
            return (x / 255.0 - _constants(_MEAN, channels)) / _constants(_DEVIATION, channels)
        return _bgr(x) - _constants(_CAFFE_MEAN, channels)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


def _bgr(x: Any) -> Any:
    """The first three channels in reverse; all others stay where they are."""
    if x.shape[-1] < 3:
        return x
    reverse = ops.flip(x[..., :3], axis=-1)
    return reverse if x.shape[-1] == 3 else ops.concatenate([reverse, x[..., 3:]], axis=-1)


def _constants(values: tuple[float, ...], channels: int) -> Any:
    taken = [values[i % 3] for i in range(channels)] if channels > 1 else [np.mean(values)]
    return ops.convert_to_tensor(np.array(taken, np.float32))  # PyTorch would go to NumPy for it
