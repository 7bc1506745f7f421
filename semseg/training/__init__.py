"""What surrounds `fit`: the record of a run."""

from semseg.training.run_record import start_run

__all__ = ["start_run"]
