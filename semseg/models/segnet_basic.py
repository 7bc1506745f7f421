"""SegNet-Basic: the small SegNet of Badrinarayanan, Kendall and Cipolla, 2017, section 3.1."""

from typing import Any

import keras
from keras import layers

from semseg._checks import check_count
from semseg.classes import ClassMap
from semseg.layers import LocalResponseNormalization, Logits, MaxPooling2DWithIndices
from semseg.models.arguments import (
    InputShape,
    check_common,
    names_arguments,
    preprocessing_layer,
)
from semseg.models.blocks import conv_block, dropped_out
from semseg.models.segnet_basic_decoders import (
    ENLARGED,
    KERNEL,
    UNPOOLED,
    Decoder,
    Stage,
    check_decoder,
    enlarged,
    unpooled,
)

_STAGES = 4

# Bayesian SegNet-Basic: dropout after these poolings and after these decoder stages.
_BAYESIAN_STAGES = (3, 4)
_BAYESIAN_RATE = 0.5


@names_arguments
def SegNetBasic(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
    filters: int = 64,
    decoder: Decoder = "unpool",
    input_shape: InputShape = (None, None, 3),
    bayesian: bool = False,
    use_bias: bool = True,
    activation: str | None = None,
    preprocessing: Any = "lrn",
    name: str = "segnet_basic",
) -> keras.Model:
    """SegNet-Basic: four stages of 7x7 convolutions with 64 filters, and no ReLU in the decoder.

    Args:
        num_classes: number of classes, background included; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model; either it or `num_classes`.
        filters: of each convolution; the paper has 64. The cost of a step grows with the square.
        decoder: how the encoder's maps come back to the picture's size; the rows of the paper's
            Table 1, whose results hang on the decoder alone:
            "unpool" (SegNet-Basic): to the positions of the maxima, then 7x7 convolution.
            "encoder_addition" (SegNet-Basic-EncoderAddition): and the encoder's pooled maps of
            the same size are added to a stage's output, after its normalisation.
            "single_channel" (SegNet-Basic-SingleChannelDecoder): a 7x7 filter for each map alone.
            "bilinear" (Bilinear-Interpolation): class scores of the last pooling, enlarged.
            "fcn" (FCN-Basic): class scores of all poolings, enlarged by learnt 8x8 kernels that
            start as bilinear interpolation, and added up.
            "fcn_no_addition" (FCN-Basic-NoAddition): those of the last pooling only.
            "fcn_no_reduction" (FCN-Basic-NoDimReduction): all maps go up, are normalised after
            each enlargement, and scored in the end.
            "fcn_no_addition_no_reduction" (FCN-Basic-NoAddition-NoDimReduction): both.
        input_shape: (height, width, channels); None stands for any height or width.
        bayesian: dropout of 0.5 after poolings 3 and 4 and after decoder stages 4 and 3, as in
            the Bayesian network that the authors released; for the first three decoders.
        use_bias: whether convolutions before a normalisation have a bias: the released network
            has it (1,416,587 parameters for 11 classes), the paper's text has not.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        preprocessing: "lrn" normalises pixels [0, 255] across channels as the released network
            does (the paper: by local contrast); or "rescale", a Keras layer, or None.
        name: the model's name.

    Returns:
        A functional `keras.Model`: images (batch, height, width, channels) of any dtype ->
        float32 logits (batch, height, width, num_classes).

    Raises:
        ValueError: an argument out of its range, named with what it may be.

    Example:
        >>> model = semseg.models.SegNetBasic(num_classes=11)
        >>> tuple(model(np.zeros((1, 45, 61, 3), "uint8")).shape)
        (1, 45, 61, 11)
    """
    input_shape, num_classes = check_common(input_shape, num_classes, class_map, activation)
    filters = check_count("filters", filters, 1)
    check_decoder(decoder, bayesian)

    inputs = layers.Input(input_shape, name="image")
    x = preprocessing_layer(preprocessing, lrn=LocalResponseNormalization)(inputs)
    rates = dict.fromkeys(_BAYESIAN_STAGES, _BAYESIAN_RATE) if bayesian else {}
    stages = []
    for number in range(1, _STAGES + 1):
        stage = f"encoder_{number}"
        before = conv_block(x, filters, stage, repeats=1, kernel_size=KERNEL, use_bias=use_bias)
        pooled, indices = MaxPooling2DWithIndices(name=f"{stage}_pool")(before)
        x = dropped_out(pooled, rates.get(number, 0), stage)
        stages.append(Stage(before, indices, x))
    if decoder in UNPOOLED:
        options = UNPOOLED[decoder]
        x = unpooled(
            stages, num_classes, filters=filters, use_bias=use_bias, rates=rates, **options
        )
    else:
        x = enlarged(stages, num_classes, **ENLARGED[decoder])
    outputs = Logits(class_map, activation, name=activation or "logits")(x)
    return keras.Model(inputs, outputs, name=name)
