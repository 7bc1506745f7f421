"""Pictures and figures to files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ARRAY_SUFFIXES = (".png", ".jpg", ".jpeg")
_FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
_DPI = 150
# Full colour resolution: halved, as JPEG does by default, thin strokes lose their class colour.
_JPEG = {"quality": 95, "subsampling": 0}


def save(path: str | os.PathLike[str], picture: "np.ndarray | Figure") -> Path:
    """Writes what `draw_*` or `plot_*` gave; the file's ending says how.

    Args:
        path: an array is written as .png, .jpg or .jpeg, a figure as .png, .pdf or .svg. Missing
            folders are created.
        picture: (height, width, 3) uint8 RGB, or a Matplotlib figure.

    Returns:
        The path.

    Raises:
        ValueError: an ending that does not fit, an array of another shape.
        TypeError: neither an array nor a figure, an array that is not uint8.
        OSError: the file can't be written there.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> save(folder + "/pictures/grey.png", np.full((4, 6, 3), 128, "uint8")).name
        'grey.png'
    """
    path = Path(path)
    is_figure = hasattr(picture, "savefig")
    _check_suffix(path, is_figure)
    if not is_figure:
        check_picture(picture)
    with making(path):
        if isinstance(picture, np.ndarray):
            options: dict[str, Any] = {} if path.suffix.lower() == ".png" else _JPEG
            Image.fromarray(picture).save(path, **options)
        else:
            picture.savefig(path, dpi=_DPI)
    return path


@contextmanager
def making(path: Path) -> Iterator[None]:
    """Makes the folder of a file that is then written; what fails names the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OSError(
            f"path must be a file that can be written, received {str(path)!r} "
            f"({error.strerror or error}); choose a folder you may write to"
        ) from error


def _check_suffix(path: Path, is_figure: bool) -> None:
    known = _FIGURE_SUFFIXES if is_figure else _ARRAY_SUFFIXES
    if path.suffix.lower() not in known:
        what = "a figure" if is_figure else "an array"
        raise ValueError(
            f"path must end in {', '.join(known[:-1])} or {known[-1]} for {what}, "
            f"received {str(path)!r}"
        )


def check_picture(picture: Any, where: str = "picture") -> None:
    """A (height, width, 3) uint8 array."""
    if not isinstance(picture, np.ndarray):
        raise TypeError(
            f"{where} must be a uint8 array as draw_* gives it or a Matplotlib figure as plot_* "
            f"gives it, received {type(picture).__name__}"
        )
    if picture.dtype != np.uint8:
        raise TypeError(
            f"{where} must be uint8 with values 0..255, received {picture.dtype}; "
            "class ids become colours with ClassMap.colorize(ids)"
        )
    if picture.ndim != 3 or picture.shape[-1] != 3 or 0 in picture.shape:
        raise ValueError(
            f"{where} must have shape (height, width, 3), received {picture.shape}; "
            "class ids become colours with ClassMap.colorize(ids)"
        )
