"""Borders of classes as lines over the picture."""

from typing import Any

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.viz._images import as_rgb
from semseg.viz._masks import class_rows

_WIDTHS_A_SIDE = 300  # a line is seen when the picture fills 600 pixels


def draw_outline(
    image: Any, mask: Any, class_map: ClassMap, width: int | None = None
) -> np.ndarray:
    """Draws the borders of the classes over the picture, which stays visible.

    Every class has a line of its own colour along the inside of its border, with a dark rim
    towards the picture, so that it is seen on any ground. A class 0 that is named "background"
    and ignored pixels have no line; the picture's frame is no border. What is thinner than two
    lines is filled.

    Args:
        image: (height, width, channels), as for `draw_overlay`.
        mask: (height, width) class ids, true or predicted.
        class_map: names and colours of the ids.
        width: of the lines, in pixels of the picture; None: a 300th of its longer side.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: sizes differ, a mask with ids outside the map, a batch, `width` below 1.

    Example:
        >>> cells = ClassMap(["background", "cell"], colors=[(0, 0, 0), (0, 200, 0)])
        >>> image, mask = np.full((5, 9, 3), 90, "uint8"), np.zeros((5, 9), int)
        >>> mask[:, 4:] = 1
        >>> draw_outline(image, mask, cells, width=1)[2, 2:7, 1].tolist()
        [90, 90, 200, 45, 90]
    """
    picture = as_rgb(image).copy()
    rows = class_rows(mask, class_map, size=picture.shape[:2])
    width = _checked_width(width, rows.shape)
    has_line = rows != class_map.num_classes
    if class_map.names[0].casefold() == "background":
        has_line &= rows != 0
    border = _border(rows) & has_line
    line = _dilated(border, width - 1) & has_line
    rim = _dilated(border, width - 1 + max(1, width // 2)) & has_line
    # Whole pictures copied through a mask are several times as fast as indexing with it.
    cv2.copyTo(picture >> 1, rim.view(np.uint8), picture)
    colors = np.array([*class_map.colors, class_map.ignore_color], np.uint8)
    cv2.copyTo(colors.take(rows, axis=0, mode="clip"), line.view(np.uint8), picture)
    return picture


def _border(rows: np.ndarray) -> np.ndarray:
    """Whether one of the eight neighbours in the picture is of another class."""
    window = np.ones((3, 3), np.uint8)
    return cv2.dilate(rows, window) != cv2.erode(rows, window)


def _dilated(marked: np.ndarray, reach: int) -> np.ndarray:
    """Whether a marked pixel is at most that many rows and columns away."""
    window = np.ones((2 * reach + 1,) * 2, np.uint8)
    return cv2.dilate(marked.view(np.uint8), window).view(bool)


def _checked_width(width: Any, size: tuple[int, ...]) -> int:
    if width is None:
        return max(1, round(max(size) / _WIDTHS_A_SIDE))
    if isinstance(width, bool) or not isinstance(width, (int, np.integer)) or width < 1:
        raise ValueError(f"width must be a whole number of pixels >= 1, received {width!r}")
    return int(width)
