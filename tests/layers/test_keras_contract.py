"""Every layer keeps the promises of a Keras layer, checked by Keras's own harness."""

import keras
import pytest
from keras import ops
from keras.src.testing import TestCase

from semseg.classes import ClassMap
from semseg.layers import (
    BatchNormalization,
    BilinearUpsampling2D,
    CropLike,
    ImageNetScaling,
    LearnedUpsampling2D,
    LocalResponseNormalization,
    Logits,
    MaxPooling2DWithIndices,
    MaxUnpooling2D,
    PadToMultiple,
    PixelRescaling,
)

SMALL, LARGE = (2, 3, 4, 3), (2, 5, 7, 3)

# Tuples, not lists: Keras's TensorFlow training check refuses lists of tensors.
CONTRACTS = {
    "pooling": (
        MaxPooling2DWithIndices,
        {
            "init_kwargs": {"pool_size": 2},
            "input_shape": LARGE,
            "expected_output_shape": (SMALL, SMALL),
            "expected_output_dtype": ("float32", "uint8"),
        },
    ),
    "unpooling": (
        MaxUnpooling2D,
        {
            "init_kwargs": {"pool_size": 2},
            "input_shape": (SMALL, SMALL, LARGE),
            "input_dtype": ("float32", "uint8", "float32"),
            "expected_output_shape": LARGE,
        },
    ),
    "cropping": (
        CropLike,
        {
            "init_kwargs": {},
            "input_shape": ((2, 6, 8, 4), LARGE),
            "expected_output_shape": (2, 5, 7, 4),
        },
    ),
    "padding": (
        PadToMultiple,
        {
            "init_kwargs": {"multiple": 4},
            "input_shape": LARGE,
            "expected_output_shape": (2, 8, 8, 3),
        },
    ),
    "bilinear": (
        BilinearUpsampling2D,
        {
            "init_kwargs": {"factor": 3},
            "input_shape": LARGE,
            "expected_output_shape": (2, 15, 21, 3),
        },
    ),
    "learnt": (
        LearnedUpsampling2D,
        {
            "init_kwargs": {"factor": 2},
            "input_shape": LARGE,
            "expected_output_shape": (2, 10, 14, 3),
            "expected_num_trainable_weights": 1,
        },
    ),
    "batch normalisation": (
        BatchNormalization,
        {
            "init_kwargs": {"momentum": 0.9},
            "input_shape": LARGE,
            "expected_output_shape": LARGE,
            "expected_num_trainable_weights": 2,
            "expected_num_non_trainable_weights": 2,
        },
    ),
    "response": (
        LocalResponseNormalization,
        {
            "init_kwargs": {"size": 3},
            "input_shape": LARGE,
            "expected_output_shape": LARGE,
            "run_mixed_precision_check": False,
        },
    ),
    "imagenet": (
        ImageNetScaling,
        {
            "init_kwargs": {"mode": "torch"},
            "input_shape": LARGE,
            "expected_output_shape": LARGE,
            "run_mixed_precision_check": False,
        },
    ),
    # The two ends are float32 whatever the policy says: test_ends.py holds that.
    "logits": (
        Logits,
        {
            "init_kwargs": {"class_map": ClassMap(["a", "b"]).to_dict(), "activation": "softmax"},
            "input_shape": LARGE,
            "expected_output_shape": LARGE,
            "run_mixed_precision_check": False,
        },
    ),
    "rescaling": (
        PixelRescaling,
        {
            "init_kwargs": {"scale": 0.5, "offset": 1.0},
            "input_shape": LARGE,
            "expected_output_shape": LARGE,
            "run_mixed_precision_check": False,
        },
    ),
}


def run_contract(layer, arguments):
    harness = TestCase()
    harness.setUp()
    harness.run_layer_test(
        layer,
        **{"expected_num_trainable_weights": 0, "expected_num_non_trainable_weights": 0}
        | arguments,
        expected_num_losses=0,
    )


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_layer_passes_the_harness_of_keras(name):
    layer, arguments = CONTRACTS[name]
    run_contract(layer, dict(arguments))


class ForgetfulPooling(MaxPooling2DWithIndices):
    """A pooling that doesn't save its window."""

    def get_config(self):
        config = super().get_config()
        del config["pool_size"]
        return config


class WideningCrop(CropLike):
    """A cropping that states another shape than it gives."""

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class DoublingLogits(Logits):
    """An end whose output isn't float32."""

    def call(self, inputs):
        return ops.cast(super().call(inputs), "float64")


@pytest.mark.parametrize(
    ("name", "twin", "changed"),
    [
        ("pooling", ForgetfulPooling, {"init_kwargs": {"pool_size": 3}}),
        ("cropping", WideningCrop, {}),
        ("logits", DoublingLogits, {"expected_output_dtype": "float32"}),
    ],
)
def test_the_harness_notices_a_broken_twin(name, twin, changed):
    _, arguments = CONTRACTS[name]
    with pytest.raises((AssertionError, ValueError, TypeError)):
        run_contract(twin, {**arguments, **changed})


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_layer_is_registered_under_its_package(name):
    layer, _ = CONTRACTS[name]
    assert keras.saving.get_registered_name(layer) == f"semseg.layers>{layer.__name__}"
