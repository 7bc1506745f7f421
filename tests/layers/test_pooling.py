"""MaxPooling2DWithIndices and MaxUnpooling2D: the same numbers and gradients by every route."""

import keras
import numpy as np
import pytest
import slow_pooling
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D, pooling

tf = pytest.importorskip("tensorflow")


@st.composite
def cases(draw):
    """A picture with many ties, of any small size, and a window."""
    shape = draw(st.tuples(*(st.integers(1, n) for n in (2, 7, 7, 2))))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return rng.integers(-2, 3, shape).astype(np.float32), draw(st.sampled_from([2, 3]))


def upstream_of(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def pool_and_gradient(function, x, p):
    """Values, places and the gradient for a fixed gradient from above."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values, places = function(x, p)
    return values, places, tape.gradient(values, x, upstream_of(values.shape))


def unpool_and_gradient(function, values, places, p, height, width):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        picture = function(values, places, p, height, width)
    return picture, tape.gradient(picture, values, upstream_of(picture.shape))


def slow_pool_and_gradient(x, p):
    values, places = slow_pooling.pool(x, p)
    upstream = upstream_of(values.shape).numpy()
    return values, places, slow_pooling.unpool(upstream, places, p, *x.shape[1:3])


def slow_unpool_and_gradient(values, places, p, height, width):
    picture = slow_pooling.unpool(values, places, p, height, width)
    return picture, slow_pooling.take(upstream_of(picture.shape).numpy(), places, p)


def assert_all_equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


# -- the slow loops -----------------------------------------------------------------------------


@pytest.mark.parametrize("function", [pooling._pool, pooling._pool_tensorflow])
@given(case=cases())
def test_pooling_and_its_gradient_equal_the_slow_loops(function, case):
    assert_all_equal(pool_and_gradient(function, *case), slow_pool_and_gradient(*case))


@pytest.mark.parametrize("function", [pooling._unpool, pooling._unpool_tensorflow])
@given(case=cases())
def test_unpooling_and_its_gradient_equal_the_slow_loops(function, case):
    x, p = case
    values, places = slow_pooling.pool(x, p)
    arguments = (values, places, p, *x.shape[1:3])
    assert_all_equal(
        unpool_and_gradient(function, *arguments), slow_unpool_and_gradient(*arguments)
    )


def spread_gradient(x, p):
    """A twin whose gradient goes to every tied maximum instead of the first."""
    values = -tf.nn.max_pool2d(-x, p, p, "VALID") * 0 + tf.nn.max_pool2d(x, p, p, "VALID")
    repeated = tf.repeat(tf.repeat(values, p, 1), p, 2)
    values = tf.reduce_sum(tf.where(x == repeated, x, 0.0), axis=(1, 2), keepdims=True)
    return values, pooling._pool(x, p)[1]


def test_a_gradient_that_reaches_every_tied_maximum_is_noticed():
    x = np.array([[1.0, 1.0], [0.0, -1.0]], np.float32).reshape(1, 2, 2, 1)
    twin, slow = pool_and_gradient(spread_gradient, x, 2), slow_pool_and_gradient(x, 2)
    np.testing.assert_array_equal(twin[1], slow[1])
    assert not np.array_equal(twin[2], slow[2])


# -- the compiled routes ------------------------------------------------------------------------

ANY_SIZE = [tf.TensorSpec((None, None, None, 2))]


def pair_and_gradient(p):
    """Pooling and unpooling again, with a gradient through both."""

    def pair(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            values, places = MaxPooling2DWithIndices(p)(x)
            picture = MaxUnpooling2D(p)([values * 2.0, places, x])
            loss = tf.reduce_sum(picture * x)
        return values, places, picture, tape.gradient(loss, x)

    return pair


def ties(size, seed=1):
    return np.random.default_rng(seed).integers(-3, 4, (2, *size, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("p", "sizes"),
    [(2, [(1, 1), (5, 7), (6, 8)]), pytest.param(3, [(5, 7)], marks=pytest.mark.slow)],
)
def test_a_graph_of_any_size_gives_what_eager_calls_give(p, sizes):
    pair = pair_and_gradient(p)
    graph = tf.function(pair, input_signature=ANY_SIZE)
    for size in sizes:
        x = tf.constant(ties(size))
        assert_all_equal(pair(x), graph(x))


@pytest.mark.parametrize(("p", "size"), [(2, (5, 7)), (3, (1, 1))])
def test_xla_gives_what_eager_calls_give(p, size):
    pair = pair_and_gradient(p)
    xla = tf.function(pair, input_signature=ANY_SIZE, jit_compile=True)
    x = ties(size)
    assert_all_equal(pair(tf.constant(x)), xla(tf.constant(x)))
    x[0, 0, 0], x[1, -1, -1], x[1, 0] = np.nan, np.inf, -np.inf
    eager, compiled = pair(tf.constant(x))[:2], xla(tf.constant(x))[:2]
    assert np.isnan(eager[0][0, 0, 0]).all()
    assert_all_equal(eager, compiled)


def test_a_window_of_minus_infinity_stays_minus_infinity():
    values, places = MaxPooling2DWithIndices(2)(np.full((1, 3, 3, 1), -np.inf, np.float32))
    assert np.isneginf(values).all()
    assert not np.any(places)


# -- dtypes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_values_keep_their_dtype_and_places_are_bytes(dtype):
    x = tf.cast(np.random.default_rng(2).integers(-9, 9, (1, 5, 7, 2)), dtype)
    values, places = MaxPooling2DWithIndices(2, dtype=dtype)(x)
    picture = MaxUnpooling2D(2, dtype=dtype)([values, places, x])
    assert (values.dtype, places.dtype, picture.dtype) == (dtype, "uint8", dtype)
    slow_values, slow_places = slow_pooling.pool(tf.cast(x, "float32").numpy(), 2)
    np.testing.assert_array_equal(tf.cast(values, "float32"), slow_values)
    np.testing.assert_array_equal(places, slow_places)
    np.testing.assert_array_equal(
        tf.cast(picture, "float32"), slow_pooling.unpool(slow_values, slow_places, 2, 5, 7)
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_leaves_the_places_alone(policy):
    x = np.random.default_rng(3).normal(size=(1, 5, 7, 2)).astype(np.float32)
    values, places = MaxPooling2DWithIndices(2, dtype=policy)(x)
    picture = MaxUnpooling2D(2, dtype=policy)([values, places, x])
    half = policy.removeprefix("mixed_")
    assert (values.dtype, places.dtype, picture.dtype) == (half, "uint8", half)


# -- as part of a model -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def there_and_back():
    """A model that pools and unpools pictures of any size."""
    image = keras.Input((None, None, 2))
    values, places = MaxPooling2DWithIndices(2, name="pool")(image)
    picture = MaxUnpooling2D(2, name="unpool")([values, places, image])
    return keras.Model(image, [values, places, picture])


def test_a_model_knows_the_shapes_and_dtypes(there_and_back):
    values, places, picture = there_and_back.outputs
    assert (values.shape, values.dtype) == ((None, None, None, 2), "float32")
    assert (places.shape, places.dtype) == ((None, None, None, 2), "uint8")
    assert (picture.shape, picture.dtype) == ((None, None, None, 2), "float32")
    image = keras.Input((5, 7, 2))
    values, places = MaxPooling2DWithIndices(2)(image)
    assert values.shape == places.shape == (None, 3, 4, 2)
    assert MaxUnpooling2D(2)([values, places, image]).shape == (None, 5, 7, 2)


@settings(max_examples=10)
@given(case=cases())
def test_unpooling_comes_back_to_the_size_before_pooling(there_and_back, case):
    x = np.repeat(case[0][..., :1], 2, axis=-1)
    values, places, picture = there_and_back(x)
    expected = slow_pooling.unpool(*slow_pooling.pool(x, 2), 2, *x.shape[1:3])
    np.testing.assert_array_equal(picture, expected)
    assert values.shape == places.shape


def test_both_layers_survive_saving(there_and_back, tmp_path):
    there_and_back.save(tmp_path / "pair.keras")
    again = keras.saving.load_model(tmp_path / "pair.keras")
    assert again.get_layer("pool").pool_size == again.get_layer("unpool").pool_size == 2
    x = np.random.default_rng(4).normal(size=(1, 5, 7, 2)).astype(np.float32)
    # Not called directly: Keras 3.10 then warns of the inputs' structure in any loaded model.
    assert_all_equal(there_and_back(x), again.predict(x, verbose=0))


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [MaxPooling2DWithIndices, MaxUnpooling2D])
@pytest.mark.parametrize("bad", [0, 1, 17, 2.0, (2, 2), "2", True])
def test_a_window_is_one_int_from_2_to_16(layer, bad):
    with pytest.raises(ValueError, match=r"pool_size must be an int 2..16, received"):
        layer(bad)


def test_unpooling_wants_three_inputs():
    x = np.zeros((1, 2, 2, 1), np.float32)
    with pytest.raises(ValueError, match=r"a list \[x, indices, like\], received 2 inputs"):
        MaxUnpooling2D()([x, x.astype(np.uint8)])


@pytest.mark.parametrize(("size", "name"), [((5, 4), "height"), ((4, 2), "width")])
def test_like_must_be_what_was_pooled(size, name):
    x, like = np.zeros((1, 2, 2, 1), np.float32), np.zeros((1, *size, 1), np.float32)
    with pytest.raises(ValueError, match=f"the {name} of `like` must pool to that of x, received"):
        MaxUnpooling2D()([x, x.astype(np.uint8), like])
    layer, right = MaxUnpooling2D(), np.zeros((1, 4, 4, 1), np.float32)
    layer([x, x.astype(np.uint8), right])  # what it saw first says nothing about what comes
    with pytest.raises(ValueError, match=f"the {name} of `like` must pool to that of x, received"):
        layer([x, x.astype(np.uint8), like])


def test_values_and_places_have_one_shape():
    x, like = np.zeros((1, 2, 2, 1), np.float32), np.zeros((1, 4, 4, 1), np.float32)
    with pytest.raises(ValueError, match="x and indices must have one shape"):
        MaxUnpooling2D()([x, np.zeros((1, 2, 2, 3), np.uint8), like])
