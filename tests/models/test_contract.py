"""What every architecture of tests/architectures.py promises."""

import math

import keras
import numpy as np
import pytest
from architectures import BUILDERS, MODELS, built, perturbed, pictures
from keras import layers, ops

from semseg.losses import Crossentropy
from semseg.models import class_map
from semseg.models.saved import output_layer

tf = pytest.importorskip("tensorflow")

SIZES = [(1, 1), (1, 8), (2, 3), (5, 4), (37, 51)]


@pytest.fixture(params=MODELS)
def model(request):
    return built(request.param)


# -- each promise is a function, so that a broken twin can be put in ------------------------------


def takes_any_size(model):
    for size in SIZES:
        logits = model(pictures(model, size))
        assert logits.shape == (1, *size, model.output.shape[-1])
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"
        assert np.isfinite(logits).all()


def compiled_equals_eager(model):
    channels = model.input.shape[-1]
    graph = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, channels))])
    for size in SIZES:
        images = pictures(model, size, batch=2).astype(np.float32)
        np.testing.assert_allclose(graph(images), model(images), rtol=1e-4, atol=1e-5)


def pictures_do_not_see_each_other(model):
    images = pictures(model, (7, 6), batch=2)
    apart = np.concatenate([model(images[:1]), model(images[1:])])
    np.testing.assert_allclose(model(images), apart, rtol=1e-4, atol=1e-5)


def bytes_equal_floats(model):
    images = pictures(model, (5, 6))
    for dtype in ("float32", "int32", "float64"):
        np.testing.assert_array_equal(model(images), model(images.astype(dtype)))


def shifting_by_the_stride_shifts_the_logits(model):
    stride = 2 ** sum(isinstance(layer, layers.MaxPooling2D) for layer in model.layers)
    # The receptive field of the variants here is below 20 strides; beyond it the border is unseen.
    reach = 10 * stride
    size = 2 * reach + 4 * stride
    whole = pictures(model, (size + stride, size))
    logits, shifted = np.asarray(model(whole)), np.asarray(model(whole[:, stride:]))
    inside = slice(reach, size - reach)
    np.testing.assert_allclose(
        logits[:, reach + stride : size - reach + stride, inside],
        shifted[:, inside, inside],
        rtol=1e-4,
        atol=1e-4,
    )


