"""plot_confusion: shares, counts and colours of the cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from semseg._palette import color_distance, luminance, perceived
from semseg.classes import ClassMap
from semseg.metrics.score_table import Scores
from semseg.viz import plot_confusion
from semseg.viz._theme import DARK, LIGHT
from semseg.viz.confusion import _cell_colors, _checked, _full_colors, _percent, _short

COUNTS = np.array([[900, 100], [20, 60]])


def texts(axes):
    return [text.get_text() for text in axes.texts]


def names(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize(
    ("normalize", "shares"),
    [
        ("truth", ["90.0", "10.0", "25.0", "75.0"]),
        ("prediction", ["97.8", "62.5", "2.2", "37.5"]),
        (None, ["83.3", "9.3", "1.9", "5.6"]),
    ],
)
def test_cells_hold_share_and_count(normalize, shares):
    (axes,) = plot_confusion(COUNTS, ["a", "b"], normalize).axes
    assert texts(axes)[::2] == shares
    assert texts(axes)[1::2] == ["900", "100", "20", "60"]
    assert names(axes.xaxis) == names(axes.yaxis) == ["a", "b"]
    assert axes.get_ylabel() == "truth"
    assert axes.get_xlabel().startswith("prediction")


def test_rows_are_the_truth():
    (axes,) = plot_confusion([[1, 3], [0, 0]]).axes
    (left, top), (right, same) = (axes.texts[i].get_position() for i in (0, 2))
    assert right == left + 1
    assert top == same
    assert texts(axes)[:4] == ["25.0", "1", "75.0", "3"]
    assert texts(axes)[4::2] == ["-", "-"]  # no pixel of this class


@settings(deadline=None)
@given(npst.arrays(np.float64, (4, 4), elements=st.floats(0, 1)), st.sampled_from([LIGHT, DARK]))
def test_colours_run_from_paper_to_blue_and_vermilion(shares, look):
    colors = _cell_colors(shares, look)
    full = _full_colors(look)
    for row, column in np.ndindex(4, 4):
        end = np.array(full[0 if row == column else 1])
        expected = look.paper + np.sqrt(shares[row, column]) * (end - look.paper)
        np.testing.assert_allclose(colors[row, column], expected, atol=0.51)


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_right_and_wrong_are_told_apart_by_all_eyes_and_shares_by_lightness(look):
    assert color_distance(*(np.array([c]) for c in _full_colors(look))).item() > 0.15
    ramps = [_cell_colors(np.full((2, 2), s), look)[0] for s in (0, 0.01, 0.1, 0.5, 1)]
    for side in (0, 1):
        lightness = perceived(np.array([pair[side] for pair in ramps]))[:, :, 0]
        steps = np.diff(lightness, axis=1) * (1 if look is DARK else -1)
        assert (steps > 0.02).all()


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_of_its_cell(dark):
    shares = np.linspace(0, 1, 25).reshape(5, 5)
    counts = np.vstack([shares, 1 - shares])[:5] * 1000
    axes = plot_confusion(counts, dark=dark).axes[0]
    colors = axes.images[0].get_array()
    for i, (row, column) in enumerate(np.ndindex(5, 5)):
        ink = 1.0 if axes.texts[2 * i].get_color() == "white" else 0.0
        light, deep = sorted((ink, float(luminance(colors[row, column]))), reverse=True)
        assert (light + 0.05) / (deep + 0.05) > 4.5


@pytest.mark.parametrize(("count", "per_cell"), [(2, 2), (12, 2), (13, 1), (16, 1), (17, 0)])
def test_cells_say_less_where_there_are_more(count, per_cell):
    axes = plot_confusion(np.ones((count, count), int)).axes[0]
    assert len(axes.texts) == per_cell * count**2
    assert len(axes.child_axes) == (not per_cell)  # a bar explains what no text says


def test_of_many_classes_those_present_are_shown():
    counts = np.zeros((150, 150), int)
    counts[3, 3], counts[3, 90], counts[149, 3] = 5, 2, 1
    axes = plot_confusion(counts, [f"class {i}" for i in range(150)]).axes[0]
    assert names(axes.yaxis) == ["class 3", "class 90", "class 149"]
    assert "147 classes do not occur" in axes.get_xlabel()


def test_of_too_many_classes_the_most_mistaken_are_shown_and_the_others_as_one():
    counts = np.diag(np.full(150, 100))
    counts[7:31, 2] = counts[40, 41] = 9  # class 2 is predicted for 24 others
    counts[40, 60] = 5  # twice wrong
    axes = plot_confusion(counts, [f"class {i}" for i in range(150)]).axes[0]
    shown = [2, *range(7, 29), 40]
    assert names(axes.xaxis) == [*(f"class {i}" for i in shown), "126 others"]
    assert "the 24 with most wrong pixels" in axes.get_xlabel()
    matrix = _checked(counts, None, None)
    assert matrix.counts.sum() == counts.sum()
    assert matrix.counts[-1, 0] == 2 * 9  # of classes 29 and 30
    assert matrix.counts[-2, -1] == 9 + 5
    assert np.isnan(matrix.shares[-1, -1])


def test_large_counts_of_32_bits_choose_the_same_classes():
    counts = np.diag(np.full(30, 2_000_000_000, np.int64))
    counts[3, 4] = 10_000
    wide, narrow = (plot_confusion(counts.astype(kind)) for kind in (np.int64, np.int32))
    named = [[t.get_text() for t in f.axes[0].get_yticklabels()] for f in (wide, narrow)]
    assert named[0] == named[1]
    assert "3" in named[0]


def test_few_classes_are_all_shown():
    axes = plot_confusion([[5, 0, 0], [0, 5, 0], [0, 0, 0]]).axes[0]
    assert names(axes.yaxis) == ["0", "1", "2"]


def test_scores_bring_their_names():
    axes = plot_confusion(Scores(COUNTS, ["road", "sky"])).axes[0]
    assert names(axes.yaxis) == ["road", "sky"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (35_400, "35k"), (2.5e9, "2.5G"),
     (7e13, "70T"), (0.25, "0.25"), (9_999, "10k"), (999_999, "1.0M")],
)  # fmt: skip
def test_counts_are_short(count, text):
    assert _short(count) == text


def test_no_error_is_rounded_away():
    assert [_percent(s, 1) for s in (0, 1e-9, 0.001, 1.0)] == ["0", "<0.1", "0.1", "100.0"]
    assert _percent(0.9999, 1) == "99.9"  # not 100: something is wrong


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 3), int),), ValueError, r"confusion must be .*\(C, C\), received int64 of"),
        ((np.zeros((2, 2), int),), ValueError, "confusion must hold counts >= 0, some above 0"),
        (([[1, -1], [0, 1]],), ValueError, "confusion must hold counts >= 0, .* received -1 to 1"),
        ((COUNTS, ["a"]), ValueError, "names must name the 2 classes of confusion, received 1"),
        ((COUNTS, ClassMap(["a", "b", "c"])), ValueError, "names must name the 2 classes"),
        ((COUNTS, 7), TypeError, "names must be a ClassMap, a list of class names or None"),
        ((COUNTS, None, "rows"), ValueError, "normalize must be one of"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        plot_confusion(*arguments)
