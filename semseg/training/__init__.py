"""What surrounds `fit`: recipes, one call that trains by them, and runs that survive a kill."""

from semseg.training.optimizers import AdamW
from semseg.training.resume import Resume
from semseg.training.run_record import fingerprint, start_run
from semseg.training.running import Run, compiled_model, stream, train
from semseg.training.schedules import OneCycle, WarmupPoly
from semseg.training.training_recipe import Recipe

__all__ = [
    "AdamW",
    "OneCycle",
    "Recipe",
    "Resume",
    "Run",
    "WarmupPoly",
    "compiled_model",
    "fingerprint",
    "start_run",
    "stream",
    "train",
]
