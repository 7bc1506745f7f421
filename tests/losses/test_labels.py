"""Labels, shapes and dtypes that a loss refuses."""

import numpy as np
import pytest
from loss_laws import (
    IGNORE,
    LOSSES,
    compiled,
    every_loss,
    in_numpy,
)


@every_loss
def test_labels_that_are_no_class_are_an_error_and_nan_in_a_graph(law):
    loss, logits = law.make(ignore_class=IGNORE), np.zeros((1, 1, 3, 3), np.float32)
    assert np.isfinite(in_numpy(loss, [[[0, IGNORE, 2]]], logits)[0])
    for bad in (3, -1, 254, 0.5, 254.6, 255.4, np.nan, np.inf, 2.0**33):
        labels = np.array([[[0.0, IGNORE, bad]]], np.float32)
        with pytest.raises(ValueError, match="y_true (has ids|must hold whole class ids)"):
            loss(labels, logits)
        assert np.isnan(in_numpy(loss, labels, logits)[0]), bad


@pytest.mark.parametrize("name", ["Crossentropy", "Dice"])
def test_labels_are_checked_where_none_is_ignored(name):
    run = compiled(LOSSES[name].make(), 3)
    for label, is_class in [(2, True), (3, False), (-1, False), (IGNORE, False)]:
        value, _ = run(np.array([[[0, 1, label]]]), np.zeros((1, 1, 3, 3)))
        assert np.isnan(value) != is_class


@every_loss
def test_shapes_that_would_broadcast_are_refused(law):
    logits = np.zeros((2, 4, 4, 3), np.float32)
    for shape in [(2, 4, 4, 1), (2, 4, 4, 2), (4, 4), (2, 1, 4), (2, 4, 5), (1, 4, 4)]:
        with pytest.raises(ValueError, match="y_true must be ids"):
            law.make(ignore_class=IGNORE)(np.zeros(shape, int), logits)


@every_loss
def test_half_precision_is_no_dtype_of_a_loss(law):
    with pytest.raises(ValueError, match="dtype of a loss must be 'float32' or 'float64'"):
        law.make(dtype="float16")
