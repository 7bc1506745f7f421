"""Losses on JAX (compiled) and PyTorch: the values and gradients of TensorFlow."""

import pytest
from loss_values import EXPECTED, value_and_length


@pytest.mark.parametrize("name", EXPECTED)
def test_values_and_gradients_are_those_of_tensorflow(name):
    found = (*value_and_length(name, 3), *value_and_length(name, 1))
    assert found == pytest.approx(EXPECTED[name], rel=1e-4, abs=1e-6)
