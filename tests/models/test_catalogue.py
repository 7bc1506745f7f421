"""Architectures by name, and warm starts from coarser ones."""

import numpy as np
import pytest
from narrow import narrow

from semseg.models import FCN, build
from semseg.models.catalogue import BUILDERS


def test_every_name_builds_a_model_of_that_name():
    with narrow(filters=2):
        for name in BUILDERS:
            small = {"filters": 2} if name in ("unet", "segnet_basic") else {}
            small = {"fc_units": 2} if name.startswith("fcn") else small
            assert build(name, num_classes=2, **small).name == name


def test_a_typo_lists_the_names_and_the_nearest():
    with pytest.raises(ValueError, match=r"one of unet, .*did you mean 'segnet'"):
        build("segnett", num_classes=2)


@pytest.fixture(scope="module")
def coarse():
    """An FCN-32s whose scores are not zero any more."""
    model = FCN(num_classes=3, variant="32s", fc_units=4)
    layer = model.get_layer("score_fc7")
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return model


def test_a_warm_start_begins_with_the_coarser_predictions(coarse):
    finer = FCN(num_classes=3, variant="16s", fc_units=4, init_from=coarse)
    finest = FCN(num_classes=3, variant="8s", fc_units=4, init_from=finer)
    images = np.random.default_rng(1).integers(0, 256, (1, 96, 128, 3))
    outputs = [np.asarray(model(images)) for model in (coarse, finer, finest)]
    # Enlarging by 2 and by 16 is not quite enlarging by 32: the ramps bend at other pixels.
    spread = np.abs(outputs[0]).max()
    for finer_output in outputs[1:]:
        assert np.abs(finer_output - outputs[0]).max() < 0.25 * spread
        assert np.abs(finer_output - outputs[0]).mean() < 0.02 * spread
        assert (finer_output.argmax(-1) == outputs[0].argmax(-1)).mean() > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "32s"}, "not coarser"),
        ({"variant": "16s", "fc_units": 5}, "same classes and fc_units"),
        ({"variant": "16s", "num_classes": 4}, "same classes and fc_units"),
        ({"variant": "4s"}, "variant must be one of"),
        ({"padding": "valid"}, "padding must be"),
        ({"fc_units": 0}, "fc_units must be"),
        ({"dropout": 1.0}, "dropout must lie"),
    ],
)
def test_what_cannot_start_warm_is_named(coarse, arguments, message):
    with pytest.raises(ValueError, match=message):
        FCN(**{"num_classes": 3, "fc_units": 4, "init_from": coarse, **arguments})
