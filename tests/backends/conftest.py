"""The JAX and PyTorch backends on a machine without TensorFlow.

    KERAS_BACKEND=jax python -m pytest tests/backends

With Keras's default backend these tests are skipped: the other folders cover it.
"""

import os
import sys

import pytest

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")

if BACKEND != "tensorflow":
    # An import hook that raises would break PyTorch, which looks for TensorFlow's spec.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]


@pytest.fixture(scope="session", autouse=True)  # before a fixture of a module trains its model
def _other_backend():
    if BACKEND == "tensorflow":
        pytest.skip("needs KERAS_BACKEND=jax or torch (TensorFlow is then blocked)")
