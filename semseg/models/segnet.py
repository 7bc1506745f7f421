"""SegNet: Badrinarayanan, Kendall and Cipolla, 2017 (arXiv:1511.00561v3)."""

from typing import Any

import keras
from keras import layers

from semseg.classes import ClassMap
from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D
from semseg.models.arguments import (
    InputShape,
    check_common,
    names_arguments,
)
from semseg.models.blocks import class_scores, conv_block, dropped_out
from semseg.models.vgg import VGG16_BLOCKS, vgg16_preprocessing
from semseg.models.vgg_weights import load_vgg16

# Bayesian SegNet (arXiv:1511.02680): dropout after these poolings and after these decoder stages.
_BAYESIAN_STAGES = (3, 4, 5)
_BAYESIAN_RATE = 0.5


@names_arguments
def SegNet(
    *,
    num_classes: int | None = None,
    class_map: ClassMap | None = None,
    input_shape: InputShape = (None, None, 3),
    bayesian: bool = False,
    use_bias: bool = True,
    encoder_weights: Any = None,
    activation: str | None = None,
    preprocessing: Any = "rescale",
    name: str = "segnet",
) -> keras.Model:
    """SegNet: VGG16's convolutions down, the same mirrored up, unpooling by stored positions.

    Five stages of 3x3 convolution, batch normalisation and ReLU with max pooling; the decoder
    puts each value back where its maximum was found, so that sizes like 45 -> 23 -> 45 return
    exactly. The last convolution is 3x3, as in the authors' released network.

    Args:
        num_classes: number of classes, background included; 1 gives one logit (binary).
        class_map: the classes themselves, stored inside the model; either it or `num_classes`.
        input_shape: (height, width, channels); None stands for any height or width.
        bayesian: dropout of 0.5 after poolings 3 to 5 and after decoder stages 5 to 3, as in
            Bayesian SegNet's released network (Kendall, Badrinarayanan and Cipolla).
        use_bias: whether convolutions before a normalisation have a bias: the released network
            has it (29,449,355 parameters for 11 classes), though the normalisation cancels it.
        encoder_weights: of VGG16's convolutions: None, "imagenet" (Keras's download), or a weights
            file of `keras.applications.VGG16`.
        activation: None gives logits, "softmax" probabilities ("sigmoid" for one output).
        preprocessing: "rescale" maps pixels [0, 255] to [-1, 1] inside the model (with
            `encoder_weights`, to what those expect); or a Keras layer; or None for images that
            are normalised already.
        name: the model's name.

    Returns:
        A functional `keras.Model`: images (batch, height, width, channels) of any dtype ->
        float32 logits (batch, height, width, num_classes).

    Raises:
        ValueError: an argument out of its range, named with what it may be.

    Example:
        >>> model = semseg.models.SegNet(num_classes=11)
        >>> f"{sum(w.shape.num_elements() for w in model.trainable_weights):,}"
        '29,449,355'
    """
    input_shape, num_classes = check_common(input_shape, num_classes, class_map, activation)

    inputs = layers.Input(input_shape, name="image")
    x = vgg16_preprocessing(preprocessing, encoder_weights)(inputs)
    rates = dict.fromkeys(_BAYESIAN_STAGES, _BAYESIAN_RATE) if bayesian else {}
    remembered = []
    for stage, (repeats, filters) in enumerate(VGG16_BLOCKS, start=1):
        x = before = conv_block(x, filters, f"encoder_{stage}", repeats=repeats, use_bias=use_bias)
        x, indices = MaxPooling2DWithIndices(name=f"encoder_{stage}_pool")(x)
        remembered.append((indices, before))
        x = dropped_out(x, rates.get(stage, 0), f"encoder_{stage}")
    for stage in range(5, 0, -1):
        repeats, filters = VGG16_BLOCKS[stage - 1]
        x = MaxUnpooling2D(name=f"decoder_{stage}_unpool")([x, *remembered.pop()])
        # A stage ends with the filters that the stage above begins with; the last convolution
        # of the top stage is the classifier.
        narrowed = VGG16_BLOCKS[stage - 2][1] if stage > 1 else None
        widths = [filters] * (repeats - 1) + ([narrowed] if narrowed else [])
        x = conv_block(x, widths, f"decoder_{stage}", use_bias=use_bias)
        x = dropped_out(x, rates.get(stage, 0), f"decoder_{stage}")
    outputs = class_scores(x, num_classes, class_map, activation, kernel_size=3)
    model = keras.Model(inputs, outputs, name=name)
    if encoder_weights is not None:
        load_vgg16(model, encoder_weights, "encoder_{}_conv_{}".format)
    return model
