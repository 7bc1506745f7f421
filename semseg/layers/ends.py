"""The two ends of a segmentation model: pixel values in, float32 class scores out."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import check_positive, warn_if_unit_range
from semseg.classes import ClassMap

_SCALE, _OFFSET = 1 / 127.5, -1.0
_ACTIVATIONS = (None, "softmax", "sigmoid")


@keras.saving.register_keras_serializable(package="semseg.layers")
class PixelRescaling(keras.layers.Layer):
    """Maps pixel values to `value * scale + offset`, by default [0, 255] to [-1, 1].

    Works in float32 under every dtype policy: bfloat16 would turn 100.3 into 100.5 before
    anything has been learnt. With the default scale and offset it warns where its first eager call
    gets pictures that are already in [0, 1]: a compiled graph can't.

    Example:
        >>> np.asarray(semseg.layers.PixelRescaling()(np.array([[0.0, 255.0]]))).tolist()
        [[-1.0, 1.0]]
    """

    # Keras's own Rescaling asks for TensorFlow on the other backends.

    def __init__(self, scale: float = _SCALE, offset: float = _OFFSET, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.scale = float(scale)
        self.offset = float(offset)
        self.supports_masking = True
        # Another scale is for other pixels, [0, 1] perhaps.
        self._looked = (self.scale, self.offset) != (_SCALE, _OFFSET)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not self._looked and is_concrete(inputs):
            self._looked = True
            warn_if_unit_range(ops.convert_to_numpy(inputs))
        return ops.cast(inputs, "float32") * self.scale + self.offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


@keras.saving.register_keras_serializable(package="semseg.layers")
class Logits(keras.layers.Layer):
    """The last layer of every model here: float32 class scores, and the classes they stand for.

    Args:
        class_map: the ClassMap that travels inside the saved model, or None.
        activation: None gives logits; "softmax" or "sigmoid" gives probabilities.
        temperature: divides the scores before the activation: above 1 the model is less sure of
            the same classes. `semseg.inference.calibrate` finds it.

    Input: (batch, height, width, num_classes), any floating dtype.

    Output: the same shape, float32.

    Example:
        >>> layer = semseg.layers.Logits(semseg.ClassMap(["background", "cell"]))
        >>> layer.class_map.names
        ('background', 'cell')
    """

    def __init__(
        self,
        class_map: ClassMap | Mapping[str, Any] | None = None,
        activation: str | None = None,
        temperature: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if activation not in _ACTIVATIONS:
            raise ValueError(f"activation must be one of {_ACTIVATIONS}, received {activation!r}")
        if class_map is not None and not isinstance(class_map, ClassMap):
            class_map = ClassMap.from_dict(class_map)
        self.class_map = class_map
        self.activation = activation
        self.temperature = check_positive("temperature", temperature)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        logits = ops.cast(inputs, "float32")
        if self.temperature != 1:
            logits = logits / self.temperature
        if self.activation is None:
            return logits
        return keras.activations.get(self.activation)(logits)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        class_map = None if self.class_map is None else self.class_map.to_dict()
        config = {**super().get_config(), "class_map": class_map, "activation": self.activation}
        # Left out where it does nothing: a run that began without it can be resumed.
        return config if self.temperature == 1 else {**config, "temperature": self.temperature}
