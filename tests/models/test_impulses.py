"""What an encoder saw at a pixel comes back around that pixel, through every decoder, at any size.

Convolutions only pass on here, so that poolings, enlargements, crops and indices are what is seen.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import layers, ops
from narrow import narrowed

from semseg.layers import CropLike, MaxUnpooling2D
from semseg.models import FCN, SegNet, SegNetBasic, UNet, blocks, segnet, valid_output_size

PLAIN = {"num_classes": 1, "input_shape": (None, None, 1), "preprocessing": None}
# What height and width have over whole cells of the deepest stage. With one pixel more, sizes stay
# odd down to that stage, and each stage of the decoder has something to cut off.
RESTS = {"odd at every stage": (1, 1), "whole cells by any width": (0, -3)}

unet = partial(UNet, filters=1, depth=3, norm=None, **PLAIN)
segnet_basic = partial(narrowed(SegNetBasic, 1), **PLAIN)


def gaps():
    """An encoder that has strides 4 and 16 alone: its decoder bridges 8, 2 and 1."""
    x = inputs = layers.Input((None, None, 1))
    found = {}
    for level in range(1, 5):
        x = found[f"P{level}"] = layers.MaxPooling2D(2, padding="same")(x)
    return keras.Model(inputs, {level: found[level] for level in ("P2", "P4")})


def unet_over_gaps(**options):
    return unet(encoder=gaps(), **options)


class Case(NamedTuple):
    build: Callable[..., keras.Model]
    deepest: int  # the encoder's largest stride
    heard: tuple[int, ...]  # strides of its stages; 1 where indices lead back to the pixel
    interpolates: bool = False  # else it answers with whole cells


CASES = {
    "unet": Case(unet, 8, (1, 2, 4, 8)),
    "unet bilinear": Case(partial(unet, upsampling="bilinear"), 8, (1, 2, 4, 8), True),
    "unet over gaps": Case(unet_over_gaps, 16, (4, 16)),
    "unet over gaps, bilinear": Case(
        partial(unet_over_gaps, upsampling="bilinear"), 16, (4, 16), True
    ),
    "fcn8s": Case(partial(narrowed(FCN, 1), fc_units=1, **PLAIN), 32, (8, 16, 32), True),
    "segnet": Case(partial(narrowed(SegNet, 1), **PLAIN), 32, (1,)),
    **{
        f"segnet_basic {decoder}": Case(partial(segnet_basic, decoder=decoder), 16, *heard)
        for decoder, *heard in [
            ("unpool", (1,)),
            ("encoder_addition", (1,)),
            ("single_channel", (1,)),
            ("bilinear", (16,), True),
            ("fcn", (2, 4, 8, 16), True),
            ("fcn_no_addition_no_reduction", (16,), True),
        ]
    },
}

SCORES = {"score_fc7": 32, **{f"score_pool{level}": 2**level for level in range(1, 5)}}


def hear_only(model, stride):
    """Lets convolutions only pass on, and silences what doesn't come through a stride."""
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            pass_on(layer, heard=SCORES.get(layer.name, stride) == stride)
        elif isinstance(layer, layers.Conv2DTranspose):
            fill_cells(layer)
    for layer in model.layers:
        if isinstance(layer, layers.Concatenate):
            stage = layer.name.removesuffix("_concat")
            own = 2 ** (int(stage.removeprefix("decoder_")) - 1)
            below = layer.input[0].shape[-1]  # channels that come from larger strides
            convolution = model.get_layer(f"{stage}_conv_1")
            if own == stride:
                silence(convolution, slice(0, below))
            elif own < stride:
                silence(convolution, slice(below, None))
    return model


def pass_on(convolution, heard=True):
    """Gives every pixel the mean of its own channels, or nothing."""
    kernel, *bias = (np.zeros(w.shape) for w in convolution.weights)
    middle = kernel.shape[0] // 2
    kernel[middle, middle] = heard / kernel.shape[2]
    convolution.set_weights([kernel, *bias])


def fill_cells(transposed):
    """Gives the whole cell of a pixel the mean of its channels."""
    kernel, bias = (np.zeros(w.shape) for w in transposed.weights)
    transposed.set_weights([kernel + 1 / kernel.shape[3], bias])


def silence(convolution, channels):
    kernel, *bias = convolution.get_weights()
    kernel[:, :, channels] = 0
    convolution.set_weights([kernel, *bias])


