"""Whether the model learns one batch by heart, and at which learning rate it would."""

import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject
from semseg.training.trials import single_rate, with_learning_rate

_STEPS, _TRIED_STEPS, _FEWEST = 40, 15, 5
_FACTORS = (1e-1, 1e-2, 1e-3, 1e1, 1e2, 1e3)
_CLEAR, _LITTLE = 0.1, 0.03  # of the first loss
_JUMP = 1.5  # times the first loss, in training on one batch
_LONGEST = 1_000_000  # step up to which a schedule is asked for its peak


class Course(NamedTuple):
    """The losses of some steps on one batch at one rate."""

    rate: float
    losses: list[float]

    @property
    def fall(self) -> float:
        """How much of the first loss is gone at the end; minus infinity after NaN."""
        first, last = self.losses[0], float(np.mean(self.losses[-3:]))
        return (first - last) / max(abs(first), 1e-9) if np.isfinite(last) else -np.inf

    @property
    def is_restless(self) -> bool:
        """Whether the loss rose well above where it began."""
        return max(self.losses) > _JUMP * abs(self.losses[0])

    def __str__(self) -> str:
        first, last = self.losses[0], float(np.mean(self.losses[-3:]))
        peak = f", {max(self.losses):.3g} at its highest" if self.is_restless else ""
        return f"the loss goes from {first:.4g} to {last:.4g} in {len(self.losses)} steps{peak}"


def learning(subject: Subject) -> Iterator[Finding]:
    """Trains on one batch at the compiled rate; where that does not help, at others."""
    rated = single_rate(subject.model.optimizer)
    if rated is None:
        subject.skipped.append("learning one batch: the optimizer has no single learning rate")
        return
    rate = _peak(rated)
    optimizer = with_learning_rate(subject.model.optimizer, rate)
    subject.compile_twin(optimizer, eager=False)
    optimizer.build(subject.twin.trainable_variables)
    fresh = [np.array(keras.ops.convert_to_numpy(v)) for v in optimizer.variables]
    try:
        course = _course(subject, optimizer, fresh, rate, _STEPS)
        subject.facts["one batch"] = str(course)
        if subject.has_learnt:
            subject.skipped.append("the learning rate: the model fits this batch already")
            return
        is_long = len(course.losses) >= _FEWEST or not np.isfinite(course.losses[-1])
        if is_long and (course.fall < _CLEAR or course.is_restless):
            yield from _judged(subject, course, _others(subject, optimizer, fresh, rate))
    finally:
        subject.kept.put_back()


def _judged(subject: Subject, course: Course, others: list[Course]) -> Iterator[Finding]:
    if len(others) < len(_FACTORS):
        subject.skipped.append("other learning rates: the time was over")
        return
    best = max(others, key=lambda other: other.fall)
    so_far = Course(course.rate, course.losses[:_TRIED_STEPS])
    seen = f"at {course.rate:g}: {course}; at {best.rate:g}: {best}"
    if best.fall > max(_CLEAR / 2, 2 * so_far.fall):
        low = best.rate > course.rate
        level: Level = "likely" if low or so_far.fall > _CLEAR else "certain"
        kind = "learning_rate_low" if low else "learning_rate_high"
        yield finding(kind, seen, f"{best.rate:g}", level=level)
    elif course.fall < _LITTLE:
        rates = [other.rate for other in others]
        evidence = f"{seen}; rates from {min(rates):g} to {max(rates):g} were tried"
        yield finding("does_not_learn", evidence)


def _others(subject: Subject, optimizer: Any, fresh: list[Any], rate: float) -> list[Course]:
    found: list[Course] = []
    for factor in _FACTORS:
        course = _course(subject, optimizer, fresh, rate * factor, _TRIED_STEPS)
        if len(course.losses) < _TRIED_STEPS and np.isfinite(course.losses[-1]):
            break  # the time is over
        found.append(course)
    return found


def _course(subject: Subject, optimizer: Any, fresh: list[Any], rate: float, steps: int) -> Course:
    """Steps on one batch from the model's own weights, until the time is over or NaN."""
    subject.kept.put_back()
    for variable, value in zip(optimizer.variables, fresh, strict=True):
        variable.assign(value)
    optimizer.learning_rate = rate
    targets, losses = subject.targets(subject.masks), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras, about what findings say
        for step in range(steps):
            start = time.perf_counter()
            logs = subject.twin.train_on_batch(subject.images, targets, return_dict=True)
            losses.append(float(logs["loss"]))
            subject.twin.reset_metrics()
            if step >= 2:
                taken = time.perf_counter() - start
                subject.step_seconds = min(taken, subject.step_seconds or taken)
            if not np.isfinite(losses[-1]) or (subject.clock.left() < 0 and step >= 1):
                break
    return Course(rate, losses)


def _peak(optimizer: Any) -> float:
    schedule = getattr(optimizer, "_learning_rate", None)
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    places = np.unique(np.geomspace(1, _LONGEST, 80).round().astype(int)) - 1
    return max(float(keras.ops.convert_to_numpy(schedule(int(step)))) for step in places)
