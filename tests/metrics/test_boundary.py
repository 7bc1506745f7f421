"""BoundaryF1: the functional score of every image, meaned over the images of all batches."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.metrics import BoundaryF1
from semseg.metrics.functional import boundary_f1

seeds = st.integers(0, 2**31)


def scenes(seed, count=4):
    """Rectangles, some ignored pixels, a prediction that is a little off; one image is empty."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, 24, 30), int)
    for mask in masks[1:]:
        top, left = rng.integers(2, 10, 2)
        mask[top : top + 9, left : left + 12] = rng.integers(1, 3)
        mask[20:22, 3:6] = 255
    pred = np.roll(masks, rng.integers(0, 3), axis=2)
    return masks, np.where(pred == 255, 0, pred)


def seen(*batches):
    metric = BoundaryF1(3, 255, tolerance=0.03)
    for mask, pred in batches:
        metric.update_state(mask, pred)
    return metric


@settings(max_examples=5)
@given(seeds, st.integers(1, 3))
def test_any_batches_give_the_functional_score_of_all_images(seed, cut):
    mask, pred = scenes(seed)
    whole = seen((mask, pred))
    expected = boundary_f1(mask, pred, 3, 255, tolerance=0.03).mean
    assert float(whole.result()) == pytest.approx(expected, rel=1e-6)
    logits = np.eye(3, dtype=np.float32)[pred]
    parts = [(mask[cut:], logits[cut:]), (mask[:cut], logits[:cut])]
    merged = seen(parts[0])
    merged.merge_state([seen(parts[1])])
    for other in (seen(*parts), merged):
        np.testing.assert_array_equal(np.asarray(other._limbs), np.asarray(whole._limbs))


def test_images_without_a_boundary_are_left_out():
    mask, pred = scenes(0)
    assert float(seen((mask, pred)).result()) == float(seen((mask[1:], pred[1:])).result())
    assert np.isnan(seen((mask[:1], pred[:1]), (mask[:0], pred[:0])).result())


def test_it_resets_and_its_configuration_comes_back():
    metric = seen(scenes(1))
    metric.reset_state()
    assert np.isnan(metric.result())
    config = keras.saving.serialize_keras_object(metric)
    assert config["registered_name"] == "semseg.metrics>BoundaryF1"
    assert keras.saving.deserialize_keras_object(config).get_config() == metric.get_config()


def test_it_works_in_an_eager_model_and_says_so_in_a_compiled_one():
    mask, pred = scenes(2)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    images = np.eye(3, dtype=np.float32)[pred]
    metric = BoundaryF1(3, 255)
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255)
    model.compile(loss=loss, metrics=[metric], run_eagerly=True)
    logs = model.evaluate(images, mask, 2, verbose=0, return_dict=True)
    expected = boundary_f1(mask, pred, 3, 255).mean
    assert logs["boundary_f1"] == pytest.approx(expected, rel=1e-6)
    model.compile(loss=loss, metrics=[BoundaryF1(3, 255)])
    with pytest.raises(ValueError, match="a compiled step has none; pass run_eagerly=True"):
        model.evaluate(images, mask, 2, verbose=0)


@pytest.mark.parametrize(
    ("true_shape", "pred_shape", "weights", "message"),
    [
        ((1, 4, 5, 1), (1, 4, 5, 3), None, r"drop the channel axis with mask\[..., 0\]"),
        ((4, 5), (4, 5), None, r"received \(4, 5\); one mask becomes a batch with mask\[None\]"),
        ((1, 4, 5), (1, 4, 5, 2), None, "a last axis of 3 after it"),
        ((1, 4, 5), (1, 4, 5), np.ones(1), "measures images and takes no sample_weight"),
    ],
)
def test_what_cannot_be_measured_is_refused(true_shape, pred_shape, weights, message):
    with pytest.raises(ValueError, match=message):
        BoundaryF1(3).update_state(np.zeros(true_shape, int), np.zeros(pred_shape), weights)
