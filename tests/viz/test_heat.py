"""draw_weights and draw_uncertainty: colours that can be read back as numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg._palette import perceived
from semseg.classes import ClassMap
from semseg.viz import draw_uncertainty, draw_weights
from semseg.viz._color_bar import heat_colors, with_bar
from semseg.viz._marks import hatch
from semseg.viz._panel import panel_spacing
from semseg.viz._theme import DARK, LIGHT

RAMP = np.linspace(0, 4, 96 * 128).reshape(96, 128)
CELLS = ClassMap(["background", "cell"], ignore_class=255)
LOW, HIGH = (tuple(heat_colors(np.array([[v]]), (0, 1))[0, 0].tolist()) for v in (0.0, 1.0))


def test_every_kind_of_eyes_sees_more_as_lighter():
    ramp = heat_colors(np.linspace(0, 1, 256)[None], (0, 1))[0]
    for lightness in perceived(ramp)[:, :, 0]:
        assert (np.diff(lightness) > -1e-3).all()
        assert lightness[-1] - lightness[0] > 0.6


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_numbers_outside_the_limits_have_the_colours_of_the_ends(values):
    shown = heat_colors(np.array([values]), (-1.0, 1.0))[0]
    np.testing.assert_array_equal(shown, heat_colors(np.clip([values], -1, 1), (-1.0, 1.0))[0])


def block(picture, height, width):
    """Where the heat stands: the only (height, width) block that begins and ends as the ramp."""
    starts = np.argwhere((picture == LOW).all(-1))
    for top, left in starts:
        last = picture[top + height - 1 : top + height, left + width - 1 : left + width]
        if (last == HIGH).all() and last.size:
            return picture[top : top + height, left : left + width]
    raise AssertionError("no heat is drawn")


def test_the_picture_holds_the_map_in_whole_pixels():
    drawn = draw_weights(RAMP, max_width=800)
    heat = block(drawn, 6 * 96, 6 * 128)
    expected = heat_colors(RAMP.astype(np.float32), (0.0, 4.0))
    np.testing.assert_array_equal(heat, np.kron(expected, np.ones((6, 6, 1), np.uint8)))


def test_a_picture_stands_on_the_left_and_the_bar_below_the_heat():
    ink = (10, 200, 30)
    drawn = draw_weights(RAMP, np.full((96, 128, 3), ink, np.uint8))
    image = np.argwhere((drawn == ink).all(-1))
    heat = np.argwhere((drawn == LOW).all(-1))
    assert image[:, 1].max() < heat[:, 1].min()
    assert image[:, 0].min() == heat[:, 0].min()
    bar = heat[heat[:, 0] > image[:, 0].max()]
    assert len(bar)


def test_limits_make_pictures_comparable():
    half = draw_weights(RAMP / 2, limits=(0, 4))
    assert not np.array_equal(half, draw_weights(RAMP / 2))
    wide = draw_weights(RAMP, limits=(0, 2))
    np.testing.assert_array_equal(wide, draw_weights(np.minimum(RAMP, 2), limits=(0, 2)))


def test_uncertainty_begins_at_0():
    drawn = draw_uncertainty(RAMP + 2)
    np.testing.assert_array_equal(drawn, draw_uncertainty(RAMP + 2, limits=(0, 6)))


def test_ignored_pixels_are_hatched_and_said_to_be():
    mask = np.zeros((96, 128), int)
    mask[:, 64:] = 255
    plain, drawn = draw_uncertainty(RAMP), draw_uncertainty(RAMP, mask=mask, class_map=CELLS)
    assert len(drawn) > len(plain)
    space = panel_spacing(800)
    top = next(r for r in range(len(plain)) if (plain[r] == LOW).all(-1).any())
    cell = drawn[top : top + 576, space.margin + 384 : space.margin + 768]
    np.testing.assert_array_equal(cell, hatch(576, 768)[:, 384:])


@pytest.mark.parametrize(
    "low_high", [(0, 1), (0.1, 0.35), (-3, 7000), (1e-9, 2e-9), (5, 5), (0, 0)]
)
@pytest.mark.parametrize("width", [96, 300, 900])
def test_the_bar_says_both_ends_and_no_number_meets_another(low_high, width, monkeypatch):
    from semseg.viz import _color_bar

    seen = []
    monkeypatch.setattr(_color_bar, "write", lambda strip, lines, *_: seen.extend(lines) or strip)
    with_bar(np.zeros((4, width, 3), np.uint8), low_high, width, panel_spacing(600), LIGHT)
    numbers = [float(line.text) for line in seen]
    assert numbers[:2] == pytest.approx(list(dict.fromkeys(map(float, low_high))), rel=1e-3)
    ends = sorted((x.x, x.x + _color_bar.text_width(x.text, 13)) for x in seen)
    assert ends[0][0] >= 0
    assert ends[-1][1] <= width
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_a_map_of_one_number_is_drawn():
    assert draw_weights(np.ones((4, 5))).shape[-1] == 3
    assert draw_uncertainty(np.zeros((4, 5))).shape[-1] == 3


def test_the_dark_look_has_dark_paper():
    assert tuple(draw_weights(RAMP, dark=True)[0, 0]) == DARK.paper
    assert tuple(draw_uncertainty(RAMP, dark=True)[0, 0]) == DARK.paper


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (
            draw_weights,
            {"weights": RAMP[..., None]},
            r"weights must be numbers of shape .*\[..., 0\]",
        ),
        (
            draw_weights,
            {"weights": RAMP * np.nan},
            "weights must hold finite numbers, received 12288",
        ),
        (draw_weights, {"weights": RAMP, "limits": (1, 1)}, r"limits must be \(low, high\)"),
        (draw_weights, {"weights": RAMP, "max_width": 100}, "max_width must be .* >= 320"),
        (
            draw_weights,
            {"weights": RAMP, "image": np.zeros((5, 6, 3))},
            "image must have the size of the map, 96x128, received 5x6",
        ),
        (draw_uncertainty, {"uncertainty": RAMP - 1}, "uncertainty must hold numbers >= 0, .* -1"),
        (draw_uncertainty, {"uncertainty": RAMP, "mask": RAMP}, "mask and class_map must be given"),
        (
            draw_uncertainty,
            {"uncertainty": RAMP, "mask": np.zeros((2, 2), int), "class_map": CELLS},
            "mask must have the size .*96x128, received 2x2",
        ),
    ],
)
def test_bad_input_is_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)


def test_ignored_pixels_have_no_say_in_the_colours_of_the_others():
    mask = np.zeros((96, 128), int)
    mask[:30] = 255
    for shape in [(96, 128), (960, 1280)]:  # shown larger, and averaged
        uncertainty = np.full(shape, 0.1)
        of_size = mask.repeat(shape[0] // 96, axis=0).repeat(shape[1] // 128, axis=1)
        expected = draw_uncertainty(uncertainty, None, of_size, CELLS)
        uncertainty[of_size == 255] = 9
        shown = draw_uncertainty(uncertainty, None, of_size, CELLS)
        np.testing.assert_array_equal(shown, expected)
        assert (shown == HIGH).all(-1).mean() > 0.3  # 0.1 is the most that counts


def test_a_map_of_ignored_pixels_alone_is_hatched():
    mask = np.full((96, 128), 255)
    shown = draw_uncertainty(RAMP, None, mask, CELLS)
    np.testing.assert_array_equal(shown, draw_uncertainty(RAMP * 0, None, mask, CELLS))
