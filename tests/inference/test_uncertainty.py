"""mc_dropout: dropout on, batch normalisation off, the certain part once, sums that hold."""

import keras
import numpy as np
import pytest

import semseg
from semseg.inference import mc_dropout, predict
from semseg.inference.dropout_split import split_at_dropout

PICTURE = np.random.default_rng(0).integers(0, 256, (16, 24, 3)).astype(np.uint8)


def dropping(rate=0.5, outputs=3, activation=None):
    """Someone's own model, with batch normalisation before and behind its dropout."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, padding="same")(keras.layers.Rescaling(1 / 128, -1)(inputs))
    x = keras.layers.Dropout(rate)(keras.layers.BatchNormalization()(x))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 1)(x))
    scores = keras.layers.Conv2D(outputs, 1, activation=activation)(x)
    model = keras.Model(inputs, scores)
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) ** 2 for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return dropping()


def entropy(shares):
    return -(shares * np.log(np.maximum(shares, 1e-12))).sum(-1)


def test_the_sums_are_those_of_the_samples(model):
    """Drawn one by one from the cut model, with NumPy's softmax and entropies."""
    found = mc_dropout(model, PICTURE, 6, batch_size=1, seed=3)
    split = split_at_dropout(model)
    split.reseed(3)
    picture = PICTURE[None].astype("float32")
    shares = []
    for _ in range(6):
        scores = keras.ops.convert_to_numpy(split.random(split.certain(picture), training=False))[0]
        shares.append(np.exp(scores) / np.exp(scores).sum(-1, keepdims=True))
    mean = np.mean(shares, axis=0)
    np.testing.assert_allclose(found.probabilities, mean, atol=1e-5)
    np.testing.assert_array_equal(found.ids, mean.argmax(-1))
    np.testing.assert_allclose(found.entropy, entropy(mean), atol=1e-5)
    information = entropy(mean) - np.mean([entropy(s) for s in shares], axis=0)
    np.testing.assert_allclose(found.mutual_information, information, atol=1e-5)
    assert information.max() > 0.01


def test_samples_differ_and_a_seed_repeats_them(model):
    first, again, other = (mc_dropout(model, PICTURE, 4, seed=s) for s in (0, 0, 1))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first.probabilities - other.probabilities).max() > 1e-3
    # Of a whole batch of samples, too: equal ones would know no doubt.
    assert mc_dropout(model, PICTURE, 4, batch_size=4).mutual_information.max() > 1e-3


def test_the_cut_model_is_kept_and_its_numbers_start_again(model, monkeypatch):
    first = mc_dropout(model, PICTURE, 4)
    mc_dropout(model, PICTURE, 3, seed=7)
    monkeypatch.setattr(keras.models, "clone_model", None)
    np.testing.assert_array_equal(mc_dropout(model, PICTURE, 4).probabilities, first.probabilities)


def test_new_weights_are_seen_by_the_kept_model():
    model, fresh = dropping(), dropping()
    mc_dropout(model, PICTURE, 2)
    for each in (model, fresh):
        each.set_weights([w * 2 for w in each.get_weights()])
    found, wanted = (mc_dropout(each, PICTURE, 4).probabilities for each in (model, fresh))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_batch_normalisation_stays_in_inference_and_nothing_is_left_behind(model):
    before = [w.copy() for w in model.get_weights()]
    scores = predict(model, PICTURE, output="logits")
    mc_dropout(model, PICTURE, 4)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(predict(model, PICTURE, output="logits"), scores)
    # With dropout that drops next to nothing, what is left is the model in inference.
    still = dropping(rate=1e-7)
    found = mc_dropout(still, PICTURE, 3)
    np.testing.assert_allclose(
        found.probabilities, predict(still, PICTURE, output="probabilities"), atol=1e-4
    )
    assert found.mutual_information.max() < 1e-4


@pytest.mark.parametrize(("outputs", "activation"), [(1, None), (1, "sigmoid"), (3, "softmax")])
def test_models_that_end_in_probabilities_or_one_output(outputs, activation):
    found = mc_dropout(dropping(outputs=outputs, activation=activation), PICTURE, 4)
    shares = found.probabilities
    both = np.concatenate([1 - shares, shares], -1) if outputs == 1 else shares
    np.testing.assert_allclose(both.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(found.entropy, entropy(both), atol=1e-5)
    np.testing.assert_array_equal(found.ids, both.argmax(-1))
    assert (found.mutual_information <= found.entropy + 1e-6).all()


@pytest.mark.parametrize(
    "name",
    ["unet", "fcn8s", pytest.param("segnet", marks=pytest.mark.slow), "segnet_basic"],
)
def test_the_architectures_with_dropout(name):
    arguments = {
        "unet": {"depth": 2, "filters": 4, "dropout": 0.5},
        "fcn8s": {"encoder": "mobilenetv2", "fc_units": 8},
    }.get(name, {"bayesian": True})
    keras.utils.set_random_seed(0)
    model = semseg.models.build(name, num_classes=3, **arguments)
    rng = np.random.default_rng(0)  # FCN's scores begin as zeros, which no dropout changes
    model.set_weights(
        [np.where(w == 0, rng.normal(0, 0.1, w.shape), w) for w in model.get_weights()]
    )
    found = mc_dropout(model, PICTURE, 2)
    assert found.ids.shape == (16, 24)
    assert found.mutual_information.max() > 0


def test_the_certain_part_holds_all_that_lies_before_the_first_dropout():
    model = semseg.models.build("segnet_basic", num_classes=3, bayesian=True)
    split = split_at_dropout(model)
    before = {layer.name for layer in split.certain.layers}
    behind = {layer.name for layer in split.random.layers}
    assert {name for name in before if name.startswith("encoder_1")} >= {"encoder_1_conv_1"}
    assert not {name for name in behind if name.startswith(("encoder_1_conv", "encoder_2_conv"))}
    assert any("dropout" in name for name in behind)
    shared = set(map(id, split.random.layers)) & set(map(id, model.layers))
    assert len(shared) > 5


def test_a_nested_encoder_with_dropout_drops():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    inner = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Conv2D(8, 1)(x)))
    outer = keras.Input((None, None, 3))
    model = keras.Model(outer, keras.layers.Conv2D(3, 1)(inner(outer)))
    assert mc_dropout(model, PICTURE, 4).mutual_information.max() > 0


def test_one_picture_a_file_a_list_and_an_array(model, tmp_path):
    one = mc_dropout(model, PICTURE, 2)
    semseg.viz.save(tmp_path / "a.png", PICTURE)
    for images in (tmp_path / "a.png", [PICTURE], PICTURE[None]):
        found = mc_dropout(model, images, 2)
        found = found if isinstance(images, type(tmp_path)) else found[0]
        np.testing.assert_array_equal(found.entropy, one.entropy)


def test_errors(model):
    with pytest.raises(ValueError, match=r"model must have dropout on the way .* 'plain' without"):
        mc_dropout(semseg.models.UNet(num_classes=2, depth=1, filters=4, name="plain"), PICTURE)
    with pytest.raises(ValueError, match=r"samples must be an int >= 2, received 1"):
        mc_dropout(model, PICTURE, 1)
    with pytest.raises(ValueError, match=r"images\[0\] must have 3 channels"):
        mc_dropout(model, PICTURE[..., :1])
