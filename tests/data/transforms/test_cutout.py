"""Cutout: as large as it says, where it is drawn."""

import numpy as np
import pytest

from semseg.data.transforms import Compose, Cutout

IMAGE, MASK = np.full((40, 60, 3), 9, np.uint8), np.ones((40, 60), np.uint8)


def hidden(transform, seed):
    image, mask = transform(IMAGE, MASK, np.random.default_rng(seed))
    return (image == 0).all(-1), mask


def test_a_square_has_that_share_of_the_shorter_side():
    areas = [hidden(Cutout(share=0.25), seed)[0].sum() for seed in range(100)]
    assert max(areas) == 100  # 10 by 10, smaller at the edges
    assert np.mean(np.array(areas) == 100) > 0.5
    assert min(areas) >= 20


def test_every_pixel_may_be_hidden():
    ever = np.any([hidden(Cutout(share=0.3), seed)[0] for seed in range(300)], axis=0)
    assert ever.mean() > 0.99


@pytest.mark.parametrize("ignored", [False, True])
def test_the_mask_is_ignored_there_or_stays(ignored):
    for seed in range(10):
        where, mask = hidden(Cutout(3, 0.3, ignored=ignored, mask_fill=255), seed)
        np.testing.assert_array_equal(mask == 255, where if ignored else np.zeros_like(where))


def test_several_in_a_row_all_count():
    chain = Compose([Cutout(2, 0.2), Cutout(2, 0.2)])
    most = max(hidden(chain, seed)[0].sum() for seed in range(40))
    assert 3 * 64 < most <= 4 * 64


def test_other_arguments_are_refused():
    with pytest.raises(ValueError, match="count of Cutout must be an int >= 1, received 0"):
        Cutout(0)
    with pytest.raises(ValueError, match=r"share of Cutout must lie in \[0, 1\], received 1.2"):
        Cutout(share=1.2)
