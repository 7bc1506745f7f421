"""Metrics on JAX and PyTorch: the NumPy core's numbers, exact where int64 is missing."""

import keras
import numpy as np
import pytest

from semseg.metrics import MeanIoU, SegmentationScores, functional, limbs
from semseg.metrics.counting import count_pairs


def labels(shape=(3, 7, 5), seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 255], shape)
    pred = np.where((rng.random(shape) < 0.5) & (truth != 255), truth, rng.integers(0, 3, shape))
    return truth, pred, rng.random(shape, np.float32)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("as_logits", [False, True])
def test_the_numbers_are_those_of_the_functional_core(weighted, as_logits):
    truth, pred, weights = labels()
    weights = weights if weighted else None
    metric = SegmentationScores(num_classes=3, ignore_class=255)
    for part in (slice(0, 1), slice(1, 3)):
        scores = np.eye(3, dtype=np.float32)[pred[part]] if as_logits else pred[part]
        metric.update_state(truth[part], scores, weights[part] if weighted else None)
    expected = functional.confusion_matrix(truth, pred, 3, 255, weights)
    np.testing.assert_allclose(metric.confusion(), expected, rtol=1e-12)
    table = metric.scores()
    for key, value in metric.result().items():
        if key != "invalid_pixels":
            assert float(value) == pytest.approx(table[key], rel=1e-6)


@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 3, 2**40 + 5])
def test_counts_are_exact_beyond_float32_and_int32(count):
    metric = MeanIoU(2)
    state = np.zeros((4, 3, 2), np.int64)
    state[2, 0, 0], state[3, 0, 0] = count % 2**20, count >> 20
    metric._limbs.assign(state.astype(np.int32))
    other = MeanIoU(2)
    other.update_state(np.array([[[0, 0, 1]]]), np.array([[[0, 0, 0]]]))
    metric.merge_state([other])
    assert metric.confusion().tolist() == [[count + 2, 0], [1, 0]]


def test_a_million_weights_of_a_tenth_lose_nothing():
    ids = np.zeros(2**20 + 7, np.int32)
    weights = np.full(ids.shape, 0.1, np.float32)
    counted = count_pairs(*map(keras.ops.convert_to_tensor, (ids, ids)), 2, None, weights)
    found = limbs.to_numpy(limbs.carried(counted))
    assert found[0, 0] == pytest.approx(float(weights[0]) * len(ids), rel=1e-15)


def test_ids_that_are_no_class_are_named_in_eager_use():
    with pytest.raises(ValueError, match=r"mask has ids \[7\] outside 0..2"):
        MeanIoU(3).update_state(np.array([[[0, 7]]]), np.array([[[0, 0]]]))


def test_a_compiled_evaluation_counts_them():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, inputs * 1.0)
    model.compile(
        loss=lambda mask, logits: keras.ops.mean(logits),
        metrics=[SegmentationScores(num_classes=3, ignore_class=255)],
    )
    truth, pred, _ = labels()
    truth[0, 0, :2] = 0
    logits = np.eye(3, dtype=np.float32)[pred]
    clean = model.evaluate(logits, truth, 2, verbose=0, return_dict=True)
    assert clean["mean_iou"] == pytest.approx(
        functional.scores(functional.confusion_matrix(truth, pred, 3, 255)).mean_iou, rel=1e-6
    )
    if keras.backend.backend() == "torch":
        return  # always eager: they are refused
    truth[0, 0, :2] = 7
    logs = model.evaluate(logits, truth, 2, verbose=0, return_dict=True)
    assert logs["invalid_pixels"] == 2
    assert logs["mean_iou"] < clean["mean_iou"]
