"""The decoders that the SegNet paper compares on one encoder: section 3.1, figure 3 and Table 1.

Parameters in millions, for 11 classes and without biases before a normalisation, as in the paper:

    decoder                         row of Table 1                        paper   here
    unpool                          SegNet-Basic                          1.425   1.416
    encoder_addition                SegNet-Basic-EncoderAddition          1.425   1.416
    single_channel                  SegNet-Basic-SingleChannelDecoder     0.625   0.626
    bilinear                        Bilinear-Interpolation                0.625   0.613
    fcn                             FCN-Basic                             0.65    0.646
    fcn_no_addition                 FCN-Basic-NoAddition                  0.65    0.644
    fcn_no_reduction                FCN-Basic-NoDimReduction              1.625   1.662
    fcn_no_addition_no_reduction    FCN-Basic-NoAddition-NoDimReduction   1.625   1.662

The table's numbers are multiples of 0.025. The last two are out of reach of what the text says: the
encoder's kernels (0.612) and four of 8x8 from 64 to 64 maps (1.049) alone are 1.660.

The encoder's maps that a decoder adds are those after pooling (caption of figure 3; Table 1 stores
64 of 180x240 for pictures of 360x480). The last stage, at the picture's size, has none to add.
The paper leaves open where the FCN decoders are normalised: here 64 maps are, after each transposed
convolution and before the addition, as in the other decoders; class scores are not, as in FCN.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from keras import initializers, layers

from semseg._checks import check_choice
from semseg.layers import (
    BatchNormalization,
    BilinearUpsampling2D,
    CropLike,
    LearnedUpsampling2D,
    MaxUnpooling2D,
)
from semseg.models.blocks import conv_block, dropped_out, scores

KERNEL = 7
_UPSAMPLING_KERNEL = 8

Decoder = Literal[
    "unpool",
    "encoder_addition",
    "single_channel",
    "bilinear",
    "fcn",
    "fcn_no_addition",
    "fcn_no_reduction",
    "fcn_no_addition_no_reduction",
]

UNPOOLED: dict[str, dict[str, bool]] = {
    "unpool": {},
    "encoder_addition": {"addition": True},
    "single_channel": {"single_channel": True},
}
ENLARGED: dict[str, dict[str, bool]] = {
    # Only without decoder kernels, and with nothing added, does it have the size of its row.
    "bilinear": {"learned": False, "addition": False},
    "fcn": {},
    "fcn_no_addition": {"addition": False},
    "fcn_no_reduction": {"reduction": False},
    "fcn_no_addition_no_reduction": {"addition": False, "reduction": False},
}


class Stage(NamedTuple):
    """What an encoder stage leaves to the decoder."""

    before: Any  # what went into the pooling; the decoder comes back to its size
    indices: Any
    pooled: Any


def check_decoder(decoder: str, bayesian: bool) -> None:
    """A known decoder, and for the Bayesian form one with convolutions to drop from."""
    check_choice("decoder", decoder, [*UNPOOLED, *ENLARGED])
    if bayesian and decoder not in UNPOOLED:
        raise ValueError(
            f"bayesian=True goes with decoder= one of {list(UNPOOLED)}, whose convolutions its "
            f"dropout follows; received {decoder!r}"
        )


def unpooled(
    stages: Sequence[Stage],
    num_classes: int,
    *,
    filters: int,
    use_bias: bool,
    rates: dict[int, float],
    addition: bool = False,
    single_channel: bool = False,
) -> Any:
    """SegNet's way: values go back to where they were, and convolutions make the maps dense."""
    block = _single_channel_block if single_channel else _block
    x = stages[-1].pooled
    for number in range(len(stages), 0, -1):
        name, stage = f"decoder_{number}", stages[number - 1]
        x = MaxUnpooling2D(name=f"{name}_unpool")([x, stage.indices, stage.before])
        x = block(x, name, filters, use_bias)
        if addition and number > 1:
            x = layers.Add(name=f"{name}_sum")([x, stages[number - 2].pooled])
        x = dropped_out(x, rates.get(number, 0), name)
    return scores(x, num_classes)


def enlarged(
    stages: Sequence[Stage],
    num_classes: int,
    *,
    learned: bool = True,
    addition: bool = True,
    reduction: bool = True,
) -> Any:
    """FCN's way: each stage is reduced to class scores, which are enlarged and added up.

    Without `reduction` all maps are enlarged, normalised and added up, and scored in the end.
    """
    dtype = "float32" if reduction else None  # scores stay float32 under every policy
    upsampling = partial(LearnedUpsampling2D, 2, kernel_size=_UPSAMPLING_KERNEL)
    if not learned:
        upsampling = partial(BilinearUpsampling2D, 2)
    # The sum of all scores starts with the variance that one alone would have.
    scale = 0.2 / len(stages) if addition else 0.2

    def reduced(number: int) -> Any:
        x = stages[number - 1].pooled
        if not reduction:
            return x
        return scores(x, num_classes, scale=scale, name=f"score_pool{number}")

    x = reduced(len(stages))
    for number in range(len(stages), 0, -1):
        name = f"decoder_{number}"
        x = upsampling(dtype=dtype, name=f"{name}_up")(x)
        if not reduction:
            x = _normalised(x, name)
        x = CropLike(dtype=dtype, name=f"{name}_crop")([x, stages[number - 1].before])
        if addition and number > 1:
            x = layers.Add(dtype=dtype, name=f"{name}_sum")([x, reduced(number - 1)])
    return x if reduction else scores(x, num_classes)


def _block(x: Any, name: str, filters: int, use_bias: bool) -> Any:
    return conv_block(
        x, filters, name, repeats=1, kernel_size=KERNEL, use_bias=use_bias, hidden_activation=None
    )


def _single_channel_block(x: Any, name: str, filters: int, use_bias: bool) -> Any:
    x = layers.DepthwiseConv2D(
        KERNEL,
        padding="same",
        use_bias=use_bias,
        # "he_normal" for a filter that sees one map; Keras counts all maps into its fan-in.
        depthwise_initializer=initializers.VarianceScaling(2.0 * filters),
        name=f"{name}_conv_1",
    )(x)
    return _normalised(x, name)


def _normalised(x: Any, name: str) -> Any:
    return BatchNormalization(momentum=0.9, name=f"{name}_norm_1")(x)
