"""Where objects touch: the border between instances, and U-Net's weights for it."""

from typing import Any

import cv2
import numpy as np
from scipy.ndimage import find_objects, label

from semseg._checks import check_mask

_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


def touching_borders(instances: Any, width: int = 1) -> np.ndarray:
    """Marks the pixels near two instances at once, where they would grow together.

    Args:
        instances: (height, width) whole numbers, 0 = background, every object with its own.
        width: pixels; a pixel counts as near an instance up to this many rows and columns away.

    Returns:
        (height, width) bool: True where the square of `2 * width + 1` pixels around a pixel
        meets two or more instances.

    Raises:
        ValueError: another shape, `width` below 1, negative ids.

    Example:
        >>> touching_borders(np.array([[1, 1, 1, 2, 2, 0, 0]])).astype(int)
        array([[0, 0, 1, 1, 0, 0, 0]])
    """
    instances = _checked_instances(instances)
    if not isinstance(width, int | np.integer) or width < 1:
        raise ValueError(f"width must be a whole number of pixels >= 1, received {width!r}")
    _, numbered = np.unique(instances, return_inverse=True)  # small enough for float32
    ids = numbered.reshape(instances.shape).astype(np.float32) + (instances.min() > 0)
    window = np.ones((2 * int(width) + 1,) * 2, np.uint8)
    highest = cv2.dilate(ids, window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    behind = np.float32(ids.max() + 1)
    turned = np.where(ids > 0, behind - ids, 0).astype(np.float32)
    lowest = behind - cv2.dilate(turned, window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return (highest > 0) & (highest != lowest)


def border_weights(mask: Any, w0: float = 10.0, sigma: float = 5.0) -> np.ndarray:
    """U-Net's weight map, which makes the gaps between touching objects count.

    Ronneberger, Fischer and Brox, 2015, equation 2, without the class weights `w_c`, which losses
    take by themselves: 1 inside objects, and in the background `1 + w0 * exp(-(d1 + d2)^2 /
    (2 sigma^2))`, where `d1` and `d2` are the distances to the nearest and the second nearest
    object, in pixels from centre to centre.

    Args:
        mask: (height, width) ids, 0 = background. Every other id is one object, however many parts
            it has; where the only other id is 1, the mask is a semantic one, and its connected
            parts (eight neighbours) are the objects.
        w0: height of the weight between objects that touch.
        sigma: how far it reaches, in pixels.

    Returns:
        (height, width) float32, >= 1: a `sample_weight` map.

    Raises:
        ValueError: another shape, negative ids, `w0` < 0, `sigma` <= 0.

    Example:
        >>> weights = border_weights(np.array([[1, 0, 2, 0, 0]]))
        >>> weights.round(2)
        array([[ 1.  ,  10.23,  1.  ,  8.26,  5.87]], dtype=float32)
    """
    instances = _checked_instances(mask)
    if w0 < 0 or sigma <= 0:
        raise ValueError(f"w0 must be >= 0 and sigma > 0, received w0={w0!r}, sigma={sigma!r}")
    if instances.max(initial=0) <= 1:
        instances, _ = label(instances, _EIGHT_NEIGHBOURS)
    # Farther away a weight is 1 in float32, whatever the sum: w0 * exp(-x^2 / 2) < 2^-25.
    reach = sigma * np.sqrt(2 * np.log(max(w0, 2.0**-24) * 2.0**25))
    nearest, second = _two_distances(instances, int(np.ceil(reach)))
    parts = (nearest + second) / np.float32(sigma)
    weights = 1 + np.float32(w0) * np.exp(-0.5 * parts * parts)
    return np.where(instances > 0, np.float32(1), weights).astype(np.float32)


def _two_distances(instances: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances of every pixel to the nearest and second nearest object; inf beyond `reach`."""
    ids, numbered = np.unique(instances, return_inverse=True)
    numbered = numbered.reshape(instances.shape) + (ids[0] > 0)  # 0 stays the background
    nearest = np.full(instances.shape, np.inf, np.float32)
    second = nearest.copy()
    for number, box in enumerate(find_objects(numbered), start=1):
        near = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in box)
        outside = (numbered[near] != number).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        second[near] = np.minimum(second[near], np.maximum(nearest[near], distance))
        nearest[near] = np.minimum(nearest[near], distance)
    return nearest, second


def _checked_instances(instances: Any) -> np.ndarray:
    instances = check_mask(instances, "mask")
    if instances.size and instances.min() < 0:
        raise ValueError(
            f"mask must hold ids >= 0 (0 = background), received {instances.min()}; set what is "
            "ignored to 0 first"
        )
    return instances
