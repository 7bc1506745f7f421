import keras
import numpy as np
import pytest
from architectures import built, pictures
from keras import layers

from semseg.analysis import measured_receptive_field, receptive_field
from semseg.models import UNet


def averaging(*stack):
    """A model that hides nothing: it averages."""
    inputs = x = layers.Input((None, None, 1))
    for layer in stack:
        x = layer(x)
    model = keras.Model(inputs, x)
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    return model


@pytest.mark.parametrize(("y", "x"), [(0, 0), (1, 3), (3, 2)])
def test_the_measured_field_lies_within_the_theoretical_one(y, x):
    model = built("unet")
    theory = receptive_field(model)
    images = pictures(model, (84, 88), batch=1, seed=y + 4 * x).astype("float32")
    field = measured_receptive_field(model, images, pixel=(40 + y, 44 + x))
    for axis, place in enumerate((40 + y, 44 + x)):
        assert field.first[axis] >= place - theory.before[axis]
        assert field.last[axis] <= place + theory.after[axis]
    assert field.height <= theory.height and field.width <= theory.width


def test_it_equals_the_theory_where_nothing_is_hidden():
    model = averaging(
        layers.Conv2D(1, (3, 5), padding="same", use_bias=False),
        layers.AveragePooling2D(2),
        layers.Conv2D(1, 3, padding="same", use_bias=False),
        layers.UpSampling2D(2),
    )
    theory = receptive_field(model)
    field = measured_receptive_field(model, np.ones((1, 32, 32, 1)))
    assert field.pixel == (16, 16)
    assert (field.height, field.width) == (theory.height, theory.width)
    assert field.map.shape == (32, 32)
    np.testing.assert_allclose(field.map.sum(), 1, rtol=1e-6)


def test_the_map_of_one_convolution_is_its_kernel():
    model = averaging(layers.Conv2D(1, 3, padding="same", use_bias=False))
    kernel = np.array([[0.0, 1, 0], [2, 4, 0], [0, 0, 1]], "float32")
    model.layers[1].set_weights([kernel[:, :, None, None]])
    field = measured_receptive_field(model, np.ones((2, 9, 9, 1)), pixel=(5, 3))
    np.testing.assert_allclose(field.map[4:7, 2:5], kernel / 8)
    assert (field.first, field.last) == ((4, 2), (6, 4))
    assert field.side(0.5) == 1 and field.side() == field.side(1.0) == 3
    assert str(field) == "depends on 3 x 3 pixels; 95 % of the gradient lies in 3 x 3"


def test_the_predicted_class_is_what_is_explained():
    model = averaging(layers.Conv2D(2, 3, padding="same", use_bias=False))
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[0, 0, 0, 0], kernel[2, 2, 0, 1] = 1, 2
    model.layers[1].set_weights([kernel])
    bright = measured_receptive_field(model, np.ones((1, 5, 5, 1)))
    dark = measured_receptive_field(model, -np.ones((1, 5, 5, 1)))
    assert (bright.first, dark.first) == ((3, 3), (1, 1))


def test_a_layer_and_an_unpadded_net_have_their_own_places():
    model = UNet(num_classes=2, depth=1, filters=2, padding="valid", norm=None)
    images = np.random.default_rng(0).uniform(0, 255, (2, 36, 36, 3))
    theory = receptive_field(model)
    field = measured_receptive_field(model, images, pixel=(6, 7))
    assert field.first[0] >= 6 + theory.offset[0] - theory.before[0]
    assert field.last[1] <= 7 + theory.offset[1] + theory.after[1]
    first = measured_receptive_field(model, images, output="encoder_1_conv_1")
    assert (first.height, first.width) == (3, 3)


def test_refusals():
    model = averaging(layers.ReLU())
    with pytest.raises(ValueError, match="images must have shape .batch, height, width, channels."):
        measured_receptive_field(model, np.ones((4, 4, 1)))
    with pytest.raises(ValueError, match="pixel must be .y, x. inside the output of 4 x 5, rec"):
        measured_receptive_field(model, np.ones((1, 4, 5, 1)), pixel=(4, 0))
    with pytest.raises(ValueError, match="output pixel .2, 2. depends on no pixel of these images"):
        measured_receptive_field(model, -np.ones((1, 4, 4, 1)))
    flat = averaging(layers.GlobalAveragePooling2D())
    with pytest.raises(ValueError, match="output must be a map"):
        measured_receptive_field(flat, np.ones((1, 4, 4, 1)))
