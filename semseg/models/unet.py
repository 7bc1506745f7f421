"""U-Net: Ronneberger, Fischer and Brox, 2015 (arXiv:1505.04597)."""

from typing import Any

import keras
from keras import layers

from semseg.classes import ClassMap
from semseg.layers import CropLike
from semseg.models.arguments import (
    InputShape,
    check_activation,
    check_input_shape,
    preprocessing_layer,
    resolve_classes,
)
from semseg.models.blocks import Norm, check_norm, class_scores, conv_block


def UNet(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
    input_shape: InputShape = (None, None, 3),
    depth: int = 4,
    filters: int = 64,
    norm: Norm = "batch",
    dropout: float = 0.0,
    activation: str | None = None,
    preprocessing: Any = "rescale",
    name: str = "unet",
) -> keras.Model:
    """A U-Net with "same" padding that takes pictures of any height and width >= 1.

    The contracting path halves the picture `depth` times, rounding up, and doubles the filters
    each time; the expanding path doubles the size with a transposed convolution, crops to the
    skip connection's size where it was odd, and concatenates. Nothing has to be divisible.

    Args:
        num_classes: number of classes, background included; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model; either it or `num_classes`.
        input_shape: (height, width, channels); None stands for any height or width.
        depth: number of poolings; the paper has 4.
        filters: filters of the first level; the paper has 64.
        norm: after each convolution: "batch", "group", "layer", or None (the paper).
        dropout: rate at the end of the contracting path (the paper's place), 0 for none.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        preprocessing: "rescale" maps pixels [0, 255] to [-1, 1] inside the model; or a Keras
            layer; or None for images that are normalised already.
        name: the model's name.

    Returns:
        A functional `keras.Model`: images (batch, height, width, channels) of any dtype ->
        float32 logits (batch, height, width, num_classes).

    Raises:
        ValueError: an argument out of its range, named with what it may be.

    Example:
        >>> model = semseg.models.UNet(num_classes=11, depth=3, filters=16)
        >>> f"{model.count_params():,}"
        '484,315'
        >>> tuple(model(np.zeros((1, 37, 51, 3), "uint8")).shape)
        (1, 37, 51, 11)
    """
    input_shape = check_input_shape(input_shape)
    num_classes = resolve_classes(num_classes, class_map)
    check_activation(activation, num_classes)
    check_norm(norm, filters)
    _check_sizes(depth, filters, dropout)

    inputs = layers.Input(input_shape, name="image")
    x = preprocessing_layer(preprocessing)(inputs)
    skips = []
    for level in range(1, depth + 1):
        x = conv_block(x, filters * 2 ** (level - 1), f"encoder_{level}", norm)
        skips.append(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"encoder_{level}_pool")(x)
    x = conv_block(x, filters * 2**depth, "bottleneck", norm)
    if dropout:
        x = layers.Dropout(dropout, name="bottleneck_dropout")(x)
    for level in range(depth, 0, -1):
        x = up_block(x, skips.pop(), filters * 2 ** (level - 1), f"decoder_{level}", norm)
    outputs = class_scores(x, num_classes, class_map, activation)
    return keras.Model(inputs, outputs, name=name)


def up_block(x: Any, skip: Any, filters: int, name: str, norm: Norm = "batch") -> Any:
    """One step of the expanding path: twice the size, cropped to the skip, joined, convolved."""
    x = layers.Conv2DTranspose(
        filters, 2, strides=2, kernel_initializer="he_normal", name=f"{name}_up"
    )(x)
    x = CropLike(name=f"{name}_crop")([x, skip])
    # The upsampled half first, as in the authors' released network.
    x = layers.Concatenate(name=f"{name}_concat")([x, skip])
    return conv_block(x, filters, name, norm)


def _check_sizes(depth: int, filters: int, dropout: float) -> None:
    if not isinstance(depth, int) or not 1 <= depth <= 8:
        raise ValueError(f"depth must be an int 1..8, received {depth!r}")
    if not isinstance(filters, int) or filters < 1:
        raise ValueError(f"filters must be an int >= 1, received {filters!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must lie in [0, 1), received {dropout!r}")
