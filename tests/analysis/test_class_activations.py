import functools

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from architectures import built, pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from semseg.analysis import class_activation
from semseg.layers import Logits, PadToMultiple
from semseg.models import UNet


def pooled(channels, classes, head=None, inner=1, pad=0):
    """Coarse features of the picture, one 1 x 1 convolution over what is seen of them."""
    x = inputs = layers.Input((None, None, channels))
    x = layers.AveragePooling2D(4)(x)
    x = layers.Conv2D(channels, inner, padding="same", name="features")(x)
    x = layers.UpSampling2D(4)(x)
    if pad:
        x = layers.ZeroPadding2D(((0, 0), (pad, 0)))(x)
    x = layers.Conv2D(classes, 1, name="scores")(x)
    for layer in head or []:
        x = layer(x)
    return keras.Model(inputs, x)


@functools.cache
def plain():
    return pooled(3, 2)


def averages(image):
    height, width, channels = image.shape
    return image.reshape(height // 4, 4, width // 4, 4, channels).mean(axis=(1, 3))


@settings(max_examples=8)
@given(seed=st.integers(0, 2**31), class_id=st.integers(0, 1))
def test_the_map_is_the_papers_formula_in_closed_form(seed, class_id):
    rng = np.random.default_rng(seed)
    model = plain()
    own, bias, head = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(3, 2))
    model.get_layer("features").set_weights([own[None, None], bias])
    model.get_layer("scores").set_weights([head[None, None], np.zeros(2)])
    image = rng.normal(size=(12, 16, 3))
    region = rng.random((12, 16)) < 0.2
    region[5, 5] = True
    found = class_activation(model, image, class_id, region)
    features = averages(image) @ own + bias
    # Every pixel of the region sends the class's weights to the one cell below it.
    weights = region.sum() * head[:, class_id] / features[..., 0].size
    cells = np.maximum(features @ weights, 0)
    expected = cv2.resize(cells, (16, 12), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found.map, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.region, region)
    assert found.stage == "bottleneck" and found.map.dtype == np.float32


def test_on_all_ways_past_a_skip_the_weights_are_the_gradients_of_the_channels_biases():
    inputs = layers.Input((None, None, 2))
    fine = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    coarse = layers.Conv2D(4, 3, padding="same", name="coarse")(layers.MaxPooling2D(2)(fine))
    ways = [layers.UpSampling2D(2, interpolation=how)(coarse) for how in ("nearest", "bilinear")]
    joined = layers.Concatenate()([fine, *ways])
    joined = layers.Conv2D(5, 3, padding="same", activation="relu")(joined)
    model = keras.Model(inputs, layers.Conv2D(3, 1)(joined))
    image = np.random.default_rng(0).normal(size=(8, 12, 2)).astype("float32")
    region = np.zeros((8, 12), bool)
    region[2:5, 6:9] = True
    seen = False
    maps = keras.Model(inputs, coarse)(image[None])[0].numpy()
    for class_id in range(3):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(image[None])[0, ..., class_id][region])
        weights = tape.gradient(total, model.get_layer("coarse").bias).numpy() / 24
        cells = np.maximum(maps @ weights, 0)
        expected = cv2.resize(cells, (12, 8), interpolation=cv2.INTER_LINEAR)
        found = class_activation(model, image, class_id, region)
        np.testing.assert_allclose(found.map, expected, rtol=1e-4, atol=1e-6)
        seen |= bool(found.map.any())
    assert seen


def test_a_region_that_the_stage_does_not_reach_has_no_activation():
    model = pooled(3, 2, inner=3, pad=24)  # the first 24 columns of the output see zeros alone
    image = np.random.default_rng(0).uniform(0, 1, (16, 16, 3))
    region = np.zeros((16, 40), bool)
    region[:, :24] = True
    assert not class_activation(model, image, 1, region).map.any()
    assert not class_activation(model, image, 1, (3, 23)).map.any()
    assert any(class_activation(model, image, c, (3, 24)).map.any() for c in (0, 1))


