"""A model's graph is read, run and differentiated on every backend."""

import numpy as np
import pytest

import semseg
from semseg import analysis


@pytest.fixture(scope="module")
def model():
    return semseg.models.UNet(num_classes=2, depth=1, filters=4)


def test_graphs_are_read(model):
    assert analysis.receptive_field(model).width == 18
    assert analysis.cost(model, (12, 20)).parameters == model.count_params()


def test_stages_and_silenced_skips_are_computed(model):
    images = np.random.default_rng(0).uniform(0, 255, (1, 12, 20, 3)).astype("float32")
    outputs = analysis.skip_ablation(model, images)
    np.testing.assert_allclose(outputs["complete"], model.predict(images, verbose=0), atol=1e-4)
    blind = analysis.without_skip(model, "encoder_1").predict(images, verbose=0)
    np.testing.assert_allclose(outputs["encoder_1"], blind, atol=1e-4)
    assert analysis.feature_maps(model, images[0])["bottleneck"].shape == (6, 10, 8)


def test_gradients_reach_no_further_than_the_field(model):
    images = np.random.default_rng(0).uniform(0, 255, (2, 40, 44, 3))
    field = analysis.measured_receptive_field(model, images)
    assert 3 < field.height <= 18 and 3 < field.width <= 18
