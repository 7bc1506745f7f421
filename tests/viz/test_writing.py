"""save: what is written can be read back, and what can't be written is said."""

import numpy as np
import pytest
from PIL import Image

from semseg.viz import plot_history, save

PICTURE = np.zeros((16, 24, 3), np.uint8)
PICTURE[:, :8, 0], PICTURE[:, 8:16, 1], PICTURE[:, 16:, 2] = 250, 240, 230


def test_png_keeps_every_value_in_rgb_order(tmp_path):
    path = save(tmp_path / "picture.png", PICTURE)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), PICTURE)


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".JPG"])
def test_jpeg_keeps_the_order_of_colors(tmp_path, ending):
    read = np.asarray(Image.open(save(tmp_path / f"picture{ending}", PICTURE)))
    assert abs(read.astype(int) - PICTURE).max() < 12


def test_views_are_written_as_they_look(tmp_path):
    view = PICTURE[::2, ::-1, ::-1]
    np.testing.assert_array_equal(np.asarray(Image.open(save(tmp_path / "v.png", view))), view)


@pytest.mark.parametrize(
    ("ending", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")]
)
def test_figures_are_written_by_their_ending(tmp_path, ending, start):
    path = save(tmp_path / f"curves{ending}", plot_history({"loss": [0.9, 0.4]}))
    assert path.read_bytes().startswith(start)


def test_missing_folders_are_made_and_the_path_is_returned(tmp_path):
    wanted = tmp_path / "a" / "b c" / "picture.png"
    assert save(str(wanted), PICTURE) == wanted
    assert wanted.is_file()


@pytest.mark.parametrize("name", ["picture", "picture.bmp", "picture.pdf", "picture.svg"])
def test_endings_that_no_array_is_written_in_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"path must end in .png, .jpg or .jpeg for an array"):
        save(tmp_path / name, PICTURE)
    assert not list(tmp_path.iterdir())


def test_endings_that_no_figure_is_written_in_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"path must end in .png, .pdf or .svg for a figure"):
        save(tmp_path / "curves.jpg", plot_history({"loss": [0.9]}))


@pytest.mark.parametrize(
    ("picture", "error", "message"),
    [
        (PICTURE / 255, TypeError, "picture must be uint8 .*received float64"),
        (PICTURE[..., 0], ValueError, r"picture must have shape \(height, width, 3\)"),
        (PICTURE[None], ValueError, "picture must have shape"),
        (PICTURE[:0], ValueError, "picture must have shape"),
        ([[1, 2]], TypeError, "picture must be a uint8 array .*received list"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, picture, error, message):
    with pytest.raises(error, match=message):
        save(tmp_path / "picture.png", picture)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"path must be a file that can be written.*choose a folder"):
        save(tmp_path / "file" / "picture.png", PICTURE)


def test_a_folder_in_place_of_the_file_is_said(tmp_path):
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OSError, match="path must be a file that can be written"):
        save(tmp_path / "taken.png", PICTURE)
