"""Pooling with indices and its inverse against PyTorch's pair: values, places and gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch", reason="parity with PyTorch needs torch")
F = torch.nn.functional


@st.composite
def cases(draw):
    """A picture of any small size, with many ties or with none, and a window."""
    shape = draw(st.tuples(*(st.integers(1, n) for n in (2, 9, 9, 3))))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    ties = draw(st.booleans())
    x = rng.integers(-2, 3, shape) if ties else rng.permutation(np.prod(shape)).reshape(shape)
    return x.astype(np.float32), draw(st.sampled_from([2, 3, 4]))


def upstream_of(shape):
    """A gradient from above that differs everywhere."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def to_torch(x):
    return torch.tensor(np.asarray(x).transpose(0, 3, 1, 2), requires_grad=x.dtype == np.float32)


def to_numpy(x):
    return x.detach().numpy().transpose(0, 2, 3, 1)


def pooled_here(x, p):
    """Values, places in the window, and the gradient of the picture."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values, places = MaxPooling2DWithIndices(p)(x)
    gradient = tape.gradient(values, x, upstream_of(values.shape))
    return values.numpy(), places.numpy(), gradient.numpy()


def pooled_by_torch(x, p):
    """Values, places in the picture, and the gradient of the picture."""
    inputs = to_torch(x)
    values, places = F.max_pool2d(inputs, p, ceil_mode=True, return_indices=True)
    values.backward(to_torch(upstream_of(to_numpy(values).shape)).detach())
    return to_numpy(values), to_numpy(places), to_numpy(inputs.grad)


def in_picture(places, p, width):
    """PyTorch's places, which count the picture's pixels row by row, from those in windows."""
    rows, columns = np.indices(places.shape[1:3])[..., None] * p
    return (rows + places // p) * width + columns + places % p


def same_pooling(pooled, x, p):
    values, places, gradient = pooled(x, p)
    torch_values, torch_places, torch_gradient = pooled_by_torch(x, p)
    np.testing.assert_array_equal(values, torch_values)
    np.testing.assert_array_equal(in_picture(places, p, x.shape[2]), torch_places)
    np.testing.assert_array_equal(gradient, torch_gradient)


@given(case=cases())
def test_pooling_and_its_gradient_are_those_of_pytorch(case):
    same_pooling(pooled_here, *case)


@given(case=cases())
def test_unpooling_and_its_gradient_are_those_of_pytorch(case):
    x, p = case
    height, width = x.shape[1:3]
    _, places, _ = pooled_here(x, p)
    values = upstream_of(places.shape)  # any values may be put back, not the maxima alone

    inputs = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        picture = MaxUnpooling2D(p)([inputs, places, tf.constant(x)])
    upstream = upstream_of(x.shape)
    gradient = tape.gradient(picture, inputs, upstream)

    torch_inputs = to_torch(values)
    torch_places = to_torch(in_picture(places.astype(np.int64), p, width))
    torch_picture = F.max_unpool2d(torch_inputs, torch_places, p, output_size=(height, width))
    torch_picture.backward(to_torch(upstream).detach())
    np.testing.assert_array_equal(picture.numpy(), to_numpy(torch_picture))
    np.testing.assert_array_equal(gradient.numpy(), to_numpy(torch_inputs.grad))


def last_maximum(x, p):
    """A twin that prefers the last of equal maxima: its values are right all the same."""
    values, places, gradient = pooled_here(x[:, ::-1, ::-1], p)
    return values[:, ::-1, ::-1], p * p - 1 - places[:, ::-1, ::-1], gradient[:, ::-1, ::-1]


def test_another_choice_between_equal_maxima_does_not_pass():
    with pytest.raises(AssertionError):
        same_pooling(last_maximum, np.ones((1, 4, 4, 1), np.float32), 2)
