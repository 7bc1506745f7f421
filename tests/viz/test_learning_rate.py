"""plot_learning_rate: what a reader finds in the figure."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from semseg.viz import plot_learning_rate

RATES = np.geomspace(1e-6, 1, 61)
LOSSES = 2 - 1 / (1 + (np.log10(RATES) + 1.5) ** 2) + 40 * RATES**2


def test_the_curve_stands_over_rates_on_a_logarithmic_axis():
    figure = plot_learning_rate(RATES, LOSSES, 1e-2)
    assert isinstance(figure, Figure)
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "learning rate")
    assert axes.get_xlim() == (RATES[0], RATES[-1])
    curve, line = axes.get_lines()
    np.testing.assert_array_equal(curve.get_ydata(), LOSSES)
    assert line.get_xdata() == [1e-2, 1e-2]


def test_the_suggestion_is_a_dot_on_the_curve_and_a_number():
    axes = plot_learning_rate(RATES, LOSSES, 1e-2).axes[0]
    at = axes.collections[0].get_offsets()[0]
    np.testing.assert_allclose(at, [1e-2, LOSSES[40]])
    assert [text.get_text() for text in axes.texts] == ["suggested 0.01"]


def test_a_loss_that_has_diverged_leaves_the_picture():
    low, high = plot_learning_rate(RATES, LOSSES, 1e-2).axes[0].get_ylim()
    assert low < LOSSES.min() < LOSSES[0] < high < 1.4 * LOSSES[0]
    assert LOSSES.max() > 10 * LOSSES[0]


def test_without_a_suggestion_it_says_so():
    axes = plot_learning_rate(RATES, LOSSES).axes[0]
    assert axes.get_title(loc="left") == "no rate is suggested"
    assert not axes.collections


@pytest.mark.parametrize("suggested", [*RATES[[0, 57, 60]]])
def test_nothing_leaves_the_figure_or_meets_the_axes(suggested):
    figure = plot_learning_rate(RATES, LOSSES, suggested)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    texts = [*axes.texts, axes.xaxis.label, axes.yaxis.label]
    for box in [text.get_window_extent() for text in texts]:
        assert not box.overlaps(axes.get_window_extent())
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1


def test_a_title_stands_above_what_is_said_of_the_suggestion():
    axes = plot_learning_rate(RATES, LOSSES, title="digits").axes[0]
    assert axes.get_title(loc="left") == "digits\nno rate is suggested"


def test_a_flat_curve_and_missing_values_are_drawn():
    for losses in ([1.0, 1.0], [1.0, np.nan], [np.nan, np.nan], [-1.0, -2.0]):
        low, high = plot_learning_rate([0.1, 1], losses).axes[0].get_ylim()
        assert low < high


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1]), r"as many numbers each, .*shapes \(2,\) and \(1,\); pass what"),
        (([1], [1]), "at least two"),
        (([2, 1], [1, 1]), r"rates must be > 0 and rise, received \[2.0, 1.0\]"),
        (([0, 1], [1, 1]), "rates must be > 0 and rise"),
        (([1, 2], [1, 1], 3), "suggested must be None or lie in the range of rates, 1 to 2, .* 3"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_learning_rate(*arguments)
