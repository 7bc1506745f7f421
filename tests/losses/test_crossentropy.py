"""Crossentropy: the mean over valid pixels, equal to a slow float64 loop."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from semseg.losses import Crossentropy

tf = pytest.importorskip("tensorflow")

IGNORE = 255
# An eager call takes some 20 ms.
few = settings(max_examples=max(6, settings().max_examples // 4))


def slow_crossentropy(
    ids, logits, ignore_class=None, class_weights=None, smoothing=0.0, sample_weight=None
):
    """The weighted mean, pixel by pixel in float64."""
    total, divisor = 0.0, 0.0
    for place in np.ndindex(ids.shape):
        if ids[place] == ignore_class:
            continue
        scores = logits[place].astype(np.float64)
        if scores.size == 1:  # a sigmoid is a softmax over (0, logit)
            scores = np.array([0.0, scores[0]])
        log_p = scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())
        target = np.full(len(scores), smoothing / len(scores))
        target[ids[place]] += 1 - smoothing
        weight = 1.0 if class_weights is None else class_weights[ids[place]]
        pixel = 1.0 if sample_weight is None else sample_weight[place]
        total -= pixel * weight * (target * log_p).sum()
        divisor += weight
    return total / divisor if divisor else 0.0


@st.composite
def batches(draw, num_logits=None):
    """Masks with ignored pixels, and logits; one logit is binary."""
    channels = draw(st.sampled_from([1, 2, 3, 11])) if num_logits is None else num_logits
    shape = draw(st.tuples(st.integers(1, 2), st.integers(1, 4), st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    ids = rng.choice([*range(max(2, channels)), IGNORE], shape).astype(np.int32)
    return ids, rng.normal(scale=3, size=(*shape, channels)).astype(np.float32)


def value_and_gradient(loss, ids, logits, **kwargs):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(ids, logits, **kwargs)
    return float(value), tape.gradient(value, logits).numpy()


# -- the slow loop ------------------------------------------------------------------------------


@few
@given(batches(), st.sampled_from([0.0, 0.1, 0.6]), st.booleans())
def test_the_loss_is_the_slow_weighted_mean(batch, smoothing, weighted):
    ids, logits = batch
    count = max(2, logits.shape[-1])
    weights = np.linspace(0.5, 2, count).tolist() if weighted else None
    loss = Crossentropy(IGNORE, weights, smoothing)
    expected = slow_crossentropy(ids, logits, IGNORE, weights, smoothing)
    assert float(loss(ids, logits)) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def unmasked(ids, logits):
    """A twin that scores ignored pixels as class 0."""
    return Crossentropy()(np.where(ids == IGNORE, 0, ids), logits)


def test_a_loss_that_scores_ignored_pixels_is_noticed():
    ids, logits = np.array([[[0, 1, IGNORE]]]), np.zeros((1, 1, 3, 2), np.float32)
    logits[..., 1] = [1, 2, 3]
    assert float(unmasked(ids, logits)) != pytest.approx(slow_crossentropy(ids, logits, IGNORE))


@few
@given(batches(), st.sampled_from([0.0, 0.2]))
def test_probabilities_give_the_loss_of_their_logits(batch, smoothing):
    ids, logits = batch
    binary = logits.shape[-1] == 1
    probabilities = ops.sigmoid(logits) if binary else ops.softmax(logits)
    of_logits = Crossentropy(IGNORE, label_smoothing=smoothing)
    of_probabilities = Crossentropy(IGNORE, label_smoothing=smoothing, from_logits=False)
    # Keras cuts probabilities at 1e-7, where a float32 sigmoid has three digits left.
    assert float(of_probabilities(ids, probabilities)) == pytest.approx(
        float(of_logits(ids, logits)), rel=2e-3, abs=1e-4
    )


@few
@given(batches(num_logits=1))
def test_one_logit_is_the_softmax_over_zero_and_it(batch):
    ids, logit = batch
    two = np.concatenate([np.zeros_like(logit), logit], -1)
    for arguments in ({}, {"class_weights": [1, 4]}, {"label_smoothing": 0.3}):
        loss = Crossentropy(IGNORE, **arguments)
        assert float(loss(ids, logit)) == pytest.approx(float(loss(ids, two)), rel=1e-5, abs=1e-6)


# -- ignored pixels -----------------------------------------------------------------------------


@pytest.mark.parametrize("ignore_class", [-1, 255, 1000])
def test_the_ignored_label_may_be_any_id_that_is_no_class(ignore_class):
    ids = np.array([[[0, 1, ignore_class]]])
    logits = np.array([[[[1.0, 0], [0, 1], [5, -5]]]], np.float32)
    assert float(Crossentropy(ignore_class)(ids, logits)) == pytest.approx(
        slow_crossentropy(ids, logits, ignore_class), rel=1e-6
    )


def test_pixels_of_weightless_classes_alone_give_nothing():
    ids, logits = np.zeros((1, 2, 2), int), np.ones((1, 2, 2, 2), np.float32)
    value, gradient = value_and_gradient(Crossentropy(class_weights=[0, 1]), ids, logits)
    assert value == 0.0
    assert not gradient.any()


# -- weights a pixel and a picture --------------------------------------------------------------


@few
@given(batches(), st.booleans())
def test_sample_weight_multiplies_each_pixel_as_in_keras(batch, weighted):
    ids, logits = batch
    weights = np.linspace(0.5, 2, max(2, logits.shape[-1])).tolist() if weighted else None
    pixel_weights = np.random.default_rng(0).random(ids.shape).astype(np.float32)
    pixel_weights[pixel_weights < 0.3] = 0
    loss = Crossentropy(IGNORE, weights)
    expected = slow_crossentropy(ids, logits, IGNORE, weights, sample_weight=pixel_weights)
    assert float(loss(ids, logits, sample_weight=pixel_weights)) == pytest.approx(
        expected, rel=1e-5, abs=1e-6
    )


@few
@given(batches())
def test_one_weight_a_picture_is_that_weight_at_each_of_its_pixels(batch):
    ids, logits = batch
    loss, per_picture = Crossentropy(IGNORE), np.arange(1.0, len(ids) + 1)
    pixels = np.broadcast_to(per_picture[:, None, None], ids.shape)
    expected = slow_crossentropy(ids, logits, IGNORE, sample_weight=pixels)
    for weights in (per_picture, per_picture[:, None], per_picture[:, None, None]):
        found = float(loss(ids, logits, sample_weight=weights))
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_one_weight_a_picture_is_not_spread_along_the_width():
    ids, logits = np.array([[[0, 1]], [[1, 1]]]), np.zeros((2, 1, 2, 2), np.float32)
    logits[1, ..., 0] = 2
    model = keras.Sequential([keras.Input((1, 2, 2)), keras.layers.Identity()])
    model.compile(loss=Crossentropy())
    weights = np.array([3.0, 0.0])
    found = model.evaluate(logits, ids, sample_weight=weights, verbose=0)
    pixels = np.broadcast_to(weights[:, None, None], ids.shape)
    expected = slow_crossentropy(ids, logits, sample_weight=pixels)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("reduction", ["sum", None])
def test_other_reductions_give_plain_weighted_losses(reduction):
    ids = np.array([[[0, 1, IGNORE]]])
    logits = np.array([[[[1.0, 0], [2, 1], [7, 7]]]], np.float32)
    weights = [2.0, 3.0]
    each = [
        weights[ids[0, 0, i]] * slow_crossentropy(ids[:, :, i : i + 1], logits[:, :, i : i + 1])
        for i in (0, 1)
    ]
    found = Crossentropy(IGNORE, weights, reduction=reduction)(ids, logits)
    if reduction is None:
        np.testing.assert_allclose(np.asarray(found), [[[*each, 0.0]]], rtol=1e-6)
    else:
        assert float(found) == pytest.approx(sum(each), rel=1e-6)


# -- configuration ------------------------------------------------------------------------------


def test_the_configuration_comes_back():
    loss = Crossentropy(IGNORE, [0.5, 2.0], 0.25, "pixels", False, reduction="sum", name="ce")
    config = keras.saving.serialize_keras_object(loss)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == loss.get_config()
    assert config["registered_name"] == "semseg.losses>Crossentropy"
    assert again.get_config()["class_weights"] == [0.5, 2.0]


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_smoothing": 1.0}, r"label_smoothing must be in \[0, 1\), received 1.0"),
        ({"label_smoothing": -0.1}, r"label_smoothing must be in \[0, 1\), received -0.1"),
        ({"class_weights": [1.0]}, "a list with one number a class, received"),
        ({"class_weights": [[1.0, 2.0]]}, "a list with one number a class, received"),
        ({"class_weights": [1.0, -1.0]}, "must be finite and >= 0, and not all 0, received"),
        ({"class_weights": [1.0, np.nan]}, "must be finite and >= 0, and not all 0, received"),
        ({"class_weights": [0.0, 0.0]}, "must be finite and >= 0, and not all 0, received"),
        ({"ignore_class": 0}, "ignore_class must lie outside"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Crossentropy(**arguments)


@pytest.mark.parametrize(
    ("true_shape", "channels", "message"),
    [
        ((2, 4, 4, 1), 3, r"drop the mask's channel axis with mask\[..., 0\]"),
        ((2, 4, 4, 3), 3, r"must hold shares >= 0 that sum to 1 .*ids have no channel axis"),
        ((4, 4), 3, r"received shapes \(4, 4\) and \(2, 4, 4, 3\)"),
    ],
)
def test_shapes_that_would_broadcast_are_refused(true_shape, channels, message):
    with pytest.raises(ValueError, match=message):
        Crossentropy()(np.zeros(true_shape, int), np.zeros((2, 4, 4, channels), np.float32))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            [[[0, 11]]],
            r"y_true has ids \[11\] outside 0..2 and the ignored 255 \(1 pixels of id 11",
        ),
        ([[[-1, 0]]], r"y_true has ids \[-1\] outside 0..2"),
        ([[[0.5, 0]]], "y_true must hold whole class ids, received float32 with fractions"),
    ],
)
def test_labels_that_are_no_class_are_named(ids, message):
    with pytest.raises(ValueError, match=message):
        Crossentropy(IGNORE)(np.array(ids), np.zeros((1, 1, 2, 3), np.float32))


def test_a_binary_mask_of_0_and_255_names_the_remap():
    with pytest.raises(ValueError, match=r"ids \[255\] outside 0..1 .*remap=\{255: 1\}"):
        Crossentropy()(np.array([[[0, 255]]]), np.zeros((1, 1, 2, 1), np.float32))


def test_an_ignored_label_that_is_a_class_is_found_with_the_logits():
    with pytest.raises(ValueError, match="ignore_class must lie outside 0..10, received 10"):
        Crossentropy(10)(np.zeros((1, 1, 1), int), np.zeros((1, 1, 1, 11), np.float32))


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 4, 1, 1), (2, 5, 4)])
def test_sample_weights_that_fit_neither_pictures_nor_pixels_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"sample_weight must hold one number a picture \(batch,\)"
    ):
        Crossentropy()(
            np.zeros((2, 4, 5), int),
            np.zeros((2, 4, 5, 2), np.float32),
            sample_weight=np.ones(shape),
        )


@pytest.mark.parametrize(("channels", "needed"), [(1, 2), (4, 4)])
def test_class_weights_count_the_classes(channels, needed):
    message = f"class_weights must hold {needed} numbers .* last axis {channels}, received 3"
    with pytest.raises(ValueError, match=message):
        Crossentropy(class_weights=[1, 2, 3])(
            np.zeros((1, 1, 1), int), np.zeros((1, 1, 1, channels), np.float32)
        )
