"""Encoders out of `keras.applications`, as models that return a pyramid of features."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from semseg.layers import ImageNetScaling, PadToMultiple

_STRIDE = 32


@dataclass(frozen=True)
class Family:
    """How one architecture of `keras.applications` becomes a pyramid.

    Attributes:
        builder: its function in `keras.applications`.
        taps: pyramid level -> layer whose output it is; `None` is the model's own output, and
            "<name" the input of that layer.
        scaling: the preprocessing that its weights expect, or None where the model scales itself.
        arguments: what the builder needs besides.
    """

    builder: str
    taps: dict[str, str | None]
    scaling: Literal["caffe", "tf", "torch"] | None
    arguments: tuple[tuple[str, Any], ...] = ()


FAMILIES: dict[str, Family] = {
    "vgg16": Family(
        "VGG16",
        {
            "P0": "block1_conv2", "P1": "block2_conv2", "P2": "block3_conv3",
            "P3": "block4_conv3", "P4": "block5_conv3", "P5": "block5_pool",
        },
        "caffe",
    ),
    "resnet50": Family(
        "ResNet50",
        {
            "P1": "conv1_relu", "P2": "conv2_block3_out", "P3": "conv3_block4_out",
            "P4": "conv4_block6_out", "P5": "conv5_block3_out",
        },
        "caffe",
    ),
    "mobilenetv2": Family(
        "MobileNetV2",
        {
            "P1": "Conv1_relu", "P2": "block_2_add", "P3": "block_5_add", "P4": "block_12_add",
            "P5": "out_relu",
        },
        "tf",
    ),
    "mobilenetv3": Family(
        "MobileNetV3Large",
        {
            "P1": "expanded_conv_add", "P2": "expanded_conv_2_add", "P3": "expanded_conv_5_add",
            "P4": "expanded_conv_11_add", "P5": None,
        },
        "tf",
        (("include_preprocessing", False),),
    ),
    "efficientnetb0": Family(
        "EfficientNetB0",
        {
            "P1": "block1a_project_bn", "P2": "block2b_add", "P3": "block3b_add",
            "P4": "block5c_add", "P5": "top_activation",
        },
        None,
    ),
    "efficientnetv2b0": Family(
        "EfficientNetV2B0",
        {
            "P1": "block1a_project_activation", "P2": "block2b_add", "P3": "block3b_add",
            "P4": "block5e_add", "P5": "top_activation",
        },
        "torch",
        (("include_preprocessing", False),),
    ),
    "convnext_tiny": Family(
        "ConvNeXtTiny",
        {
            "P2": "<convnext_tiny_downsampling_block_0",
            "P3": "<convnext_tiny_downsampling_block_1",
            "P4": "<convnext_tiny_downsampling_block_2",
            "P5": None,
        },
        "torch",
        (("include_preprocessing", False),),
    ),
    "densenet121": Family(
        "DenseNet121",
        {
            "P1": "conv1_relu", "P2": "pool2_relu", "P3": "pool3_relu", "P4": "pool4_relu",
            "P5": "relu",
        },
        "torch",
    ),
}  # fmt: skip


def encoder(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    input_channels: int = 3,
) -> keras.Model:
    """An encoder of `keras.applications` that gives features at several strides.

    Preprocessing is inside: it takes pixel values [0, 255] in RGB order. Pictures of any height
    and width >= 1 are padded at the bottom and right to a multiple of 32.

    Args:
        name: one of `vgg16`, `resnet50`, `mobilenetv2`, `mobilenetv3`, `efficientnetb0`,
            `efficientnetv2b0`, `convnext_tiny`, `densenet121`.
        weights: None for random ones (moving statistics then have a momentum of 0.9, where Keras
            has up to 0.999 for trainings of days), "imagenet" for Keras's download, or a file of
            weights without the classifier ("notop") for three channels.
        input_channels: where it is not 3, the first convolution's pretrained filters are spread
            over the channels in turn and scaled so that activations keep their size.

    Returns:
        A `keras.Model` named "encoder": images (batch, height, width, input_channels) ->
        a dict `"P1"` .. `"P5"` (whichever the family has; VGG16 has `"P0"` too), `"Pn"` at stride
        2**n of the padded size. Inside, layers have Keras's names.

    Raises:
        ValueError: an unknown name, or weights that can't be had (and how to pass a file).

    Example:
        >>> model = semseg.models.encoder("mobilenetv2")
        >>> pyramid = model(np.zeros((1, 64, 64, 3), "uint8"))
        >>> {level: tuple(x.shape[1:]) for level, x in pyramid.items()}["P5"]
        (2, 2, 1280)
    """
    if name not in FAMILIES:
        raise ValueError(f"name must be one of {', '.join(FAMILIES)}, received {name!r}")
    if not isinstance(input_channels, int) or input_channels < 1:
        raise ValueError(f"input_channels must be an int >= 1, received {input_channels!r}")
    family = FAMILIES[name]
    model, base = _pyramid(family, input_channels)
    if weights is None:
        _follow_quickly(base)
    else:
        _load(base, family, name, weights, input_channels)
    return model


def _pyramid(family: Family, channels: int) -> tuple[keras.Model, keras.Model]:
    """The encoder, and the application's own model over the same layers."""
    inputs = layers.Input((None, None, channels), name="image")
    x = inputs
    if family.scaling is not None:
        x = ImageNetScaling(family.scaling, name="preprocessing")(x)
    # Keras computes some paddings from the size at build time: always build for any size.
    x = PadToMultiple(_STRIDE, name="pad")(x)
    base = _application(family, channels, input_tensor=x)
    taps = {level: _tap(base, tap) for level, tap in family.taps.items()}
    return keras.Model(inputs, taps, name="encoder"), base


