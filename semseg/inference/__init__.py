"""What comes after `fit`: predictions and scores at the pictures' own sizes."""

from semseg.inference.prediction import predict
from semseg.inference.scoring import score

__all__ = ["predict", "score"]
