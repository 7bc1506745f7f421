"""Batches in the making while the model computes, without TensorFlow."""

import os
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from semseg.data.feeding.batches import Batch, BatchSource

_AHEAD = 4  # batches that wait at most

THREADS = min(_AHEAD, os.cpu_count() or 1)


class LookAhead:
    """`source[step]`, with the steps behind it in the making by threads of its own."""

    def __init__(self, source: BatchSource) -> None:
        self._source = source
        self._pool: ThreadPoolExecutor | None = None  # started late: it can't be pickled
        self._waiting: dict[int, Future[Batch]] = {}
        self._lock = threading.Lock()

    def __getitem__(self, step: int) -> Batch:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="semseg-batches")
                # Else the threads would first make what waits, and hold the source (and its cache).
                weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)
            wanted = range(step, step + _AHEAD + 1)
            for old in [s for s in self._waiting if s not in wanted]:
                self._waiting.pop(old).cancel()
            for new in wanted:
                if new not in self._waiting:
                    self._waiting[new] = self._pool.submit(self._source.__getitem__, new)
            asked = self._waiting.pop(step)
        return asked.result()

    def __getstate__(self) -> dict[str, Any]:
        return {"source": self._source}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LookAhead.__init__(self, state["source"])
