"""plot_reject_curve: a curve a model, the score of all pixels as dashes."""

import numpy as np
import pytest

from semseg.metrics.functional import reject_curve
from semseg.viz import plot_reject_curve

RNG = np.random.default_rng(0)
TRUTH, PRED = RNG.integers(0, 3, (2, 400))
FOUND = reject_curve(TRUTH, PRED, (TRUTH != PRED) + RNG.random(400), 3, points=8)
FLAT = reject_curve(TRUTH, TRUTH, RNG.random(400), 3, points=8)


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("score", "said"), [("mean_iou", "mean IoU"), ("pixel_accuracy", "pixel accuracy")]
)
def test_the_curve_is_what_was_found_and_dashes_stand_at_the_score_of_all_pixels(score, said):
    (axes,) = plot_reject_curve(FOUND, score).axes
    dashes, curve = axes.get_lines()
    values = getattr(FOUND, score)
    np.testing.assert_array_equal(curve.get_xydata(), np.stack([FOUND.kept, values], axis=1))
    assert dashes.get_xydata().tolist() == [[0, values[-1]], [1, values[-1]]]
    assert dashes.get_linestyle() == "--" and dashes.get_color() == curve.get_color()
    assert legend_of(axes) == [f"{said} {values[-1]:.3f} of all pixels"]
    assert axes.get_ylabel() == f"{said} of the pixels kept"
    assert axes.get_xlim() == (0, 1)
    assert axes.get_ylim()[0] < values.min() and axes.get_ylim()[1] == 1


def test_the_axis_of_scores_is_never_so_short_that_noise_looks_like_a_slope():
    (axes,) = plot_reject_curve(FLAT).axes
    assert axes.get_ylim() == (pytest.approx(0.9), 1)


def test_several_models_have_a_colour_and_an_entry_each_with_names_as_they_are():
    (axes,) = plot_reject_curve({"U-Net": FOUND, "_$b$": FLAT}).axes
    curves = [line for line in axes.get_lines() if line.get_linestyle() == "-"]
    assert len({line.get_color() for line in curves}) == 2
    of_all = f"pixel accuracy {FOUND.pixel_accuracy[-1]:.3f} of all pixels"
    assert legend_of(axes) == [f"U-Net: {of_all}", "_$b$: pixel accuracy 1.000 of all pixels"]


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="curve must be what reject_curve returned, .* float"):
        plot_reject_curve({"a": 0.5})
    with pytest.raises(ValueError, match="curve must name at least one model"):
        plot_reject_curve({})
    with pytest.raises(ValueError, match=r"score must be one of \['pixel_accuracy', 'mean_iou'\]"):
        plot_reject_curve(FOUND, "iou")
