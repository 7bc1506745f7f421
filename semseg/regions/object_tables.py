"""Objects as a table: class, area, box and centre of each."""

from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import find_objects

from semseg._checks import check_mask


class ObjectTable(NamedTuple):
    """What `object_table` found: one row an object, by number and then by class.

    Attributes:
        numbers: int64 (objects,), as in the array of objects.
        class_ids: int64 (objects,).
        areas: int64 (objects,), pixels.
        boxes: int64 (objects, 4): first row, first column, and those behind the last ones, so that
            `mask[top:bottom, left:right]` is the object.
        centroids: float64 (objects, 2): mean row and column, (0, 0) being the middle of the first
            pixel, as pictures are indexed and drawn.
    """

    numbers: np.ndarray
    class_ids: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray
    centroids: np.ndarray


def object_table(objects: Any, mask: Any = None, ignore_class: int | None = None) -> ObjectTable:
    """Class, area, bounding box and centroid of each object.

    An object are the pixels with one number and one class, as in `panoptic_quality`: a number that
    lies on two classes is two objects.

    Args:
        objects: (height, width) whole numbers, 0 = background, every object with its own, as from
            `components`, `split_touching` or a file of instances.
        mask: (height, width) class ids; None: every object is of class 1.
        ignore_class: pixels of this class belong to no object.

    Returns:
        An `ObjectTable` of arrays.

    Raises:
        ValueError, TypeError: another shape, ids that are no whole numbers.

    Example:
        >>> table = object_table(np.array([[4, 4, 0, 7], [4, 0, 0, 7]]))
        >>> table.numbers, table.areas
        (array([4, 7]), array([3, 2]))
        >>> table.boxes.tolist(), table.centroids[1].tolist()
        ([[0, 0, 2, 2], [0, 3, 2, 4]], [0.5, 3.0])
    """
    objects = check_mask(objects, "objects")
    classes = np.ones(objects.shape, np.int64) if mask is None else check_mask(mask)
    if classes.shape != objects.shape:
        raise ValueError(
            f"mask must have the shape of objects, {objects.shape}, received {classes.shape}"
        )
    counts = objects != 0
    if ignore_class is not None:
        counts &= classes != ignore_class
    rows, columns = np.nonzero(counts)
    pairs, row_of, areas = np.unique(
        np.stack([objects[counts], classes[counts]], axis=1).astype(np.int64),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    row_of = row_of.ravel()  # NumPy 2.0 gives it another shape
    sums = [np.bincount(row_of, weights=w, minlength=len(pairs)) for w in (rows, columns)]
    numbered = np.zeros(objects.shape, np.int64)
    numbered[counts] = row_of + 1
    boxes = [[r.start, c.start, r.stop, c.stop] for r, c in find_objects(numbered)]
    return ObjectTable(
        pairs[:, 0],
        pairs[:, 1],
        areas.astype(np.int64),
        np.array(boxes, np.int64).reshape(-1, 4),
        np.stack(sums, axis=1) / areas[:, None],
    )
