import functools

import numpy as np
import pytest
from architectures import MODELS, built, perturbed, pictures
from narrow import narrowed
from nested_encoder import nested_unet

from semseg.analysis import feature_maps, skip_ablation, skips, stages, without_skip
from semseg.models import SegNetBasic

SKIPS = {
    "unet": ["encoder_1", "encoder_2"],
    "fcn8s": ["encoder_3", "encoder_4"],
    "fcn32s pad100": [],
    "fcn16s learnt": ["encoder_4"],
    "segnet_basic": [],
}


@pytest.mark.parametrize("name", SKIPS)
def test_skips_are_named_by_the_stage_they_come_from(name):
    assert skips(built(name)) == SKIPS[name]


def test_added_maps_are_skips_and_positions_are_none():
    addition = narrowed(SegNetBasic, 1)(num_classes=2, decoder="encoder_addition")
    assert skips(addition) == ["encoder_1", "encoder_2", "encoder_3"]


def test_a_silenced_skip_is_zero_where_it_is_joined():
    """By hand: the kernel's rows that read the skip half are zeroed instead."""
    model = built("unet")
    images = pictures(model, (16, 24))
    blind = without_skip(model, "encoder_1")
    kernel, *_ = model.get_layer("decoder_1_conv_1").get_weights()
    twin = perturbed(MODELS["unet"]())
    twin.set_weights(model.get_weights())
    half = kernel.copy()
    half[:, :, kernel.shape[2] // 2 :] = 0
    twin.get_layer("decoder_1_conv_1").set_weights([half])
    np.testing.assert_allclose(blind(images), twin(images), atol=1e-5)
    assert not np.allclose(blind(images), model(images), atol=1e-3)


def test_a_silenced_score_of_fcn_is_left_out_of_the_sum():
    model = built("fcn8s")
    images = pictures(model, (33, 64))
    before = [w.copy() for w in model.get_weights()]
    silent = np.asarray(without_skip(model, "encoder_3")(images))
    score = model.get_layer("score_pool3")
    kept = score.get_weights()
    score.set_weights([np.zeros_like(w) for w in kept])
    expected = np.asarray(model(images))
    score.set_weights(kept)
    np.testing.assert_allclose(silent, expected, atol=1e-5)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_are_shared():
    model = MODELS["unet"]()
    blind = without_skip(model, "encoder_2")
    images = pictures(model, (8, 8))
    before = np.asarray(blind(images))
    model.get_layer("classifier").set_weights(
        [w + 1 for w in model.get_layer("classifier").get_weights()]
    )
    assert not np.allclose(blind(images), before)
    assert blind.count_params() == model.count_params()


@pytest.mark.parametrize("name", ["unet", "fcn16s learnt"])
def test_the_table_of_silenced_skips_equals_the_models(name):
    model = built(name)
    images = pictures(model, (20, 36), batch=2)
    outputs = skip_ablation(model, images)
    assert list(outputs) == ["complete", *SKIPS[name]]
    np.testing.assert_allclose(outputs["complete"], model(images), atol=1e-5)
    for skip in SKIPS[name]:
        np.testing.assert_allclose(outputs[skip], without_skip(model, skip)(images), atol=1e-5)


def test_a_skip_through_a_nested_encoder_can_be_silenced():
    model = nested_unet()
    assert skips(model) == ["encoder_2", "encoder_3"]
    blind = without_skip(model, "encoder_3")
    images = pictures(model, (20, 24))
    assert tuple(blind(images).shape) == (1, 20, 24, 2)
    assert not np.allclose(blind(images), model(images), atol=1e-4)


def test_an_unknown_skip_is_refused():
    with pytest.raises(ValueError, match="one of the model's skips, encoder_1, encoder_2; rec"):
        without_skip(built("unet"), "encoder_3")
    with pytest.raises(ValueError, match="of which it has none; received 'x'"):
        without_skip(built("segnet_basic"), "x")


def test_feature_maps_are_the_outputs_of_the_stages():
    model = built("unet")
    image = pictures(model, (20, 28))[0]
    maps = feature_maps(model, image)
    assert list(maps) == [stage.name for stage in stages(model)]
    np.testing.assert_allclose(maps["head"], model(image[None])[0], atol=1e-5)
    first = functools.reduce(lambda x, layer: layer(x), model.layers[1:8], image[None])
    assert model.layers[7].name == "encoder_1_relu_2"
    np.testing.assert_allclose(maps["encoder_1"], first[0], atol=1e-5)
    assert maps["bottleneck"].shape == (5, 7, 16)
    with pytest.raises(ValueError, match="image must have shape .height, width, channels."):
        feature_maps(model, image[..., 0])
