"""What lies near what: all pixels within a radius of some."""

import cv2
import numpy as np

# Below, a dilation with a disc is faster than a distance transform (0.13 against 1.3 ms for a
# radius of 4.5 in 360 x 480 pixels).
_SMALL = 8


def near(marked: np.ndarray, radius: float) -> np.ndarray:
    """Marks all pixels within `radius` of a marked one.

    Args:
        marked: (height, width) bool.
        radius: in pixels, from centre to centre, >= 0; a pixel at exactly this distance is near.

    Returns:
        (height, width) bool.

    Example:
        >>> near(np.array([[True, False, False, False]]), 2.0).astype(int)
        array([[1, 1, 1, 0]])
    """
    # Squared distances are whole numbers: comparing them leaves no doubt at the rim.
    limit = int(radius * radius + 1e-6)
    if radius <= _SMALL:
        return cv2.dilate(marked.astype(np.uint8), _disc(int(radius), limit)).astype(bool)
    if not marked.any():
        return np.zeros(marked.shape, bool)
    distance = cv2.distanceTransform(
        (~marked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    ).astype(np.float64)
    return np.rint(distance * distance) <= limit


def _disc(reach: int, limit: int) -> np.ndarray:
    steps = np.arange(-reach, reach + 1) ** 2
    return (steps[:, None] + steps <= limit).astype(np.uint8)
