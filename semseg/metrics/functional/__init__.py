"""Scores of arrays: ids in, numbers out, nothing kept."""

from semseg.metrics.functional.confusion import class_iou, confusion_matrix, pixel_accuracy
from semseg.metrics.functional.rates import ConfusionScores, scores

__all__ = ["ConfusionScores", "class_iou", "confusion_matrix", "pixel_accuracy", "scores"]
