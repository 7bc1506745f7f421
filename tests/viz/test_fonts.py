"""Letters that the usual font lacks: another font, or their code points, never an empty box."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from semseg.viz import _fonts, draw_legend
from semseg.viz._fonts import legible
from semseg.viz._text import Line, text_box, write

# A letter that DejaVu Sans lacks and STIX, which Matplotlib brings too, has.
RARE = "\u29e1"
SPEC = importlib.util.find_spec("matplotlib")
STIX = str(Path(SPEC.origin).parent / "mpl-data/fonts/ttf/STIXGeneral.ttf")


@pytest.fixture
def others(monkeypatch):
    """Sets the fonts that are tried after DejaVu Sans."""

    def choose(*files):
        monkeypatch.setattr(_fonts, "_OTHERS", files)
        legible.cache_clear()

    yield choose
    legible.cache_clear()


@pytest.mark.parametrize("text", ["road", "$x_1$", "Straße", "Дорога", "_", "ÅÉ ñ", "½ °C"])
def test_what_the_usual_font_has_is_left_alone(text):
    assert legible(text) == (text, None)


def test_a_font_that_has_all_letters_is_chosen(others):
    others("no such font.ttf", STIX)
    assert legible(f"a {RARE}") == (f"a {RARE}", STIX)


def test_without_such_a_font_code_points_are_written(others):
    others()
    assert legible("汉字 road") == ("\\u6c49\\u5b57 road", None)
    assert legible("\U00020000") == ("\\U00020000", None)


def test_a_font_that_has_only_some_of_the_letters_is_not_chosen(others):
    others(STIX)
    assert legible(f"汉{RARE}") == ("\\u6c49\\u29e1", None)


def test_the_box_is_that_of_the_font_which_writes(others):
    others(STIX)
    box = text_box(Line(RARE * 4, 10, 30), 20)
    drawn = write(np.full((50, 150, 3), 255, np.uint8), [Line(RARE * 4, 10, 30)], 20, (0, 0, 0))
    rows, columns = np.nonzero((drawn < 255).any(-1))
    assert box.left <= columns.min() and columns.max() < box.right
    assert box.top <= rows.min() and rows.max() < box.bottom


def test_names_in_other_scripts_are_in_legends_and_figures(others):
    from semseg.classes import ClassMap

    others()
    cells = ClassMap(["汉字", "cell"])
    plain = ClassMap(["\\u6c49\\u5b57", "cell"])
    np.testing.assert_array_equal(draw_legend(cells), draw_legend(plain))
