"""Streams by epoch: where one starts, and a stretch of it by number."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from semseg._checks import check_count

if TYPE_CHECKING:
    from semseg.data.feeding.batches import Batch, BatchSource


class EpochSteps:
    """The batches of some epochs by number: `len(steps)` and `steps[k]`.

    PyTorch's `DataLoader(steps, batch_size=None)` and Grain's `MapDataset.source(steps)` read it,
    and so does a plain loop.

    Args:
        source: batches by step.
        epochs: how many epochs there are, from the first one on.
    """

    def __init__(self, source: "BatchSource", epochs: int = 1) -> None:
        self.source = source
        self.epochs = check_count("epochs", epochs, 1)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one epoch."""
        return self.source.steps_per_epoch

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    def __getitem__(self, step: int) -> "Batch":
        if not 0 <= step < len(self):  # what ends Python's and PyTorch's loops
            raise IndexError(f"step must lie in 0..{len(self) - 1}, received {step}")
        return self.source[step]

    def __iter__(self) -> "Iterator[Batch]":
        return (self.source[step] for step in range(len(self)))

    def __repr__(self) -> str:
        return (
            f"EpochSteps({self.source.ds.name!r}, {self.epochs} epochs of "
            f"{self.steps_per_epoch} batches)"
        )


def first_epoch(start_step: int, steps_per_epoch: int, repeat: bool) -> int:
    """The epoch that a stream starts in; a finite one starts at its beginning."""
    check_count("start_step", start_step, 0)
    if not repeat and start_step % steps_per_epoch:
        raise ValueError(
            f"start_step must be, without repeat=True, a multiple of the {steps_per_epoch} steps "
            f"of an epoch; received {start_step}"
        )
    return start_step // steps_per_epoch
