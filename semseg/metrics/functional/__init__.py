"""Scores of arrays: ids in, numbers out, nothing kept."""

from semseg.metrics.functional.confusion import class_iou, confusion_matrix, pixel_accuracy

__all__ = ["class_iou", "confusion_matrix", "pixel_accuracy"]
