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

from semseg._checks import check_count
from semseg.layers import ImageNetScaling, PadToMultiple

_STRIDE = 32


@dataclass(frozen=True)
class Family:
    """How one architecture of `keras.applications` becomes a pyramid.

    Attributes:
        builder: its function in `keras.applications`.
        taps: pyramid level -> layer whose output it is; `None` is the model's own output, and
            "<name" the input of that layer.
        scaling: the preprocessing that its weights expect.
        arguments: what the builder needs besides.
    """

    builder: str
    taps: dict[str, str | None]
    scaling: Literal["caffe", "tf", "torch"]
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
        name: one of `vgg16`, `resnet50`, `mobilenetv2`, `mobilenetv3`, `efficientnetv2b0`,
            `convnext_tiny`, `densenet121`.
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
        FileNotFoundError: weights that are no file.

    Example:
        >>> model = semseg.models.encoder("mobilenetv2")
        >>> pyramid = model(np.zeros((1, 64, 64, 3), "uint8"))
        >>> {level: tuple(x.shape[1:]) for level, x in pyramid.items()}["P5"]
        (2, 2, 1280)
    """
    input_channels = check_count("input_channels", input_channels, 1)
    return named_encoder(name, weights, input_channels, arguments=("name", "weights"))


def named_encoder(
    name: str, weights: Any, channels: int, *, arguments: tuple[str, str], scales: bool = True
) -> keras.Model:
    """`encoder`, for a caller whose user knows name and weights as `arguments`.

    Without `scales` it takes pixels that are scaled already.
    """
    for_name, for_weights = arguments
    if name not in FAMILIES:
        raise ValueError(f"{for_name} must be one of {', '.join(FAMILIES)}, received {name!r}")
    family = FAMILIES[name]
    if weights is not None and not is_imagenet(weights):
        weights = weights_file(weights, for_weights)
    model, base = _pyramid(family, channels, scales)
    if weights is None:
        _follow_quickly(base)
    else:
        _load(base, family, weights, channels, for_weights)
    return model


def _pyramid(family: Family, channels: int, scales: bool) -> tuple[keras.Model, keras.Model]:
    """The encoder, and the application's own model over the same layers."""
    inputs = layers.Input((None, None, channels), name="image")
    x = inputs
    if scales:
        x = ImageNetScaling(family.scaling, name="preprocessing")(x)
    # Keras computes some paddings from the size at build time: always build for any size.
    x = PadToMultiple(_STRIDE, name="pad")(x)
    base = _application(family, channels, input_tensor=x)
    taps = {level: _tap(base, tap) for level, tap in family.taps.items()}
    return keras.Model(inputs, taps, name="encoder"), base


def _application(
    family: Family, channels: int, weights: str | None = None, **arguments: Any
) -> keras.Model:
    build: Callable[..., keras.Model] = getattr(keras.applications, family.builder)
    with warnings.catch_warnings():
        # "This model usually expects 1 or 3 input channels": it takes any.
        warnings.filterwarnings("ignore", message="This model usually expects")
        # "`input_shape` is undefined or non-square": the weights are those of 224 x 224, as wanted.
        warnings.filterwarnings("ignore", message="`input_shape` is undefined")
        return build(
            include_top=False,
            weights=weights,
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


def is_imagenet(weights: Any) -> bool:
    """Whether Keras's download is asked for, in whatever type of string."""
    return str(weights) == "imagenet"


def weights_file(weights: Any, argument: str) -> Path:
    """The file that `argument` names, which must be there."""
    form = f"{argument} must be None, 'imagenet' or a file"
    if not isinstance(weights, str | os.PathLike):
        raise TypeError(f"{form}, received {weights!r}")
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"{form}, found none at {str(path)!r}")
    return path


def read_weights(model: keras.Model, path: Path) -> None:
    """Keras's `load_weights` without its warning of missing layers, which its error names too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipping nested container")
        model.load_weights(path)


def _load(base: keras.Model, family: Family, weights: Any, channels: int, argument: str) -> None:
    """Fills `base` with weights for three channels, adapted where it has another number."""
    download = is_imagenet(weights)
    source = _downloaded(family, argument) if download else _read(family, weights, argument)
    base.set_weights(
        [
            value if value.shape == tuple(own.shape) else adapt_channels(value, channels)
            for own, value in zip(base.weights, source.get_weights(), strict=True)
        ]
    )


def _read(family: Family, path: Path, argument: str) -> keras.Model:
    source = _application(family, 3)
    try:
        read_weights(source, path)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{argument} must be a weights file of keras.applications.{family.builder} without "
            f"classifier ('notop') for three channels, {str(path)!r} is not ({error})"
        ) from error
    return source


def _downloaded(family: Family, argument: str) -> keras.Model:
    try:
        return _application(family, 3, "imagenet")
    except Exception as error:  # whatever the network and Keras's downloader raise
        raise ValueError(
            f"the ImageNet weights of {family.builder} could not be downloaded ({error}); download "
            f"the 'notop' file that keras.applications names, and pass its path as {argument}="
        ) from error


def adapt_channels(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Spreads a first kernel over another number of channels.

    Args:
        kernel: (height, width, 3, filters).
        channels: number of input channels.

    Returns:
        The kernel's channels in turn, times 3 / channels: the response to a picture whose
        channels are alike keeps its size. One channel gets the sum of the three.
    """
    if channels == 1:
        return kernel.sum(axis=2, keepdims=True)
    return np.take(kernel, np.arange(channels) % 3, axis=2) * (3 / channels)
