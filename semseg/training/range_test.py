"""The learning rate range test: which rates teach a model anything, and which break it."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np

from semseg._checks import check_count, check_positive
from semseg.training.batch_iteration import endless
from semseg.training.trials import left_as_found, single_rate, twin, with_learning_rate

_DIVERGED = 4  # times the lowest smoothed loss, as in fastai's range test
_FEWEST = 10  # steps; below, the curve says nothing
_LEAST_FALL = 0.02  # of the first loss; less is noise


class RangeTest(NamedTuple):
    """What `find_learning_rate` saw; `semseg.viz.plot_learning_rate(*found)` draws it.

    Attributes:
        rates: float64 (steps,), rising; fewer than asked for where the loss diverged.
        losses: float64 (steps,), smoothed, each of the batch before its update.
        suggested: the rate at which the loss falls fastest; None where it never fell.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggested: float | None


def find_learning_rate(
    model: keras.Model,
    batches: Any,
    steps: int = 100,
    lowest: float = 1e-6,
    highest: float = 1.0,
) -> RangeTest:
    """Trains for some steps while the learning rate rises from `lowest` to `highest`.

    Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3, with a rate
    that rises by a constant factor. It ends early when the loss has diverged. The suggestion is a
    peak for a schedule with warm-up; look at the curve before you believe it.

    The model is left bit for bit as it was: its weights, seeds, optimizer, learning rate or
    schedule and metrics, also when a batch raises. The trial has a fresh optimizer of the same
    kind, and Keras's own train step.

    Args:
        model: compiled and functional, as all models of this library.
        batches: (images, masks) batch by batch: `ds.pipeline(8)`; begun again where it ends.
        steps: batches to train on, at least 10.
        lowest: the first rate.
        highest: the last one.

    Raises:
        TypeError: batches that are none.
        ValueError: a model that is not compiled or not functional, rates that do not rise.

    Example:
        >>> x = np.linspace(-1, 1, 16, dtype="float32")[:, None]
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> found = find_learning_rate(model, [(x, 3 * x)], steps=50, highest=100.0)
        >>> 0.01 < found.suggested < 10, bool(found.losses[0] > found.losses.min())
        (True, True)
    """
    _check_range(steps, lowest, highest)
    trial = _trial(model, keras.optimizers.schedules.ExponentialDecay(
        lowest, steps - 1, highest / lowest
    ))  # fmt: skip
    rates = np.geomspace(lowest, highest, steps)
    losses: list[float] = []
    with left_as_found(model):
        for batch in islice(endless(batches), steps):
            trial.reset_metrics()  # the loss of Keras 3.10 is a mean over all steps since
            losses.append(float(trial.train_on_batch(*batch, return_dict=True)["loss"]))
            if _diverged(losses):
                break
    if not losses:
        raise ValueError("batches must hold at least one batch, received none")
    return _judged(rates[: len(losses)], np.array(losses))


def _trial(model: keras.Model, schedule: Any) -> keras.Model:
    """A model of the same layers and variables, with an optimizer of its own."""
    if not getattr(model, "compiled", False) or getattr(model, "optimizer", None) is None:
        raise ValueError(
            "model must be compiled with an optimizer and a loss, received one that is not; call "
            "model.compile(...) first"
        )
    trial = twin(model)
    if single_rate(model.optimizer) is None:
        raise ValueError(
            "the optimizer of model must have one learning rate, received "
            f"{type(model.optimizer).__name__}; compile the model with one optimizer for this test"
        )
    trial.compile(
        with_learning_rate(model.optimizer, schedule),
        loss=model.loss,
        loss_weights=model._compile_loss._user_loss_weights,
        run_eagerly=model.run_eagerly,
        jit_compile=model.jit_compile,
    )
    trial.optimizer.build(trial.trainable_variables)  # or TensorFlow traces the first step twice
    return trial


def _diverged(losses: Sequence[float]) -> bool:
    if not np.isfinite(losses[-1]):
        return True
    if len(losses) < _FEWEST:
        return False
    recent = np.array([np.mean(losses[max(0, i - 2) : i + 1]) for i in range(len(losses))])
    return bool(recent[-1] > _DIVERGED * recent.min() > 0)


def _judged(rates: np.ndarray, losses: np.ndarray) -> RangeTest:
    finite = np.isfinite(losses)
    rates, losses = rates[finite], losses[finite]
    if len(losses) < 3:
        return RangeTest(rates, losses, None)
    smooth = _smoothed(np.log10(rates), losses)
    bottom = int(smooth.argmin())
    if bottom == 0 or smooth[0] - smooth[bottom] < _LEAST_FALL * abs(smooth[0]):
        return RangeTest(rates, smooth, None)
    slope = np.gradient(smooth, np.log10(rates))[: bottom + 1]
    return RangeTest(rates, smooth, float(rates[slope.argmin()]))


def _smoothed(decades: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """A Gaussian mean over a quarter of a decade to either side, which shifts nothing."""
    weights = np.exp(-0.5 * ((decades[:, None] - decades) / 0.25) ** 2)
    return weights @ losses / weights.sum(axis=1)


def _check_range(steps: Any, lowest: Any, highest: Any) -> None:
    check_count("steps", steps, _FEWEST)
    low, high = check_positive("lowest", lowest), check_positive("highest", highest)
    if low >= high:
        raise ValueError(f"lowest must be < highest, received {lowest!r} and {highest!r}")
