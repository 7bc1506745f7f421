"""`tf.data` over `BatchSource`: the one place of this package that feeds TensorFlow."""

import atexit
import threading
import time
import weakref
from typing import Any

import numpy as np
import tensorflow as tf

from semseg.data.feeding.batches import Batch, BatchSource
from semseg.data.feeding.epochs import first_epoch
from semseg.data.feeding.failures import Failures


def make_pipeline(
    source: BatchSource, *, repeat: bool = False, start_step: int = 0
) -> tf.data.Dataset:
    """The batches of `source`, read ahead by TensorFlow's threads.

    Args:
        source: batches by step.
        repeat: False gives one epoch a pass, and the k-th pass is the k-th epoch from
            `start_step` on; True an endless stream.
        start_step: the first step; without `repeat` the beginning of an epoch.
    """
    per_epoch = source.steps_per_epoch
    epoch = first_epoch(start_step, per_epoch, repeat)
    state = _State(source, epoch)
    # TensorFlow never frees a Python function: it must not hold the state (and its cache).
    held: Any = weakref.ref(state)
    dtypes = [dtype for dtype, _ in source.form]
    shapes = [(None, None, None, *channels) for _, channels in source.form]

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, and errors get shorter
    def next_epoch(_: Any) -> tf.data.Dataset:
        epoch = tf.numpy_function(lambda: held().next_epoch(), [], tf.int64, stateful=True)
        return tf.data.Dataset.range(epoch * per_epoch, (epoch + 1) * per_epoch)

    @tf.autograph.experimental.do_not_convert
    def batch(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        parts = tf.numpy_function(lambda s: held().batch(s), [step], dtypes, stateful=False)
        for part, shape in zip(parts, shapes, strict=True):
            part.set_shape(shape)
        return tuple(parts)

    if repeat:
        steps = tf.data.Dataset.counter(start_step, 1, tf.int64)
    else:
        steps = tf.data.Dataset.from_tensors(0).flat_map(next_epoch)
    steps.semseg_state = state  # lives as long as the last data set or iterator made of this one
    batches = steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)
    if not repeat:
        batches = batches.apply(tf.data.experimental.assert_cardinality(per_epoch))
    options = tf.data.Options()
    # Shards are of samples, and the caller's choice: TensorFlow would drop whole batches.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.with_options(options)


_STATES: weakref.WeakSet["_State"] = weakref.WeakSet()
_QUIET_SECONDS = 0.5  # on a loaded machine a thread may be that late with its question


@atexit.register
def _end_all() -> None:
    """Stops reading ahead before the interpreter goes.

    TensorFlow's threads read ahead to the very end of the process. One that asks for Python then
    waits for ever, and the process with it: a script that leaves an endless stream open hangs.
    """
    for state in list(_STATES):
        state.end()


class _State:
    """What the pipeline's Python functions work on; one a pipeline."""

    def __init__(self, source: BatchSource, epoch: int) -> None:
        self._source = source
        self._epoch = epoch - 1
        self._lock = threading.Lock()
        self._failures = Failures()
        self._ending = False
        self._last_call = 0.0
        self._running = 0
        _STATES.add(self)

    def next_epoch(self) -> np.int64:
        with self._lock:
            self._epoch += 1
            return np.int64(self._epoch)

    def batch(self, step: np.int64) -> Batch:
        with self._lock:
            self._last_call = time.monotonic()
            if self._ending:
                raise RuntimeError("the process is ending: no more batches are read ahead")
            self._running += 1
        try:
            return self._source[int(step)]
        except Exception as error:
            self._failures.last.append(error)
            raise
        finally:
            with self._lock:
                self._running -= 1

    def end(self) -> None:
        """Refuses further batches, and returns when TensorFlow's threads have stopped asking."""
        with self._lock:
            self._ending = True
        while self._running or time.monotonic() - self._last_call < _QUIET_SECONDS:
            time.sleep(0.01)
