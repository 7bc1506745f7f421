"""FCN-32s, FCN-16s and FCN-8s: Long, Shelhamer and Darrell, 2015 (arXiv:1411.4038)."""

from typing import Any, Literal

import keras
from keras import layers

from semseg._checks import check_at_least, check_choice, check_count
from semseg.classes import ClassMap
from semseg.layers import (
    BilinearKernel,
    BilinearUpsampling2D,
    CropLike,
    LearnedUpsampling2D,
    Logits,
    PixelRescaling,
)
from semseg.models.arguments import (
    InputShape,
    check_common,
    names_arguments,
)
from semseg.models.pyramid import by_level, encode
from semseg.models.vgg import vgg16_preprocessing, vgg16_trunk
from semseg.models.vgg_weights import load_vgg16
from semseg.models.warm_start import check_coarser, take_over

Variant = Literal["32s", "16s", "8s"]
Padding = Literal["same", "pad100"]

# The stride at which the last upsampling starts, and the pyramid levels that are scored.
_VARIANTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "32s": (32, ()),
    "16s": (16, (4,)),
    "8s": (8, (4, 3)),
}

# Where the authors' Crop layers begin: by pyramid level, and by the last factor.
_SKIP_OFFSETS = {4: 5, 3: 9}
_FINAL_OFFSETS = {32: 19, 16: 27, 8: 31}
_AT_ONCE_SCALES = {4: 0.01, 3: 0.0001}


@names_arguments
def FCN(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
    variant: Variant = "8s",
    input_shape: InputShape = (None, None, 3),
    padding: Padding = "same",
    fc_units: int = 4096,
    dropout: float = 0.5,
    learned_upsampling: bool = False,
    at_once: bool = False,
    init_from: keras.Model | None = None,
    encoder: str | keras.Model | None = None,
    encoder_weights: Any = None,
    activation: str | None = None,
    preprocessing: Any = "rescale",
    name: str | None = None,
) -> keras.Model:
    """FCN on VGG16: class scores at strides 32, 16 and 8, added up and enlarged bilinearly.

    The dense layers of VGG16 are convolutions here (fc6 of 7x7, fc7 of 1x1). Score layers start
    at zero and upsampling as bilinear interpolation, as in the paper.

    Args:
        num_classes: number of classes, background included; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model; either it or `num_classes`.
        variant: "32s" scores the last stage alone, "16s" adds pool4, "8s" adds pool4 and pool3.
        input_shape: (height, width, channels); None stands for any height or width.
        padding: "same" keeps every stage aligned with the picture; "pad100" is the authors' form:
            99 more pixels of zeros around the picture, transposed convolutions without padding,
            and crops at 19 (32s), 5 and 27 (16s), 5, 9 and 31 (8s).
        fc_units: filters of fc6 and fc7; the paper has 4096. fc6 has 49 weights for each of them
            and each channel of the encoder's last level: 103 million on VGG16, 257 million on
            "mobilenetv2", where 128 will do.
        dropout: rate after fc6 and fc7.
        learned_upsampling: whether the bilinear kernels are trained; the released networks keep
            them fixed.
        at_once: trains the skips together: pool4 is scaled by 0.01 and pool3 by 0.0001 before
            their scores, as in the released `fcn8s-atonce`; for "16s" and "8s".
        init_from: a coarser FCN of the same form, classes and preprocessing (32s for 16s, 16s for
            8s) whose weights it takes over, learnt upsampling too where the factor is the same.
            The added skip scores zero, so that it starts with nearly those predictions: the scores
            are enlarged in one step more, and a learnt last step begins as bilinear again.
        encoder: None for the paper's VGG16; a name that `semseg.models.encoder` takes, with its
            own preprocessing; or any `keras.Model` that returns a dict of features with "P5" and,
            for the skips, "P4" and "P3". fc6 and fc7 follow it, too: see `fc_units`.
        encoder_weights: None, "imagenet" (Keras's download) or a weights file: of
            `keras.applications.VGG16`, whose dense layers fill fc6 and fc7 where the file has
            them and `fc_units` is 4096; or of the named encoder.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        preprocessing: "rescale" maps pixels [0, 255] to [-1, 1] inside the model (with
            `encoder_weights`, or an encoder that has a scaling layer, as all named ones, to what
            those expect); or a Keras layer that computes in float32, or None for images that are
            normalised already: named encoders are then built without their scaling.
        name: the model's name, "fcn8s" and so on by default.

    Returns:
        A functional `keras.Model`: images (batch, height, width, channels) of any dtype ->
        float32 logits (batch, height, width, num_classes).

    Raises:
        ValueError: an argument out of its range, named with what it may be.

    Example:
        >>> model = semseg.models.FCN(num_classes=11, variant="16s", fc_units=64)
        >>> tuple(model(np.zeros((1, 37, 53, 3), "uint8")).shape)
        (1, 37, 53, 11)
    """
    input_shape, num_classes = check_common(input_shape, num_classes, class_map, activation)
    _check_choices(variant, padding, at_once)
    fc_units = check_count("fc_units", fc_units, 1)
    check_at_least("dropout", dropout, 0, below=1)
    check_coarser(init_from)
    factor, skip_levels = _VARIANTS[variant]
    upsampling = _Upsampling(num_classes, padding, learned_upsampling)

    inputs = layers.Input(input_shape, name="image")
    if encoder is None:
        x = vgg16_preprocessing(preprocessing, encoder_weights)(inputs)
        if padding == "pad100":
            x = layers.ZeroPadding2D(99, name="pad100")(x)  # the convolution pads the hundredth
        pyramid = by_level(vgg16_trunk(x))
    else:
        pyramid = encode(inputs, encoder, encoder_weights, preprocessing)
        _check_encoder(pyramid, skip_levels, padding)
    x = pyramid[5]
    fc6_padding = "same" if padding == "same" else "valid"
    for layer, kernel, mode in (("fc6", 7, fc6_padding), ("fc7", 1, "same")):
        x = layers.Conv2D(
            fc_units, kernel, padding=mode, activation="relu",
            kernel_initializer="he_normal", name=layer,
        )(x)  # fmt: skip
        x = layers.Dropout(dropout, name=f"{layer}_dropout")(x)
    x = _score(x, num_classes, "score_fc7")
    for level in skip_levels:
        x = upsampling(x, 2, f"score_{level + 1}_up")
        skip = pyramid[level]
        if at_once:
            skip = PixelRescaling(_AT_ONCE_SCALES[level], 0.0, name=f"pool{level}_scale")(skip)
        skip = _score(skip, num_classes, f"score_pool{level}")
        x = upsampling.fused(x, skip, level)
    x = upsampling(x, factor, "score_up")
    offset = _FINAL_OFFSETS[factor] if padding == "pad100" else 0
    x = CropLike(offset, dtype="float32", name="crop")([x, inputs])
    outputs = Logits(class_map, activation, name=activation or "logits")(x)
    model = keras.Model(inputs, outputs, name=name or f"fcn{variant}")
    if encoder is None and encoder_weights is not None:
        load_vgg16(model, encoder_weights, "block{}_conv{}".format)
    if init_from is not None:
        take_over(model, init_from)
    return model


