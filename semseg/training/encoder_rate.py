"""One optimizer for the encoder, one for the rest."""

import re
from typing import Any

import keras

from semseg.models.freezing import layer_parts, staged_layers


def encoder_decoder_optimizer(
    model: keras.Model,
    encoder: keras.optimizers.Optimizer,
    decoder: keras.optimizers.Optimizer,
) -> Any:
    """Keras's `MultiOptimizer` for `model`: a low rate for a trained encoder, a high one elsewhere.

    Keras saves it with the model, but has no callbacks for its learning rates.

    Args:
        model: one of this library, or any with a nested model that returns a dict of features
            "P1", "P2", ...
        encoder: trains the encoder's variables.
        decoder: trains all others.

    Raises:
        ImportError: a Keras without `MultiOptimizer`, such as 3.10.
        ValueError: a model without encoder.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> slow, fast = keras.optimizers.Adam(1e-5), keras.optimizers.Adam(1e-3)
        >>> optimizer = semseg.training.encoder_decoder_optimizer(model, slow, fast)
        >>> model.compile(optimizer, "mse")
        >>> optimizer.build(model.trainable_variables)
        >>> [len(part.variables) > 2 for part in (slow, fast)]
        [True, True]
    """
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        raise ImportError(
            "encoder_decoder_optimizer needs keras.optimizers.MultiOptimizer, received Keras "
            f"{keras.__version__} without it; install keras>=3.15, or freeze_encoder(model)"
        )
    layers = [part for _, layer in staged_layers(model) for part in layer_parts(layer)]
    paths = sorted({variable.path for layer in layers for variable in layer.trainable_variables})
    if not paths:
        raise ValueError(
            "model must have an encoder with trainable variables: a nested model that returns a "
            "dict of features 'P1', 'P2', ..., or layers named 'encoder_N_...' or 'blockN_...'; "
            f"{model.name!r} has none"
        )
    # One pattern: Keras would save the encoder's optimizer once for each.
    pattern = "|".join(map(re.escape, paths))
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(decoder, {pattern: encoder})
    )
