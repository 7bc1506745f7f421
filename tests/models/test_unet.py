"""UNet by itself; what it shares with other architectures is in test_contract.py."""

import keras
import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.data.statistics import ChannelStatistics
from semseg.layers import PixelRescaling
from semseg.models import UNet


def paper_parameters(depth, filters, channels, num_classes):
    """Weights of the paper's network, counted by its figure: 3x3 twice a level, 2x2 upwards."""
    total, size = 0, channels
    levels = [filters * 2**i for i in range(depth + 1)]
    for level in levels:
        total += 9 * size * level + level + 9 * level * level + level
        size = level
    for level in reversed(levels[:-1]):
        total += 4 * size * level + level  # up
        total += 9 * 2 * level * level + level + 9 * level * level + level  # after joining
        size = level
    return total + size * num_classes + num_classes


def test_the_network_of_the_paper_has_its_31_million_parameters():
    model = UNet(num_classes=2, depth=4, filters=64, norm=None, input_shape=(None, None, 1))
    assert model.count_params() == 31_030_658
    assert paper_parameters(4, 64, 1, 2) == 31_030_658


def test_the_network_of_the_quickstart_has_484_315_parameters():
    assert UNet(num_classes=11, depth=3, filters=16).count_params() == 484_315


@pytest.mark.parametrize(("depth", "filters", "channels"), [(1, 4, 1), (2, 3, 4), (3, 2, 3)])
def test_any_size_of_network_has_the_parameters_of_the_figure(depth, filters, channels):
    model = UNet(
        num_classes=5, depth=depth, filters=filters, norm=None, input_shape=(None, None, channels)
    )
    assert model.count_params() == paper_parameters(depth, filters, channels, 5)


def test_layer_names_say_where_a_layer_stands():
    model = UNet(num_classes=3, depth=2, filters=4, dropout=0.5)
    assert [layer.name for layer in model.layers] == [
        "image",
        "preprocessing",
        *(f"encoder_1_{part}_{i}" for i in (1, 2) for part in ("conv", "norm", "relu")),
        "encoder_1_pool",
        *(f"encoder_2_{part}_{i}" for i in (1, 2) for part in ("conv", "norm", "relu")),
        "encoder_2_dropout",
        "encoder_2_pool",
        *(f"bottleneck_{part}_{i}" for i in (1, 2) for part in ("conv", "norm", "relu")),
        "bottleneck_dropout",
        *(f"decoder_2_{part}" for part in ("up", "crop", "concat")),
        *(f"decoder_2_{part}_{i}" for i in (1, 2) for part in ("conv", "norm", "relu")),
        *(f"decoder_1_{part}" for part in ("up", "crop", "concat")),
        *(f"decoder_1_{part}_{i}" for i in (1, 2) for part in ("conv", "norm", "relu")),
        "classifier",
        "logits",
    ]


def test_a_convolution_has_a_bias_only_where_no_normalisation_cancels_it():
    for norm in ("batch", "group", "layer", None):
        model = UNet(num_classes=2, depth=1, filters=8, norm=norm)
        assert model.get_layer("encoder_1_conv_1").use_bias == (norm is None)


def test_dropout_stands_at_the_end_of_the_contracting_path_and_works_in_training_alone():
    model = UNet(num_classes=2, depth=1, filters=4, norm=None, dropout=0.5)
    images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
    still = [np.asarray(model(images)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert not np.array_equal(np.asarray(model(images, training=True)), still[0])
    assert model.get_layer("bottleneck_dropout").rate == 0.5


def test_no_preprocessing_takes_images_as_they_are():
    raw = UNet(num_classes=2, depth=1, filters=4, preprocessing=None)
    inside = UNet(num_classes=2, depth=1, filters=4)
    inside.set_weights(raw.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (1, 5, 7, 3)).astype("uint8")
    np.testing.assert_allclose(
        np.asarray(raw(images / np.float32(127.5) - 1)), np.asarray(inside(images)), atol=1e-5
    )


def test_a_keras_layer_may_preprocess():
    scaling = PixelRescaling(scale=1 / 65535, offset=0.0, name="sixteen_bits")
    model = UNet(num_classes=2, depth=1, filters=4, preprocessing=scaling)
    assert model.layers[1] is scaling


def test_16_bit_pixels_are_normalised_in_float32_under_mixed_precision():
    statistics = ChannelStatistics(mean=(40000.0,), std=(2.0,))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        scaling = statistics.normalization()
        model = UNet(
            num_classes=2, depth=1, filters=2, input_shape=(None, None, 1), preprocessing=scaling
        )
    finally:
        keras.config.set_dtype_policy("float32")
    first = keras.Model(model.input, model.layers[1].output)
    image = np.array([40000, 40002], np.uint16).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(np.asarray(first(image)).ravel(), [0, 1], atol=1e-6)


def test_numbers_may_come_from_numpy():
    depth, filters = np.int64(1), np.int64(4)
    model = UNet(num_classes=2, depth=depth, filters=filters, dropout=np.float32(0.5))
    assert model.get_layer("encoder_1_conv_1").filters == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, r"depth must be an int 1..8, received 0"),
        ({"depth": 2.0}, r"depth must be an int 1..8, received 2.0"),
        ({"depth": 9}, r"depth must be an int 1..8, received 9"),
        ({"filters": 0}, r"filters must be an int >= 1, received 0"),
        ({"filters": 4.0}, r"filters must be an int >= 1, received 4.0"),
        ({"depth": True}, r"depth must be an int 1..8, received True"),
        ({"filters": True}, r"filters must be an int >= 1, received True"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), received 1.0"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\), received -0.1"),
        ({"dropout": "0.5"}, r"dropout must be in \[0, 1\), received '0.5'"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(**{"num_classes": 2, "depth": 1, "filters": 4, **arguments})


def test_the_model_is_a_plain_functional_one():
    model = UNet(class_map=ClassMap(["a", "b"]), depth=1, filters=4, name="cells")
    assert type(model).__name__ == "Functional" and isinstance(model, keras.Model)
    assert model.name == "cells"
    assert model.input.name == "image" and model.input.dtype == "float32"
