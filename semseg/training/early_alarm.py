"""A training that goes nowhere says so while it is young."""

import math
import warnings
from typing import Any

import keras
import numpy as np

from semseg._checks import check_count
from semseg.data.dataset import Dataset
from semseg.data.feeding.epochs import EpochSteps
from semseg.inference.prediction import predict
from semseg.training import alarm_texts
from semseg.training.prediction_grid import spread_samples

_AT_CHANCE = 0.03  # of ln C, or of the first loss: so near, nothing has been learned
_FLAT = 0.01  # of the loss: what it must fall by in `patience` steps


class EarlyAlarm(keras.callbacks.Callback):
    """Warns, once a kind, of what rarely mends itself, and says what to try.

    - The loss is not finite. With `source` the very batch is made again, looked at, and named by
      (seed, epoch, step).
    - The loss lies flat for `patience` steps at ln C, that of equal scores for all C classes, or
      where it began.
    - One class alone is predicted on a few samples of `ds` that have several, at the end of an
      epoch, after `patience` steps.

    Args:
        ds: annotated pictures, best those of the validation; None: predictions are not looked at.
        source: `ds.batch_source(...)` of the training data with the arguments of the stream that
            `fit` gets. It must begin where `fit` does, with epoch 0 or as `Resume` says.
        count: samples of `ds` that are predicted.
        patience: steps after which a flat loss and one class are alarms.
        stop: whether the first alarm ends the training.
        size: (height, width) at which the model sees the samples, as in `predict`.

    Raises:
        ValueError: counts below 1.

    Example:
        >>> import warnings
        >>> ds = semseg.data.digits("train", count=4, size=(32, 32))
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> model.compile(keras.optimizers.SGD(1e30), semseg.losses.Crossentropy(255))
        >>> alarm = semseg.training.EarlyAlarm(source=ds.batch_source(2, seed=7), stop=True)
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     _ = model.fit(ds.batches(2, seed=7), epochs=9, callbacks=[alarm], verbose=0)
        >>> print(str(caught[0].message).split(" Its")[0])
        the loss is nan at step 1 (seed 7, epoch 0, source[1]).
    """

    def __init__(
        self,
        ds: Dataset | None = None,
        source: EpochSteps | None = None,
        *,
        count: int = 4,
        patience: int = 100,
        stop: bool = False,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.count = check_count("count", count, 1)
        self.patience = check_count("patience", patience, 1)
        self.stop = bool(stop)
        self._batches = None if source is None else source.source
        self._size = size
        self._class_map = None if ds is None else ds.class_map
        self._images, self._masks = ([], []) if ds is None else spread_samples(ds, count)
        self._told: list[str] = []
        self._steps = 0  # in all
        self._losses: list[float] = []  # of the last `patience` steps
        self._began_at = math.inf
        self._first = 0  # the step of the stream with which the epoch begins
        self._seen = (0, 0.0)  # steps of the epoch and their mean loss

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._seen = (0, 0.0)
        self._first = epoch * (self.params.get("steps") or 0)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        mean = float(logs.get("logits_loss", logs.get("loss", 0.0)))
        before, mean_before = self._seen
        steps = batch + 1 - before
        self._seen = (batch + 1, mean)
        self._steps += steps
        if not math.isfinite(mean):
            self._not_finite(mean, self._first + batch)
            return
        # Keras gives the mean since the epoch began.
        self._look_for_flatness((mean * (batch + 1) - mean_before * before) / steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._images or self._steps < self.patience or "one class" in self._told:
            return
        ignored = self._class_map.ignore_class if self._class_map else None
        there = np.setdiff1d(_ids(self._masks), [] if ignored is None else [ignored])
        found = _ids(predict(self.model, self._images, size=self._size))
        if len(found) == 1 and len(there) > 1:
            name = self._class_map.names[found[0]] if self._class_map else found[0]
            text = alarm_texts.one_class(name, len(self._images), len(there), self._steps)
            self._alarm("one class", text)

    def _look_for_flatness(self, loss: float) -> None:
        self._losses = [*self._losses, loss][-self.patience :]
        if len(self._losses) < self.patience or "flat" in self._told:
            return
        half = self.patience // 2
        level, earlier = np.mean(self._losses[half:]), np.mean(self._losses[: half or 1])
        if math.isinf(self._began_at):
            self._began_at = float(earlier)
        classes = max(_num_classes(self.model), 2)
        at_chance = abs(level / math.log(classes) - 1) < _AT_CHANCE
        where_it_began = level > (1 - _AT_CHANCE) * self._began_at
        if level > (1 - _FLAT) * earlier and (at_chance or where_it_began):
            self._alarm("flat", alarm_texts.flat(float(level), classes, self.patience))

    def _not_finite(self, loss: float, step: int) -> None:
        if "not finite" not in self._told:
            self._alarm("not finite", alarm_texts.not_finite(loss, step, self._batches))

    def _alarm(self, kind: str, text: str) -> None:
        if kind in self._told:
            return
        self._told.append(kind)
        warnings.warn(text, stacklevel=2)
        if self.stop:
            self.model.stop_training = True


def _ids(masks: Any) -> np.ndarray:
    return np.unique(np.concatenate([np.unique(mask) for mask in masks]))


def _num_classes(model: keras.Model) -> int:
    return int(model.outputs[0].shape[-1])  # "logits" comes before "logits_2"
