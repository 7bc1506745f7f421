"""Shares of a confusion matrix with `keras.ops`: the formulas of `functional.scores` in graphs."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from semseg._backend import fused
from semseg.metrics import limbs


class Marginals(NamedTuple):
    """What the scores are made of, float32. All parts are positive, so no share exceeds 1."""

    hits: Any  # (C,) pixels of the class that got it
    missed: Any  # (C,) pixels of the class that got another
    wrong: Any  # (C,) pixels of other classes that got it
    invalid: Any  # () pixels with a label that is no class
    invalid_pixels: Any  # () their number, where they have weights

    @property
    def pixels(self) -> Any:
        """Number of pixels, the invalid ones too."""
        return ops.sum(self.hits) + ops.sum(self.missed) + self.invalid

    def iou(self) -> Any:
        """(C,) intersection over union; NaN for a class that is absent."""
        return ratio(self.hits, self.hits + self.missed + self.wrong + self.invalid)

    def dice(self) -> Any:
        """(C,) 2 hits / (true + predicted); NaN for a class that is absent."""
        both = 2 * self.hits
        return ratio(both, both + self.missed + self.wrong + self.invalid)

    def accuracy(self) -> Any:
        """(C,) share of each class's pixels that were found; NaN for a class not in the truth."""
        return ratio(self.hits, self.hits + self.missed + self.invalid)

    def pixel_accuracy(self) -> Any:
        """Share of all pixels that got their class."""
        return ratio(ops.sum(self.hits), self.pixels)

    def frequency_weighted_iou(self) -> Any:
        """IoU meaned over the true pixels."""
        truth = self.hits + self.missed
        return ratio(ops.sum(ops.where(truth > 0, truth * self.iou(), 0.0)), self.pixels)


def marginals(counts: Any) -> Marginals:
    """Those of the limbs (4, C + 1, C) of a matrix whose last row holds the invalid pixels.

    All sums are of whole numbers; only their end is rounded to float32.
    """
    classes = counts.shape[-1]
    with fused():
        counts = limbs.halves(limbs.carried(counts))
        matrix = counts[:, :-1]
        hits = ops.sum(ops.multiply(matrix, np.eye(classes, dtype="int32")), axis=1)
        missed, wrong = ops.sum(matrix, axis=2) - hits, ops.sum(matrix, axis=1) - hits
        sums = ops.concatenate([hits, missed, wrong, counts[:, -1, :2]], axis=1)
        units = limbs.HALF_UNITS.astype("float32")[:, None]
        values = ops.sum(ops.multiply(ops.cast(sums, "float32"), units), axis=0)
    *each, last = ops.split(values, [classes, 2 * classes, 3 * classes])
    return Marginals(*each, *ops.unstack(last))


def ratio(part: Any, whole: Any) -> Any:
    """`part / whole`, NaN where there is nothing to share."""
    return ops.where(whole > 0, part / ops.where(whole > 0, whole, 1.0), float("nan"))


def mean_of_present(values: Any) -> Any:
    """The mean of the classes that have a value; NaN without any."""
    present = ops.logical_not(ops.isnan(values))
    return ratio(ops.sum(ops.where(present, values, 0.0)), ops.sum(ops.cast(present, "float32")))
