"""Feature pyramids: what an `encoder=` may be, and what decoders find in it."""

import re
from typing import Any

import keras

from semseg.layers import PadToMultiple
from semseg.layers.pixel_scaling import before_features, scaling_of
from semseg.models.arguments import preprocessing_layer
from semseg.models.encoders import named_encoder


def check_encoder(encoder: keras.Model, weights: Any) -> None:
    """A model that gives a pyramid dict, without weights that go with a name."""
    if not isinstance(encoder, keras.Model):
        raise TypeError(f"encoder must be a name or a keras.Model, received {encoder!r}")
    if weights is not None:
        raise ValueError(
            "encoder_weights goes with an encoder given by name; load the weights into "
            f"{encoder.name!r} before"
        )
    outputs = getattr(encoder, "output", None)
    if not is_pyramid(outputs):
        received = list(outputs) if isinstance(outputs, dict) else type(outputs).__name__
        raise ValueError(
            "encoder must return a dict of features 'P1'..'P5' (any of them, stride 2**n), "
            f"received {received}; for KerasHub pass keras.Model(backbone.inputs, "
            "backbone.pyramid_outputs)"
        )


def encode(
    inputs: Any, encoder: str | keras.Model, weights: Any, preprocessing: Any
) -> dict[int, Any]:
    """Features by level. Pixels are scaled once: an encoder that does so needs no "rescale"."""
    by_default = isinstance(preprocessing, str) and preprocessing == "rescale"
    prepare = preprocessing_layer(preprocessing)
    if isinstance(encoder, str):
        known_as = ("encoder", "encoder_weights")
        model = named_encoder(
            encoder, weights, inputs.shape[-1], arguments=known_as, scales=by_default
        )
        return by_level(model(inputs if by_default else prepare(inputs)))
    check_encoder(encoder, weights)
    x = inputs if by_default and scaling_of(encoder) is not None else prepare(inputs)
    return by_level(encoder(_padded(x, encoder)))


def _padded(x: Any, encoder: keras.Model) -> Any:
    """A size that every level of the encoder divides, as an encoder may round odd sizes down."""
    stride = 2 ** max(by_level(encoder.output))
    pads = [layer for layer in before_features(encoder) if isinstance(layer, PadToMultiple)]
    takes_one_size = None not in encoder.inputs[0].shape[1:3]
    if takes_one_size or any(layer.multiple % stride == 0 for layer in pads):
        return x
    # float32, as these may be pixels that the encoder has yet to scale.
    return PadToMultiple(stride, dtype="float32", name="pad")(x)


def is_pyramid(outputs: Any) -> bool:
    """Whether it is a dict with features "P1", "P2" and so on."""
    return isinstance(outputs, dict) and any(level_of(key) is not None for key in outputs)


def level_of(key: str) -> int | None:
    """The n of a key "Pn"; None for any other key."""
    match = re.fullmatch(r"P(\d+)", key)
    return int(match[1]) if match else None


def by_level(pyramid: dict[str, Any]) -> dict[int, Any]:
    """Features by their level."""
    found = {level_of(key): features for key, features in pyramid.items()}
    return {level: features for level, features in found.items() if level is not None}
