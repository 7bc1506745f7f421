"""The batch with which losses are compared with independent ones, and how."""

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

IGNORE = 255
WEIGHTS = [0.5, 1.0, 3.0]
both_forms = pytest.mark.parametrize("channels", [1, 3], ids=["binary", "three classes"])


def batch(channels, ignored=True, absent=None):
    """Ids (2, 5, 6) with every class but `absent` in both pictures, and float64 logits."""
    rng = np.random.default_rng(channels)
    classes = max(2, channels)
    ids = rng.integers(0, classes, (2, 5, 6))
    ids[:, 0, :classes] = np.arange(classes)
    if ignored:
        ids[:, 1:] = np.where(rng.random((2, 4, 6)) < 0.2, IGNORE, ids[:, 1:])
    if absent is not None:
        ids[ids == absent] = 0
    return ids, rng.normal(scale=2, size=(2, 5, 6, channels))


def ours(make, ids, logits, **arguments):
    """The loss in float64."""
    ignored = IGNORE if (ids == IGNORE).any() else None
    return float(make(ignore_class=ignored, dtype="float64", **arguments)(ids, logits))


def equal(found, expected, rel=2e-6):
    assert float(found) == pytest.approx(float(expected), rel=rel)
