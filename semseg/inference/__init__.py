"""What comes after `fit`: predictions and scores at the pictures' own sizes."""

from semseg.inference.averaging import average
from semseg.inference.calibration import calibrate
from semseg.inference.folders import FolderReport, predict_folder
from semseg.inference.prediction import predict
from semseg.inference.scoring import score
from semseg.inference.tile_plan import TilePlan, plan_tiles
from semseg.inference.tiling import predict_tiled
from semseg.inference.uncertainty import Uncertainty, mc_dropout
from semseg.inference.video import VideoReport, predict_video

__all__ = [
    "FolderReport",
    "TilePlan",
    "Uncertainty",
    "VideoReport",
    "average",
    "calibrate",
    "mc_dropout",
    "plan_tiles",
    "predict",
    "predict_folder",
    "predict_tiled",
    "predict_video",
    "score",
]
