"""Default colours: far apart for three kinds of eyes, neighbours above all."""

import numpy as np
import pytest

from semseg._palette import (
    DEUTERANOPIA,
    PROTANOPIA,
    color_distance,
    default_colors,
    luminance,
    perceived,
)
from semseg.viz import CORRECT_COLOR, ERROR_COLORS, WRONG_COLOR
from semseg.viz._figure import line_colors
from semseg.viz._theme import DARK, LIGHT

# OKLab distances. White and black are 1 apart; 0.02 is about the least difference that is seen.
NEIGHBOURS = 0.15  # up to 21 classes, as many as Pascal VOC has
NEIGHBOURS_OF_MANY = 0.05  # up to 150, as many as ADE20K has
ANY_TWO = 0.07


def distances(colors):
    found = color_distance(np.array(colors), np.array(colors))
    np.fill_diagonal(found, np.inf)
    return found


@pytest.mark.parametrize(
    ("count", "bound"), [(2, 0.4), (11, NEIGHBOURS), (21, NEIGHBOURS), (150, NEIGHBOURS_OF_MANY)]
)
def test_neighbours_are_told_apart_by_everybody(count, bound):
    next_to_each_other = np.diagonal(distances(default_colors(count)), offset=1)
    assert next_to_each_other.min() > bound


def test_any_two_of_the_first_twenty_one_are_told_apart_by_everybody():
    assert distances(default_colors(21)).min() > ANY_TWO


def test_these_bounds_refuse_a_palette_that_only_normal_eyes_can_read():
    red_green = np.array([(200, 60, 40), (105, 110, 40), (200, 60, 60)])
    normal = np.linalg.norm(np.diff(perceived(red_green)[0], axis=0), axis=-1)
    assert normal.min() > NEIGHBOURS
    assert distances(red_green).min() < ANY_TWO


@pytest.mark.parametrize("count", [2, 8, 9, 40, 300])
def test_the_first_colours_do_not_depend_on_how_many_there_are(count):
    assert default_colors(count) == default_colors(301)[:count]


def test_three_hundred_colours_all_differ_and_none_is_grey():
    colors = default_colors(300)
    assert len(set(colors)) == 300
    assert all(isinstance(channel, int) and 0 <= channel <= 255 for c in colors for channel in c)
    assert not any(red == green == blue for red, green, blue in colors)


def test_distances_are_those_of_oklab():
    # White is (1, 0, 0) and black the origin; red's coordinates are the author's own (Ottosson).
    white, black, red = perceived(np.array([(255,) * 3, (0,) * 3, (255, 0, 0)]))[0]
    np.testing.assert_allclose(white, [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(black, [0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(red, [0.628, 0.225, 0.126], atol=1e-3)


@pytest.mark.parametrize("vision", [DEUTERANOPIA, PROTANOPIA])
def test_colour_blind_eyes_see_greys_as_they_are(vision):
    np.testing.assert_allclose(vision.sum(axis=1), 1, atol=1e-5)


def test_the_distance_is_the_least_over_the_three_kinds_of_eyes():
    a, b = np.array([(213, 94, 0)]), np.array([(0, 158, 115)])
    each = np.linalg.norm(perceived(a) - perceived(b), axis=-1)
    assert color_distance(a, b).item() == pytest.approx(each.min())
    assert each.argmin() != 0  # a dichromat confuses them first


# Pictures that are no class colours: lines of figures, and errors on a dimmed picture.


def rgb(hexes):
    return np.array([[int(h[i : i + 2], 16) for i in (1, 3, 5)] for h in hexes])


def contrast(colors, paper):
    with_paper = luminance(colors), luminance(np.array(paper))
    return (np.maximum(*with_paper) + 0.05) / (np.minimum(*with_paper) + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_the_first_lines_of_a_figure_are_told_apart_by_everybody_and_read_on_paper(look):
    colors = rgb(line_colors(4, look))
    assert distances(colors).min() > ANY_TWO
    assert contrast(colors, look.paper).min() > 3
    assert contrast(rgb(line_colors(12, look)), look.paper).min() > 2
    assert len(set(line_colors(30, look))) == 30


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_ink_and_edges_read_on_paper(look):
    assert contrast(np.array(look.ink), look.paper) > 12
    assert contrast(np.array(look.quiet), look.paper) > 3


def test_errors_are_told_apart_from_each_other_and_from_the_dimmed_picture_by_everybody():
    kinds = list(ERROR_COLORS.values())
    assert distances(kinds).min() > NEIGHBOURS
    dimmed = np.array([(grey,) * 3 for grey in range(32, 105)] + [CORRECT_COLOR])
    assert color_distance(np.array([*kinds, WRONG_COLOR]), dimmed).min() > 0.2


def test_luminance_is_that_of_wcag():
    np.testing.assert_allclose(luminance(np.array([(255,) * 3, (0,) * 3])), [1, 0], atol=1e-9)
    assert luminance(np.array((255, 0, 0))) == pytest.approx(0.2126)
    assert luminance(np.zeros((2, 3, 3))).shape == (2, 3)
