"""Pictures and masks brought to the common width of a panel's cells."""

from collections.abc import Sequence

import cv2
import numpy as np

from semseg._palette import Color

_READABLE = 96  # pixels that a column needs for its title
_WASTE = 1 / 3  # of the room that whole factors may cost
_TALLEST = 2  # a cell is at most this many times as high as it is wide


def cell_width(widths: Sequence[int], room: int) -> int:
    """The width of all cells: a whole multiple of the widest picture where it fills the room well.

    Whole factors enlarge all pixels of a mask alike.
    """
    widest = max(widths)
    multiple = widest * (room // widest)
    return multiple if multiple >= max(_READABLE, (1 - _WASTE) * room) else room


def fitted_size(size: tuple[int, ...], cell: int) -> tuple[int, int]:
    """The size at which a picture fills a cell's width, or the height that a cell may have."""
    height, width = size
    scale = min(cell / width, _TALLEST * cell / height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 RGB at another size: averaged when it shrinks, interpolated when it grows."""
    shrinks = size[0] < image.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, size[::-1], interpolation=how)


def resize_rows(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Class rows at another size: the nearest pixel by half-pixel centres, for any dtype."""
    picks = [
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for new, old in zip(size, rows.shape, strict=True)
    ]
    return rows[picks[0][:, None], picks[1]]


def centred(picture: np.ndarray, cell: int, paper: Color) -> np.ndarray:
    """The picture in the middle of a cell's width."""
    spare = cell - picture.shape[1]
    left = spare // 2
    return cv2.copyMakeBorder(picture, 0, 0, left, spare - left, cv2.BORDER_CONSTANT, value=paper)
