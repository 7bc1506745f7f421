"""The gallery shows every picture that can be drawn, as its script wrote it."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import semseg.viz

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
FOLDER = DOCS / "images" / "gallery"

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def gallery():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("gallery")


def test_the_page_shows_what_the_folder_holds_light_and_dark(gallery):
    shown = set()
    for code, name in gallery.parts(PAGE):
        if name:
            shown |= {name, f"{name}-dark"} if gallery.has_dark_look(code) else {name}
    assert shown == {path.stem for path in FOLDER.iterdir()}
    assert shown == set(re.findall(r"images/gallery/([\w-]+)\.png", PAGE))


def test_every_picture_has_a_text_that_says_what_it_shows():
    texts = re.findall(r'<img src="images/gallery/\w+\.png" alt="([^"]{20,})"', PAGE)
    assert len(texts) == len(set(texts)) == PAGE.count("<img ")


def test_every_function_that_draws_is_on_the_page():
    drawing = {name for name in semseg.viz.__all__ if name.startswith(("draw_", "plot_"))}
    shown = set(re.findall(r"viz\.((?:draw|plot)_\w+)\(", PAGE))
    assert shown == drawing


def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4_700_000
    for path in FOLDER.iterdir():
        with Image.open(path) as picture:
            assert 400 <= picture.width <= 1500


def test_a_stored_picture_keeps_the_colours_of_its_legend(gallery, tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 8, (200, 520, 3), dtype=np.uint8) * 36
    picture[:20] = 255
    picture[20:30, :20] = (230, 159, 0)
    gallery.write(tmp_path / "picture.png", picture, few_colors=True)
    stored = np.array(Image.open(tmp_path / "picture.png").convert("RGB"))
    np.testing.assert_array_equal(stored[:20], picture[:20])
    np.testing.assert_array_equal(stored[20:30, :20], picture[20:30, :20])
    assert np.abs(stored.astype(int) - picture).mean() < 30


def test_the_dark_look_is_that_of_every_function_which_has_one(gallery):
    code = "```python\nfrom semseg import viz\nimport semseg\n```\n\n```python\n"
    code += 'cells = semseg.ClassMap(["a", "b"])\npicture = viz.draw_legend(cells)\n```\n'
    code += "images/gallery/legend.png"
    for dark in (False, True):
        ((name, _, picture),) = gallery.draw(code, dark, set())
        assert name == "legend"
        assert (picture[0, 0] < 128).all() == dark
