"""Architectures by name."""

import pytest
from narrow import narrow

from semseg.models import build
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


def test_a_model_may_have_a_name_of_its_own():
    for name in ("unet", "bayesian_segnet_basic"):
        assert build(name, num_classes=2, filters=2, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("fcn8s", {"variant": "32s"}, "variant is '8s' by the name 'fcn8s', received '32s'"),
        ("bayesian_segnet", {"bayesian": False}, "bayesian is True by the name .*received False"),
    ],
)
def test_what_the_name_decides_is_not_asked_again(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(name, num_classes=2, **arguments)
