"""The pieces that the architectures are built of, for architectures of your own.

All take and give Keras tensors (batch, height, width, channels); `name` begins the names of the
layers they make.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from keras import initializers, layers

from semseg._checks import check_choice, check_count
from semseg.classes import ClassMap
from semseg.layers import BatchNormalization, BilinearUpsampling2D, CropLike, Logits
from semseg.models.arguments import check_activation, resolve_classes

__all__ = ["class_scores", "conv_block", "enlarge", "join"]

Norm = Literal["batch", "group", "layer"] | None
Upsampling = Literal["transpose", "bilinear"]

_NORMS: dict[str | None, Callable[[str], Any]] = {
    # Keras's momentum of 0.99 needs hundreds of steps before the moving statistics mean anything.
    "batch": lambda name: BatchNormalization(momentum=0.9, name=name),
    "group": lambda name: layers.GroupNormalization(groups=8, name=name),
    "layer": lambda name: layers.LayerNormalization(name=name),
}


def check_norm(norm: Norm, filters: int) -> None:
    """A known normalisation, and for groups a number of filters that they divide."""
    check_choice("norm", norm, [*_NORMS, None])
    if norm == "group" and filters % 8:
        raise ValueError(f"norm='group' needs filters divisible by 8, received filters={filters}")


def dropped_out(x: Any, rate: float, name: str) -> Any:
    """`x` behind a dropout layer, or itself where the rate is 0."""
    return layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x


def conv_block(
    x: Any,
    filters: int | Sequence[int],
    name: str,
    *,
    repeats: int = 2,
    kernel_size: int = 3,
    padding: str = "same",
    norm: Norm = "batch",
    use_bias: bool | None = None,
    hidden_activation: str | None = "relu",
) -> Any:
    """Convolution, normalisation and activation, several times.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the output, or those of each convolution.
        name: beginning of the layers' names, such as "encoder_2".
        repeats: number of convolutions, where `filters` is one number.
        kernel_size: side of the kernels.
        padding: "same", or "valid" as in the U-Net paper.
        norm: "batch", "group" (8 groups), "layer", or None.
        use_bias: whether the convolutions have a bias; None: where no normalisation cancels it.
        hidden_activation: any Keras activation, or None.

    Returns:
        (batch, height, width, filters), for "valid" smaller by `kernel_size - 1` a convolution.

    Raises:
        ValueError: an unknown `norm` or `padding`, or filters that the groups don't divide.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> semseg.models.blocks.conv_block(image, 8, "stem", norm="group").shape
        (None, None, None, 8)
    """
    check_choice("padding", padding, ("same", "valid"))
    widths = filters if isinstance(filters, Sequence) else [filters] * repeats
    for i, width in enumerate(widths, start=1):
        width = check_count("filters", width, 1)
        check_norm(norm, width)
        x = layers.Conv2D(
            width,
            kernel_size,
            padding=padding,
            use_bias=norm is None if use_bias is None else use_bias,
            kernel_initializer="he_normal",
            name=f"{name}_conv_{i}",
        )(x)
        if norm is not None:
            x = _NORMS[norm](f"{name}_norm_{i}")(x)
        if hidden_activation is not None:
            x = layers.Activation(hidden_activation, name=f"{name}_{hidden_activation}_{i}")(x)
    return x


def enlarge(x: Any, filters: int, name: str, upsampling: Upsampling = "transpose") -> Any:
    """Twice the height and width, with `filters` channels.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the output.
        name: beginning of the layers' names, such as "decoder_2".
        upsampling: "transpose" is a 2x2 convolution with stride 2; "bilinear" enlarges without
            parameters and convolves 3x3.

    Raises:
        ValueError: another `upsampling`.

    Example:
        >>> x = keras.Input((5, 7, 16))
        >>> semseg.models.blocks.enlarge(x, 8, "decoder_1").shape
        (None, 10, 14, 8)
    """
    check_choice("upsampling", upsampling, ("transpose", "bilinear"))
    if upsampling == "transpose":
        return layers.Conv2DTranspose(
            filters, 2, strides=2, kernel_initializer="he_normal", name=f"{name}_up"
        )(x)
    x = BilinearUpsampling2D(2, name=f"{name}_up")(x)
    return layers.Conv2D(
        filters, 3, padding="same", kernel_initializer="he_normal", name=f"{name}_up_conv"
    )(x)


def join(x: Any, skip: Any, name: str, crop: int | None = None) -> Any:
    """`x` and the skip connection side by side; the upsampled half first, as the authors have it.

    Args:
        x: the enlarged decoder, at most one row and column larger than `skip`.
        skip: the encoder's output of the level.
        name: beginning of the layers' names.
        crop: None crops `x` at the bottom and right to the skip's size; a number of pixels
            crops the skip on all sides (the paper).

    Returns:
        (batch, height, width, channels of both), with the size of the skip, or of `x` where the
        skip is cropped.

    Example:
        >>> x, skip = keras.Input((10, 14, 8)), keras.Input((9, 13, 4))
        >>> semseg.models.blocks.join(x, skip, "decoder_1").shape
        (None, 9, 13, 12)
    """
    if crop is None:
        x = CropLike(name=f"{name}_crop")([x, skip])
    else:
        skip = layers.Cropping2D(crop, name=f"{name}_crop")(skip)
    return layers.Concatenate(name=f"{name}_concat")([x, skip])


def class_scores(
    x: Any,
    num_classes: int,
    class_map: ClassMap | None = None,
    activation: str | None = None,
    kernel_size: int = 1,
) -> Any:
    """Convolution to `num_classes` channels and the float32 end that carries the ClassMap.

    Args:
        x: (batch, height, width, channels).
        num_classes: number of classes; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        kernel_size: side of the kernel.

    Returns:
        (batch, height, width, num_classes), float32.

    Raises:
        ValueError: a `class_map` of another number of classes, or an `activation` that does not
            go with it.

    Example:
        >>> x = keras.Input((None, None, 8))
        >>> semseg.models.blocks.class_scores(x, 3).shape
        (None, None, None, 3)
    """
    num_classes = resolve_classes(num_classes, class_map)
    check_activation(activation, num_classes)
    x = scores(x, num_classes, kernel_size=kernel_size)
    return Logits(class_map, activation, name=activation or "logits")(x)


def scores(
    x: Any, num_classes: int, *, kernel_size: int = 1, scale: float = 0.2, name: str = "classifier"
) -> Any:
    """Convolution to `num_classes` channels of float32.

    The kernel starts at a fifth of the usual variance: a new model then gives all classes about the
    same probability, its first loss is the logarithm of their number within a tenth, and the
    gradient that reaches the layers below is still large enough to train them at once.
    """
    return layers.Conv2D(
        num_classes,
        kernel_size,
        padding="same",
        kernel_initializer=initializers.VarianceScaling(scale),
        # float32 under every policy: bfloat16 logits have 8 bits, and neighbours tie.
        dtype="float32",
        name=name,
    )(x)
