"""PixelRescaling and Logits: what every model begins and ends with."""

import warnings

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.layers import Logits, PixelRescaling

UNIT_RANGE = r"the images lie in \[0, 1\], but preprocessing='rescale', .*expects \[0, 255\]"
ROAD = ClassMap(["sky", "road"], [(1, 2, 3), (4, 5, 6)], 255, {7: 1, (9, 9, 9): 255})


@given(st.integers(0, 255))
def test_pixels_become_minus_one_to_one(value):
    expected = value / 127.5 - 1
    for dtype in ("uint8", "float32", "int32"):
        rescaled = PixelRescaling()(np.full((1, 1, 1, 3), value, dtype) + np.array(0, dtype))
        assert keras.backend.standardize_dtype(rescaled.dtype) == "float32"
        np.testing.assert_allclose(np.asarray(rescaled), expected, atol=1e-6)


def test_scale_and_offset_may_be_chosen():
    layer = PixelRescaling(scale=0.5, offset=3.0)
    assert np.asarray(layer(np.array([[4.0]]))).tolist() == [[5.0]]
    again = PixelRescaling.from_config(layer.get_config())
    assert (again.scale, again.offset) == (0.5, 3.0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_pixels_are_rescaled_in_float32_under_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        layer = PixelRescaling()
    finally:
        keras.config.set_dtype_policy("float32")
    rescaled = layer(np.array([[100.3]], np.float32))
    assert keras.backend.standardize_dtype(rescaled.dtype) == "float32"
    np.testing.assert_allclose(np.asarray(rescaled), 100.3 / 127.5 - 1, atol=1e-6)


def test_pictures_already_divided_by_255_are_said_once():
    layer = PixelRescaling()
    images = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 2, 2, 3)
    with pytest.warns(UserWarning, match=UNIT_RANGE + ".*build the model with preprocessing=None"):
        layer(images)
    layer(images)  # a second warning would be an error


@pytest.mark.parametrize(
    "images",
    [
        np.ones((1, 2, 2, 3), np.uint8),
        np.zeros((1, 2, 2, 3), np.float32),
        np.array([[-0.5, 1.0]], np.float32),
        np.array([[0.0, 1.5]], np.float32),
        np.zeros((0, 2, 2, 3), np.float32),
    ],
    ids=["bytes", "black", "negative", "beyond", "nothing"],
)
def test_pictures_that_may_be_right_are_not_warned_about(images):
    PixelRescaling()(images)


@pytest.mark.parametrize("scale_and_offset", [(2.0, -1.0), (1 / 65535, 0.0), (0.01, 0.0)])
def test_a_scale_for_other_pixels_is_not_warned_about(scale_and_offset):
    PixelRescaling(*scale_and_offset)(np.ones((1, 2, 2, 3), np.float32))


def test_a_compiled_graph_stays_silent():
    tf = pytest.importorskip("tensorflow")
    layer = PixelRescaling()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tf.function(layer)(tf.ones((1, 2, 2, 3)))
        image = keras.Input((2, 2, 3))
        keras.Model(image, layer(image)).predict(np.ones((1, 2, 2, 3), np.float32), verbose=0)


# -- Logits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
def test_scores_are_float32_from_any_precision(dtype, activation):
    x = keras.ops.cast(np.array([[1.0, -2.0, 3.5]]), dtype)
    scores = Logits(activation=activation)(x)
    assert keras.backend.standardize_dtype(scores.dtype) == "float32"
    x = np.array([[1.0, -2.0, 3.5]])
    expected = {
        None: x,
        "softmax": np.exp(x) / np.exp(x).sum(),
        "sigmoid": 1 / (1 + np.exp(-x)),
    }[activation]
    np.testing.assert_allclose(np.asarray(scores), expected, rtol=1e-6)


def test_scores_are_float32_under_a_mixed_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = Logits()
    finally:
        keras.config.set_dtype_policy("float32")
    symbolic = layer(keras.KerasTensor((1, 2, 2, 3), dtype="bfloat16"))
    assert symbolic.dtype == "float32"


def test_the_class_map_travels_in_the_config():
    layer = Logits(ROAD, "softmax", name="softmax")
    again = Logits.from_config(layer.get_config())
    assert again.class_map == ROAD
    assert (again.activation, again.name) == ("softmax", "softmax")
    assert Logits.from_config(Logits().get_config()).class_map is None


def test_an_activation_is_one_of_three():
    with pytest.raises(ValueError, match=r"activation must be one of \(None, .* received 'relu'"):
        Logits(activation="relu")
