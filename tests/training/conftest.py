"""What the tests of `train` share."""

import keras
import pytest


@pytest.fixture(scope="module")
def step_by_step():
    """Compiling would cost more than the few steps; determinism does not reach other tests."""
    compiled = keras.Model.compile

    def compile_eagerly(model, *arguments, **options):
        compiled(model, *arguments, **{**options, "run_eagerly": True})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "compile", compile_eagerly)
        yield
    if keras.backend.backend() == "tensorflow":
        from tensorflow.python.framework.config import disable_op_determinism

        disable_op_determinism()
