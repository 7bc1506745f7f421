import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from semseg.viz import Table, plot_runs


def test_every_run_is_a_dot_and_the_mean_stands_beside_its_ends():
    axes = plot_runs({"plain": [0.5, 0.7], "one run": [0.25]}, score="IoU of $x_1$").axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[0.5, 0.7], [0.25]]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "|"]
    assert means == pytest.approx([0.6, 0.25])
    assert [text.get_text() for text in axes.texts] == ["0.600  (0.500 to 0.700)", "0.250"]
    assert axes.get_xlabel().startswith("IoU of $x_1$")
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top


def test_numbers_below_the_axis_do_not_overlap_where_runs_lie_close():
    figure = plot_runs(
        {"right": [0.641, 0.650, 0.656], "rims learnt as background": [0.643, 0.655, 0.656]}
    )
    FigureCanvasAgg(figure).draw()
    left, right = figure.axes[0].get_xlim()
    boxes = [
        label.get_window_extent()
        for label in figure.axes[0].get_xticklabels()
        if left <= label.get_position()[0] <= right
    ]
    assert len(boxes) > 2
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("runs", [{}, {"plain": []}, {"plain": [0.5, float("nan")]}])
def test_variants_without_a_number_are_named(runs):
    with pytest.raises(ValueError, match=r"runs must give every variant .*(no variant|plain)"):
        plot_runs(runs)


def test_a_table_shows_numbers_on_the_right_and_what_is_missing_as_a_dash():
    table = Table(
        [{"a|b": "x|y", "n": 1234, "share": 3.0}, {"a|b": "z", "n": 0, "share": float("nan")}], 2
    )
    assert str(table).splitlines() == [
        "a|b      n  share",
        "x|y  1,234   3.00",
        "z        0      -",
    ]
    assert table._repr_markdown_().splitlines() == [
        r"| a\|b | n | share |",
        "|---|--:|--:|",
        r"| x\|y | 1,234 | 3.00 |",
        "| z | 0 | - |",
    ]
    assert repr(table) == "Table(2 rows: a|b, n, share)"


def test_a_table_needs_a_row():
    with pytest.raises(ValueError, match="rows must hold one mapping at least"):
        Table([])