class _Upsampling:
    """Bilinear enlargement in one of the two geometries, fixed or learnt; scores stay float32."""

    def __init__(self, channels: int, padding: Padding, learned: bool) -> None:
        self._channels, self._padding, self._learned = channels, padding, learned

    def __call__(self, x: Any, factor: int, name: str) -> Any:
        if self._padding == "same":
            layer = LearnedUpsampling2D if self._learned else BilinearUpsampling2D
            return layer(factor, dtype="float32", name=name)(x)
        return layers.Conv2DTranspose(
            self._channels,
            2 * factor,
            strides=factor,
            use_bias=False,
            kernel_initializer=BilinearKernel(),
            trainable=self._learned,
            dtype="float32",
            name=name,
        )(x)

    def fused(self, x: Any, skip: Any, level: int) -> Any:
        """The enlarged scores plus those of a skip, cut to one size and place."""
        crop = f"score_pool{level}_crop"
        if self._padding == "same":
            x = CropLike(dtype="float32", name=crop)([x, skip])
        else:
            skip = CropLike(_SKIP_OFFSETS[level], dtype="float32", name=crop)([skip, x])
        return layers.Add(dtype="float32", name=f"score_pool{level}_sum")([x, skip])


def _score(x: Any, num_classes: int, name: str) -> Any:
    # Zero at the start: a new skip must not disturb what the coarser net has learnt.
    return layers.Conv2D(num_classes, 1, kernel_initializer="zeros", dtype="float32", name=name)(x)


def _check_encoder(pyramid: dict[int, Any], skip_levels: tuple[int, ...], padding: str) -> None:
    missing = [f"P{level}" for level in (5, *skip_levels) if level not in pyramid]
    if missing:
        raise ValueError(
            f"encoder must give {', '.join(missing)} for this variant, received "
            f"{', '.join(f'P{level}' for level in sorted(pyramid))}"
        )
    if padding == "pad100":
        raise ValueError("padding='pad100' is the authors' form of VGG16 and goes without encoder=")


def _check_choices(variant: str, padding: str, at_once: bool) -> None:
    check_choice("variant", variant, list(_VARIANTS))
    check_choice("padding", padding, ("same", "pad100"))
    if at_once and variant == "32s":
        raise ValueError("at_once scales the skips, of which variant='32s' has none; leave it out")
