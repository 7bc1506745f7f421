"""The numbers of "Which loss for which problem" are those of the committed results."""

import importlib
import json
import re
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "which_loss.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawing():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("which_loss_drawing")


@pytest.fixture(scope="module")
def results(drawing):
    return json.loads(drawing.RESULTS.read_text(encoding="utf-8"))


def test_every_loss_has_three_seeds_at_its_own_learning_rate(drawing, results):
    found = drawing.measured(results)
    assert len(found) == len(results["step_ms"]) == 16
    assert all(len(own["mean IoU"].values) >= 3 for own in found.values())


def test_the_table_of_the_page_is_that_of_the_results(drawing, results):
    assert drawing.table(results) in PAGE


def test_every_number_with_a_spread_was_measured(drawing, results):
    measured = {
        str(value)
        for own in drawing.measured(results).values()
        for value in own.values()
        if isinstance(value, drawing.Spread)
    }
    stated = re.findall(r"\d\.\d+ ± \d\.\d+", PAGE)
    assert len(stated) > len(measured)
    assert set(stated) <= measured


def test_the_picture_is_small_and_wide_enough(drawing):
    assert f"({drawing.PICTURE.relative_to(DOCS).as_posix()})" in PAGE
    assert drawing.PICTURE.stat().st_size < 80_000
    with Image.open(drawing.PICTURE) as picture:
        assert picture.width == 1200


@pytest.mark.slow  # drawing takes a second
def test_the_picture_has_a_row_for_each_loss_and_a_panel_for_each_score(drawing, results):
    figure = drawing.figure_of(results)
    assert [axes.get_title() for axes in figure.axes] == list(drawing.TITLES)
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == [drawing.label(loss) for loss in drawing.measured(results)]
