"""SegNet-Basic: the small SegNet of Badrinarayanan, Kendall and Cipolla, 2017, section 3.1."""

from typing import Any

import keras
from keras import layers

from semseg.classes import ClassMap
from semseg.layers import LocalResponseNormalization, MaxPooling2DWithIndices, MaxUnpooling2D
from semseg.models.arguments import (
    InputShape,
    check_common,
    names_arguments,
    preprocessing_layer,
)
from semseg.models.blocks import class_scores, conv_block, dropped_out

_STAGES = 4
_FILTERS = 64
_KERNEL = 7

# Bayesian SegNet-Basic: dropout after these poolings and after these decoder stages.
_BAYESIAN_STAGES = (3, 4)
_BAYESIAN_RATE = 0.5


@names_arguments
def SegNetBasic(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
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
        input_shape: (height, width, channels); None stands for any height or width.
        bayesian: dropout of 0.5 after poolings 3 and 4 and after decoder stages 4 and 3, as in
            the Bayesian network that the authors released.
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
    if isinstance(preprocessing, str) and preprocessing == "lrn":
        preprocessing = LocalResponseNormalization(name="preprocessing")

    inputs = layers.Input(input_shape, name="image")
    x = preprocessing_layer(preprocessing)(inputs)
    shape: dict[str, Any] = {"repeats": 1, "kernel_size": _KERNEL, "use_bias": use_bias}
    rates = dict.fromkeys(_BAYESIAN_STAGES, _BAYESIAN_RATE) if bayesian else {}
    remembered = []
    for stage in range(1, _STAGES + 1):
        x = before = conv_block(x, _FILTERS, f"encoder_{stage}", **shape)
        x, indices = MaxPooling2DWithIndices(name=f"encoder_{stage}_pool")(x)
        remembered.append((indices, before))
        x = dropped_out(x, rates.get(stage, 0), f"encoder_{stage}")
    for stage in range(_STAGES, 0, -1):
        x = MaxUnpooling2D(name=f"decoder_{stage}_unpool")([x, *remembered.pop()])
        x = conv_block(x, _FILTERS, f"decoder_{stage}", hidden_activation=None, **shape)
        x = dropped_out(x, rates.get(stage, 0), f"decoder_{stage}")
    outputs = class_scores(x, num_classes, class_map, activation)
    return keras.Model(inputs, outputs, name=name)
