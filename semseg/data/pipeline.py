"""`tf.data` over `BatchSource`: the one place of this package that feeds TensorFlow."""

import atexit
import threading
import time
import weakref
from typing import Any

import numpy as np
import tensorflow as tf

from semseg._checks import warn_if_unit_range
from semseg.data.batches import BatchSource


def make_pipeline(
    source: BatchSource, *, repeat: bool = False, start_step: int = 0
) -> tf.data.Dataset:
    """(images, masks) batches of `source`, read ahead by TensorFlow's threads.

    Args:
        source: batches by step.
        repeat: False gives one epoch a pass, and the k-th pass is the k-th epoch from
            `start_step` on; True an endless stream.
        start_step: the first step; without `repeat` the beginning of an epoch.
    """
    per_epoch = source.steps_per_epoch
    if start_step < 0 or (not repeat and start_step % per_epoch):
        raise ValueError(
            f"start_step must be >= 0 and, without repeat=True, a multiple of the {per_epoch} "
            f"steps of an epoch; received {start_step}"
        )
    # The first sample shows what comes, and an error in it is raised here and now, as itself.
    image, mask = source.sample(int(source.order(0)[0]), epoch=0)
    warn_if_unit_range(image)
    state = _State(source, start_step // per_epoch, _form(image, mask))
    # TensorFlow never frees a Python function: it must not hold the state (and its cache).
    held: Any = weakref.ref(state)

    def next_epoch(_: Any) -> tf.data.Dataset:
        epoch = tf.numpy_function(lambda: held().next_epoch(), [], tf.int64, stateful=True)
        return tf.data.Dataset.range(epoch * per_epoch, (epoch + 1) * per_epoch)

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, masks = tf.numpy_function(
            lambda s: held().batch(s), [step], (image.dtype, mask.dtype), stateful=False
        )
        images.set_shape((None, None, None, image.shape[-1]))
        masks.set_shape((None, None, None))
        return images, masks

    if repeat:
        steps = tf.data.Dataset.counter(start_step, 1, tf.int64)
    else:
        steps = tf.data.Dataset.from_tensors(0).flat_map(next_epoch)
    steps.semseg_state = state  # lives as long as the last data set or iterator made of this one
    batches = steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)
    if repeat:
        return batches
    return batches.apply(tf.data.experimental.assert_cardinality(per_epoch))


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

    def __init__(self, source: BatchSource, first_epoch: int, form: str) -> None:
        self._source = source
        self._epoch = first_epoch - 1
        self._lock = threading.Lock()
        self._form = form
        self._ending = False
        self._last_call = 0.0
        self._running = 0
        _STATES.add(self)

    def next_epoch(self) -> np.int64:
        with self._lock:
            self._epoch += 1
            return np.int64(self._epoch)

    def batch(self, step: np.int64) -> tuple[np.ndarray, np.ndarray]:
        with self._lock:
            self._last_call = time.monotonic()
            if self._ending:
                raise RuntimeError("the process is ending: no more batches are read ahead")
            self._running += 1
        try:
            return self._checked_batch(int(step))
        finally:
            with self._lock:
                self._running -= 1

    def end(self) -> None:
        """Refuses further batches, and returns when TensorFlow's threads have stopped asking."""
        with self._lock:
            self._ending = True
        while self._running or time.monotonic() - self._last_call < _QUIET_SECONDS:
            time.sleep(0.01)

    def _checked_batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        images, masks = self._source[step]
        form = _form(images, masks)
        if form != self._form:  # TensorFlow would name neither the data set nor the cure
            raise ValueError(
                f"all samples of {self._source.ds.name!r} must have one dtype and number of "
                f"channels, received {self._form} and then {form}; convert them in augment="
            )
        return images, masks


def _form(image: np.ndarray, mask: np.ndarray) -> str:
    """What all samples of a stream must have in common."""
    return f"{image.dtype} images of {image.shape[-1]} channels with {mask.dtype} masks"
