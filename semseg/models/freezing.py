"""Freezing an encoder so that it stays as it is, batch statistics included."""

import re
from typing import Any

import keras

from semseg.models.pyramid import level_of


def freeze_encoder(
    model: keras.Model, stages: int | None = None, batch_norm: bool = True
) -> keras.Model:
    """Makes the encoder untrainable; `compile` must follow, and `fit` says so.

    Keras ignores a change of `trainable` after `compile` in silence, so the model is marked as
    not compiled. Undo it with `model.get_layer("encoder").trainable = True` (or on the layers),
    and compile again.

    Args:
        model: a model of this library, or any with a nested model named "encoder".
        stages: how many stages from the input on are frozen; None: all.
        batch_norm: whether frozen stages keep their BatchNormalization in inference mode, with
            statistics that no longer move. False leaves those layers trainable and live.

    Returns:
        The same model.

    Raises:
        ValueError: a model without encoder, or `stages` outside its number.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=2, filters=4)
        >>> model = semseg.models.freeze_encoder(model, stages=1)
        >>> model.get_layer("encoder_1_conv_1").trainable
        False
        >>> model.get_layer("encoder_2_conv_1").trainable
        True
    """
    staged = staged_layers(model)
    count = max((stage for stage, _ in staged), default=0)
    if not staged:
        raise ValueError(
            f"model must have an encoder: a nested model named 'encoder', or layers named "
            f"'encoder_N_...' or 'blockN_...'; {model.name!r} has none"
        )
    if stages is not None and not 1 <= stages <= count:
        raise ValueError(f"stages must be None or 1..{count}, received {stages!r}")
    for stage, layer in staged:
        if stages is None or stage <= stages:
            for part in layer_parts(layer):
                keeps_moving = isinstance(part, keras.layers.BatchNormalization) and not batch_norm
                part.trainable = keeps_moving
    model.compiled = False
    return model


def staged_layers(model: keras.Model) -> list[tuple[int, Any]]:
    """The encoder's layers with the stage each belongs to."""
    for layer in model.layers:
        if layer.name == "encoder" and isinstance(layer, keras.Model):
            return _nested_layers(layer)
    found = []
    for layer in model.layers:
        match = re.match(r"(?:encoder_|block)(\d+)_", layer.name)
        if match:
            found.append((int(match[1]), layer))
    return found


def _nested_layers(encoder: keras.Model) -> list[tuple[int, Any]]:
    """Stage n of a pyramid ends with the layer that gives its n-th level."""
    ends = []
    for key, tensor in encoder.output.items():
        if level_of(key):
            ends.append(encoder.layers.index(tensor._keras_history.operation))
    ends.sort()
    return [
        (1 + sum(place > end for end in ends[:-1]), layer)
        for place, layer in enumerate(encoder.layers)
    ]


def layer_parts(layer: Any) -> list[Any]:
    """The layer and all that it holds."""
    return layer._flatten_layers() if hasattr(layer, "_flatten_layers") else [layer]
