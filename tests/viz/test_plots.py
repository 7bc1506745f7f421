"""What all plot_* promise: texts as they are, apart, inside and readable; no state; any axes."""

import re
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from semseg._palette import luminance
from semseg.classes import ClassMap
from semseg.viz import (
    plot_boundary_error,
    plot_class_frequencies,
    plot_class_scores,
    plot_confusion,
    plot_history,
    plot_learning_rate,
    plot_reject_curve,
    plot_reliability,
    save,
)
from semseg.viz._theme import DARK, LIGHT

NAMES = ["background", "cell_$x$", "Zellwände", "汉字"]
SHOWN = ["background", "cell_$x$", "Zellwände", "\\u6c49\\u5b57"]  # where no font has them
COUNTS = np.array([[900, 50, 7, 0], [20, 400, 3, 1], [9, 2, 12, 0], [1, 0, 0, 4]])


class Calibration(NamedTuple):
    """What expected_calibration_error gives."""

    error: float
    confidence: np.ndarray
    accuracy: np.ndarray
    pixels: np.ndarray


FOUND = Calibration(0.1, np.array([np.nan, 0.4, 0.9]), np.array([np.nan, 0.5, 0.6]), [0, 5, 9])


class Rejected(NamedTuple):
    """What reject_curve gives."""

    kept: np.ndarray
    pixel_accuracy: np.ndarray


class Distances(NamedTuple):
    """What boundary_error gives."""

    pixels: np.ndarray
    wrong: np.ndarray
    error: np.ndarray


KEPT = Rejected(np.array([0.5, 1]), np.array([0.8, 0.5]))
NEAR = Distances(np.array([9, 9, 90]), np.array([3, 2, 1]), np.array([0.3, 0.2, 0.01]))
RUN = {"loss": [0.9, 0.5], "val_loss": [1.0, 0.6], "mean_iou": [0.1, 0.4], "lr": [1e-3, 1e-3]}
SCORES = dict(zip(NAMES, (0.9, 0.83, 0.4, 0.2), strict=True))

# Every plot_* but for those of a model; which of them take axes, and which show NAMES.
PLOTS = {
    "confusion": (plot_confusion, (COUNTS, ClassMap(NAMES)), True, True),
    "confusion without texts": (plot_confusion, (np.eye(20, dtype=int), None), True, False),
    "class scores": (plot_class_scores, (SCORES, ([0.1] * 4, [0.95] * 4)), True, True),
    "class frequencies": (plot_class_frequencies, ([90, 40, 20, 9], NAMES), True, True),
    "rare classes": (plot_class_frequencies, ([90_000, 40, 2, 1], NAMES), True, True),
    "very rare classes": (plot_class_frequencies, ([10**10, 40, 2, 1], NAMES), True, True),
    "history": (plot_history, (RUN,), False, False),
    "histories": (plot_history, (dict.fromkeys(NAMES, RUN),), False, True),
    "learning rate": (plot_learning_rate, ([1e-4, 1e-3, 1e-2], [2, 1, 3], 1e-3), True, False),
    "no learning rate": (plot_learning_rate, ([1e-4, 1e-3, 1e-2], [2, 1, 3]), True, False),
    "reject curves": (plot_reject_curve, (dict.fromkeys(NAMES, KEPT),), True, True),
    "boundary error": (plot_boundary_error, (NEAR,), True, False),
    "boundary errors": (plot_boundary_error, (dict.fromkeys(NAMES, NEAR),), True, True),
    "reliability": (plot_reliability, (dict.fromkeys(NAMES, FOUND),), True, True),
}


@pytest.fixture(autouse=True)
def no_other_fonts(monkeypatch):
    from semseg.viz import _fonts

    monkeypatch.setattr(_fonts, "_OTHERS", ())
    _fonts.legible.cache_clear()
    yield
    _fonts.legible.cache_clear()


def drawn_texts(figure):
    """All texts that are seen, of the figure, its axes, their ticks and legends."""
    texts = list(figure.texts)
    for axes in every_axes(figure):
        texts += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    texts += [t for t in (tick.label1, tick.label2) if t.get_visible()]
        if axes.get_legend():
            texts += axes.get_legend().get_texts()
    return [text for text in texts if text.get_text().strip()]


def every_axes(figure):
    return [axes for outer in figure.axes for axes in (outer, *outer.child_axes)]


def bad_texts(figure):
    """Texts that leave the figure, and pairs that overlap."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn_texts(figure)]
    edge = figure.bbox
    outside = [
        name for name, box in boxes
        if min(box.x0, box.y0) < -0.5 or box.x1 > edge.x1 + 0.5 or box.y1 > edge.y1 + 0.5
    ]  # fmt: skip
    pairs = combinations(boxes, 2)
    return outside + [(a, b) for (a, one), (b, other) in pairs if one.overlaps(other)]


def contrast(one, other):
    light, dark = sorted((float(luminance(one)), float(luminance(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", PLOTS)
def test_texts_are_apart_inside_as_they_are_and_large_enough(name):
    function, arguments, _, has_names = PLOTS[name]
    figure = function(*arguments, title="a $title$ of_it")
    assert bad_texts(figure) == []
    texts = drawn_texts(figure)
    said = [line for text in texts for line in text.get_text().split("\n")]
    assert "a $title$ of_it" in said
    given = [text for text in texts if re.search(r"\$(title|x)\$", text.get_text())]
    assert not any(text.get_parse_math() for text in given)
    if has_names:
        assert all(any(name in line for line in said) for name in SHOWN)
    smallest = min(text.get_fontsize() for text in texts)
    assert smallest / 72 * 600 / figure.get_figwidth() >= 6.5  # pixels, at 600 pixels width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PLOTS)
def test_texts_stand_out_of_the_paper_of_the_look(name, dark):
    function, arguments, *_ = PLOTS[name]
    figure = function(*arguments, title="title", dark=dark)
    paper = (DARK if dark else LIGHT).paper
    for part in (figure, *every_axes(figure)):
        assert part.get_facecolor()[:3] == pytest.approx(np.array(paper) / 255)
    for text in drawn_texts(figure):
        if "confusion" not in name or text not in figure.axes[0].texts:  # cells have a colour
            color = np.array(to_rgb(text.get_color())) * 255
            assert contrast(color, paper) >= 3, text.get_text()


@pytest.mark.parametrize("name", [name for name in PLOTS if PLOTS[name][2]])
def test_axes_of_the_caller_are_drawn_into(name):
    function, arguments, *_ = PLOTS[name]
    figure = Figure(figsize=(12, 6), layout="constrained")
    first, second = figure.subfigures(1, 2)[0].subplots(1, 2)
    assert function(*arguments, ax=second, title="here") is figure
    assert not first.has_data()
    assert second.get_title(loc="left").strip().split("\n")[0] == "here"
    assert second.has_data()


def test_the_harness_finds_texts_that_overlap_and_that_leave():
    figure = Figure(figsize=(2, 2))
    axes = figure.add_subplot()
    axes.text(0.5, 0.5, "one")
    axes.text(0.5, 0.5, "two")
    axes.set_xlabel("a label that is far too long for its figure")
    found = bad_texts(figure)
    assert ("one", "two") in found
    assert "a label that is far too long for its figure" in found


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_every_format_takes_every_name(suffix, tmp_path):
    figure = plot_class_frequencies([90, 40, 20, 9], NAMES, dark=True)
    written = save(tmp_path / f"picture.{suffix}", figure).read_bytes()
    assert written.startswith({"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[suffix])
