"""The hardest pixels are those NumPy finds, ties and all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from semseg.losses import HardPixels
from semseg.losses.functional import hardest as module
from semseg.losses.functional.hardest import hardest

few = settings(max_examples=max(6, settings().max_examples // 4))


def slow_hardest(losses, valid, share, threshold):
    """The mean over the hardest pixels; pixels that tie for the last places have equal losses."""
    values = np.sort(losses[valid].astype(np.float64))[::-1]
    if not len(values):
        return 0.0
    number = int(np.ceil(np.float32(len(values)) * np.float32(share)))
    if threshold is not None:
        number = max(number, int((values > -np.log(threshold)).sum()))
    return values[:number].mean()


@few
@given(
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.1, 0.25, 0.5, 1.0]),
    threshold=st.sampled_from([None, 0.3, 0.7]),
    sorted_in_numpy=st.booleans(),
)
def test_the_mean_is_that_of_the_largest_losses(seed, share, threshold, sorted_in_numpy):
    rng = np.random.default_rng(seed)
    # Of few values, so that many pixels tie.
    losses = rng.integers(0, 6, (2, 3, 4)).astype(np.float32) / 3
    valid = rng.random(losses.shape) < 0.8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "numpy_is_at_hand", lambda values: sorted_in_numpy)
        kept = np.asarray(hardest(ops.convert_to_tensor(losses), valid, share, threshold))
    assert ((kept >= 0) & (kept <= 1)).all()
    assert not kept[~valid].any()
    found = (kept * losses).sum() / kept.sum() if kept.any() else 0.0
    assert found == pytest.approx(slow_hardest(losses, valid, share, threshold), rel=1e-5)


def test_pixels_that_tie_for_the_last_places_count_in_equal_parts():
    losses = ops.convert_to_tensor(np.array([[[3, 1, 1, 1, 0]]], np.float32))
    kept = hardest(losses, ops.ones((1, 1, 5), "bool"), 0.4, None)
    np.testing.assert_allclose(kept, [[[1, 1 / 3, 1 / 3, 1 / 3, 0]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 0}, r"share must lie in \(0, 1\], received 0"),
        ({"share": 1.1}, r"share must lie in \(0, 1\], received 1.1"),
        ({"share": True}, r"share must lie in \(0, 1\], received True"),
        ({"threshold": 1.0}, r"threshold must be None or lie in \(0, 1\), received 1.0"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        HardPixels(**arguments)