def _application(family: Family, channels: int, **arguments: Any) -> keras.Model:
    build: Callable[..., keras.Model] = getattr(keras.applications, family.builder)
    with warnings.catch_warnings():
        # "This model usually expects 1 or 3 input channels": it takes any.
        warnings.filterwarnings("ignore", message="This model usually expects")
        return build(
            include_top=False,
            weights=None,
            input_shape=(None, None, channels),
            **dict(family.arguments),
            **arguments,
        )


def _follow_quickly(base: keras.Model) -> None:
    """Moving statistics that a training from scratch can rely on, as in this library's own blocks.

    MobileNets have a momentum of 0.999: after 900 steps 40 % of a statistic is still its start.
    """
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9


def _tap(base: keras.Model, tap: str | None) -> Any:
    if tap is None:
        return base.output
    if tap.startswith("<"):
        return base.get_layer(tap[1:]).input
    return base.get_layer(tap).output


def _load(base: keras.Model, family: Family, name: str, weights: Any, channels: int) -> None:
    """Fills `base` with weights for three channels, adapted where it has another number."""
    source = _application(family, 3)
    if str(weights) == "imagenet":
        source = _downloaded(family, name)
    elif not Path(weights).is_file():
        raise FileNotFoundError(
            f"weights must be None, 'imagenet' or a file, found none at {os.fspath(weights)!r}"
        )
    else:
        source.load_weights(weights)
    base.set_weights(
        [
            value if value.shape == tuple(own.shape) else adapt_channels(value, channels)
            for own, value in zip(base.weights, source.get_weights(), strict=True)
        ]
    )


def _downloaded(family: Family, name: str) -> keras.Model:
    build = getattr(keras.applications, family.builder)
    try:
        return build(include_top=False, weights="imagenet", **dict(family.arguments))
    except Exception as error:  # whatever the network and Keras's downloader raise
        raise ValueError(
            f"the ImageNet weights of {name} could not be downloaded ({error}); download the "
            "'notop' file that keras.applications names, and pass its path as weights="
        ) from error


def adapt_channels(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Spreads a first kernel over another number of channels.

    Args:
        kernel: (height, width, 3, filters), or (3,) statistics of a normalisation.
        channels: number of input channels.

    Returns:
        The kernel's channels in turn, times 3 / channels: the response to a picture whose
        channels are alike keeps its size. One channel gets the sum of the three.
    """
    axis = kernel.ndim - 2 if kernel.ndim > 1 else 0
    if channels == 1:
        return kernel.sum(axis=axis, keepdims=True)
    return np.take(kernel, np.arange(channels) % 3, axis=axis) * (3 / channels)
