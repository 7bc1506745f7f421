"""Keras's batch normalisation by TensorFlow's fused kernel, which Keras 3 does not use."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="semseg.layers")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, with the same numbers in less time.

    In training on TensorFlow the statistics of a batch of pictures are taken, and the pictures
    normalised, in one kernel instead of some twenty operations; everywhere else, and for options
    that the kernel lacks, it is Keras's own. All arguments, weights and results are Keras's.

    Example:
        >>> layer = semseg.layers.BatchNormalization()
        >>> x = np.array([1.0, 3.0], "float32").reshape(2, 1, 1, 1)
        >>> np.round(np.squeeze(layer(x, training=True)), 2).tolist()
        [-1.0, 1.0]
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable and mask is None and self._kernel_serves(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel divides by n - 1, Keras by n; of one pixel the variance is 0 in both.
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance = variance * (count - 1) / count
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
        return outputs

    def _kernel_serves(self, inputs: Any) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not self.synchronized
            and not getattr(self, "renorm", False)  # newer Keras has it
            and self.gamma.dtype == "float32"
        )
