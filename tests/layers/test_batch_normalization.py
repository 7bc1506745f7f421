"""The fused kernel gives what Keras's own layer gives."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.layers import BatchNormalization

tf = pytest.importorskip("tensorflow")


def trained_once(layer, x, upstream, graph):
    """Outputs, gradients and moving statistics of one step in training."""
    layer.build(x.shape)
    channels = np.arange(1, x.shape[-1] + 1)
    layer.set_weights([channels / 3, -channels / 5, channels / 7, channels * 2.0])

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        parts = [x, layer.gamma.value, layer.beta.value]
        return y, *tape.gradient(y, parts, output_gradients=upstream)

    step = tf.function(step) if graph else step
    results = step(tf.constant(x))
    return [np.asarray(r, np.float32) for r in [*results, *layer.get_weights()]]


@given(
    shape=st.tuples(*(st.integers(1, 4) for _ in range(3)), st.integers(1, 5)),
    graph=st.booleans(),
    momentum=st.sampled_from([0.9, 0.99]),
    seed=st.integers(0, 9),
)
def test_outputs_gradients_and_moving_statistics_are_those_of_keras(shape, graph, momentum, seed):
    rng = np.random.default_rng(seed)
    x, upstream = rng.normal(2, 3, (2, *shape)).astype(np.float32)
    ours = trained_once(BatchNormalization(momentum=momentum), x, upstream, graph)
    keras_own = keras.layers.BatchNormalization(momentum=momentum)
    for one, other in zip(ours, trained_once(keras_own, x, upstream, graph), strict=True):
        # Where a channel is constant, gradients are differences of like numbers over epsilon.
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_the_kernel_is_used():
    layer = BatchNormalization()
    step = tf.function(lambda x: layer(x, training=True))
    graph = step.get_concrete_function(tf.TensorSpec((None, None, None, 3))).graph
    assert "FusedBatchNormV3" in {op.type for op in graph.get_operations()}


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_takes_its_statistics_in_float32(policy):
    x = np.random.default_rng(0).normal(100, 1, (4, 8, 8, 3)).astype("float32")
    ours, own = BatchNormalization(dtype=policy), keras.layers.BatchNormalization(dtype=policy)
    a, b = ours(x, training=True), own(x, training=True)
    assert a.dtype == b.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), atol=0.03)
    for one, other in zip(ours.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"scale": False}, (2, 3, 4, 5)),
        ({"center": False}, (2, 3, 4, 5)),
        ({"axis": 1}, (2, 3, 4, 5)),
        ({}, (6, 5)),
        ({}, (2, 3, 2, 2, 5)),
    ],
)
def test_what_the_kernel_lacks_is_left_to_keras(options, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    ours, own = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    np.testing.assert_array_equal(ours(x, training=True), own(x, training=True))
    for one, other in zip(ours.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_inference_is_that_of_keras_and_frozen_layers_stay():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    ours, own = BatchNormalization(), keras.layers.BatchNormalization()
    np.testing.assert_array_equal(ours(x), own(x))
    ours.trainable = False
    before = ours.get_weights()
    np.testing.assert_array_equal(ours(x, training=True), own(x))
    for one, other in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
