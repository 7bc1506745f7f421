"""draw_overlay: colours over the picture."""

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.viz import draw_overlay
from semseg.viz._marks import hatch

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8)
STREET = ClassMap(["road", "car", "sky"], ignore_class=9)
CELLS = ClassMap(["Background", "cell", "border"], ignore_class=9)
MASK = RNG.choice([0, 1, 2, 9], (12, 16))


def test_alpha_0_shows_the_image_alone():
    np.testing.assert_array_equal(draw_overlay(IMAGE, MASK, STREET, alpha=0), IMAGE)


def test_alpha_1_shows_the_colors_alone():
    drawn = draw_overlay(IMAGE, MASK, STREET, alpha=1)
    for i, color in enumerate(STREET.colors):
        assert (drawn[np.equal(MASK, i)] == color).all()
    np.testing.assert_array_equal(drawn[MASK == 9], hatch(12, 16)[MASK == 9])


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.8])
def test_between_them_colors_and_image_are_mixed(alpha):
    drawn = draw_overlay(IMAGE, MASK, STREET, alpha=alpha)
    colors = draw_overlay(IMAGE, MASK, STREET, alpha=1)
    expected = (1 - alpha) * IMAGE + alpha * colors
    assert drawn.dtype == np.uint8
    assert drawn.shape == IMAGE.shape
    np.testing.assert_allclose(drawn, expected, atol=0.51)


def test_a_class_named_background_stays_untinted():
    drawn = draw_overlay(IMAGE, MASK, CELLS, alpha=1)
    np.testing.assert_array_equal(drawn[MASK == 0], IMAGE[MASK == 0])
    assert (drawn[MASK == 1] == CELLS.colors[1]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_nothing_is_written_to_the_inputs(dtype):
    image, mask = IMAGE.astype(dtype), MASK.copy()
    draw_overlay(image, mask, CELLS)
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(mask, MASK)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, 50, float("nan")])
def test_alpha_outside_0_to_1_is_refused(alpha):
    with pytest.raises(ValueError, match=r"alpha must lie in 0..1"):
        draw_overlay(IMAGE, MASK, STREET, alpha=alpha)


def test_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"mask must have the size .*12x16, received 12x15"):
        draw_overlay(IMAGE, MASK[:, :-1], STREET)


def test_ids_outside_the_map_are_refused():
    with pytest.raises(ValueError, match=r"mask has ids \[9\] outside 0..2"):
        draw_overlay(IMAGE, MASK, ClassMap(["road", "car", "sky"]))


def test_a_batch_is_refused():
    with pytest.raises(ValueError, match="image must be one picture"):
        draw_overlay(IMAGE[None], MASK[None], STREET)
