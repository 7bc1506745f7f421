"""U-Net: Ronneberger, Fischer and Brox, 2015 (arXiv:1505.04597)."""

from typing import Any, Literal

import keras
from keras import layers

from semseg._checks import check_at_least, check_choice, check_count
from semseg.classes import ClassMap
from semseg.layers import BilinearUpsampling2D, CropLike, Logits
from semseg.models.arguments import (
    InputShape,
    check_common,
    names_arguments,
    preprocessing_layer,
)
from semseg.models.blocks import (
    Norm,
    Upsampling,
    check_norm,
    class_scores,
    conv_block,
    dropped_out,
    enlarge,
    join,
    scores,
)
from semseg.models.pyramid import encode
from semseg.models.unet_sizes import ValidSize, skip_crops

Padding = Literal["same", "valid"]

_DEEPEST = 8


@names_arguments
def UNet(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
    input_shape: InputShape = (None, None, 3),
    padding: Padding = "same",
    depth: int = 4,
    filters: int = 64,
    norm: Norm = "batch",
    hidden_activation: str = "relu",
    dropout: float = 0.0,
    upsampling: Upsampling = "transpose",
    encoder: str | keras.Model | None = None,
    encoder_weights: Any = None,
    deep_supervision: bool = False,
    activation: str | None = None,
    preprocessing: Any = "rescale",
    name: str = "unet",
) -> keras.Model:
    """U-Net, as users want it by default, and as the paper has it on request.

    The contracting path halves the picture `depth` times and doubles the filters each time; the
    expanding path doubles the size and concatenates the skip connection. With "same" padding any
    height and width >= 1 works: odd sizes are rounded up on the way down and cropped on the way
    up. The paper's network is

        UNet(num_classes=2, input_shape=(572, 572, 1), padding="valid", norm=None, dropout=0.5)

    with 31,030,658 parameters, 572x572 in and 388x388 out.

    Args:
        num_classes: number of classes, background included; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model; either it or `num_classes`.
        input_shape: (height, width, channels); None stands for any height or width.
        padding: "same" gives logits of the picture's size; "valid" is the paper's unpadded form,
            for the sizes that `semseg.models.valid_sizes` names, with less height and width out
            than in (184 less at depth 4) and centre-cropped skips.
        depth: number of poolings; the paper has 4.
        filters: filters of the first level; the paper has 64.
        norm: after each convolution: "batch", "group", "layer", or None (the paper).
        hidden_activation: any Keras activation after each convolution.
        dropout: rate at the end of the contracting path: after its last level and after the
            bottleneck, as in the authors' released network (0.5 there); 0 for none.
        upsampling: "transpose" is a 2x2 convolution with stride 2 (the paper); "bilinear"
            enlarges without parameters and convolves 3x3 to half the filters.
        encoder: None for the paper's contracting path; a name that `semseg.models.encoder` takes,
            with its own preprocessing; or any `keras.Model` that returns a dict of features
            "P1".."P5" (missing levels are bridged). Pictures are padded to the deepest level's
            stride before it. `depth` and `dropout` then play no part, and the decoder has
            `filters * 2**n` filters at level n.
        encoder_weights: of a named encoder: None, "imagenet" or a file.
        deep_supervision: each level of the expanding path but the first gets a classifier too,
            whose logits are enlarged to the picture's size. The model then gives a dict: "logits",
            and "logits_2" (half the resolution), "logits_3", ... to be trained with
            `semseg.losses.deep_supervision`; prediction and scores use "logits" alone, and
            `semseg.models.without_supervision` gives the plain model.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        preprocessing: "rescale" maps pixels [0, 255] to [-1, 1] inside the model (an encoder that
            has a scaling layer, as all named ones, does its own instead); or a Keras layer that
            computes in float32, or None for images that are normalised already: named encoders
            are then built without their scaling.
        name: the model's name.

    Returns:
        A functional `keras.Model`: images (batch, height, width, channels) of any dtype ->
        float32 logits (batch, height, width, num_classes).

    Raises:
        ValueError: an argument out of its range, named with what it may be; for "valid" a size
            that does not fit, with the nearest that do.

    Example:
        >>> model = semseg.models.UNet(num_classes=11, depth=3, filters=16)
        >>> f"{model.count_params():,}"
        '484,315'
        >>> tuple(model(np.zeros((1, 37, 51, 3), "uint8")).shape)
        (1, 37, 51, 11)
    """
    input_shape, num_classes = check_common(input_shape, num_classes, class_map, activation)
    depth = check_count("depth", depth, 1, _DEEPEST)
    filters = check_count("filters", filters, 1)
    check_norm(norm, filters)
    check_at_least("dropout", dropout, 0, below=1)
    _check_choices(padding, upsampling)
    if deep_supervision:
        _check_with_supervision(padding, activation)
    block: dict[str, Any] = {
        "padding": padding,
        "norm": norm,
        "hidden_activation": hidden_activation,
    }

    inputs = layers.Input(input_shape, name="image")
    if encoder is not None:
        _check_with_encoder(padding, dropout)
        features = encode(inputs, encoder, encoder_weights, preprocessing)
        levels = _decode_pyramid(features, filters, upsampling, block)
        levels[1] = CropLike(name="crop")([levels[1], inputs])
        outputs = _outputs(levels, inputs, num_classes, class_map, activation, deep_supervision)
        return keras.Model(inputs, outputs, name=name)
    if encoder_weights is not None:
        raise ValueError(
            "encoder_weights goes with encoder=, such as encoder='vgg16'; the paper's contracting "
            f"path has no pretrained weights, received {encoder_weights!r}"
        )
    x = preprocessing_layer(preprocessing)(inputs)
    if padding == "valid":
        x = ValidSize(depth, name="size_check")(x)
    x, skips = _contract(x, depth, filters, dropout, block)
    levels = {}
    for level, crop in zip(range(depth, 0, -1), skip_crops(depth), strict=True):
        width, stage = filters * 2 ** (level - 1), f"decoder_{level}"
        x = enlarge(x, width, stage, upsampling)
        x = join(x, skips.pop(), stage, None if padding == "same" else crop)
        x = levels[level] = conv_block(x, width, stage, **block)
    outputs = _outputs(levels, inputs, num_classes, class_map, activation, deep_supervision)
    return keras.Model(inputs, outputs, name=name)


