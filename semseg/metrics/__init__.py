"""Scores that are exact: one confusion matrix over the whole set, the same by every route."""

from semseg.metrics import functional
from semseg.metrics.boundary import BoundaryF1
from semseg.metrics.mean_scores import (
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanDice,
    MeanIoU,
    PixelAccuracy,
)
from semseg.metrics.named_classes import ClassIoU, SegmentationScores
from semseg.metrics.score_table import Scores

__all__ = [
    "BoundaryF1",
    "ClassIoU",
    "FrequencyWeightedIoU",
    "MeanAccuracy",
    "MeanDice",
    "MeanIoU",
    "PixelAccuracy",
    "Scores",
    "SegmentationScores",
    "functional",
]
