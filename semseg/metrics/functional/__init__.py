"""Scores of arrays: ids or probabilities in, numbers out, nothing kept."""

from semseg.metrics.functional.boundaries import (
    BoundaryF1Scores,
    BoundaryIoUScores,
    boundary_f1,
    boundary_iou,
)
from semseg.metrics.functional.boundary_errors import BoundaryError, boundary_error
from semseg.metrics.functional.calibration import (
    CalibrationError,
    brier_score,
    expected_calibration_error,
)
from semseg.metrics.functional.clusterings import (
    AdaptedRandError,
    ISBIScores,
    VariationOfInformation,
    adapted_rand_error,
    isbi_scores,
    variation_of_information,
)
from semseg.metrics.functional.confusion import class_iou, confusion_matrix, pixel_accuracy
from semseg.metrics.functional.objects import ObjectScores, object_scores
from semseg.metrics.functional.panoptic import PanopticScores, panoptic_quality
from semseg.metrics.functional.rates import ConfusionScores, scores
from semseg.metrics.functional.rejection import RejectCurve, reject_curve
from semseg.metrics.functional.significance import Comparison, Interval, bootstrap, compare
from semseg.metrics.functional.surfaces import SurfaceDistances, surface_distances
from semseg.metrics.functional.trimap import trimap_accuracy, trimap_confusion

__all__ = [
    "AdaptedRandError",
    "BoundaryError",
    "BoundaryF1Scores",
    "BoundaryIoUScores",
    "CalibrationError",
    "Comparison",
    "ConfusionScores",
    "ISBIScores",
    "Interval",
    "ObjectScores",
    "PanopticScores",
    "RejectCurve",
    "SurfaceDistances",
    "VariationOfInformation",
    "adapted_rand_error",
    "bootstrap",
    "boundary_error",
    "boundary_f1",
    "boundary_iou",
    "brier_score",
    "class_iou",
    "compare",
    "confusion_matrix",
    "expected_calibration_error",
    "isbi_scores",
    "object_scores",
    "panoptic_quality",
    "pixel_accuracy",
    "reject_curve",
    "scores",
    "surface_distances",
    "trimap_accuracy",
    "trimap_confusion",
    "variation_of_information",
]
