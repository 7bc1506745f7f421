"""`BatchSource` as a `keras.utils.PyDataset`: the stream for every Keras backend."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import keras

from semseg.data.feeding.batches import Batch, BatchSource
from semseg.data.feeding.epochs import first_epoch
from semseg.data.feeding.failures import Failures
from semseg.data.feeding.look_ahead import LookAhead


class Batches(keras.utils.PyDataset):
    """The batches of `source`, read ahead by threads of its own.

    Finite, it serves one epoch a pass, and the k-th epoch of `fit` is the k-th of the stream. Keras
    asks for a finite one's batches by numbers that it has shuffled (`fit(shuffle=True)` is its
    default) with a generator that no seed of ours reaches: the number is not looked at, and the
    answer is always the next batch. `Dataset.batch_source` gives batches by number.

    Keras's own `workers` lose a batch on JAX and PyTorch, so there is one.

    Args:
        source: batches by step.
        repeat: False gives one epoch a pass; True an endless stream, where batch `i` is that of
            step `start_step + i`.
        start_step: the first step; without `repeat` the beginning of an epoch.
    """

    def __init__(self, source: BatchSource, *, repeat: bool = False, start_step: int = 0) -> None:
        super().__init__(workers=1)
        self._ahead = LookAhead(source)
        self._failures = Failures()
        self._per_epoch = source.steps_per_epoch
        self._repeat = repeat
        self._start_step = start_step
        self._passes = _Passes(first_epoch(start_step, self._per_epoch, repeat), self._per_epoch)

    @property
    def num_batches(self) -> int | None:
        """Batches a pass; None for an endless stream."""
        return None if self._repeat else self._per_epoch

    def __len__(self) -> int:
        if self._repeat:
            raise TypeError("an endless stream has no len(); its epoch is steps_per_epoch= of fit")
        return self._per_epoch

    def __getitem__(self, index: int) -> Batch:
        step = self._start_step + int(index) if self._repeat else self._passes.next_step()
        try:
            return self._ahead[step]
        except Exception as error:  # on TensorFlow's backend Keras asks through `tf.data`
            self._failures.last.append(error)
            raise

    def __iter__(self) -> Iterator[Batch]:
        if self._repeat:
            step = self._start_step
            while True:
                yield self._ahead[step]
                step += 1
        self._passes.begin()
        for _ in range(self._per_epoch):
            yield self._ahead[self._passes.next_step()]
        self._passes.end()

    def on_epoch_begin(self) -> None:
        """Called by Keras before each pass, and before it looks at a batch to build a model."""
        self._passes.keras_begins(looks=_keras_is_in("_symbolic_build", "_maybe_symbolic_build"))

    def on_epoch_end(self) -> None:
        """Called by Keras after each pass, and once before the first."""
        if _keras_is_in("reset"):
            self._passes.end()


class _Passes:
    """Which step comes next, told from what Keras does.

    `fit` begins an epoch, takes one to three batches only to build the model, and resets; then it
    begins and ends each epoch. TensorFlow's backend takes two batches before all that, to learn
    their shapes. With `steps_per_epoch` below the stream's own, one pass goes on over several of
    Keras's epochs.
    """

    def __init__(self, epoch: int, per_epoch: int) -> None:
        self._epoch = epoch
        self._per_epoch = per_epoch
        self._served = 0
        self._counts = False  # whether the pass is an epoch, or Keras only looks at its batches
        self._lock = threading.Lock()

    def next_step(self) -> int:
        with self._lock:
            step = self._epoch * self._per_epoch + self._served
            self._served += 1
            return step

    def begin(self, looks: bool = False) -> None:
        with self._lock:
            self._close()
            self._counts = not looks

    def end(self) -> None:
        with self._lock:
            self._close()

    def keras_begins(self, looks: bool) -> None:
        goes_on = self._counts and 0 < self._served < self._per_epoch
        if looks or not goes_on:
            self.begin(looks)

    def _close(self) -> None:
        if self._counts and self._served:
            self._epoch += 1
        self._served = 0
        self._counts = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


def _keras_is_in(*functions: str) -> bool:
    """Whether one of these functions of Keras is running.

    Keras calls `on_epoch_begin` and `on_epoch_end` for more than epochs, and nothing else tells an
    epoch from a look at one that is as short as what Keras looks at.
    """
    frame = sys._getframe().f_back
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("keras.") and frame.f_code.co_name in functions:
            return True
        frame = frame.f_back
    return False
