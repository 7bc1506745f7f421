"""Pictures of class ids with shapes in them, for tests of scores."""

import numpy as np
from hypothesis import strategies as st

IGNORED = 255


def blobs(seed, shape, num_classes, size=3):
    """(height, width) ids in patches of about `size` pixels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, num_classes, [-(-side // size) for side in shape])
    return np.kron(coarse, np.ones((size, size), int))[: shape[0], : shape[1]]


def disturbed(mask, seed, num_classes, share=0.1):
    """The mask moved by up to a pixel, with a share of other ids."""
    rng = np.random.default_rng(seed)
    moved = np.roll(mask, rng.integers(-1, 2, 2), axis=(0, 1))
    noise = rng.integers(0, num_classes, mask.shape)
    return np.where(rng.random(mask.shape) < share, noise, moved)


@st.composite
def scenes(draw, num_classes=(2, 3, 5), side=(1, 14), ignoring=True):
    """Truth with ignored pixels, a prediction like it, and the number of classes."""
    count = draw(st.sampled_from(num_classes))
    shape = draw(st.integers(*side)), draw(st.integers(*side))
    seed, size = draw(st.integers(0, 2**31)), draw(st.integers(1, 4))
    truth = blobs(seed, shape, count, size)
    pred = disturbed(truth, seed + 1, count, draw(st.sampled_from([0.0, 0.1, 0.6])))
    if ignoring and draw(st.booleans()):
        truth = np.where(blobs(seed + 2, shape, 4, size) == 0, IGNORED, truth)
    return truth, pred, count
