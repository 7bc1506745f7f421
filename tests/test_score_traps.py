"""The pictures of "Reading your scores" exist, are on the page, and say what semseg counts."""

import importlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "reading_your_scores.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[(.*?)\]\(images/scores/(\w+)\.png\)", PAGE)
NAMES = [name for _, name in PICTURES]


@pytest.fixture(scope="module")
def score_traps():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("score_traps")


def test_the_page_shows_every_trap_in_order_and_the_folder_holds_no_more(score_traps):
    assert [make.__name__ for make in score_traps.TRAPS] == NAMES
    assert sorted(p.stem for p in (DOCS / "images" / "scores").iterdir()) == sorted(NAMES)


@pytest.mark.parametrize(("text", "name"), PICTURES)
def test_the_numbers_of_a_text_are_what_semseg_counts(text, name, score_traps):
    trap = getattr(score_traps, name)()
    assert trap.text == text
    assert all(0 <= bar.value <= 1 for bar in trap.bars)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_wide_enough(name):
    path = DOCS / "images" / "scores" / f"{name}.png"
    assert path.stat().st_size < 60_000
    with Image.open(path) as picture:
        assert (picture.mode, picture.width) == ("P", 1200)


@pytest.mark.slow  # drawing takes a quarter of a second each
@pytest.mark.parametrize("name", NAMES)
def test_texts_neither_overlap_nor_leave_the_picture(name, score_traps):
    figure = score_traps.figure_of(getattr(score_traps, name)())
    assert crowded(figure) == []


@pytest.mark.slow
def test_the_check_of_texts_would_notice_a_title_over_its_neighbour(score_traps):
    figure = score_traps.figure_of(score_traps.found_everywhere())
    figure.axes[1].set_title("B: hardly ever anywhere at all")
    assert crowded(figure)


def crowded(figure):
    """Pairs of texts that overlap, and texts that stick out."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [text for axes in figure.axes for text in shown(axes) if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    frame = figure.bbox.padded(1)
    outside = [text for text, box in boxes if not holds(frame, box)]
    pairs = itertools.combinations(boxes, 2)
    overlapping = [(one, other) for (one, a), (other, b) in pairs if Bbox.intersection(a, b)]
    return outside + overlapping


def shown(axes):
    yield from (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
        yield from (label for place, label in ticks if low <= place <= high)


def holds(frame, box):
    return bool(np.all(frame.min <= box.min) and np.all(box.max <= frame.max))
