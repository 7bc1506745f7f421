"""Objects of a semantic mask: connected parts, touching ones split, borders thinned."""

from typing import Any

import cv2
import numpy as np
from scipy.ndimage import find_objects

from semseg._checks import check_mask
from semseg.regions.distances import near

_EIGHT_NEIGHBOURS = np.ones((3, 3), np.uint8)


def components(inside: Any, neighbours: int = 8) -> np.ndarray:
    """Numbers the connected parts of a binary mask.

    Args:
        inside: (height, width) bool, or ids where 0 is outside.
        neighbours: 8, where parts may hang together by a corner, or 4.

    Returns:
        (height, width) int32: 0 outside, the parts from 1 on.

    Raises:
        ValueError, TypeError: another shape, `neighbours` neither 4 nor 8.

    Example:
        >>> corner = np.array([[1, 0], [0, 1]])
        >>> components(corner)
        array([[1, 0],
               [0, 1]], dtype=int32)
        >>> components(corner, neighbours=4)
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    inside = check_mask(inside, "inside")
    if neighbours not in (4, 8):
        raise ValueError(f"neighbours must be 4 or 8, received {neighbours!r}")
    marked = (inside != 0).astype(np.uint8)
    return cv2.connectedComponents(marked, connectivity=neighbours, ltype=cv2.CV_32S)[1]


def split_touching(inside: Any, min_distance: float = 5.0) -> np.ndarray:
    """Numbers the objects of a binary mask, cutting connected parts at their necks.

    A watershed on the distance to the outside: its peaks, if more than `min_distance` apart, are
    one object each, and the water rises from them by whole pixels. A part without a neck stays
    whole.

    Args:
        inside: (height, width) bool, or ids where 0 is outside.
        min_distance: pixels between the middles of two objects. Smaller finds more of them, and
            cuts rugged ones to pieces.

    Returns:
        (height, width) int32: 0 outside, the objects from 1 on.

    Raises:
        ValueError, TypeError: another shape, `min_distance` <= 0.

    Example:
        >>> two_discs = np.zeros((24, 40), np.uint8)
        >>> for middle in (12, 27):
        ...     y, x = np.ogrid[:24, :40]
        ...     two_discs[np.hypot(y - 12, x - middle) < 9] = 1
        >>> int(components(two_discs).max()), int(split_touching(two_discs).max())
        (1, 2)
    """
    inside = check_mask(inside, "inside") != 0
    if not min_distance > 0:
        raise ValueError(f"min_distance must be > 0 pixels, received {min_distance!r}")
    parts, found, count = components(inside), np.zeros(inside.shape, np.int32), 0
    for number, box in enumerate(find_objects(parts), start=1):
        part = parts[box] == number
        split = _split(part, min_distance)
        found[box][part] = split[part] + count
        count += split.max()
    return found


def thin_borders(objects: Any) -> np.ndarray:
    """Lets objects grow over the background until they are a line of one pixel apart.

    OpenCV's watershed on a flat picture. Scores of clusterings call this border thinning: how wide
    a border was drawn no longer counts. Objects that touch keep touching.

    Args:
        objects: (height, width) whole numbers, 0 = background, every object with its own.

    Returns:
        (height, width) int32: the numbers, 0 on the lines.

    Raises:
        ValueError, TypeError: another shape, numbers below 0 or beyond int32.

    Example:
        >>> thin_borders(np.array([[1, 0, 0, 0, 2]]))
        array([[1, 1, 0, 2, 2]], dtype=int32)
    """
    objects = check_mask(objects, "objects")
    if objects.size and not 0 <= objects.min() <= objects.max() < 2**31:
        raise ValueError(
            f"objects must hold numbers from 0 to 2**31 - 1, received {objects.min()} to "
            f"{objects.max()}"
        )
    if not objects.any():
        return objects.astype(np.int32)
    # OpenCV gives the frame up as a line, so the picture gets one to give.
    padded = np.pad(objects.astype(np.int32), 1)
    flat = np.zeros((*padded.shape, 3), np.uint8)
    return np.maximum(cv2.watershed(flat, padded)[1:-1, 1:-1], 0)


def _split(part: np.ndarray, min_distance: float) -> np.ndarray:
    """One connected part -> its objects, numbered from 1."""
    padded = np.pad(part, 1)
    distance = cv2.distanceTransform(padded.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    seeds = _peaks(distance, min_distance)
    if seeds.max() == 1:
        return part.astype(np.int32)
    labels = seeds.astype(np.float32)  # OpenCV dilates no int32
    for level in range(int(distance.max()), -1, -1):
        labels = _flooded(labels, distance > level)
    return labels[1:-1, 1:-1].astype(np.int32)


def _flooded(labels: np.ndarray, under_water: np.ndarray) -> np.ndarray:
    """Lets labels grow through the unlabelled pixels under water, ring by ring."""
    # SciPy's watershed_ift reaches equally high pixels last in, first out: in no order of distance.
    while True:
        reached = cv2.dilate(labels, _EIGHT_NEIGHBOURS)
        wet = under_water & (labels == 0) & (reached > 0)
        if not wet.any():
            return labels
        labels = np.where(wet, reached, labels)


def _peaks(distance: np.ndarray, min_distance: float) -> np.ndarray:
    """Numbers the places that are highest within `min_distance`; near ones are one."""
    window = near(_point(int(min_distance)), min_distance).astype(np.uint8)
    peaks = (distance > 0) & (distance == cv2.dilate(distance, window))
    return np.where(peaks, components(near(peaks, min_distance / 2)), 0)


def _point(reach: int) -> np.ndarray:
    point = np.zeros((2 * reach + 1,) * 2, bool)
    point[reach, reach] = True
    return point
