"""What every builder refuses, in the same words."""

import keras
import pytest
from architectures import BUILDERS, ROAD

from semseg.models import SegNetBasic, UNet

every_builder = pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)


@every_builder
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pass num_classes= or class_map=; received neither"),
        ({"num_classes": 0}, "num_classes must be >= 1, received 0"),
        ({"num_classes": -3}, "num_classes must be >= 1, received -3"),
        (
            {"num_classes": 4, "class_map": ROAD},
            "num_classes and class_map must agree, received 4 and a ClassMap of 3 classes",
        ),
        ({"num_classes": 1, "class_map": ROAD}, "num_classes and class_map must agree"),
        (
            {"num_classes": 2, "activation": "sigmoid"},
            "activation='sigmoid' goes with num_classes=1, received num_classes=2: several labels",
        ),
        ({"num_classes": 1, "activation": "softmax"}, "'softmax' over one output is always 1"),
        ({"num_classes": 2, "activation": "relu"}, r"activation must be None .* received 'relu'"),
        ({"num_classes": 2, "preprocessing": "imagenet"}, "preprocessing must be .*'rescale'"),
        ({"num_classes": 2, "input_shape": (None, 3)}, r"input_shape must be \(height, width, ch"),
        ({"num_classes": 2, "input_shape": 3}, r"input_shape must be .* received 3"),
        ({"num_classes": 2, "input_shape": (0, 4, 3)}, r"height must be >= 1, received \(0, 4, 3"),
        ({"num_classes": 2, "input_shape": (4, 2.5, 3)}, "width must be >= 1, received"),
        ({"num_classes": 2, "input_shape": (4, 4, None)}, "channels must be >= 1, received"),
        ({"num_classes": 2, "input_shape": (4, 4, 0)}, "channels must be >= 1, received"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(builder, arguments, message):
    with pytest.raises(ValueError, match=message):
        builder(**arguments)


@every_builder
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 2.0}, "num_classes must be an int >= 1, received 2.0"),
        ({"num_classes": "2"}, "num_classes must be an int >= 1, received '2'"),
        ({"class_map": ["a", "b"]}, r"class_map must be a semseg.ClassMap, received \['a', 'b'\]"),
    ],
)
def test_arguments_of_another_kind_are_refused(builder, arguments, message):
    with pytest.raises(TypeError, match=message):
        builder(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm": "batchnorm"}, r"norm must be one of .* received 'batchnorm'"),
        ({"norm": "group", "filters": 12}, "divisible by 8, received filters=12"),
        ({"padding": "reflect"}, r"padding must be one of \['same', 'valid'\], received 'ref"),
        ({"encoder_weights": "imagenet"}, "encoder_weights goes with encoder=, .*'imagenet'"),
        ({"upsampling": "nearest"}, r"upsampling must be one of \['transpose', 'bilinear'\]"),
        ({"upsampling": "bilinear", "padding": "valid"}, "goes with upsampling='transpose'"),
    ],
)
def test_a_unet_of_unknown_parts_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(num_classes=2, **arguments)


def test_the_names_of_preprocessing_are_those_that_a_builder_takes():
    with pytest.raises(ValueError, match=r"preprocessing must be 'lrn', 'rescale' \(.*'LRN'"):
        SegNetBasic(num_classes=2, preprocessing="LRN")
    with pytest.raises(ValueError, match=r"preprocessing must be 'rescale' \(.*received 'lrn'"):
        UNet(num_classes=2, preprocessing="lrn")


@every_builder
def test_preprocessing_of_half_precision_is_refused(builder):
    half = keras.layers.Rescaling(1 / 65535, dtype="mixed_bfloat16", name="mine")
    for layer in (half, keras.Sequential([keras.Input((None, None, 3)), half])):
        with pytest.raises(ValueError, match="compute in float32, received 'mine' of bfloat16"):
            builder(num_classes=2, preprocessing=layer)


@every_builder
@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("classes", "did you mean num_classes="),
        ("n_classes", "did you mean num_classes="),
        ("shape", "did you mean input_shape="),
        ("in_channels", "did you mean input_shape="),
        ("qwertz", "it takes num_classes, class_map, "),
    ],
)
def test_an_argument_of_another_library_names_ours(builder, argument, meant):
    with pytest.raises(TypeError, match=rf"has no argument {argument}=; {meant}"):
        builder(**{argument: 3})


def test_an_encoder_of_another_name_is_understood():
    with pytest.raises(TypeError, match=r"UNet has no argument backbone=; did you mean encoder="):
        UNet(num_classes=2, backbone="resnet50")
