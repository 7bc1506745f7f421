"""What surrounds `fit`: the record of a run, and its continuation after it was killed."""

from semseg.training.resume import Resume
from semseg.training.run_record import fingerprint, start_run

__all__ = ["Resume", "fingerprint", "start_run"]
