import functools
import itertools
import json
import math

import keras
import numpy as np
import pytest
from architectures import MODELS
from hypothesis import given
from hypothesis import strategies as st
from keras import layers
from narrow import narrowed

from semseg.analysis import cost
from semseg.layers import LearnedUpsampling2D
from semseg.models import FCN, SegNet, SegNetBasic, UNet


class ByHand:
    """Adds up the layers of a paper's list: the only formulas are those of a square kernel."""

    def __init__(self):
        self.macs = self.parameters = 0

    def conv(self, size, kernel, given, made, bias=True):
        self.macs += math.prod(size) * kernel**2 * given * made
        self.parameters += kernel**2 * given * made + bias * made

    def normalised(self, channels):
        self.parameters += 4 * channels  # gamma, beta and the moving statistics

    def both(self):
        return self.parameters, self.macs


def square(n):
    return (n, n)


def unet_by_hand(f, channels, classes):
    """Ronneberger, Fischer and Brox, 2015, figure 1: 572 in, 388 out, no padding."""
    hand, given = ByHand(), channels
    for size, width in ((570, f), (282, 2 * f), (138, 4 * f), (66, 8 * f), (30, 16 * f)):
        hand.conv(square(size), 3, given, width)
        hand.conv(square(size - 2), 3, width, width)
        given = width
    for size, width in ((28, 8 * f), (52, 4 * f), (100, 2 * f), (196, f)):
        hand.conv(square(size), 2, 2 * width, width)  # each cell becomes 2 x 2
        hand.conv(square(2 * size - 2), 3, 2 * width, width)
        hand.conv(square(2 * size - 4), 3, width, width)
    hand.conv(square(388), 1, f, classes)
    return hand


def vgg_by_hand(hand, sizes, most, normalised=False):
    """Thirteen 3x3 convolutions: Simonyan and Zisserman, 2015, table 1, D."""
    given = 3
    for size, (repeats, width) in zip(
        sizes, ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), strict=True
    ):
        for _ in range(repeats):
            hand.conv(size, 3, given, min(most, width))
            given = min(most, width)
            if normalised:
                hand.normalised(given)


def fcn8s_by_hand(most, units, classes):
    """Long, Shelhamer and Darrell, 2015: the authors' net on 500 x 500, padded by 100."""
    hand = ByHand()
    vgg_by_hand(hand, [square(n) for n in (698, 349, 175, 88, 44)], most)
    hand.conv(square(16), 7, min(most, 512), units)
    hand.conv(square(16), 1, units, units)
    hand.conv(square(16), 1, units, classes)
    hand.conv(square(16), 4, classes, classes, bias=False)  # upscore2
    hand.conv(square(44), 1, min(most, 512), classes)  # score_pool4
    hand.conv(square(34), 4, classes, classes, bias=False)
    hand.conv(square(88), 1, min(most, 256), classes)  # score_pool3
    hand.conv(square(70), 16, classes, classes, bias=False)
    return hand


def segnet_by_hand(most, classes):
    """Badrinarayanan, Kendall and Cipolla, 2017: VGG16 down and up on 360 x 480."""
    hand = ByHand()
    sizes = (360, 480), (180, 240), (90, 120), (45, 60), (23, 30)
    vgg_by_hand(hand, sizes, most, normalised=True)
    up = (
        (4, (512, 512, 512, 512)), (3, (512, 512, 512, 256)), (2, (256, 256, 256, 128)),
        (1, (128, 128, 64)), (0, (64, 64)),
    )  # fmt: skip
    for stage, widths in up:
        for before, after in itertools.pairwise(min(most, width) for width in widths):
            hand.conv(sizes[stage], 3, before, after)
            hand.normalised(after)
    hand.conv(sizes[0], 3, min(most, 64), classes)
    return hand


def segnet_basic_by_hand(classes):
    """Four 7x7 convolutions of 64 filters down, four up, and 1x1 to the classes."""
    hand, given = ByHand(), 3
    sizes = (360, 480), (180, 240), (90, 120), (45, 60)
    for size in (*sizes, *sizes[::-1]):
        hand.conv(size, 7, given, 64)
        hand.normalised(64)
        given = 64
    hand.conv(sizes[0], 1, 64, classes)
    return hand


