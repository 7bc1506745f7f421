"""Freezing an encoder so that it stays as it is, batch statistics included."""

import re
from typing import Any

import keras

from semseg.models.pyramid import is_pyramid, level_of


def freeze_encoder(
    model: keras.Model, stages: int | None = None, batch_norm: bool = True
) -> keras.Model:
    """Makes the encoder untrainable; `compile` must follow, and `fit` says so.

    Keras ignores a change of `trainable` after `compile` in silence, so the model is marked as
    not compiled. Each call states what is frozen, whatever was before: `stages=0` undoes it.
    (Keras's own `model.trainable = True` does nothing to layers inside where the model's own flag
    is True already.)

    Args:
        model: a model of this library, or any with a nested model that returns a dict of
            features "P1", "P2", ...
        stages: how many stages from the input on are frozen; the others are trained. None: all,
            0: none.
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
        >>> model = semseg.models.freeze_encoder(model, stages=0)
        >>> model.get_layer("encoder_1_conv_1").trainable
        True
    """
    staged = staged_layers(model)
    count = max((stage for stage, _ in staged), default=0)
    if not staged:
        raise ValueError(
            "model must have an encoder: a nested model that returns a dict of features 'P1', "
            f"'P2', ..., or layers named 'encoder_N_...' or 'blockN_...'; {model.name!r} has none"
        )
    if stages is not None and (isinstance(stages, bool) or stages not in range(count + 1)):
        raise ValueError(f"stages must be None or 0..{count}, received {stages!r}")
    frozen = count if stages is None else stages
    nested = _nested_encoder(model)
    if nested is not None:  # it sets all layers inside, so they come after
        nested.trainable = frozen < count or not batch_norm
    for stage, layer in staged:
        for part in layer_parts(layer):
            keeps_moving = isinstance(part, keras.layers.BatchNormalization) and not batch_norm
            part.trainable = stage > frozen or keeps_moving
    model.compiled = False
    return model


def staged_layers(model: keras.Model) -> list[tuple[int, Any]]:
    """The encoder's layers with the stage each belongs to."""
    nested = _nested_encoder(model)
    if nested is not None:
        return _nested_layers(nested)
    found = []
    for layer in model.layers:
        match = re.match(r"(?:encoder_|block)(\d+)_", layer.name)
        if match:
            found.append((int(match[1]), layer))
    return found


def _nested_encoder(model: keras.Model) -> Any:
    """The first model inside that returns a pyramid; None without any."""
    models = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return next((inner for inner in models if is_pyramid(getattr(inner, "output", None))), None)


def _nested_layers(encoder: keras.Model) -> list[tuple[int, Any]]:
    """Stage n of a pyramid ends with the operation that gives its n-th level."""
    # Not all operations are layers: ConvNeXt's levels are sums, `inputs + layer(x)`.
    places = {id(operation): place for place, operation in enumerate(encoder.operations)}
    ends = sorted(
        places[id(tensor._keras_history.operation)]
        for key, tensor in encoder.output.items()
        if level_of(key)
    )
    return [
        (1 + sum(place > end for end in ends[:-1]), operation)
        for place, operation in enumerate(encoder.operations)
        if isinstance(operation, keras.layers.Layer)
    ]


def layer_parts(layer: Any) -> list[Any]:
    """The layer and all that it holds."""
    return layer._flatten_layers() if hasattr(layer, "_flatten_layers") else [layer]
