"""Masks without specks and holes."""

from typing import Any

import cv2
import numpy as np
from scipy.ndimage import find_objects

from semseg._checks import check_count, check_mask
from semseg.regions.objects import components

_SIDES = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def remove_small(
    mask: Any, least: int, *, background: int = 0, ignore_class: int | None = None
) -> np.ndarray:
    """Gives parts of a class that are smaller than `least` pixels to the background.

    Args:
        mask: (height, width) ids, or bool.
        least: pixels of the smallest part that stays; parts hang together by sides or corners.
        background: the class that they become; its own parts stay.
        ignore_class: id of pixels that are no part and stay, or None.

    Returns:
        A changed copy, of the mask's shape and dtype.

    Raises:
        ValueError, TypeError: `mask` is no (height, width) array of ids; `least` < 1.

    Example:
        >>> remove_small(np.array([[1, 1, 0, 2, 0, 1]]), 2)
        array([[1, 1, 0, 0, 0, 0]])
    """
    least = check_count("least", least, 1)
    ids, kept = check_mask(mask), np.array(mask)
    for class_id in set(np.unique(ids).tolist()) - {background, ignore_class}:
        parts = components(ids == class_id)
        small = np.bincount(parts.ravel()) < least
        small[0] = False  # what is not of the class
        kept[small[parts]] = background
    return kept


def fill_holes(mask: Any, *, background: int = 0, ignore_class: int | None = None) -> np.ndarray:
    """Gives holes of the background to the class around them.

    A hole is a part of the background, hanging together by sides, that has pixels of one class
    alone beside it. Where it reaches the picture's frame, an ignored pixel or a second class, it
    stays: what is behind the frame and the ignored pixels is not known.

    Args:
        mask: (height, width) ids, or bool.
        background: the class of the holes.
        ignore_class: id of pixels that stay, or None.

    Returns:
        A changed copy, of the mask's shape and dtype.

    Raises:
        ValueError, TypeError: `mask` is no (height, width) array of ids.

    Example:
        >>> ring = np.pad(np.zeros((1, 2), int), 1, constant_values=3)
        >>> fill_holes(ring).tolist()
        [[3, 3, 3, 3], [3, 3, 3, 3], [3, 3, 3, 3]]
    """
    ids, filled = check_mask(mask), np.array(mask)
    holes = components(ids == background, neighbours=4)
    height, width = ids.shape
    for number, box in enumerate(find_objects(holes), start=1):
        (top, bottom), (left, right) = ((side.start, side.stop) for side in box)
        if min(top, left) == 0 or bottom == height or right == width:
            continue
        around = (slice(top - 1, bottom + 1), slice(left - 1, right + 1))
        hole = (holes[around] == number).view(np.uint8)
        rim = np.unique(ids[around][(cv2.dilate(hole, _SIDES) > 0) & (hole == 0)])
        if len(rim) == 1 and rim[0] != ignore_class:
            filled[around][hole > 0] = rim[0]
    return filled