def _contract(
    x: Any, depth: int, filters: int, dropout: float, block: dict[str, Any]
) -> tuple[Any, list[Any]]:
    """The paper's contracting path: the features at its bottom, and the skips from the top down."""
    skips = []
    for level in range(1, depth + 1):
        x = conv_block(x, filters * 2 ** (level - 1), f"encoder_{level}", **block)
        if level == depth:
            x = dropped_out(x, dropout, f"encoder_{level}")
        skips.append(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"encoder_{level}_pool")(x)
    x = conv_block(x, filters * 2**depth, "bottleneck", **block)
    return dropped_out(x, dropout, "bottleneck"), skips


def _decode_pyramid(
    features: dict[int, Any], filters: int, upsampling: Upsampling, block: dict[str, Any]
) -> dict[int, Any]:
    """From the deepest level up to the picture's resolution, joining what levels there are."""
    deepest = max(features)
    x, levels = features[deepest], {1: features[deepest]}
    for level in range(deepest - 1, -1, -1):
        width, stage = filters * 2**level, f"decoder_{level + 1}"
        x = enlarge(x, width, stage, upsampling)
        if level in features:
            x = join(x, features[level], stage)
        x = levels[level + 1] = conv_block(x, width, stage, **block)
    return levels


def _outputs(
    levels: dict[int, Any],
    inputs: Any,
    num_classes: int,
    class_map: ClassMap | None,
    activation: str | None,
    deep_supervision: bool,
) -> Any:
    """The class scores of the first level; with deep supervision those of all levels, by name."""
    outputs = class_scores(levels[1], num_classes, class_map, activation)
    if not deep_supervision:
        return outputs
    named = {"logits": outputs}
    for level in sorted(levels)[1:]:
        x = scores(levels[level], num_classes, name=f"classifier_{level}")
        factor = 2 ** (level - 1)
        x = BilinearUpsampling2D(factor, dtype="float32", name=f"enlarged_{level}")(x)
        x = CropLike(dtype="float32", name=f"crop_{level}")([x, inputs])
        named[f"logits_{level}"] = Logits(class_map, name=f"logits_{level}")(x)
    return named


def _check_with_supervision(padding: str, activation: str | None) -> None:
    if padding == "valid":
        raise ValueError(
            "deep_supervision needs padding='same': unpadded levels see different parts of the mask"
        )
    if activation is not None:
        raise ValueError(f"deep_supervision gives logits: activation=None, received {activation!r}")


def _check_with_encoder(padding: str, dropout: float) -> None:
    if padding == "valid":
        raise ValueError("padding='valid' is the paper's form and goes without encoder=")
    if dropout:
        raise ValueError("dropout goes with the paper's contracting path, not with encoder=")


def _check_choices(padding: str, upsampling: str) -> None:
    check_choice("padding", padding, ("same", "valid"))
    check_choice("upsampling", upsampling, ("transpose", "bilinear"))
    if padding == "valid" and upsampling == "bilinear":
        raise ValueError("padding='valid' is the paper's form and goes with upsampling='transpose'")