def impulses(size, pixels):
    """A picture for each pixel, which is white there and black elsewhere."""
    pictures = np.zeros((len(pixels), *size, 1), "float32")
    pictures[np.arange(len(pixels)), *pixels.T] = 1
    return pictures


def diagonal(size):
    """Pixels in every row and every column, and that in the last corner."""
    along = np.arange(max(size))
    return np.append(np.stack([along % n for n in size], 1), [np.array(size) - 1], 0)


def centres_of_mass(answers):
    """The row and the column around which each answer lies."""
    answers = np.asarray(answers)[..., 0]
    rows, columns = (np.arange(n) for n in answers.shape[1:])
    moments = np.stack([answers.sum(2) @ rows, answers.sum(1) @ columns], 1)
    return moments / answers.sum((1, 2))[:, None]


def cell_centres(pixels, size, stride):
    """The middle of what a picture has of the cells in which the pixels lie."""
    first = pixels // stride * stride
    return (first + np.minimum(first + stride, size) - 1) / 2


def far_from_borders(pixels, size, stride):
    """Those whose interpolated answers end inside: less than a stride beyond the cell."""
    first = pixels // stride * stride
    inside = (first >= stride - 1) & (first + 2 * stride - 1 <= size)
    return pixels[inside.all(1)]


@cache
def built(name):
    return CASES[name].build()


def answers_stand_around_their_cells(model, case, stride, rest):
    cells = 3 if case.interpolates else 1  # an interpolated answer reaches into both neighbours
    size = np.array([cells, cells + 1]) * case.deepest + rest
    pixels = diagonal(size)
    if case.interpolates:
        pixels = far_from_borders(pixels, size, stride)
    found = centres_of_mass(hear_only(model, stride)(impulses(size, pixels)))
    assert len(found) >= stride
    np.testing.assert_allclose(found, cell_centres(pixels, size, stride), atol=1e-3)


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS)
@pytest.mark.parametrize("name", CASES)
def test_an_impulse_answers_around_its_cell(name, rest):
    for stride in CASES[name].heard:
        answers_stand_around_their_cells(built(name), CASES[name], stride, rest)


def test_an_unpadded_unet_answers_around_the_cells_that_begin_at_its_first_pixel():
    # Two convolutions cost two pixels on each side before the first pooling.
    model, border, size = unet(padding="valid", depth=2), 2, (92, 100)
    pixels = np.stack([np.arange(40, 52), np.arange(43, 55)], 1)
    margin = (np.array(size) - [valid_output_size(n, depth=2) for n in size]) / 2
    for stride in (1, 2, 4):
        found = centres_of_mass(hear_only(model, stride)(impulses(size, pixels)))
        cells = cell_centres(pixels + border, np.add(size, border), stride) - border
        np.testing.assert_allclose(found, cells - margin, atol=1e-3)


def test_supervised_levels_answer_around_their_cells():
    model, size = unet(deep_supervision=True), (25, 33)
    pixels = far_from_borders(diagonal(size), size, 8)
    for level, stride in ((2, 2), (3, 4), (3, 8)):
        answers = hear_only(model, stride)(impulses(size, pixels))[f"logits_{level}"]
        expected = cell_centres(pixels, size, stride)
        np.testing.assert_allclose(centres_of_mass(answers), expected, atol=1e-3)


class LateCrop(CropLike):
    """A crop that begins one row and one column too late."""

    def call(self, inputs):
        x, like = inputs
        return super().call([ops.pad(x[:, 1:, 1:], [[0, 0], [0, 1], [0, 1], [0, 0]]), like])


class LateUnpooling(MaxUnpooling2D):
    """An unpooling that puts values one row too low."""

    def call(self, inputs):
        return ops.roll(super().call(inputs), 1, axis=1)


@pytest.mark.parametrize(
    ("name", "module", "layer", "twin"),
    [
        ("unet", blocks, "CropLike", LateCrop),
        ("segnet", segnet, "MaxUnpooling2D", LateUnpooling),
    ],
)
def test_a_shift_by_one_does_not_pass(monkeypatch, name, module, layer, twin):
    case = CASES[name]
    monkeypatch.setattr(module, layer, twin)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        answers_stand_around_their_cells(case.build(), case, max(case.heard), (1, 1))