unet = functools.partial(UNet, num_classes=2, padding="valid", norm=None)
fcn = functools.partial(FCN, num_classes=21, padding="pad100")
segnet = functools.partial(SegNet, num_classes=11)
PAPERS = {
    "unet": (unet, {"filters": 2, "input_shape": (572, 572, 1)}, unet_by_hand(2, 1, 2), None),
    "fcn8s": (narrowed(fcn, 4), {"fc_units": 3}, fcn8s_by_hand(4, 3, 21), (500, 500)),
    "segnet": (narrowed(segnet, 4), {}, segnet_by_hand(4, 11), (360, 480)),
    "segnet_basic": (SegNetBasic, {"num_classes": 11}, segnet_basic_by_hand(11), (360, 480)),
}
WIDE = {
    "unet wide": (unet, {"input_shape": (572, 572, 1)}, unet_by_hand(64, 1, 2), None, 31_030_658),
    "fcn8s wide": (fcn, {}, fcn8s_by_hand(512, 4096, 21), (500, 500), 134_489_759),
    "segnet wide": (segnet, {}, segnet_by_hand(512, 11), (360, 480), 29_465_227),
}


@pytest.mark.parametrize("name", PAPERS)
def test_parameters_and_macs_equal_the_hand_count_of_the_papers_lists(name):
    builder, options, hand, size = PAPERS[name]
    model = builder(**options)
    counted = cost(model, size)
    assert (counted.parameters, counted.macs) == hand.both()
    assert counted.parameters == model.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_the_same_with_the_widths_of_the_papers(name):
    builder, options, hand, size, published = WIDE[name]
    counted = cost(builder(**options), size)
    assert (counted.parameters, counted.macs) == hand.both()
    assert counted.parameters == published