def test_what_lies_beyond_the_regions_field_changes_the_map_there_alone():
    model = pooled(3, 2, inner=3)
    image = np.random.default_rng(0).uniform(0, 1, (16, 64, 3))
    changed = image.copy()
    changed[:, 48:] = 5
    one, other = (
        np.stack([class_activation(model, i, class_id, (8, 8)).map for class_id in (0, 1)])
        for i in (image, changed)
    )
    assert one[..., :38].any() and (one != other)[..., 48:].any()
    np.testing.assert_array_equal(one[..., :38], other[..., :38])


def ended(head):
    keras.utils.set_random_seed(3)
    return pooled(3, 2, head)


ENDS = {
    "softmax layer": [layers.Softmax()],
    "activation": [layers.Activation("softmax", dtype="float32")],
    "operation": [keras.ops.softmax],
    "our last layer": [Logits(activation="softmax")],
    "in the convolution": None,
}


@pytest.mark.parametrize("name", ENDS)
def test_the_logits_are_explained_whatever_stands_at_the_end(name):
    image = np.random.default_rng(1).normal(size=(12, 16, 3))
    region = image[..., 0] > 0
    model = ended(ENDS[name])
    if ENDS[name] is None:
        model = pooled(3, 2)
        scores = model.get_layer("scores")
        x = layers.Conv2D(2, 1, activation="softmax", name="ended")(scores.input)
        model = keras.Model(model.input, x)
        model.set_weights(ended(None).get_weights())
    expected = class_activation(ended(None), image, 1, region)
    found = class_activation(model, image, 1, region)
    assert expected.map.any()
    np.testing.assert_allclose(found.map, expected.map, rtol=1e-5, atol=1e-7)
    before = model.predict(image[None], verbose=0)
    np.testing.assert_allclose(before.sum(-1), 1, atol=1e-5)  # the model itself is as it was


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_of_one_logit_class_0_is_its_negative(activation):
    one, two = pooled(3, 1, [Logits(activation=activation)]), pooled(3, 2)
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, 1))
    two.set_weights(
        [*one.get_weights()[:2], np.concatenate([-kernel, kernel], axis=-1), np.zeros(2)]
    )
    one.set_weights([*one.get_weights()[:2], kernel, np.zeros(1)])
    image = np.random.default_rng(1).normal(size=(12, 16, 3))
    for class_id in (0, 1):
        found, expected = (class_activation(m, image, class_id) for m in (one, two))
        np.testing.assert_array_equal(found.region, expected.region)
        assert found.region.any() and not found.region.all()
        np.testing.assert_allclose(found.map, expected.map, rtol=1e-5, atol=1e-7)


def test_without_a_region_it_is_what_the_model_predicts_and_a_pixel_is_a_mask_of_one():
    model = ended(None)
    image = np.random.default_rng(1).normal(size=(12, 16, 3))
    ids = model.predict(image[None], verbose=0)[0].argmax(-1)
    found = class_activation(model, image, 1)
    np.testing.assert_array_equal(found.region, ids == 1)
    np.testing.assert_array_equal(found.map, class_activation(model, image, 1, ids == 1).map)
    mask = np.zeros((12, 16), bool)
    mask[3, 14] = True
    by_mask, by_pixel = (class_activation(model, image, 1, r) for r in (mask, (3, 14)))
    np.testing.assert_array_equal(by_pixel.map, by_mask.map)
    np.testing.assert_array_equal(by_pixel.region, mask)


def seeing(*stack):
    """A model whose features are its picture's brightness, and so is its logit."""
    inputs = x = layers.Input((None, None, 1))
    for layer in stack:
        x = layer(x)
    model = keras.Model(inputs, x)
    for weight in model.weights:
        weight.assign(np.ones(weight.shape) / np.prod(weight.shape[:2]))
    return model


