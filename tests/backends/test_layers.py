"""Layers on JAX and PyTorch, called and compiled, equal what NumPy makes of their formulas."""

import keras
import numpy as np
import pytest
from keras import ops

from semseg._backend import input_gradient
from semseg.layers import (
    BilinearUpsampling2D,
    CropLike,
    ImageNetScaling,
    LearnedUpsampling2D,
    LocalResponseNormalization,
    Logits,
    PadToMultiple,
    PixelRescaling,
)


def picture(*size, channels=3):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size, channels))
    return pixels.astype("float32")


def compiled(layer, *shapes):
    """A model of any height and width around a layer."""
    inputs = [keras.Input((None, None, channels)) for channels in shapes]
    return keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def padded(x, multiple):
    missing = [(0, -n % multiple) for n in x.shape[1:3]]
    return np.pad(x, [(0, 0), *missing, (0, 0)])


def response_normalised(x):
    channels = np.arange(x.shape[-1])
    near = np.abs(channels[:, None] - channels) <= 2
    return x / (1 + 1e-4 / 5 * (x**2 @ near)) ** 0.75


def interpolated(x, factor):
    """Between the centres of pixels, and as the last pixel beyond the last centre."""
    for axis in (1, 2):
        length = x.shape[axis]
        at = (np.arange(factor * length) + 0.5) / factor - 0.5
        x = np.apply_along_axis(lambda line, at=at: np.interp(at, range(len(line)), line), axis, x)
    return x


def caffe(x):
    return x[..., ::-1] - np.array([103.939, 116.779, 123.68])


def standardised(x):
    return (x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])


FORMULAS = {
    "padding": (PadToMultiple(4), lambda x: padded(x, 4)),
    "bilinear": (BilinearUpsampling2D(3), lambda x: interpolated(x, 3)),
    "learnt": (LearnedUpsampling2D(2), lambda x: interpolated(x, 2)),
    "learnt, larger kernel": (LearnedUpsampling2D(2, 8), lambda x: interpolated(x, 2)),
    "response": (LocalResponseNormalization(), response_normalised),
    "imagenet, caffe": (ImageNetScaling("caffe"), caffe),
    "imagenet, tf": (ImageNetScaling("tf"), lambda x: x / 127.5 - 1),
    "imagenet, torch": (ImageNetScaling("torch"), standardised),
    "rescaling": (PixelRescaling(0.5, 1.0), lambda x: x / 2 + 1),
    "temperature": (Logits(temperature=4.0), lambda x: x / 4),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("size", [(1, 1), (5, 8)])
def test_a_layer_computes_its_formula(name, size):
    layer, formula = FORMULAS[name]
    x = picture(*size)
    expected = formula(x.astype("float64"))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)
    predicted = compiled(layer, 3).predict(x, verbose=0)
    np.testing.assert_allclose(predicted, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("offset", [0, 2])
def test_a_crop_begins_at_its_offset(offset):
    x, like = picture(9, 12), picture(5, 8, channels=1)
    expected = x[:, offset : offset + 5, offset : offset + 8]
    layer = CropLike(offset)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer([x, like])), expected)
    np.testing.assert_array_equal(compiled(layer, 3, 1).predict([x, like], verbose=0), expected)


@pytest.mark.parametrize(("factor", "side"), [(2, 4), (2, 8), (4, 8)])
def test_an_impulse_answers_with_the_learnt_kernel(factor, side):
    layer = LearnedUpsampling2D(factor, side)
    layer.build((None, None, None, 2))
    kernel = np.random.default_rng(1).normal(size=(side, side, 2, 2)).astype("float32")
    layer.set_weights([kernel])
    x = np.zeros((1, 7, 8, 2), "float32")
    x[0, 3, 4, 1] = 1
    expected = np.zeros((1, 7 * factor, 8 * factor, 2))
    # The kernel lies around its cell: the middle of one is the middle of the other.
    row, column = (n * factor - (side - factor) // 2 for n in (3, 4))
    expected[0, row : row + side, column : column + side] = kernel[..., 1]  # (..., out, in)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_is_the_slope_of_the_formula(name):
    layer, formula = FORMULAS[name]
    x, rng = picture(5, 8), np.random.default_rng(2)
    upstream = rng.normal(size=formula(x).shape)
    direction = rng.normal(size=x.shape)
    weights = ops.convert_to_tensor(upstream.astype("float32"))
    gradient = input_gradient(lambda x: layer(x) * weights, x)
    ahead, behind = (formula(x + step * direction) for step in (1e-3, -1e-3))
    slope = np.sum(upstream * (ahead - behind)) / 2e-3
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-3)
