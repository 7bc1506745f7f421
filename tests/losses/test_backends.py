"""The numbers that the other backends are held to are TensorFlow's."""

import pytest
from loss_values import EXPECTED, value_and_length

from semseg import losses


@pytest.mark.parametrize("name", EXPECTED)
def test_the_numbers_for_other_backends_are_those_of_tensorflow(name):
    found = (*value_and_length(name, 3), *value_and_length(name, 1))
    assert found == pytest.approx(EXPECTED[name], rel=1e-4, abs=1e-6)


def test_every_loss_has_its_numbers():
    shells = {name for name in losses.__all__ if name[0].isupper()}
    assert shells - {"LossPart", "WeightedSum"} == set(EXPECTED)
