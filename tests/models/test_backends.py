"""The numbers that the other backends are held to are TensorFlow's."""

import pytest
from network_values import EXPECTED, NETWORKS, numbers


@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_for_other_backends_are_those_of_tensorflow(name):
    assert numbers(name) == pytest.approx(EXPECTED[name], rel=1e-3, abs=1e-5)
