"""The centreline loss against SciPy's morphology, and what it is for: gaps."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from semseg.losses import CenterlineDice, Dice
from semseg.losses.functional.centerline import centerline

IGNORE = 255


def thinned(region, iterations):
    """Shit et al., algorithm 1, in SciPy's greyscale morphology."""

    def eroded(x):
        cross = ndimage.generate_binary_structure(2, 1)
        return ndimage.grey_erosion(x, footprint=cross, mode="nearest")

    def without_opening(x):
        opened = ndimage.grey_dilation(eroded(x), size=(3, 3), mode="nearest")
        return np.maximum(x - opened, 0)

    line = without_opening(region)
    for _ in range(iterations):
        region = eroded(region)
        more = without_opening(region)
        line = line + np.maximum(more - line * more, 0)
    return line


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_the_centerline_is_that_of_the_paper(iterations):
    regions = np.random.default_rng(0).random((2, 9, 13, 3)).astype(np.float32)
    regions[..., 0] = regions[..., 0] > 0.3
    found = keras.ops.convert_to_numpy(centerline(regions, iterations))
    for picture, own in zip(regions, found, strict=True):
        for k in range(3):
            expected = thinned(picture[..., k], iterations)
            np.testing.assert_allclose(own[..., k], expected, atol=1e-6)


def test_the_loss_is_that_of_the_paper():
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 2, (1, 12, 15))
    logits = rng.normal(size=(1, 12, 15, 1))
    p = 1 / (1 + np.exp(-logits[0, ..., 0]))
    line, guessed = thinned(mask[0].astype(float), 3), thinned(p, 3)
    precision = (guessed * mask[0]).sum() / guessed.sum()
    sensitivity = (line * p).sum() / line.sum()
    expected = 1 - 2 * precision * sensitivity / (precision + sensitivity)
    loss = CenterlineDice(iterations=3, dtype="float64")
    assert float(loss(mask, logits)) == pytest.approx(expected, rel=1e-6)


def vessels(gap):
    """A wide and a thin line; `gap` pixels are missing in the thin one."""
    mask = np.zeros((1, 24, 40), int)
    mask[0, 4:11, :] = mask[0, 18, :] = 1
    found = mask.copy()
    found[0, 18, 10 : 10 + gap] = 0
    return mask, np.where(found == 1, 99.0, -99.0)[..., None]


def test_a_gap_in_a_thin_line_costs_more_than_with_dice():
    mask, found = vessels(gap=8)
    assert float(CenterlineDice()(mask, found)) > 3 * float(Dice()(mask, found))
    assert float(CenterlineDice()(*vessels(gap=0))) == pytest.approx(0, abs=1e-6)


def test_what_is_under_ignored_pixels_is_no_line():
    mask, found = vessels(gap=8)
    mask[0, 18, 10:18] = IGNORE
    assert float(CenterlineDice(ignore_class=IGNORE)(mask, found)) == pytest.approx(0, abs=1e-6)


def test_a_region_without_a_line_counts_as_covered():
    everything = np.ones((1, 6, 6), int)
    right = np.full((1, 6, 6, 1), 99.0)
    assert float(CenterlineDice()(everything, right)) == 0


@pytest.mark.parametrize("iterations", [-1, 1.5, True, None])
def test_iterations_must_be_a_count(iterations):
    with pytest.raises(ValueError, match="iterations must be an int >= 0"):
        CenterlineDice(iterations=iterations)
