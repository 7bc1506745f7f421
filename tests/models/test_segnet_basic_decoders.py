"""What the decoders of the SegNet paper's Table 1 promise beside their sizes and numbers."""

import functools

import keras
import numpy as np
import pytest
from architectures import ROAD, perturbed, pictures
from narrow import narrowed

from semseg.losses import Crossentropy
from semseg.models import SegNetBasic, build, class_map, load
from semseg.models.segnet_basic_decoders import ENLARGED, UNPOOLED

tf = pytest.importorskip("tensorflow")

# "unpool" is the default, which all other tests of models hold.
OTHERS = [name for name in [*UNPOOLED, *ENLARGED] if name != "unpool"]


@functools.cache
def built(decoder):
    keras.utils.set_random_seed(1)
    return perturbed(narrowed(SegNetBasic)(class_map=ROAD, decoder=decoder))


@pytest.mark.parametrize("decoder", OTHERS)
def test_any_size_comes_back(decoder):
    model = built(decoder)
    for size in ((1, 1), (37, 53)):
        logits = model(pictures(model, size))
        assert logits.shape == (1, *size, 3)
        assert np.isfinite(logits).all()


@pytest.mark.parametrize("decoder", OTHERS)
def test_every_weight_gets_a_gradient(decoder):
    model = built(decoder)
    images = pictures(model, (9, 7), batch=2)
    masks = np.random.default_rng(0).integers(0, 3, (2, 9, 7))
    with tf.GradientTape() as tape:
        value = Crossentropy()(masks, model(images, training=True))
    gradients = tape.gradient(value, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert np.isfinite(gradient).all() and np.any(gradient), weight.path


# Those with a layer or an option that no other architecture saves.
@pytest.mark.parametrize(
    "decoder",
    [
        "fcn",
        *(pytest.param(d, marks=pytest.mark.slow) for d in ("single_channel", "fcn_no_reduction")),
    ],
)
def test_a_saved_model_gives_the_same_logits(decoder, tmp_path):
    model = built(decoder)
    model.save(tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert class_map(again) == ROAD
    images = pictures(model, (13, 10))
    # By `predict`: Keras 3.10 warns where a loaded model is called.
    logits = again.predict(images, verbose=0)
    np.testing.assert_allclose(logits, model(images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("decoder", ["fcn", "fcn_no_reduction"])
def test_logits_stay_float32_under_mixed_precision(decoder):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = narrowed(SegNetBasic)(num_classes=3, decoder=decoder)
    finally:
        keras.config.set_dtype_policy("float32")
    logits = model(pictures(model, (5, 7)))
    assert model.output.dtype == logits.dtype == "float32"
    # Not half precision in disguise either, in which neighbours tie.
    assert np.any(tf.cast(tf.cast(logits, "bfloat16"), "float32") != logits)


def test_one_graph_serves_all_sizes():
    model = build("segnet_basic", num_classes=2, filters=8, decoder="fcn_no_reduction")
    graph = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 3))])
    for size in ((1, 1), (19, 35)):
        images = pictures(model, size).astype(np.float32)
        np.testing.assert_allclose(graph(images), model(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("decoder", "num_classes"), [("fcn", 1), ("fcn_no_reduction", 11)])
def test_an_untrained_model_that_adds_knows_nothing(decoder, num_classes):
    model = SegNetBasic(num_classes=num_classes, decoder=decoder)
    count = max(2, num_classes)
    masks = np.random.default_rng(0).integers(0, count, (2, 24, 32))
    loss = Crossentropy()(masks, model(pictures(model, (24, 32), batch=2), training=True))
    assert float(loss) == pytest.approx(np.log(count), rel=0.1)


@pytest.mark.parametrize("decoder", UNPOOLED)
def test_the_bayesian_form_drops_after_convolutions_of_the_decoder(decoder):
    model = narrowed(SegNetBasic)(num_classes=2, decoder=decoder, bayesian=True)
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert names == [
        "encoder_3_dropout", "encoder_4_dropout", "decoder_4_dropout", "decoder_3_dropout",
    ]  # fmt: skip


@pytest.mark.parametrize("decoder", ENLARGED)
def test_the_bayesian_form_is_refused_where_no_convolution_follows(decoder):
    message = rf"bayesian=True goes with decoder= one of \['unpool', .*; received '{decoder}'"
    with pytest.raises(ValueError, match=message):
        SegNetBasic(num_classes=2, decoder=decoder, bayesian=True)


@pytest.mark.parametrize("decoder", ["fcn8s", None, ["fcn"]])
def test_an_unknown_decoder_lists_the_names(decoder):
    names = ", ".join(f"'{name}'" for name in [*UNPOOLED, *ENLARGED])
    with pytest.raises(ValueError, match=rf"decoder must be one of \[{names}\], received "):
        SegNetBasic(num_classes=2, decoder=decoder)
