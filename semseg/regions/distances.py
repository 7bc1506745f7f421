"""What lies near what: all pixels within a radius of some."""

from typing import Any

import cv2
import numpy as np

from semseg._checks import check_mask

# Below, a dilation with a disc is faster than a distance transform (0.13 against 1.3 ms for a
# radius of 4.5 in 360 x 480 pixels).
_SMALL = 8


def near(marked: Any, radius: float) -> np.ndarray:
    """Marks all pixels within `radius` of a marked one.

    Args:
        marked: (height, width) bool, or ids where 0 is not marked.
        radius: in pixels, from centre to centre, >= 0; a pixel at exactly this distance is near.

    Returns:
        (height, width) bool.

    Raises:
        ValueError, TypeError: another shape, `radius` < 0.

    Example:
        >>> near(np.array([[True, False, False, False]]), 2.0).astype(int)
        array([[1, 1, 1, 0]])
    """
    marked = check_mask(marked, "marked") != 0
    if not 0 <= radius < np.inf:
        raise ValueError(f"radius must be >= 0 pixels, received {radius!r}")
    # Squared distances are whole numbers: comparing them leaves no doubt at the rim.
    limit = int(radius * radius + 1e-6)
    if radius <= _SMALL:
        return cv2.dilate(marked.view(np.uint8), _disc(int(radius), limit)).view(bool)
    if not marked.any():
        return np.zeros(marked.shape, bool)
    distance = cv2.distanceTransform(
        (~marked).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    ).astype(np.float64)
    return np.rint(distance * distance) <= limit


def _disc(reach: int, limit: int) -> np.ndarray:
    steps = np.arange(-reach, reach + 1) ** 2
    return (steps[:, None] + steps <= limit).astype(np.uint8)


def signed_distance(region: Any) -> np.ndarray:
    """The distance of each pixel from a region's boundary, negative inside.

    Outside it is the distance to the nearest pixel of the region (1 next to it); inside, minus
    the distance to the nearest pixel outside, plus 1 (0 at the rim). So Kervadec et al. define
    it for their boundary loss (MIDL 2019, "Boundary loss for highly unbalanced segmentation").
    An empty region and a full picture have no boundary: 0 everywhere.

    Args:
        region: (height, width) bool, or ids where 0 is outside.

    Returns:
        (height, width) float32, in pixels.

    Example:
        >>> signed_distance(np.array([[True, True, True, False, False]]))
        array([[-2., -1.,  0.,  1.,  2.]], dtype=float32)
    """
    inside = (check_mask(region, "region") != 0).view(np.uint8)
    if inside.all() or not inside.any():
        return np.zeros(inside.shape, np.float32)
    outward = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inward = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(inside, 1 - inward, outward)
