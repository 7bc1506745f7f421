"""Where a prediction is wrong."""

from typing import Any

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.viz._images import as_rgb
from semseg.viz._marks import CORRECT_COLOR, WRONG_COLOR
from semseg.viz._masks import class_rows, hatch_ignored

# The dimmed picture lies around CORRECT_COLOR and stays far darker than WRONG_COLOR.
_DIMMED_LOW, _DIMMED_HIGH = 32, 104


def draw_error(
    mask: Any, pred_mask: Any, class_map: ClassMap, image: Any | None = None
) -> np.ndarray:
    """Shows where a prediction differs from the truth.

    Wrong pixels have `WRONG_COLOR`, a magenta that colour-blind readers see as well. Correct ones
    show the picture, grey and dimmed, or plain `CORRECT_COLOR` without a picture. What the truth
    ignores is hatched, whatever was predicted there; a class predicted as ignored is wrong.

    Args:
        mask: (height, width) true class ids.
        pred_mask: (height, width) predicted class ids.
        class_map: what the ids mean.
        image: (height, width, channels), as for `draw_overlay`, or None.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: sizes differ, a mask with ids outside the map, a batch.

    Example:
        >>> cells = ClassMap(["background", "cell"])
        >>> draw_error(np.array([[0, 1]]), np.array([[0, 0]]), cells).tolist()
        [[[64, 64, 64], [235, 55, 255]]]
    """
    rows = class_rows(mask, class_map)
    pred_rows = class_rows(pred_mask, class_map, "pred_mask", rows.shape)
    picture = None if image is None else as_rgb(image)
    if picture is not None:
        _check_same_size(picture, rows)
    return paint_error(rows, pred_rows, class_map, picture)


def paint_error(
    rows: np.ndarray, pred_rows: np.ndarray, class_map: ClassMap, rgb: np.ndarray | None
) -> np.ndarray:
    """The error picture of checked class rows and of an 8-bit picture of their size, if any."""
    if rgb is None:
        picture = np.full((*rows.shape, 3), CORRECT_COLOR, np.uint8)
    else:
        picture = _dimmed(rgb)
    picture[rows != pred_rows] = WRONG_COLOR
    return hatch_ignored(picture, rows == class_map.num_classes)


def _dimmed(rgb: np.ndarray) -> np.ndarray:
    levels = np.linspace(_DIMMED_LOW, _DIMMED_HIGH, 256).round().astype(np.uint8)
    return cv2.cvtColor(levels[cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)], cv2.COLOR_GRAY2RGB)


def _check_same_size(picture: np.ndarray, rows: np.ndarray) -> None:
    if picture.shape[:2] != rows.shape:
        raise ValueError(
            f"image must have the size of mask, {rows.shape[0]}x{rows.shape[1]}, received "
            f"{picture.shape[0]}x{picture.shape[1]}; pass the image that the mask belongs to"
        )
