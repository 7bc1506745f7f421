"""The surface of a class, one pixel thick, and how far two surfaces are apart."""

import cv2
import numpy as np
from scipy.spatial import cKDTree

_SIDES = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def class_surface(mask: np.ndarray, class_id: int, ignore_class: int | None = None) -> np.ndarray:
    """Marks the pixels of a class that have a side in common with what is not of the class.

    What an erosion with a cross takes away: `get_mask_edges` of MONAI. Beyond the picture's frame
    is nothing of the class, so that an object cut by the frame has a surface there. A side towards
    an ignored pixel is none.

    Args:
        mask: (height, width) ids.
        class_id: the class.
        ignore_class: id of pixels that are not there, or None.

    Returns:
        (height, width) bool.

    Example:
        >>> mask = np.zeros((5, 5), int)
        >>> mask[1:4, 1:4] = 1
        >>> int(class_surface(mask, 1).sum())
        8
    """
    inside = mask == class_id
    solid = inside if ignore_class is None else inside | (mask == ignore_class)
    border = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
    return inside & (cv2.erode(solid.view(np.uint8), _SIDES, **border) == 0)


def distances_to(
    marked: np.ndarray, others: np.ndarray, spacing: tuple[float, float]
) -> np.ndarray:
    """How far each marked pixel is from the nearest of the others; infinite without others.

    Args:
        marked, others: (height, width) bool.
        spacing: the height and the width of a pixel.

    Returns:
        (pixels,) float64, in the unit of the spacing, row by row.

    Example:
        >>> distances_to(np.array([[1, 1, 0]]) > 0, np.array([[0, 0, 1]]) > 0, (1.0, 0.5))
        array([1. , 0.5])
    """
    places, targets = (np.argwhere(ids) * np.asarray(spacing) for ids in (marked, others))
    if not len(places) or not len(targets):
        return np.full(len(places), np.inf)
    return cKDTree(targets).query(places)[0]
