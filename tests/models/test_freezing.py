"""Freezing an encoder: it stays as it is, and it comes back."""

import keras
import numpy as np
import pytest
from narrow import narrowed
from nested_encoder import pyramid

from semseg.models import FCN, UNet, freeze_encoder, load
from semseg.models.freezing import staged_layers


def compiled(model):
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.fixture
def model():
    return compiled(UNet(num_classes=2, filters=2, encoder=pyramid("P1", "P2")))


def fit(model):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1, 8, 8, 3)).astype("uint8")
    model.fit(images, rng.integers(0, 2, (1, 8, 8)), verbose=0)


def trained(model):
    return {weight.path for weight in model.trainable_weights}


def test_a_frozen_encoder_stays_as_it_is_batch_statistics_included(model):
    compiled(freeze_encoder(model))
    before = model.get_layer("encoder").get_weights()
    head = model.get_layer("classifier").get_weights()[0]
    fit(model)
    for a, b in zip(before, model.get_layer("encoder").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (head != model.get_layer("classifier").get_weights()[0]).any()


def test_fit_says_that_compile_must_follow(model):
    fit(model)
    freeze_encoder(model)
    with pytest.raises(ValueError, match="compile"):
        fit(model)


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_no_stages_undo_it(model, nested, batch_norm):
    if not nested:
        model = compiled(UNet(num_classes=2, depth=1, filters=2))
    before = trained(model)
    assert trained(freeze_encoder(model, batch_norm=batch_norm)) < before
    assert trained(freeze_encoder(model, stages=0)) == before
    assert not model.compiled


def test_what_was_frozen_learns_again(model):
    compiled(freeze_encoder(model))
    fit(model)
    compiled(freeze_encoder(model, stages=0))
    before = model.get_layer("encoder").get_weights()
    fit(model)
    after = model.get_layer("encoder").get_weights()
    assert all((a != b).any() for a, b in zip(before, after, strict=True))


def test_the_last_call_alone_counts(model):
    alone = trained(freeze_encoder(model, stages=1))
    freeze_encoder(model)
    assert trained(freeze_encoder(model, stages=1)) == alone
    assert trained(freeze_encoder(model, stages=2)) < alone


def test_keras_unfreezes_a_whole_encoder_in_its_own_way(model):
    before = trained(model)
    freeze_encoder(model)
    model.get_layer("encoder").trainable = True
    assert trained(model) == before
    model.get_layer("encoder").trainable = False
    assert trained(freeze_encoder(model, stages=0)) == before


def test_stages_count_from_the_input(model):
    freeze_encoder(model, stages=1)
    inner = model.get_layer("encoder")
    assert not inner.get_layer("features_1").trainable
    assert inner.get_layer("features_2").trainable


def test_batch_norm_may_stay_live(model):
    freeze_encoder(model, batch_norm=False)
    inner = model.get_layer("encoder")
    assert inner.get_layer("norm_1").trainable
    assert not inner.get_layer("features_1").trainable


def test_it_survives_saving(model, tmp_path):
    freeze_encoder(model, stages=1)
    model.save(tmp_path / "model.keras")
    inner = load(tmp_path / "model.keras").get_layer("encoder")
    assert not inner.get_layer("features_1").trainable
    assert inner.get_layer("features_2").trainable


def test_flat_architectures_have_stages_too():
    model = freeze_encoder(narrowed(FCN, 2)(num_classes=2, fc_units=2), stages=2)
    assert not model.get_layer("block2_conv2").trainable
    assert model.get_layer("block3_conv1").trainable
    assert model.get_layer("fc6").trainable


def test_an_encoder_may_have_any_name():
    unnamed = pyramid("P1", "P2")
    unnamed = keras.Model(unnamed.inputs, unnamed.output)
    model = UNet(num_classes=2, filters=2, encoder=unnamed)
    before = trained(model)
    inside = {weight.path for weight in unnamed.trainable_weights}
    assert unnamed.name != "encoder"
    assert trained(freeze_encoder(model)) == before - inside


def test_a_level_may_be_the_result_of_an_operation_that_is_no_layer():
    # As in ConvNeXt: the sum of a block's input and output.
    image = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(2, 3, 2, "same", name="first")(image)
    first = first + keras.layers.Conv2D(2, 3, padding="same", name="beside")(first)
    second = keras.layers.Conv2D(2, 3, 2, "same", name="second")(first)
    encoder = keras.Model(image, {"P1": first, "P2": second})
    model = freeze_encoder(UNet(num_classes=2, filters=2, encoder=encoder), stages=1)
    stages = {layer.name: stage for stage, layer in staged_layers(model)}
    assert (stages["first"], stages["beside"], stages["second"]) == (1, 1, 2)
    assert [encoder.get_layer(name).trainable for name in ("first", "beside", "second")] == [
        False, False, True
    ]  # fmt: skip


@pytest.mark.parametrize("stages", [3, -1, "1", True, 0.5])
def test_stages_outside_their_number_are_refused(model, stages):
    with pytest.raises(ValueError, match=rf"stages must be None or 0\.\.2, received {stages!r}"):
        freeze_encoder(model, stages=stages)


def test_a_model_without_encoder_is_refused():
    bare = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="must have an encoder"):
        freeze_encoder(bare)
