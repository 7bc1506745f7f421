"""How wrong the pixels are at each distance from the true boundaries."""

from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_count
from semseg.metrics.functional.ids import NOWHERE, checked_ids, ratio
from semseg.regions.distances import signed_distance


class BoundaryError(NamedTuple):
    """Pixels by their distance from the nearest one of another class; parts of a set add up.

    Attributes:
        pixels: int64 (widest + 1,): place 0 counts those at most 1 pixel away, place 1 those more
            than 1 and at most 2, ...; the last place those farther away than `widest`.
        wrong: int64 (widest + 1,): those of them that did not get their class.
    """

    pixels: np.ndarray
    wrong: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """float64 (widest + 1,): the share of the pixels that are wrong, NaN without pixels."""
        return ratio(self.wrong, self.pixels)


def boundary_error(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    widest: int = 20,
) -> BoundaryError:
    """Counts pixels and wrong pixels by their distance from the true boundary.

    Distances are those of `trimap_confusion`, from centre to centre of the nearest pixel of
    another class in the truth: the first `d` places together are its band of width `d`. It tells
    frayed borders from whole objects that are missed, which one number does not.

    Args:
        mask: true ids, (height, width) or (batch, height, width), NumPy or a tensor of the Keras
            backend.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are not there, as in `trimap_confusion`: across an
            ignored rim classes are as far apart as they are.
        widest: in whole pixels, >= 1. What lies farther away, and a picture of one class, is
            counted together.

    Returns:
        `BoundaryError` with `pixels`, `wrong` and `error`. Pictures of several sizes add up:
        `BoundaryError(*map(sum, zip(*found)))`.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, `widest` < 1.

    Example:
        >>> mask, pred = [[0, 0, 0, 1, 1, 1]], [[1, 0, 0, 0, 1, 1]]
        >>> found = boundary_error(mask, pred, 2, widest=2)
        >>> found.pixels, found.wrong
        (array([2, 2, 2]), array([1, 0, 1]))
        >>> found.error
        array([0.5, 0. , 0.5])
    """
    widest = check_count("widest", widest, 1)
    truths, guesses = checked_ids(mask, pred, num_classes, ignore_class).images()
    pixels, wrong = np.zeros((2, widest + 1), np.int64)
    for truth, guess in zip(truths, guesses, strict=True):
        places = _places(truth, widest)
        counted = truth != NOWHERE
        pixels += np.bincount(places[counted], minlength=widest + 1)
        wrong += np.bincount(places[counted & (truth != guess)], minlength=widest + 1)
    return BoundaryError(pixels, wrong)


def _places(truth: np.ndarray, widest: int) -> np.ndarray:
    """The place of each pixel in the counts."""
    places = np.full(truth.shape, widest)
    valid = truth != NOWHERE
    # Squared distances are whole numbers: comparing them leaves no doubt between two places.
    ends = np.arange(1, widest + 1) ** 2
    for class_id in np.unique(truth[valid]):
        inside = truth == class_id
        others = valid & ~inside
        if others.any():
            distance = signed_distance(others)[inside].astype(np.float64)
            places[inside] = np.searchsorted(ends, np.rint(distance * distance))
    return places
