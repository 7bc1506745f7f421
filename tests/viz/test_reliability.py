"""plot_reliability: bins as dots, the diagonal, the error in the legend."""

import numpy as np
import pytest

from semseg.metrics.functional import expected_calibration_error
from semseg.viz import plot_reliability

RNG = np.random.default_rng(0)
SHARES = RNG.dirichlet([0.5, 0.5, 0.5], 400)
TRUTH = np.array([RNG.choice(3, p=p) for p in SHARES])
FOUND = expected_calibration_error(TRUTH, SHARES, bins=10)


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_each_bin_with_pixels_is_a_dot_whose_area_grows_with_them():
    (axes,) = plot_reliability(FOUND).axes
    filled = FOUND.pixels > 0
    assert 3 < filled.sum() < 10
    dots = axes.collections[0]
    expected = np.stack([FOUND.confidence, FOUND.accuracy], axis=1)[filled]
    np.testing.assert_allclose(dots.get_offsets(), expected)
    pixels, areas = FOUND.pixels[filled], dots.get_sizes()
    between = (areas > 8) & (areas < 160)
    assert between.sum() >= 2
    assert np.ptp(areas[between] / pixels[between]) < 1e-9
    assert legend_of(axes) == [
        "probabilities that are true",
        f"calibration error {FOUND.error:.3f}",
    ]


def test_the_diagonal_is_where_probabilities_are_true():
    (axes,) = plot_reliability(FOUND).axes
    diagonal = axes.get_lines()[0]
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)
    assert axes.get_aspect() == 1


def test_several_models_have_a_line_a_colour_and_an_entry_each():
    (axes,) = plot_reliability({"U-Net": FOUND, "$b$": FOUND}).axes
    _, first, second = axes.get_lines()
    assert first.get_color() != second.get_color()
    error = f"error {FOUND.error:.3f}"
    assert legend_of(axes)[1:] == [f"U-Net, {error}", f"$b$, {error}"]


@pytest.mark.parametrize(
    ("calibration", "error", "message"),
    [
        (0.5, TypeError, "calibration must be what expected_calibration_error returned, .* float"),
        ({}, ValueError, "calibration must name at least one model"),
        ({"a": FOUND._replace(pixels=FOUND.pixels * 0)}, ValueError, r"\['a'\] must have pixels"),
    ],
)
def test_bad_input_is_refused(calibration, error, message):
    with pytest.raises(error, match=message):
        plot_reliability(calibration)