def test_the_map_lies_where_the_cells_lie():
    # The picture is padded below and on the right: its 21 columns are 2.6 cells of 8, not 3.
    model = seeing(
        PadToMultiple(8),
        layers.Conv2D(1, 8, 8, use_bias=False),
        layers.UpSampling2D(8),
        layers.Conv2D(1, 1, use_bias=False),
    )
    image = np.zeros((16, 21, 1))
    image[:8, 8:16] = 1
    found = class_activation(model, image, 1, np.ones((16, 24), bool))
    assert found.map.shape == found.region.shape == (16, 21)
    row = found.map[0] / found.map.max()  # of 15 / 16, half a pixel from the centre of cell 1
    np.testing.assert_allclose(row[[3, 4, 11, 12, 19]], [0, 1 / 15, 1, 1, 1 / 15], rtol=1e-5)


def test_unpadded_convolutions_move_the_map_and_the_region_to_their_places():
    keras.utils.set_random_seed(0)
    model = UNet(num_classes=2, depth=1, filters=2, padding="valid", norm=None)
    image = np.random.default_rng(0).uniform(0, 255, (36, 36, 3))
    size = model(image[None]).shape[1]
    found = class_activation(model, image, 1, (2, 5), stage="encoder_1")
    offset = (36 - size) // 2
    assert np.argwhere(found.region).tolist() == [[2 + offset, 5 + offset]]
    whole = class_activation(model, image, 1, np.ones((size, size), bool))
    assert whole.region.sum() == size**2 and whole.region[offset:-offset, offset:-offset].all()


@pytest.mark.parametrize(
    ("name", "deepest"),
    [("unet", "bottleneck"), ("segnet_basic", "encoder_4"), ("fcn8s", "bottleneck")],
)
def test_every_architecture_can_be_asked_about_its_stages(name, deepest):
    model = built(name)
    image = pictures(model, (21, 34), batch=1)[0]
    for stage in (None, "decoder_1"):
        found = class_activation(model, image, 0, (4, 5), stage)
        assert found.map.shape == (21, 34) and found.stage == (stage or deepest)
        assert found.map.min() >= 0 and np.isfinite(found.map).all()


def test_without_anything_coarser_it_is_what_lies_before_the_head():
    model = seeing(layers.Conv2D(1, 3, padding="same"), layers.ReLU(), layers.Conv2D(1, 1))
    found = class_activation(model, np.ones((4, 5, 1)), 1)
    assert found.stage == "encoder_1"
    np.testing.assert_allclose(found.map[1:3, 1:4], 2 * 1)


def test_refusals():
    model, image = ended(None), np.ones((12, 16, 3))
    with pytest.raises(ValueError, match=r"class_id must be one of \[0, 1\], received 2"):
        class_activation(model, image, 2)
    with pytest.raises(ValueError, match="stage must be one .* encoder_1, bottleneck.*'head'"):
        class_activation(model, image, 1, stage="head")
    with pytest.raises(ValueError, match="stage must be one .* of which it has none; received Non"):
        class_activation(seeing(layers.Conv2D(1, 1)), image[..., :1], 1)
    absent = 1 - int(model.predict(image[None], verbose=0).argmax(-1)[0, 0, 0])
    with pytest.raises(ValueError, match=f"received None, and no pixel is predicted as .*{absent}"):
        class_activation(model, image, absent)
    for region, received in (
        ((12, 0), r"received \(12, 0\)"),
        ((0.5, 1), r"received \(0.5, 1\)"),
        (np.ones((12, 15), bool), r"received bool of shape \(12, 15\) with 180 pixels"),
        (np.zeros((12, 16), bool), r"received bool of shape \(12, 16\) with 0 pixels"),
        (np.ones((12, 16), int), "received int64 of .* become one with mask == class_id"),
    ):
        with pytest.raises(ValueError, match=r"region must be one pixel .* 12 x 16; " + received):
            class_activation(model, image, 1, region)
    with pytest.raises(ValueError, match="image must have shape"):
        class_activation(model, image[None], 1)
