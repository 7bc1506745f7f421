"""plot_class_scores and plot_class_frequencies: a row a class, in order, with its number."""

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.data import from_arrays
from semseg.metrics.functional import bootstrap
from semseg.metrics.score_table import Scores
from semseg.viz import plot_class_frequencies, plot_class_scores

NAN = float("nan")


def rows(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def numbers(axes):
    return [text.get_text() for text in axes.texts]


def bars(axes):
    return [bar.get_width() for bar in axes.patches]


def test_the_best_class_stands_on_top_with_its_score():
    (axes,) = plot_class_scores({"road": 0.25, "sky": 0.75, "car": 0.5}).axes
    assert rows(axes) == ["sky", "car", "road"]
    assert bars(axes) == [0.75, 0.5, 0.25]
    assert numbers(axes) == ["0.750", "0.500", "0.250", "mean 0.500"]
    low, high = axes.get_ylim()
    assert low > high  # the first row is on top
    assert axes.get_xlim() == (0, 1)
    assert axes.get_xlabel() == "IoU"


def test_classes_without_a_score_are_named_and_left_out_of_the_mean():
    (axes,) = plot_class_scores({"road": 0.5, "tram": NAN, "sky": 0.7, "$x$": NAN}).axes
    assert rows(axes) == ["sky", "road"]
    assert axes.get_xlabel() == "IoU\nwithout a score: tram, $x$"
    assert numbers(axes)[-1] == "mean 0.600"


@pytest.mark.parametrize("score", ["iou", "dice", "accuracy", "precision"])
def test_scores_of_a_set_are_read_by_name(score):
    scores = Scores([[6, 2], [0, 2]], ["background", "cell"])
    (axes,) = plot_class_scores(scores, score=score).axes
    assert dict(zip(rows(axes), bars(axes), strict=True)) == {
        name: scores[f"{score}/{name}"] for name in scores.names
    }


def test_intervals_follow_their_class():
    confusions = np.array([[[6, 4, 0], [1, 9, 0], [0, 0, 0]], [[7, 3, 0], [2, 8, 0], [0, 0, 0]]])
    interval = bootstrap(confusions, score="class_iou")
    scores = Scores(confusions.sum(0), ["a", "b", "absent"])
    (axes,) = plot_class_scores(scores, interval).axes
    order = [scores.names.index(name) for name in rows(axes)]
    assert order == [1, 0]
    drawn = [segment[:, 0] for segment in axes.collections[0].get_segments()]
    np.testing.assert_allclose(drawn, [[interval.low[i], interval.high[i]] for i in order])
    assert "interval over images" in axes.get_xlabel()


def test_many_classes_have_a_row_each():
    figure = plot_class_scores({f"class {i}": i / 50 for i in range(50)})
    assert len(rows(figure.axes[0])) == 50
    assert figure.get_figheight() > 50 * 0.2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.5],), TypeError, "scores must be Scores or a dict of class name -> score, received l"),
        (({"a": NAN},), ValueError, r"scores must hold at least one number, received \['a'\]"),
        (({"a": 1.5},), ValueError, "scores must lie in 0..1, received 1.5 to 1.5"),
        (({"a": 0.5}, ([0.1, 0.2], [0.3, 0.4])), ValueError, r"of 1 numbers each, .*\(2,\)"),
        (({"a": 0.5}, ([0.1],)), ValueError, r"intervals must be \(low, high\) or"),
        ((Scores(np.eye(2)), None, "f1"), ValueError, "score must be one of .'accuracy', 'dice'"),
    ],
)
def test_bad_scores_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        plot_class_scores(*arguments)


def test_frequencies_are_shares_with_the_largest_on_top():
    (axes,) = plot_class_frequencies([10, 70, 20], ["a", "b", "c"]).axes
    assert rows(axes) == ["b", "c", "a"]
    np.testing.assert_allclose(bars(axes), [0.7, 0.2, 0.1])
    assert numbers(axes) == ["70 %", "20 %", "10 %"]
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim()[0] == 0


def test_rare_classes_are_dots_on_a_logarithmic_axis():
    (axes,) = plot_class_frequencies([9900, 98, 0, 2], ["ground", "b", "never", "rare"]).axes
    assert axes.get_xscale() == "log"
    assert rows(axes) == ["ground", "b", "rare", "never"]
    assert numbers(axes) == ["99 %", "0.98 %", "0.02 %", "none"]
    assert not axes.patches
    np.testing.assert_allclose(axes.get_lines()[0].get_xdata(), [0.99, 0.0098, 0.0002])
    assert axes.get_xlim()[0] < 0.0002


@pytest.mark.parametrize(("least", "scale"), [(100, "linear"), (99, "log")])
def test_a_ratio_of_more_than_a_hundred_makes_the_axis_logarithmic(least, scale):
    (axes,) = plot_class_frequencies([10_000, least]).axes
    assert axes.get_xscale() == scale


def test_a_data_set_and_its_counts_give_the_same_picture():
    masks = np.repeat([0, 1, 255], [60, 20, 20]).reshape(1, 10, 10)
    cells = ClassMap(["background", "cell"], ignore_class=255)
    ds = from_arrays(np.zeros((1, 10, 10, 3), np.uint8), masks, cells)
    for given in (ds, ds.class_frequencies()):
        (axes,) = plot_class_frequencies(given).axes
        assert rows(axes) == ["background", "cell"]
        np.testing.assert_allclose(bars(axes), [0.75, 0.25])
        assert axes.get_xlabel().endswith("; 20.0% of all pixels are ignored")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0],), "frequencies must be one number of pixels >= 0 a class, some above 0"),
        (([1, -1],), "frequencies must be one number"),
        (([[1, 2]],), "frequencies must be one number"),
        (([1, 2], ["a"]), "names must name the 2 classes of frequencies, received 1 names"),
    ],
)
def test_bad_frequencies_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_class_frequencies(*arguments)
