"""plot_boundary_error: a dot a distance, all that is farther away apart from them."""

import numpy as np
import pytest

from semseg.metrics.functional import BoundaryError
from semseg.viz import plot_boundary_error


def counted(pixels, wrong):
    return BoundaryError(np.array(pixels), np.array(wrong))


FOUND = counted([100, 60, 0, 40, 800], [50, 15, 0, 4, 8])


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def ticks_of(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def test_each_distance_with_pixels_is_a_dot_whose_area_grows_with_them():
    (axes,) = plot_boundary_error(FOUND).axes
    dots = axes.collections[0]
    x, y = dots.get_offsets().T
    assert x[:3].tolist() == [1, 2, 4] and x[3] > 4.9
    np.testing.assert_allclose(y, [0.5, 0.25, 0.1, 0.01])
    np.testing.assert_allclose(dots.get_sizes(), [32, 19.2, 12.8, 160])
    line = axes.get_lines()[0]
    assert line.get_xdata().tolist() == [1, 2, 4]  # what is farther away is no distance
    assert axes.get_ylim()[0] == 0
    assert ticks_of(axes) == ["1", "2", "3", "4", "> 4"]


def test_without_pixels_beyond_nothing_stands_there():
    (axes,) = plot_boundary_error(counted([5, 4, 0], [1, 1, 0])).axes
    assert ticks_of(axes) == ["1", "2"]
    assert axes.get_xlim()[1] < 2.5


@pytest.mark.parametrize(
    ("widest", "ticks"),
    [(1, [1]), (12, [1, *range(2, 13, 2)]), (20, [1, 5, 10, 15, 20]), (99, [1, 20, 40, 60, 80])],
)
def test_ticks_are_round_distances(widest, ticks):
    found = counted([1] * (widest + 1), [0] * (widest + 1))
    (axes,) = plot_boundary_error(found).axes
    assert ticks_of(axes) == [*map(str, ticks), f"> {widest}"]
    assert axes.get_ylim() == (0, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([6, 1, 1, 0], "75 % of the wrong pixels within 1 pixel"),
        ([4, 0, 4, 0], "50 % of the wrong pixels within 1 pixel"),
        ([3, 0, 3, 2], "75 % of the wrong pixels within 3 pixels"),
        ([1, 0, 1, 6], "75 % of the wrong pixels beyond 3 pixels"),
        ([0, 0, 0, 0], "no pixel is wrong"),
    ],
)
def test_the_legend_says_where_half_of_the_wrong_pixels_lie(wrong, said):
    (axes,) = plot_boundary_error({"$a$": counted([9, 9, 9, 9], wrong)}).axes
    assert legend_of(axes) == [f"$a$: {said}"]
    (axes,) = plot_boundary_error(counted([9, 9, 9, 9], wrong)).axes
    assert legend_of(axes) == [said]


def test_several_models_have_a_colour_each():
    (axes,) = plot_boundary_error({"a": FOUND, "b": FOUND}).axes
    lines = axes.get_legend().get_lines()
    assert lines[0].get_color() != lines[1].get_color()


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="found must be what boundary_error returned, .* tuple"):
        plot_boundary_error({"a": (1, 2)})
    with pytest.raises(ValueError, match=r"found\['a'\] must have pixels, received none"):
        plot_boundary_error({"a": counted([0, 0], [0, 0])})
    with pytest.raises(ValueError, match="found must hold models of one widest=, received 1 and 4"):
        plot_boundary_error({"a": FOUND, "b": counted([1, 1], [0, 0])})
    with pytest.raises(ValueError, match="found must hold models .* received no model"):
        plot_boundary_error({})
