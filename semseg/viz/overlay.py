"""The mask over the picture."""

from typing import Any

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.viz._images import as_rgb
from semseg.viz._masks import class_rows, paint


def draw_overlay(image: Any, mask: Any, class_map: ClassMap, alpha: float = 0.5) -> np.ndarray:
    """Lays the colours of the classes over the picture.

    A class 0 that is named "background" stays untinted, so that what matters stands out;
    ignored pixels are hatched in grey.

    Args:
        image: (height, width, channels). 16-bit and float images are stretched to 8 bits; of
            more than three channels the first three are shown.
        mask: (height, width) class ids, true or predicted.
        class_map: names and colours of the ids.
        alpha: weight of the colours: 0 shows the image alone, 1 the colours alone.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: sizes differ, a mask with ids outside the map, a batch, alpha outside 0..1.

    Example:
        >>> cells = ClassMap(["background", "cell"], colors=[(0, 0, 0), (0, 200, 0)])
        >>> image = np.full((1, 2, 3), 100, "uint8")
        >>> draw_overlay(image, np.array([[0, 1]]), cells).tolist()
        [[[100, 100, 100], [50, 150, 50]]]
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in 0..1, the weight of the colours, received {alpha!r}")
    picture = as_rgb(image)
    rows = class_rows(mask, class_map, size=picture.shape[:2])
    return tint(picture, rows, class_map, alpha)


def tint(rgb: np.ndarray, rows: np.ndarray, class_map: ClassMap, alpha: float) -> np.ndarray:
    """The overlay of an 8-bit picture and checked class rows of its size."""
    tinted = cv2.addWeighted(rgb, 1 - alpha, paint(rows, class_map), alpha, 0)
    if class_map.names[0].casefold() == "background":
        cv2.copyTo(rgb, (rows == 0).view(np.uint8), tinted)
    return tinted