PROMISES = [
    takes_any_size,
    compiled_equals_eager,
    pictures_do_not_see_each_other,
    bytes_equal_floats,
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_model_keeps_the_promise(model, promise):
    promise(model)


# Group normalisation takes its statistics from the whole picture; the deeper architectures see too
# far for a test of this size and have their own in test_geometry.py.
@pytest.mark.parametrize(
    "name",
    [n for n in MODELS if n.startswith("unet") and "group" not in n and "encoder" not in n],
)
def test_shifting_a_picture_by_the_stride_shifts_its_logits(name):
    shifting_by_the_stride_shifts_the_logits(built(name))


def rounded_up(x):
    """A twin that pools and upsamples, but never crops: odd sizes come back one larger."""
    x = layers.MaxPooling2D(2, padding="same")(layers.Rescaling(1 / 255)(x))
    return layers.UpSampling2D(2)(x)


def normalised_over_the_batch(x):
    """A twin whose pictures see each other."""
    return layers.Lambda(lambda x: x - ops.mean(x))(layers.Rescaling(1 / 255)(x))


def cut_to_bytes(x):
    """A twin that scales bytes and takes floats as they are."""
    return layers.Lambda(lambda x: x / 255 if x.dtype == "uint8" else x)(x)


def of_two_kinds(x):
    """A twin that is another function in a graph."""
    return layers.Lambda(lambda x: x if tf.executing_eagerly() else x + 1)(x)


def placed(x):
    """A twin that knows where in the picture it is."""
    return layers.Lambda(lambda x: x + ops.cumsum(ops.ones_like(x), axis=1))(x)


@pytest.mark.parametrize(
    ("twin", "promise"),
    [
        (rounded_up, takes_any_size),
        (of_two_kinds, compiled_equals_eager),
        (normalised_over_the_batch, pictures_do_not_see_each_other),
        (cut_to_bytes, bytes_equal_floats),
        (placed, shifting_by_the_stride_shifts_the_logits),
    ],
)
def test_a_broken_twin_breaks_the_promise(twin, promise):
    image = keras.Input((None, None, 3), dtype="uint8" if twin is cut_to_bytes else "float32")
    broken = keras.Model(image, twin(image))
    if twin is cut_to_bytes:  # a functional model casts its inputs: call the layer itself
        broken = CallWithShapes(broken.layers[-1], image)
    with pytest.raises(AssertionError):
        promise(broken)


class CallWithShapes:
    """A bare function that looks like a model."""

    def __init__(self, function, image):
        self._function, self.input = function, image

    def __call__(self, images):
        return self._function(ops.convert_to_tensor(images))


# -- promises that need a build of their own ----------------------------------------------------


@pytest.mark.parametrize("name", ["unet", "unet binary", "unet with classes"])
def test_a_static_size_gives_what_any_size_gives(name):
    free = built(name)
    fixed = MODELS[name](input_shape=(13, 9, 3))
    fixed.set_weights(free.get_weights())
    assert fixed.output.shape == (None, 13, 9, free.output.shape[-1])
    images = pictures(free, (13, 9))
    np.testing.assert_allclose(fixed(images), free(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("policy", "name"), [("mixed_float16", "unet"), *(("mixed_bfloat16", name) for name in MODELS)]
)
def test_logits_are_float32_and_finite_under_mixed_precision(policy, name):
    keras.config.set_dtype_policy(policy)
    try:
        model = perturbed(MODELS[name]())
    finally:
        keras.config.set_dtype_policy("float32")
    half = policy.removeprefix("mixed_")
    assert half in {layer.compute_dtype for layer in model.layers if "_conv" in layer.name} | {
        layer.compute_dtype for layer in model.layers if layer.name == "encoder"
    }
    logits = model(pictures(model, (5, 7)))
    assert model.output.dtype == logits.dtype == "float32"
    assert np.isfinite(logits).all()
    # Nor half precision in disguise, in which neighbours tie.
    assert np.any(ops.cast(ops.cast(logits, half), "float32") != logits)


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize("num_classes", [1, 11])
def test_an_untrained_model_knows_nothing(builder, num_classes):
    # Equal logits say 1 / C for every class: a loss of ln C. Far above it, the start is confidently
    # wrong (a wrong scale of pixels or weights), and the first steps go into undoing that.
    keras.utils.set_random_seed(0)
    model = builder(num_classes=num_classes)
    images = pictures(model, (24, 32), batch=2)
    count = max(2, num_classes)
    masks = np.random.default_rng(0).integers(0, count, (2, 24, 32))
    loss = float(Crossentropy()(masks, model(images, training=True)))
    assert loss == pytest.approx(math.log(count), rel=0.1)


@pytest.mark.parametrize("name", MODELS)
def test_the_class_map_is_inside(name):
    expected = MODELS[name].keywords.get("class_map")
    assert class_map(built(name)) == expected
    assert class_map(keras.models.clone_model(built(name))) == expected


@pytest.mark.parametrize("name", MODELS)
def test_the_end_is_named_after_what_comes_out(name):
    activation = MODELS[name].keywords.get("activation")
    assert output_layer(built(name)).name == (activation or "logits")
    images = pictures(built(name), (4, 4))
    sums = np.asarray(built(name)(images)).sum(-1)
    assert np.allclose(sums, 1) == (activation == "softmax")


def test_every_weight_gets_a_gradient(model):
    images = pictures(model, (9, 7), batch=2)
    channels = model.output.shape[-1]
    masks = np.random.default_rng(0).integers(0, max(2, channels), (2, 9, 7))
    loss = Crossentropy(from_logits=not isinstance(output_layer(model).activation, str))
    with tf.GradientTape() as tape:
        value = loss(masks, model(images, training=True))
    gradients = tape.gradient(value, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path
