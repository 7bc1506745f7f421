"""Scores of boundaries: SegNet's BF measure, and Boundary IoU."""

from typing import Any, NamedTuple

import numpy as np

from semseg.metrics.functional.ids import NOWHERE, checked_ids, mean_of_present, ratio
from semseg.regions.boundaries import class_boundary, contour_band
from semseg.regions.distances import near
from semseg.regions.matching import matched_points


class BoundaryF1Scores(NamedTuple):
    """BF measure of B images and C classes; NaN where a class does not count.

    Attributes:
        mean: the mean over images of the mean over classes.
        f1: float64 (B, C), the harmonic mean of precision and recall.
        precision: float64 (B, C), share of the predicted boundary that is right.
        recall: float64 (B, C), share of the true boundary that was found.
    """

    mean: float
    f1: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


class BoundaryIoUScores(NamedTuple):
    """Boundary IoU of C classes; the counts of parts of a set add up.

    Attributes:
        mean: the mean over the classes that occur in truth or prediction.
        iou: float64 (C,), NaN for a class in neither.
        intersection: int64 (C,) pixels.
        union: int64 (C,) pixels.
    """

    mean: float
    iou: np.ndarray
    intersection: np.ndarray
    union: np.ndarray


def boundary_f1(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    tolerance: float = 0.0075,
    averaging: str = "paper",
    matching: str = "nearest",
) -> BoundaryF1Scores:
    """How well the boundaries of the classes were met, up to a tolerance: SegNet's BF measure.

    For each class of each image, precision and recall are the shares of the predicted and of the
    true boundary that lie within the tolerance of each other (Csurka, Larlus and Perronnin, BMVC
    2013; Badrinarayanan, Kendall and Cipolla, 2017, section 3.3). The means are over images, not
    over one set: an image with two classes counts as much as one with eleven.

    Args:
        mask: true ids, (height, width) or (batch, height, width), NumPy or a tensor of the Keras
            backend. Images of several sizes: call it for each and put their `f1` together.
        pred: predicted ids of the same shape.
        num_classes: number of classes; 1 means binary with ids 0 and 1, as 2 does.
        ignore_class: pixels with this true id are not there, whatever was predicted: between them
            and the others is no boundary, neither a true nor a predicted one.
        tolerance: as a share of the image's diagonal. SegNet's 0.0075 is 4.5 pixels for 360 x 480.
        averaging: which classes an image's mean is over. `"paper"`: those with a boundary in the
            truth; an image without any is left out. `"script"`, as the authors' released
            `computeBFmeasure.m` does: those with a boundary in the truth or in the prediction, so
            that an invented class counts 0; an image without any counts 0. A class that fills its
            image has no boundary.
        matching: `"nearest"`: a pixel counts when any pixel of the other boundary is in reach, by
            distance. `"one_to_one"`, as the Berkeley benchmark's `correspondPixels` behind
            SegNet's numbers: every pixel may serve once, in the largest matching there is. They
            differ where several pixels lie near one, at ragged and at doubled boundaries:
            `"one_to_one"` is never higher, in either precision or recall, and slower.

    Returns:
        `BoundaryF1Scores` with `mean`, and `f1`, `precision`, `recall` of every image and class.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, `tolerance`
            outside (0, 1), unknown `averaging` or `matching`.

    Example:
        >>> mask = np.zeros((100, 100), int)
        >>> mask[30:60, 30:60] = 1
        >>> round(boundary_f1(mask, np.roll(mask, 1, axis=1), 2).mean, 4)
        1.0
        >>> round(boundary_f1(mask, np.roll(mask, 3, axis=1), 2).mean, 4)
        0.5
    """
    _check_choice("averaging", averaging, ("paper", "script"))
    _check_choice("matching", matching, ("nearest", "one_to_one"))
    _check_share("tolerance", tolerance)
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    truths, guesses = checked.images()
    radius = tolerance * float(np.hypot(*truths.shape[1:]))
    shape = (len(truths), checked.num_classes)
    true_pixels, guessed_pixels, found, right = np.zeros((4, *shape), np.int64)
    for index, (truth, guess) in enumerate(zip(truths, guesses, strict=True)):
        for class_id in _present(truth, guess, checked.num_classes):
            true_edge = class_boundary(truth, class_id, NOWHERE)
            guessed_edge = class_boundary(guess, class_id, NOWHERE)
            cell = index, class_id
            true_pixels[cell] = np.count_nonzero(true_edge)
            guessed_pixels[cell] = np.count_nonzero(guessed_edge)
            found[cell], right[cell] = _hits(true_edge, guessed_edge, radius, matching)
    # 2 p r / (p + r), and 0 where nothing was met.
    f1 = np.nan_to_num(ratio(2 * found * right, found * guessed_pixels + right * true_pixels))
    counts = true_pixels > 0 if averaging == "paper" else true_pixels + guessed_pixels > 0
    f1 = np.where(counts, f1, np.nan)
    means = np.array([mean_of_present(row) for row in f1])
    if averaging == "script":
        means = np.nan_to_num(means, nan=0.0)
    precision, recall = ratio(right, guessed_pixels), ratio(found, true_pixels)
    return BoundaryF1Scores(mean_of_present(means), f1, precision, recall)


