"""What a step of a training costs on this machine: seconds and memory, measured."""

import contextlib
import time
from pathlib import Path
from typing import Any, NamedTuple

import keras

from semseg.data.dataset import Dataset
from semseg.training.running import compiled_model, stream
from semseg.training.training_recipe import Recipe

_WARM_UP = 3


class StepCost(NamedTuple):
    """Seconds of a step, data included, and the process's peak memory in bytes (Linux alone)."""

    seconds: float
    memory: int | None


def step_cost(ds: Dataset, recipe: Recipe, seconds: float = 5.0) -> StepCost:
    """Trains a throw-away model by the recipe for some steps; the first ones are not counted.

    Args:
        ds: the training data.
        recipe: what would be trained.
        seconds: for so long, but at least 3 counted steps.
    """
    clock = _Clock(seconds)
    _forget_peak()
    model = compiled_model(ds, recipe)
    model.fit(
        stream(ds, recipe),
        steps_per_epoch=1_000_000,
        epochs=1,
        callbacks=[clock],
        shuffle=False,
        verbose=0,
    )
    return StepCost(clock.per_step, _peak())


class _Clock(keras.callbacks.Callback):
    """Ends the training when there are enough times."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._times: list[float] = []

    @property
    def per_step(self) -> float:
        counted = self._times[_WARM_UP - 1 :]
        return (counted[-1] - counted[0]) / (len(counted) - 1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        float(next(iter((logs or {"loss": 0.0}).values())))  # waits until the step is done
        self._times.append(time.perf_counter())
        counted = len(self._times) - _WARM_UP
        if counted >= 3 and self._times[-1] - self._times[_WARM_UP - 1] >= self._seconds:
            self.model.stop_training = True


def _forget_peak() -> None:
    """Linux begins the peak anew from what the process holds."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int | None:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
