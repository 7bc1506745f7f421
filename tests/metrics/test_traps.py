"""Where scores of other libraries mislead in silence, and what happens here instead."""

import keras
import numpy as np
import pytest

from semseg.metrics import MeanIoU, PixelAccuracy, Scores
from semseg.metrics.functional import confusion_matrix, scores

tf = pytest.importorskip("tensorflow")

# What Keras does was measured with 3.15; others differ in how.
KERAS_AS_MEASURED = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 15)
CELL = np.array([[[0, 0, 255, 255]]])  # a mask of 0 and 255
BACKGROUND = np.zeros((1, 1, 4), int)


def in_graph(metric, *batch):
    """As a compiled evaluation does, where nothing can be refused."""
    tf.function(lambda *batch: metric.update_state(*batch))(*map(tf.constant, batch))
    return float(metric.result())


def in_eager(metric, *batch):
    metric.update_state(*batch)
    return float(metric.result())


def test_a_0_255_mask_scored_as_two_classes():
    """Keras drops the labels it does not know, and all background is perfect."""
    if KERAS_AS_MEASURED:
        assert in_eager(keras.metrics.MeanIoU(2), CELL, BACKGROUND) > 0.999
    with pytest.raises(ValueError, match=r"ids \[255\] outside 0..1.*remap=\{255: 1\}"):
        in_eager(MeanIoU(2), CELL, BACKGROUND)
    metric = MeanIoU(2)
    assert in_graph(metric, CELL, BACKGROUND) == pytest.approx(2 / 4 / 2)
    assert metric.invalid_pixels == 2


def test_predictions_outside_the_classes():
    truth, pred = np.array([[[0, 1, 1, 1]]]), np.array([[[0, 1, 7, 7]]])
    if KERAS_AS_MEASURED:
        assert in_eager(keras.metrics.MeanIoU(2), truth, pred) > 0.999
    with pytest.raises(ValueError, match=r"pred has ids \[7\] outside 0..1"):
        in_eager(MeanIoU(2), truth, pred)
    assert in_graph(MeanIoU(2), truth, pred) == pytest.approx(1 / 3)


def test_logits_where_ids_are_expected():
    truth = np.array([[[0, 1, 2, 1]]])
    logits = np.eye(3, dtype=np.float32)[truth] * 5 - 2
    if KERAS_AS_MEASURED:
        with pytest.raises(Exception, match="LogicalAnd"):  # and no hint
            in_eager(keras.metrics.MeanIoU(3), truth, logits)
    assert in_eager(MeanIoU(3), truth, logits) == 1.0


@pytest.mark.parametrize(("top", "threshold"), [(0.9, 0.5), (3.0, 0.0)])
def test_one_channel_of_a_sigmoid_or_of_a_logit(top, threshold):
    truth = np.array([[[0, 0, 1, 1]]])
    scores = np.where(truth == 1, top, threshold - 0.4)[..., None].astype(np.float32)
    if threshold == 0.5:
        assert in_eager(keras.metrics.MeanIoU(2), truth[..., None], scores) == 0.25
    assert in_eager(MeanIoU(2, threshold=threshold), truth, scores) == 1.0
    assert in_eager(MeanIoU(1, threshold=threshold), truth, scores) == 1.0


@pytest.mark.filterwarnings("ignore:.*will be converted to integer")
def test_weights_of_a_half():
    truth = pred = np.array([[[0, 1]]])
    metric = MeanIoU(2)
    metric.update_state(truth, pred, np.full((1, 1, 2), 0.5))
    assert float(metric.result()) == 1.0
    assert metric.confusion().tolist() == [[0.5, 0], [0, 0.5]]


def test_batches_of_different_difficulty():
    """A mean of batches depends on how they were cut."""
    batches = [([[[0, 0]]], [[[0, 0]]]), ([[[1, 0]]], [[[0, 0]]])]
    metric, alone = MeanIoU(2), []
    for truth, pred in batches:
        metric.update_state(np.array(truth), np.array(pred))
        alone.append(in_eager(MeanIoU(2), np.array(truth), np.array(pred)))
    assert float(metric.result()) == pytest.approx((3 / 4 + 0) / 2)
    assert np.mean(alone) == pytest.approx((1 + (1 / 2 + 0) / 2) / 2)


def test_classes_that_are_nowhere():
    """They count neither as 0 nor as 1 unless that is asked for."""
    confusion = confusion_matrix([0, 0, 0, 1], [0, 0, 0, 0], 3)
    found = {absent: scores(confusion, absent=absent).mean_iou for absent in ("zero", "one")}
    assert Scores(confusion)["mean_iou"] == 0.75 / 2
    assert found == {"zero": 0.75 / 3, "one": 1.75 / 3}


def test_a_mask_with_a_channel_axis():
    """Broadcast against (batch, height, width), it would compare every row with every other."""
    mask = np.zeros((2, 4, 4, 1), int)
    for pred in (np.zeros((2, 4, 4), int), np.zeros((2, 4, 4, 3), np.float32)):
        with pytest.raises(ValueError, match=r"drop the channel axis with mask\[..., 0\]"):
            MeanIoU(3).update_state(mask, pred)


def test_a_rare_class_that_is_never_found():
    truth = np.array([[[0] * 99 + [1]]])
    pred = np.zeros_like(truth)
    assert in_eager(PixelAccuracy(2), truth, pred) == pytest.approx(0.99)
    assert in_eager(MeanIoU(2), truth, pred) == pytest.approx(0.99 / 2)
