"""Masks for drawing: ids checked once against the map, then rows of its colour table."""

from typing import Any

import cv2
import numpy as np

from semseg._checks import check_mask, unknown_ids, unknown_ids_message
from semseg.classes import ClassMap
from semseg.viz._marks import hatch


def class_rows(
    mask: Any, class_map: ClassMap, where: str = "mask", size: tuple[int, ...] | None = None
) -> np.ndarray:
    """(height, width) ids -> the same in 0..num_classes, where num_classes stands for ignored."""
    mask = check_mask(_one_mask(mask, where), where)
    if size is not None and mask.shape != size:
        raise ValueError(
            f"{where} must have the size of what it is drawn with, {size[0]}x{size[1]}, received "
            f"{mask.shape[0]}x{mask.shape[1]}; a mask is resized with nearest neighbour only"
        )
    count, ignored = class_map.num_classes, class_map.ignore_class
    found = unknown_ids(mask, count, ignored)
    if found:
        raise ValueError(unknown_ids_message(found, count, ignored, where))
    rows = mask.astype(np.min_scalar_type(count))
    if ignored is not None:
        rows[mask == ignored] = count
    return rows


def paint(rows: np.ndarray, class_map: ClassMap) -> np.ndarray:
    """Class rows -> (height, width, 3) uint8: class colours, ignored pixels hatched."""
    colors = np.array([*class_map.colors, class_map.ignore_color], np.uint8)
    # "clip" spares a buffered copy; no row is out of range.
    return hatch_ignored(colors.take(rows, axis=0, mode="clip"), rows == class_map.num_classes)


def hatch_ignored(picture: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """Lays the hatch over the ignored pixels of a picture, in place."""
    if ignored.any():
        height, width = ignored.shape
        cv2.copyTo(hatch(height, width), ignored.view(np.uint8), picture)
    return picture


def _one_mask(mask: Any, where: str) -> Any:
    shape = np.shape(mask)
    if len(shape) == 3 and shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{where} must have shape (height, width), received {shape}; the masks of a batch are "
            "drawn one by one, and logits become ids with argmax(axis=-1)"
        )
    return mask
