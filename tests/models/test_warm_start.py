"""FCN that goes on from a coarser one."""

import numpy as np
import pytest
from narrow import narrowed
from nested_encoder import pyramid

from semseg.layers import ImageNetScaling
from semseg.models import FCN

fcn = narrowed(FCN, 2)


@pytest.fixture(scope="module")
def coarse():
    """An FCN-32s whose scores are not zero any more."""
    model = FCN(num_classes=3, variant="32s", fc_units=4)
    layer = model.get_layer("score_fc7")
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return model


def test_a_warm_start_begins_with_the_coarser_predictions(coarse):
    finer = FCN(num_classes=3, variant="16s", fc_units=4, init_from=coarse)
    finest = FCN(num_classes=3, variant="8s", fc_units=4, init_from=finer)
    images = np.random.default_rng(1).integers(0, 256, (1, 96, 128, 3))
    outputs = [np.asarray(model(images)) for model in (coarse, finer, finest)]
    # Enlarging by 2 and by 16 is not quite enlarging by 32: the ramps bend at other pixels.
    spread = np.abs(outputs[0]).max()
    for finer_output in outputs[1:]:
        assert np.abs(finer_output - outputs[0]).max() < 0.25 * spread
        assert np.abs(finer_output - outputs[0]).mean() < 0.02 * spread
        assert (finer_output.argmax(-1) == outputs[0].argmax(-1)).mean() > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "32s"}, "not coarser"),
        ({"variant": "16s", "fc_units": 5}, "same classes and fc_units"),
        ({"variant": "16s", "num_classes": 4}, "same classes and fc_units"),
        ({"variant": "4s"}, "variant must be one of"),
        ({"padding": "valid"}, "padding must be one of"),
        ({"fc_units": 0}, "fc_units must be an int >= 1"),
        ({"fc_units": True}, "fc_units must be an int >= 1"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"dropout": "0.5"}, r"dropout must be in \[0, 1\), received '0.5'"),
        ({"variant": "32s", "at_once": True}, "at_once scales the skips, of which .*'32s' has"),
    ],
)
def test_what_cannot_start_warm_is_named(coarse, arguments, message):
    with pytest.raises(ValueError, match=message):
        FCN(**{"num_classes": 3, "fc_units": 4, "init_from": coarse, **arguments})


def small(variant="16s", **options):
    return fcn(**{"num_classes": 2, "fc_units": 2, "variant": variant, **options})


def test_a_file_is_to_be_loaded_first():
    with pytest.raises(TypeError, match=r"received '32s.keras'; .*semseg.models.load\(path\)"):
        small(init_from="32s.keras")


def test_pixels_must_be_scaled_as_before():
    scaling = ImageNetScaling("caffe", name="preprocessing")
    coarser = small("32s", preprocessing=scaling)
    message = r"must treat pixels alike, received .*'caffe'.*, expected .*PixelRescaling.*"
    with pytest.raises(ValueError, match=message + r"init_from.get_layer\('preprocessing'\)"):
        small(init_from=coarser)
    with pytest.raises(ValueError, match="must treat pixels alike"):
        small(init_from=coarser, preprocessing=None)
    for again in (coarser.get_layer("preprocessing"), ImageNetScaling("caffe", name="other")):
        small(init_from=coarser, preprocessing=again)


def test_the_scaling_inside_an_encoder_counts_too():
    encoders = {"num_classes": 2, "fc_units": 2, "encoder": pyramid("P3", "P4", "P5")}
    coarser = FCN(variant="32s", **encoders)
    FCN(variant="16s", init_from=coarser, **encoders)
    with pytest.raises(ValueError, match="must treat pixels alike"):
        FCN(variant="16s", init_from=coarser, preprocessing=None, **encoders)


def test_the_border_and_the_scales_of_skips_must_be_as_before():
    with pytest.raises(ValueError, match="must treat pixels alike, .*ZeroPadding2D.*padding="):
        small(init_from=small("32s", padding="pad100"))
    with pytest.raises(ValueError, match="the same at_once, whose scales its score_pool4 knows"):
        small("8s", init_from=small("16s", at_once=True))
    small("8s", init_from=small("16s", at_once=True), at_once=True)


@pytest.mark.parametrize("padding", ["same", "pad100"])
def test_learnt_upsampling_is_taken_over_where_the_factor_is_the_same(padding):
    options = {"learned_upsampling": True, "padding": padding}
    coarser = small("16s", **options)
    for name in ("score_5_up", "score_up"):
        layer = coarser.get_layer(name)
        layer.set_weights([np.full(w.shape, 0.5) for w in layer.get_weights()])
    finer = small("8s", init_from=coarser, **options)
    assert (finer.get_layer("score_5_up").get_weights()[0] == 0.5).all()
    assert not (finer.get_layer("score_up").get_weights()[0] == 0.5).any()