LAYERS = {
    "groups": (lambda: layers.Conv2D(4, 3, groups=2, padding="same"), 9 * 2 * 4),
    "strides": (lambda: layers.Conv2D(4, (3, 1), strides=2, padding="same"), 3 * 4 * 4 / 4),
    "dilation": (lambda: layers.Conv2D(4, 3, dilation_rate=2, padding="same"), 9 * 4 * 4),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), 9 * 8),
    "separable": (
        lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same"), 9 * 8 + 8 * 5,
    ),
    "transposed": (lambda: layers.Conv2DTranspose(3, 4, strides=2), 16 * 4 * 3),
    "learnt": (lambda: LearnedUpsampling2D(2), 16 * 4 * 4),
    "dense": (lambda: layers.Dense(7), 4 * 7),
    "pooling": (lambda: layers.MaxPooling2D(2), 0),
    "normalisation": (lambda: layers.BatchNormalization(), 0),
    "prelu": (lambda: layers.PReLU(shared_axes=[1, 2]), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_macs_of_a_layer_for_each_input_cell(name):
    make, expected = LAYERS[name]
    inputs = layers.Input((None, None, 4))
    assert cost(keras.Model(inputs, make()(inputs)), (12, 20)).macs == 12 * 20 * expected


@given(
    st.sampled_from(["unet", "segnet_basic"]),
    st.integers(1, 70),
    st.integers(1, 70),
)
def test_rows_add_up_and_shapes_are_those_of_the_model(name, height, width):
    model = _model(name)
    counted = cost(model, (height, width))
    assert counted.parameters == model.count_params()
    assert counted.rows[-1].output == (height, width, model.output.shape[-1])
    for attribute in ("parameters", "macs", "activation_bytes"):
        assert sum(getattr(row, attribute) for row in counted.rows) == getattr(counted, attribute)
    assert counted.rows[0].receptive_field == (1, 1)


_model = functools.cache(lambda name: MODELS[name]())


def test_memory_of_a_chain_and_of_a_skip():
    inputs = layers.Input((None, None, 1))
    x = layers.Conv2D(2, 1)(inputs)  # 4 + 8 bytes a pixel
    y = layers.Conv2D(4, 1)(x)  # 8 + 16, the input is gone
    z = layers.Conv2D(3, 1)(y)  # with the skip 8 + 16 + 12
    model = keras.Model(inputs, layers.Concatenate()([x, z]))  # 8 + 12 + 20
    counted = cost(model, (5, 7))
    assert counted.activation_bytes == 35 * 4 * (2 + 4 + 3 + 5)
    assert counted.peak_bytes == 35 * 4 * (2 + 3 + 5)


def test_half_precision_takes_half_the_memory():
    def bytes_of(dtype):
        inputs = layers.Input((8, 8, 1))
        x = layers.Conv2D(2, 1, dtype=keras.DTypePolicy(dtype))(inputs)
        return cost(keras.Model(inputs, x)).activation_bytes

    assert bytes_of("mixed_bfloat16") == bytes_of("mixed_float16") == bytes_of("float32") / 2


def test_shared_weights_count_once_and_work_twice():
    inputs, conv = layers.Input((8, 8, 2)), layers.Conv2D(2, 1)
    counted = cost(keras.Model(inputs, conv(conv(inputs))))
    assert (counted.parameters, counted.macs) == (6, 2 * 64 * 4)


def test_what_other_outputs_need_is_a_row_of_its_own():
    model = UNet(num_classes=2, depth=2, filters=4, deep_supervision=True)
    counted = cost(model, (8, 8))
    assert counted.rows[-1].name == "auxiliary"
    assert counted.rows[-1].parameters == 8 * 2 + 2
    assert counted.receptive_field == counted.rows[-1].receptive_field == (44, 44)
    assert counted.parameters == model.count_params()


def test_nested_encoders_and_unbounded_fields_are_counted():
    inputs = layers.Input((None, None, 4))
    gate = layers.Dense(4)(layers.GlobalAveragePooling2D(keepdims=True)(inputs))
    inner = keras.Model(inputs, layers.Multiply()([inputs, gate]))
    outside = layers.Input((None, None, 4))
    model = keras.Model(outside, layers.Conv2D(3, 1)(inner(outside)))
    counted = cost(model, (6, 6))
    assert (counted.parameters, counted.macs) == (20 + 15, 16 + 36 * 12)
    assert counted.rows[-1].receptive_field is None


def test_the_table_is_aligned_and_goes_into_json():
    counted = cost(unet(filters=2), (572, 572))
    lines = str(counted).splitlines()
    assert len(lines) == len(counted.rows) + 2
    assert " ".join(lines[0].split()) == "stage output parameters MACs activations receptive field"
    assert len({len(line) for line in lines}) == 1
    assert "388 x 388 x 2" in lines[-2] and f"{counted.parameters:,}" in lines[-1]
    loaded = json.loads(json.dumps(counted.to_dict()))
    assert loaded["rows"][1]["name"] == "encoder_1" and loaded["macs"] == counted.macs


class Kernelled(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(2, 2), name="kernel")

    def call(self, x):
        return x


def test_refusals():
    inputs = layers.Input((None, None, 2))
    with pytest.raises(ValueError, match="size must be given .* any size, received None"):
        cost(keras.Model(inputs, layers.ReLU()(inputs)))
    with pytest.raises(ValueError, match="size must be .height, width., whole numbers >= 1"):
        cost(keras.Model(inputs, layers.ReLU()(inputs)), (0, 4))
    with pytest.raises(ValueError, match="layer 'k' .Kernelled. has kernels .kernel., but how"):
        cost(keras.Model(inputs, Kernelled(name="k")(inputs)), (4, 4))
    with pytest.raises(ValueError, match="can't take a height or width of 570; .* 556 or 572"):
        cost(unet(filters=1), (570, 572))
    vectors = layers.Input((2,))
    with pytest.raises(ValueError, match="model must take pictures"):
        cost(keras.Model(vectors, layers.ReLU()(vectors)), (4, 4))


def test_a_bite_the_hand_count_sees_a_forgotten_bias():
    hand = unet_by_hand(2, 1, 2)
    without = unet(filters=2, input_shape=(572, 572, 1))
    assert np.subtract(hand.both(), (1, 0)).tolist() != [without.count_params(), hand.macs]