def boundary_iou(
    mask: Any,
    pred: Any,
    num_classes: int,
    ignore_class: int | None = None,
    *,
    width: float = 0.02,
) -> BoundaryIoUScores:
    """Intersection over union of the inner rims of the classes.

    Of every class only what lies within `width` of its contour is compared, so that an error at
    the border of a large object weighs as much as at a small one (Cheng et al., CVPR 2021). As in
    their code, distances are counted in rows and columns and the picture's frame is a contour. All
    images count in one sum, as in `class_iou`.

    Args:
        mask, pred, num_classes, ignore_class: as in `boundary_f1`. Pixels beside ignored ones are
            no rim for that.
        width: as a share of the image's diagonal, rounded to whole pixels, at least one. The
            paper's is 0.02; its code takes 0.005 for Cityscapes.

    Returns:
        `BoundaryIoUScores` with `mean`, `iou` of every class, and the counts, which add up.

    Raises:
        ValueError: shapes that differ or are no images, ids outside the classes, `width` outside
            (0, 1).

    Example:
        >>> mask = np.zeros((100, 100), int)
        >>> mask[20:80, 20:80] = 1
        >>> scores = boundary_iou(mask, np.roll(mask, 1, axis=1), 2)
        >>> scores.iou.round(4)
        array([0.8768, 0.7143])
    """
    _check_share("width", width)
    checked = checked_ids(mask, pred, num_classes, ignore_class)
    truths, guesses = checked.images()
    count = checked.num_classes
    pixels = max(1, round(width * float(np.hypot(*truths.shape[1:]))))
    true_rim, guessed_rim = (_rims(images, pixels, count) for images in (truths, guesses))
    intersection = np.bincount(true_rim[true_rim == guessed_rim], minlength=count + 1)
    union = (
        np.bincount(true_rim, minlength=count + 1)
        + np.bincount(guessed_rim, minlength=count + 1)
        - intersection
    )
    iou = ratio(intersection[:-1], union[:-1])
    return BoundaryIoUScores(mean_of_present(iou), iou, intersection[:-1], union[:-1])


def _hits(true: np.ndarray, guessed: np.ndarray, radius: float, matching: str) -> tuple[int, int]:
    """How many pixels of the true boundary were found, and of the predicted one are right."""
    if not true.any() or not guessed.any():
        return 0, 0
    if matching == "one_to_one":
        pairs = matched_points(true, guessed, radius)
        return pairs, pairs
    found, right = true & near(guessed, radius), guessed & near(true, radius)
    return int(found.sum()), int(right.sum())


def _rims(images: np.ndarray, pixels: int, count: int) -> np.ndarray:
    """Flat class ids of the pixels within `pixels` of their class's contour, `count` elsewhere."""
    rims = [np.where(contour_band(ids, pixels, NOWHERE), ids, count) for ids in images]
    return np.concatenate([rim.ravel() for rim in rims])


def _present(truth: np.ndarray, guess: np.ndarray, count: int) -> np.ndarray:
    """The classes of a picture, ascending; NOWHERE is none."""
    pixels = np.bincount(truth.ravel() + 1, minlength=count + 1)
    pixels += np.bincount(guess.ravel() + 1, minlength=count + 1)
    return np.flatnonzero(pixels[1:])


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = " or ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be {listed}, received {value!r}")


def _check_share(name: str, value: Any) -> None:
    if not 0 < value < 1:
        raise ValueError(
            f"{name} must be a share of the image's diagonal in (0, 1), received {value!r}; from "
            f"pixels: {name}=pixels / math.hypot(height, width)"
        )
