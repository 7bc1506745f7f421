"""What comes after `fit`: predictions and scores at the pictures' own sizes."""

from semseg.inference.folders import FolderReport, predict_folder
from semseg.inference.prediction import predict
from semseg.inference.scoring import score
from semseg.inference.tile_plan import TilePlan, plan_tiles
from semseg.inference.tiling import predict_tiled

__all__ = [
    "FolderReport",
    "TilePlan",
    "plan_tiles",
    "predict",
    "predict_folder",
    "predict_tiled",
    "score",
]
