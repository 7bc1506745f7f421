"""Losses on logits and integer masks that never see an ignored pixel, and add like numbers."""

from semseg.losses.arithmetic import WeightedSum
from semseg.losses.boundary import Boundary
from semseg.losses.centerline_dice import CenterlineDice
from semseg.losses.crossentropy import Crossentropy
from semseg.losses.dice import Dice, GeneralizedDice
from semseg.losses.focal import Focal
from semseg.losses.hard_pixels import HardPixels
from semseg.losses.jaccard import Jaccard
from semseg.losses.lovasz import Lovasz
from semseg.losses.mcc import MCC
from semseg.losses.parts import LossPart, loss_parts
from semseg.losses.supervised_outputs import deep_supervision
from semseg.losses.tversky import FocalTversky, Tversky

__all__ = [
    "MCC",
    "Boundary",
    "CenterlineDice",
    "Crossentropy",
    "Dice",
    "Focal",
    "FocalTversky",
    "GeneralizedDice",
    "HardPixels",
    "Jaccard",
    "LossPart",
    "Lovasz",
    "Tversky",
    "WeightedSum",
    "deep_supervision",
    "loss_parts",
]
