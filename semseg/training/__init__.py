"""What surrounds `fit`: recipes, one call that trains by them, and runs that survive a kill."""

from semseg._optimizers import AdamW, OneCycle, WarmupPoly
from semseg.training.early_alarm import EarlyAlarm
from semseg.training.encoder_rate import encoder_decoder_optimizer
from semseg.training.folds import Folds, train_folds
from semseg.training.loss_weights import LossWeights
from semseg.training.measured_recipes import recipe
from semseg.training.planning import plan
from semseg.training.prediction_grid import PredictionGrid
from semseg.training.range_test import RangeTest, find_learning_rate
from semseg.training.recalibration import recalibrate_batch_norm
from semseg.training.resume import Resume
from semseg.training.run_record import fingerprint, start_run
from semseg.training.running import Run, compiled_model, stream, train
from semseg.training.training_recipe import Recipe

__all__ = [
    "AdamW",
    "EarlyAlarm",
    "Folds",
    "LossWeights",
    "OneCycle",
    "PredictionGrid",
    "RangeTest",
    "Recipe",
    "Resume",
    "Run",
    "WarmupPoly",
    "compiled_model",
    "encoder_decoder_optimizer",
    "find_learning_rate",
    "fingerprint",
    "plan",
    "recalibrate_batch_norm",
    "recipe",
    "start_run",
    "stream",
    "train",
    "train_folds",
]
