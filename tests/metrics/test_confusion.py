"""MeanIoU and PixelAccuracy by themselves; what they share is in test_contract.py."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.metrics import MeanIoU, PixelAccuracy


@settings(max_examples=10)
@given(st.sampled_from([2, 3, 11]), st.integers(0, 2**31), st.booleans())
def test_mean_iou_is_that_of_keras_where_every_label_is_a_class(count, seed, ignored):
    ids = np.random.default_rng(seed).integers(0, count, (2, 2, 4, 5))
    ignore = 255 if ignored else None
    truth = np.where(ids[0] == 0, 255, ids[0]) if ignored else ids[0]
    of_keras = keras.metrics.MeanIoU(count, ignore_class=ignore)
    own = MeanIoU(count, ignore_class=ignore)
    for metric in (of_keras, own):
        metric.update_state(truth, ids[1])
    assert float(own.result()) == pytest.approx(float(of_keras.result()), rel=1e-6)


def test_pixel_accuracy_is_that_of_keras():
    truth, pred = np.random.default_rng(0).integers(0, 3, (2, 2, 4, 5))
    own, of_keras = PixelAccuracy(3), keras.metrics.Accuracy()
    own.update_state(truth, pred)
    of_keras.update_state(truth, pred)
    assert float(own.result()) == pytest.approx(float(of_keras.result()), rel=1e-6)


def test_the_mean_is_taken_over_the_set_not_over_batches():
    metric = MeanIoU(2)
    for truth, pred in (([[[0, 0]]], [[[0, 0]]]), ([[[1, 0]]], [[[0, 0]]])):
        metric.update_state(np.array(truth), np.array(pred))
    assert float(metric.result()) == pytest.approx((3 / 4 + 0) / 2)


def test_absent_classes_are_left_out():
    metric = MeanIoU(11)
    metric.update_state(np.array([[[3, 3]]]), np.array([[[3, 5]]]))
    assert float(metric.result()) == pytest.approx((1 / 2 + 0) / 2)


def test_names_are_those_that_logs_show():
    assert (MeanIoU(2).name, PixelAccuracy(2).name) == ("mean_iou", "pixel_accuracy")
    assert MeanIoU(2, name="iou").name == "iou"
