import functools

import keras
import numpy as np
import pytest
from architectures import built
from hypothesis import given
from hypothesis import strategies as st
from keras import layers, ops
from linear_twins import dependence, linear_twin, positive
from narrow import narrowed

from semseg._backend import input_gradient
from semseg.analysis import receptive_field
from semseg.layers import BilinearUpsampling2D, LearnedUpsampling2D, PadToMultiple
from semseg.models import FCN, SegNet, SegNetBasic, UNet
from semseg.models.segnet_basic_decoders import ENLARGED, UNPOOLED

raw = {"num_classes": 2, "preprocessing": None}
unet = functools.partial(UNet, **raw, filters=1, norm=None, hidden_activation=None)
fcn = functools.partial(narrowed(FCN, filters=1), **raw, fc_units=1)
basic = functools.partial(narrowed(SegNetBasic, filters=1), **raw)


def model_of(*stack, channels=1, shape=(None, None)):
    """A model of some layers in a row."""
    inputs = layers.Input((*shape, channels))
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def measured(model, field, axis=1, across=1, bright=1.0):
    """Size, reach before and after of the worst place, found by looking at one whole period."""
    period, step, offset = field.stride[axis], field.output_stride[axis], field.offset[axis]
    size = (field.height, field.width)[axis]
    length = (-(-(2 * size + 2 * abs(offset) + 30) // period) + 6) * period
    middle = -(-(size + abs(offset)) // period)
    outputs = [int(period * middle / step) + i for i in range(int(period / step))]
    depends = dependence(model, length, outputs, axis, across, bright)
    own = np.array([int(o * step // 1) + offset for o in outputs])
    first, last = depends.argmax(axis=1), length - 1 - depends[:, ::-1].argmax(axis=1)
    assert first.min() > 0 and last.max() < length - 1, "the row is too short"
    wide = max(int(step), 1)
    return (
        (last - first).max() + 1,
        max(0, (own - first).max()),
        max(0, (last - own - wide + 1).max()),
    )


def claimed(field, axis=1):
    return (field.height, field.width)[axis], field.before[axis], field.after[axis]


# -- equal: what depends on what, where nothing is hidden -----------------------------------------

EXACT = {
    "unet": functools.partial(unet, depth=2),
    "unet bilinear": functools.partial(unet, depth=2, upsampling="bilinear"),
    "fcn8s": fcn,
    "segnet_basic": basic,
}
SLOW = {
    "fcn32s": functools.partial(fcn, variant="32s"),
    "fcn16s learnt": functools.partial(fcn, variant="16s", learned_upsampling=True),
    "fcn8s pad100": functools.partial(fcn, padding="pad100"),
    "segnet": functools.partial(narrowed(SegNet, 1), **raw),
    **{name: functools.partial(basic, decoder=name) for name in (*UNPOOLED, *ENLARGED)},
}


@pytest.mark.parametrize(
    "build",
    [*EXACT.values(), *(pytest.param(b, marks=pytest.mark.slow) for b in SLOW.values())],
    ids=[*EXACT, *SLOW],
)
def test_the_field_is_exactly_what_a_linear_twin_depends_on(build):
    model = build()
    field = receptive_field(model)
    assert measured(linear_twin(model), field) == claimed(field, 1) == claimed(field, 0)
    assert field.offset == (0, 0) and field.output_stride == (1, 1)


@pytest.mark.slow
def test_the_field_of_a_nested_encoder_is_exact_where_keras_pads_one_side():
    model = unet(encoder="mobilenetv2", preprocessing="rescale")
    field = receptive_field(model)
    assert field.before != field.after
    assert measured(positive(model), field, bright=255.0) == claimed(field)


def _layer(kind, kernel, stride, same, dilation):
    padding = "same" if same else "valid"
    ones = {"kernel_initializer": "ones", "use_bias": False}
    return {
        "conv": lambda: layers.Conv2D(
            1, (1, kernel), (1, stride), padding, dilation_rate=(1, dilation), **ones
        ),
        "strided": lambda: layers.Conv2D(1, (1, kernel), (1, stride), padding, **ones),
        "transposed": lambda: layers.Conv2DTranspose(
            1, (1, max(kernel, stride)), (1, stride), padding, **ones
        ),
        "pool": lambda: layers.AveragePooling2D((1, max(kernel, stride)), (1, stride), padding),
        "nearest": lambda: layers.UpSampling2D((1, stride)),
        "bilinear": lambda: BilinearUpsampling2D(stride),
        "learnt": lambda: LearnedUpsampling2D(2, 4 + 2 * (stride - 1)),
        "pad": lambda: layers.ZeroPadding2D(((0, 0), (kernel, stride))),
        "crop": lambda: layers.Cropping2D(((0, 0), (kernel, stride))),
    }[kind]()


KINDS = ("conv", "strided", "transposed", "pool", "nearest", "bilinear", "learnt", "pad", "crop")
one_layer = st.tuples(
    st.sampled_from(KINDS), st.integers(1, 5), st.integers(1, 3), st.booleans(), st.integers(1, 3)
)


def windows(kind, kernel, stride, same, dilation):
    return _layer(kind, kernel, 1 if kind == "conv" else stride, same, dilation)


@given(st.lists(one_layer, min_size=1, max_size=4))
def test_stacks_of_any_windows_see_what_is_claimed(stack):
    model = model_of(*(windows(*one) for one in stack))
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    field = receptive_field(model)
    if field.stride[1] <= 18:  # the picture of a whole period would be long
        assert measured(model, field) == claimed(field)


def test_branches_are_united_and_heights_are_not_widths():
    inputs = layers.Input((None, None, 1))
    tall = layers.Conv2D(1, (9, 1), padding="same", kernel_initializer="ones")(inputs)
    low = layers.AveragePooling2D((2, 3))(inputs)
    low = layers.Conv2D(1, (1, 5), padding="same", kernel_initializer="ones")(low)
    model = keras.Model(inputs, layers.Add()([tall, layers.UpSampling2D((2, 3))(low)]))
    field = receptive_field(model)
    assert (field.height, field.width, field.stride) == (9, 15, (2, 3))
    assert (field.before, field.after) == ((4, 8), (4, 8))
    assert measured(model, field, 0, 6) == claimed(field, 0)
    assert measured(model, field, 1, 6) == claimed(field, 1)


@pytest.mark.parametrize("size", [36, 37])
def test_strided_windows_lie_as_the_size_of_the_model_has_it(size):
    """Keras pads the last row or the first, by the parity of the size."""
    ones = {"padding": "same", "kernel_initializer": "ones"}
    model = model_of(
        layers.Conv2D(1, 3, 2, **ones), layers.UpSampling2D(2), shape=(size, size), channels=1
    )
    whole = model_of(layers.Conv2D(1, 3, 2, **ones), layers.UpSampling2D(2))
    field = receptive_field(model)
    depends = input_gradient(lambda x: model(x)[:, 18:20, 18:20], np.ones((1, size, size, 1), "f"))
    first, last = np.flatnonzero(depends.any(axis=(0, 1, 3)))[[0, -1]]
    assert (19 - first, last - 18) == (field.before[1], field.after[1])
    assert (field == receptive_field(whole)) == (size % 2 == 0)
    padded = model_of(PadToMultiple(2), layers.Conv2D(1, 3, 2, padding="same"), shape=(size, 8))
    assert receptive_field(padded).before == (0, 0)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_transposed_convolutions_of_a_stated_size(padding):
    # Keras 3.10 takes no 0 here.
    up = layers.Conv2DTranspose(1, 3, 2, padding, output_padding=1, kernel_initializer="ones")
    model = model_of(up)
    field = receptive_field(model)
    assert measured(model, field) == claimed(field)


def test_shared_layers_and_nested_models_are_walked_through_each_time():
    conv = layers.Conv2D(1, 3, padding="same")
    twice = model_of(conv, conv)
    inner = model_of(twice, layers.MaxPooling2D(2), twice)
    outer = model_of(inner, keras.Sequential([layers.UpSampling2D(2)]))
    assert receptive_field(twice).width == 5
    assert receptive_field(outer).width == 4 + 2 + 8
    assert receptive_field(outer).stride == (2, 2)


# -- never less: what changes outside is not noticed ----------------------------------------------

REAL = ("unet", "unet bilinear", "unet layer norm", "segnet_basic")


@given(st.sampled_from(REAL), st.integers(0, 31), st.booleans())
def test_pixels_outside_the_field_change_nothing(name, place, turned):
    model = built(name)
    field = receptive_field(model)
    length = 32 * (-(-(2 * field.width) // 32) + 2)
    x = 32 * (-(-field.width // 32)) + place
    rng = np.random.default_rng(place)
    row = rng.integers(0, 256, (2, 1, length, 3)).astype("float32")
    row[1, :, x - field.before[1] : x + field.after[1] + 1] = row[
        0, :, x - field.before[1] : x + field.after[1] + 1
    ]
    if turned:
        logits = np.asarray(model(row.transpose(0, 2, 1, 3))).transpose(0, 2, 1, 3)
    else:
        logits = np.asarray(model(row))
    assert not np.allclose(logits[0], logits[1], atol=1e-3)
    np.testing.assert_allclose(logits[0, 0, x], logits[1, 0, x], atol=1e-5)


def test_the_unpadded_unet_looks_at_the_window_that_the_field_names():
    model = unet(depth=1, filters=4, padding="valid", hidden_activation="relu")
    field = receptive_field(model)
    assert field.offset == (8, 8)
    rng = np.random.default_rng(0)
    for y, x in ((3, 4), (10, 7)):
        rows, columns = (
            slice(p + o - b, p + o + a + 1)
            for p, o, b, a in zip((y, x), field.offset, field.before, field.after, strict=True)
        )
        pictures = rng.normal(size=(2, 36, 36, 3)).astype("float32")
        pictures[1, rows, columns] = pictures[0, rows, columns]
        logits = np.asarray(model(pictures))
        np.testing.assert_allclose(logits[0, y, x], logits[1, y, x], atol=1e-6)


def test_group_normalisation_notices_what_lies_far_away():
    """The two laws above would see a field that is too small."""
    model = built("unet group norm")
    picture = np.zeros((2, 1, 256, 3), "float32")
    picture[1, :, 200:] = 255
    logits = np.asarray(model(picture))
    assert np.abs(logits[0, 0, 20] - logits[1, 0, 20]).max() > 1e-3


# -- what the papers say --------------------------------------------------------------------------


def test_fc7_of_vgg16_sees_404_pixels():
    """Long, Shelhamer and Darrell, 2015, Table 1."""
    field = receptive_field(fcn(variant="32s"), output="fc7")
    assert (field.height, field.width, field.output_stride) == (404, 404, (32, 32))


def test_pool4_of_segnet_basic_sees_106_pixels():
    """Badrinarayanan, Kendall and Cipolla, 2017, section 3.1."""
    field = receptive_field(basic(), output="encoder_4_pool")
    assert (field.height, field.width) == (106, 106)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_unet_of_the_paper(padding):
    field = receptive_field(unet(padding=padding))
    assert (field.before, field.after) == ((107, 107), (107, 107))
    assert field.stride == (16, 16)
    assert field.offset == ((92, 92) if padding == "valid" else (0, 0))


def test_the_authors_form_of_fcn_is_aligned_with_the_picture():
    model = fcn(variant="32s", padding="pad100")
    assert receptive_field(model).offset == (0, 0)
    # The centre of fc6 is image pixel 32 i + 12.5: it begins 15.5 pixels before.
    assert receptive_field(model, "fc6").offset == (-3, -3)


# -- which output ---------------------------------------------------------------------------------


def test_of_several_outputs_logits_are_meant_or_one_is_named():
    model = unet(depth=2, deep_supervision=True)
    assert receptive_field(model) == receptive_field(model, "logits")
    assert receptive_field(model, "logits_2").stride == (4, 4)
    inputs = layers.Input((None, None, 1))
    two = keras.Model(inputs, [layers.ReLU(name="a")(inputs), layers.ReLU(name="b")(inputs)])
    with pytest.raises(ValueError, match="output must name one of the model's outputs, a, b"):
        receptive_field(two)


def test_a_layer_is_named_with_or_without_the_models_around_it():
    inner = model_of(layers.Conv2D(1, 3, name="c"))
    inner = keras.Model(inner.input, inner.output, name="encoder")
    inputs = layers.Input((None, None, 1))
    model = keras.Model(inputs, layers.ReLU(name="end")(inner(inputs)))
    assert receptive_field(model, "encoder/c") == receptive_field(model, "c")
    with pytest.raises(ValueError, match="output must name one layer .* received 'd'.* encoder/c"):
        receptive_field(model, "d")


def test_a_coarse_and_a_fine_output_say_their_stride():
    coarse = model_of(layers.MaxPooling2D(4))
    assert "one output pixel for 4 x 4" in str(receptive_field(coarse))
    fine = receptive_field(model_of(layers.UpSampling2D((2, 3))))
    assert fine.output_stride == (1 / 2, pytest.approx(1 / 3))
    assert (fine.height, fine.width) == (1, 1)


# -- refusals -------------------------------------------------------------------------------------


class Unknown(layers.Layer):
    def call(self, x):
        return x


WHOLE = {
    "GlobalAveragePooling2D.* averages over the whole": [layers.GlobalAveragePooling2D(keepdims=1)],
    "GroupNormalization.* mean and variance": [layers.GroupNormalization(1)],
    "Flatten.* one vector": [layers.Flatten()],
    "softmax.*Softmax.* along axis 1": [layers.Softmax(1, name="softmax")],
    "LayerNormalization.* along axis": [layers.LayerNormalization(axis=[1, 2, 3])],
    "Unknown.* reach is not known; compose": [Unknown()],
    "Reshape.* no map": [layers.Reshape((64, 1))],
}


@pytest.mark.parametrize("message", WHOLE)
def test_what_has_no_bounded_field_is_named_and_says_why(message):
    model = model_of(
        layers.Conv2D(1, 3, padding="same", name="conv"), *WHOLE[message], shape=(8, 8)
    )
    with pytest.raises(ValueError, match=f"is unbounded or unknown: layer .*{message}"):
        receptive_field(model)
    assert receptive_field(model, "conv").width == 3


def test_attention_and_operations_are_refused_too():
    inputs = layers.Input((8, 8, 2))
    attended = layers.MultiHeadAttention(1, 2, attention_axes=(1, 2), name="look")(inputs, inputs)
    for outputs, match in ((attended, "'look'.* attends to all"), (ops.mean(inputs, 1), "Mean")):
        with pytest.raises(ValueError, match=match):
            receptive_field(keras.Model(inputs, outputs))
    assert receptive_field(keras.Model(inputs, ops.relu(inputs) * 2 + inputs)).width == 1


def test_maps_of_two_strides_and_other_inputs_are_refused():
    inputs, other = layers.Input((8, 8, 1)), layers.Input((8, 8, 1))
    joined = layers.Multiply(name="gate")([inputs, layers.AveragePooling2D(8)(inputs)])
    with pytest.raises(ValueError, match="'gate' joins maps of different strides, 1 and 8"):
        receptive_field(keras.Model(inputs, joined))
    corner = layers.Cropping2D(((0, 7), (0, 7)))(inputs)
    with pytest.raises(ValueError, match="'everywhere' spreads one row or column over the whole"):
        receptive_field(keras.Model(inputs, layers.Add(name="everywhere")([inputs, corner])))
    with pytest.raises(ValueError, match="model must have one input, the pictures"):
        receptive_field(keras.Model([inputs, other], layers.Add()([inputs, other])))
    vector = layers.Input((4,))
    with pytest.raises(ValueError, match=r"received one with inputs of \[\(None, 4\)\]"):
        receptive_field(keras.Model(vector, layers.Dense(2)(vector)))
    first = layers.MaxPooling2D(2, data_format="channels_first")
    with pytest.raises(ValueError, match="channels_first"):
        receptive_field(model_of(first, channels=8, shape=(8, 8)))


def test_a_model_without_a_graph_is_a_type_error():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    for model in (Subclassed(), keras.Sequential([layers.ReLU()]), "unet"):
        with pytest.raises(TypeError, match="model must be a functional keras.Model"):
            receptive_field(model)
