"""Where one class ends and the next begins: boundaries one pixel wide, and bands along them."""

from typing import Any

import cv2
import numpy as np

from semseg._checks import check_mask
from semseg.regions.distances import near


def class_boundary(mask: Any, class_id: int, ignore_class: int | None = None) -> np.ndarray:
    """Marks the boundary of one class, one pixel wide.

    A pixel is on it where it, its right, its lower and its lower right neighbour are partly of the
    class and partly of another: the Berkeley benchmark's `seg2bdry(mask == class_id, "imageSize")`,
    which SegNet's BF measure uses. The picture's frame is no boundary. Ignored pixels are neither
    in nor out, and never on a boundary, so that it ends at them as at the frame.

    Args:
        mask: (height, width) ids.
        class_id: the class.
        ignore_class: id of pixels that are not there, or None.

    Returns:
        (height, width) bool.

    Raises:
        ValueError, TypeError: `mask` is no (height, width) array of ids.

    Example:
        >>> class_boundary(np.array([[0, 0, 1, 1, 255, 0]]), 1, ignore_class=255).astype(int)
        array([[0, 1, 0, 0, 0, 0]])
    """
    mask = check_mask(mask)
    inside = mask == class_id
    if ignore_class is None:
        return _in_block_of_four(inside) & _in_block_of_four(~inside)
    valid = mask != ignore_class
    return valid & _in_block_of_four(inside) & _in_block_of_four(valid & ~inside)


def boundary_band(mask: Any, width: float, ignore_class: int | None = None) -> np.ndarray:
    """Marks all pixels within `width` of a pixel of another class: a trimap's unsure band.

    Args:
        mask: (height, width) ids.
        width: in pixels, from centre to centre: 1 marks one pixel on each side of every boundary.
        ignore_class: id of pixels that are not there, or None. They are never in the band and
            make none: across an ignored rim, such as Pascal VOC's of about five pixels, classes
            are as far apart as they are.

    Returns:
        (height, width) bool.

    Raises:
        ValueError, TypeError: `mask` is no (height, width) array of ids; `width` < 1.

    Example:
        >>> boundary_band(np.array([[0, 0, 0, 1, 1, 1]]), 2).astype(int)
        array([[0, 1, 1, 1, 1, 0]])
    """
    mask = check_mask(mask)
    if not width >= 1:
        raise ValueError(f"width must be >= 1 pixel, received {width!r}")
    band = np.zeros(mask.shape, bool)
    valid = np.ones(mask.shape, bool) if ignore_class is None else mask != ignore_class
    for class_id in np.unique(mask[valid]):
        inside = mask == class_id
        band |= inside & near(valid & ~inside, width)
    return band


def contour_band(mask: Any, width: int, ignore_class: int | None = None) -> np.ndarray:
    """Marks what `width` erosions by a 3 x 3 square take away from the classes.

    These are the pixels with a pixel of another class, or one outside the picture, at most `width`
    rows and columns away: the inner bands of which Boundary IoU is made (Cheng et al., 2021; their
    code erodes as well).

    Args:
        mask: (height, width) ids.
        width: in pixels, a whole number >= 1.
        ignore_class: id of pixels that are not there, or None. They are never in the band and make
            none.

    Returns:
        (height, width) bool.

    Raises:
        ValueError, TypeError: `mask` is no (height, width) array of ids; `width` < 1.

    Example:
        >>> contour_band(np.array([[0, 0, 0, 1, 1, 1]] * 5), 1)[2].astype(int)
        array([1, 0, 1, 1, 0, 1])
    """
    mask = check_mask(mask)
    if not isinstance(width, int | np.integer) or width < 1:
        raise ValueError(f"width must be a whole number of pixels >= 1, received {width!r}")
    ids, inverse = np.unique(mask, return_inverse=True)  # small enough for float32
    numbered = inverse.reshape(mask.shape).astype(np.float32) + 1
    valid = np.ones(mask.shape, bool) if ignore_class is None else mask != ignore_class
    outside_picture, last = 0.0, len(ids) + 1.0
    window = np.ones((2 * int(width) + 1,) * 2, np.uint8)
    lowest = cv2.erode(
        np.where(valid, numbered, np.float32(last)),
        window,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=outside_picture,
    )
    highest = cv2.dilate(np.where(valid, numbered, np.float32(0)), window)
    return valid & ((lowest != numbered) | (highest != numbered))


def _in_block_of_four(marked: np.ndarray) -> np.ndarray:
    """Whether a pixel, its right, its lower or its lower right neighbour is marked."""
    window = np.ones((2, 2), np.uint8)
    return cv2.dilate(marked.view(np.uint8), window, anchor=(0, 0)).view(bool)
