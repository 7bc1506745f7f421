"""A training's record, checked and sorted into panels; nothing here draws."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

RATES = ("learning_rate", "lr")
_WEIGHT = "_weight"  # of LossWeights
# Parts of Keras's own names whose numbers are the better the lower.
_LOW = {"crossentropy", "distance", "divergence", "hinge", "kld", "logcosh", "mae", "mape", "mse",
        "msle", "poisson", "rmse"}  # fmt: skip
_COUNT = "invalid_pixels"  # of SegmentationScores: no score, and best where it is 0


class Curve(NamedTuple):
    """One recorded quantity, at the epochs where it was recorded."""

    name: str
    epochs: np.ndarray
    values: np.ndarray

    @property
    def base(self) -> str:
        """The name that a training curve and its validation twin share."""
        return self.name.removeprefix("val_")

    @property
    def quantity(self) -> str:
        """The name without the class that it is of: "iou" for "iou/Road"."""
        return self.base.partition("/")[0]

    @property
    def is_setting(self) -> bool:
        """Whether it was chosen and not found: a learning rate, a weight of a loss."""
        return self.base in RATES or self.base.endswith(_WEIGHT)

    @property
    def best(self) -> int | None:
        """The position of the lowest loss, error or count, or of the highest other value."""
        if np.isnan(self.values).all():
            return None
        name = self.quantity
        is_lowest = any(word in name for word in ("loss", "error", _COUNT))
        is_lowest |= not _LOW.isdisjoint(name.split("_"))
        return int(np.nanargmin(self.values) if is_lowest else np.nanargmax(self.values))


def read_runs(history: Any) -> dict[str, list[Curve]]:
    """The curves of each run by its name; one run alone has the name ""."""
    is_named = (
        isinstance(history, Mapping) and bool(history) and all(map(_is_run, history.values()))
    )
    if not is_named:
        return {"": read_curves(history)}
    return {str(name): read_curves(run, f"history[{name!r}]") for name, run in history.items()}


def read_curves(history: Any, where: str = "history") -> list[Curve]:
    """The curves of a Keras History or of its dict."""
    record = getattr(history, "history", history)
    if not isinstance(record, Mapping):
        raise TypeError(
            f"{where} must be what model.fit returned or a dict of name -> values, received "
            f"{type(history).__name__}"
        )
    values = {str(name): _checked_values(f"{where}[{name!r}]", v) for name, v in record.items()}
    last = max((len(v) for v in values.values()), default=0)
    if not last:
        raise ValueError(
            f"{where} must hold at least one epoch, received {sorted(values)} without values; "
            "pass what model.fit returned after it ran"
        )
    seen = getattr(history, "epoch", None)  # Keras counts from 0, its progress bar from 1
    epochs = np.asarray(seen) + 1 if seen and len(seen) == last else np.arange(1, last + 1)
    return [Curve(n, _recorded(epochs, len(v)), v) for n, v in values.items() if len(v)]


def panels(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Panel title -> curves: losses first, then scores, then the rest, what was chosen last."""
    # By base name, so that a curve that leaves 0..1 is not parted from its twin.
    wide = {c.base for c in curves if ((c.values < 0) | (c.values > 1)).any()}
    found: dict[str, list[Curve]] = {"loss": [], "scores": []}
    for curve in (c for c in curves if not c.is_setting):
        of_class = "/" in curve.base
        if "loss" in curve.quantity:
            found["loss"].append(curve)
        elif curve.base in wide or _COUNT in curve.base:
            found.setdefault(curve.base, []).append(curve)
        elif of_class:  # iou/Road, iou/Sky, ...
            found.setdefault(curve.quantity, []).append(curve)
        else:
            found["scores"].append(curve)
    found["weights of the losses"] = [c for c in curves if c.base.endswith(_WEIGHT)]
    found["learning rate"] = [c for c in curves if c.base in RATES]
    return {title: _twins_together(members) for title, members in found.items() if members}


def smoothed(values: np.ndarray, smoothing: float) -> np.ndarray:
    """The running mean in which each epoch weighs `smoothing` times as much as the next.

    Its first values are as near to the curve as its last (the sum of the weights is divided out).
    What is no number stays none and has no weight.
    """
    total = weight = 0.0
    means = np.full(len(values), np.nan)
    for i in np.flatnonzero(~np.isnan(values)):
        total = smoothing * total + (1 - smoothing) * values[i]
        weight = smoothing * weight + (1 - smoothing)
        means[i] = total / weight
    return means


def _twins_together(curves: Sequence[Curve]) -> list[Curve]:
    order = list(dict.fromkeys(curve.base for curve in curves))
    return sorted(curves, key=lambda curve: (order.index(curve.base), curve.name != curve.base))


def _recorded(epochs: np.ndarray, count: int) -> np.ndarray:
    """The epochs of a shorter record: `validation_freq=n` validates at every n-th epoch."""
    every = len(epochs) // count
    return epochs[every - 1 :: every][:count]


def _is_run(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "history")


def _checked_values(where: str, values: Any) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.empty((0, 0))
    if array.ndim != 1:
        raise ValueError(f"{where} must hold one number an epoch, received {repr(values)[:80]}")
    return array
