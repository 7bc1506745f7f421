"""Feature pyramids: what an `encoder=` may be, and what decoders find in it."""

import re
from typing import Any

import keras

from semseg.models.arguments import preprocessing_layer
from semseg.models.encoders import encoder as build_encoder


def resolve_encoder(encoder: str | keras.Model, channels: int, weights: Any = None) -> keras.Model:
    """The encoder model of a name or a model, checked to give a pyramid dict."""
    if isinstance(encoder, str):
        return build_encoder(encoder, weights=weights, input_channels=channels)
    if not isinstance(encoder, keras.Model):
        raise TypeError(f"encoder must be a name or a keras.Model, received {encoder!r}")
    if weights is not None:
        raise ValueError(
            "encoder_weights goes with an encoder given by name; load the weights into "
            f"{encoder.name!r} before"
        )
    outputs = getattr(encoder, "output", None)
    if not isinstance(outputs, dict) or not any(level_of(key) is not None for key in outputs):
        received = list(outputs) if isinstance(outputs, dict) else type(outputs).__name__
        raise ValueError(
            "encoder must return a dict of features 'P1'..'P5' (any of them, stride 2**n), "
            f"received {received}; for KerasHub pass keras.Model(backbone.inputs, "
            "backbone.pyramid_outputs)"
        )
    return encoder


def encode(
    inputs: Any, encoder: str | keras.Model, weights: Any, preprocessing: Any
) -> dict[int, Any]:
    """Features by level. A named encoder scales pixels itself, in the place of "rescale"."""
    model = resolve_encoder(encoder, inputs.shape[-1], weights)
    scales_itself = isinstance(encoder, str) and preprocessing == "rescale"
    x = inputs if scales_itself else preprocessing_layer(preprocessing)(inputs)
    return by_level(model(x))


def level_of(key: str) -> int | None:
    """The n of a key "Pn"; None for any other key."""
    match = re.fullmatch(r"P(\d+)", key)
    return int(match[1]) if match else None


def by_level(pyramid: dict[str, Any]) -> dict[int, Any]:
    """Features by their level."""
    found = {level_of(key): features for key, features in pyramid.items()}
    return {level: features for level, features in found.items() if level is not None}
