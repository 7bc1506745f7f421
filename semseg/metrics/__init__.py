"""Scores that are exact: one confusion matrix over the whole set, the same by every route."""

from semseg.metrics import functional
from semseg.metrics.confusion import MeanIoU, PixelAccuracy
from semseg.metrics.score_table import Scores

__all__ = ["MeanIoU", "PixelAccuracy", "Scores", "functional"]
