"""The preflight: all checks in order, within the time there is."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras

from semseg._checks import check_count, check_positive, check_size
from semseg.data.dataset import Dataset
from semseg.data.doctor.report import LEVELS
from semseg.preflight.clock import Clock
from semseg.preflight.kinds import KINDS
from semseg.preflight.report import Finding, Report
from semseg.preflight.rules import (
    compiled,
    cost,
    first_step,
    images,
    learning,
    losses,
    masks,
    metrics,
    outputs,
)
from semseg.preflight.subject import Subject
from semseg.training.trials import left_as_found, parts


class _Check(NamedTuple):
    """One check.

    Attributes:
        what: it looks at, in words.
        run: yields findings.
        needs: "" for nothing, or what must have been had before: "samples", "scores" (the model's
            output), "loss" (scores and a compiled loss), "sound" (a loss, and nothing found that
            stops training).
        passes: forward passes that it takes about as long as.
        unless: kinds that explain what it would find.
    """

    what: str
    run: Callable[[Subject], Iterator[Finding]]
    needs: str = ""
    passes: float = 0.0
    unless: tuple[str, ...] = ()


_RANGE = ("image_range", "unscaled_images")

_CHECKS = (
    _Check("samples that can't be read", masks.unread),
    _Check("the compiled model", compiled.compiled),
    _Check("batch normalisations", compiled.batch_norms),
    _Check("ids and classes", masks.ids, "samples"),
    _Check("forms of the images", images.forms, "samples"),
    _Check("the model's outputs", outputs.run, "samples", 1.5, ("wrong_channels",)),
    _Check("the range of the images", images.pixels, "scores"),
    _Check("values inside the model", first_step.values, "scores", 0, ("weights_not_finite",)),
    _Check("the arguments of the loss", losses.arguments, "loss"),
    _Check("metrics", metrics.metrics, "loss"),
    _Check("the first loss", losses.first_loss, "sound"),
    _Check("the first loss against guessing", first_step.guessing, "sound", 0, _RANGE),
    _Check("gradients", first_step.gradients, "sound", 5, _RANGE),
    _Check("learning one batch, and the learning rate", learning.learning, "sound", 12),
    _Check("memory", cost.memory, "scores"),
    _Check("speed", cost.speed, "sound"),
)


def check(
    model: keras.Model,
    ds: Dataset,
    seconds: float = 20,
    *,
    batch_size: int = 4,
    size: tuple[int, int] | None = None,
) -> Report:
    """Looks for what will go wrong in training, before an hour is spent on it.

    A few samples are read, the model runs on one batch, and a twin with the same weights trains on
    it for some steps. Afterwards the model is bit for bit what it was: weights, optimizer and its
    rate, metrics, seeds, also when something raises. A `train_step` of your own and augmentation
    are not tried; whether images are RGB or BGR can only be told where the data set has files.

    Args:
        model: a compiled Keras model with scores (batch, height, width, classes), ours or not.
        ds: what it will be trained on.
        seconds: about how long it may take; what no longer fits is skipped, and the report says so.
            A step that has begun is not interrupted.
        batch_size: pictures a step.
        size: (height, width) that pictures are resized to before; None leaves them.

    Returns:
        The report: findings by kind, worst first, each with evidence and fix; facts; what was
        skipped. `print` shows it.

    Raises:
        TypeError: no Keras model, or no data set of `semseg.data`.
        ValueError: `seconds`, `batch_size` or `size` below 1 or not a number.

    Example:
        >>> ds = semseg.data.digits("train", count=8, size=(32, 32))
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> model.compile("adam", semseg.losses.Crossentropy(class_map=ds.class_map,
        ...                                                  from_logits=False))
        >>> report = semseg.preflight.check(model, ds)
        >>> [finding.kind for finding in report.findings if finding.level == "certain"]
        ['logits_as_probabilities']
    """
    _check_arguments(model, ds, seconds, batch_size)
    size = None if size is None else check_size(size)
    clock = Clock(seconds)
    with left_as_found(model) as kept:
        subject = Subject(model, ds, batch_size, size, clock, kept)
        findings: list[Finding] = []
        for each in _CHECKS:
            reason = _reason_to_skip(each, subject, findings)
            if reason:
                subject.skipped.append(f"{each.what}: {reason}")
            else:
                findings += each.run(subject)
        found = tuple(sorted(findings, key=lambda f: LEVELS.index(f.level)))
        name = f"{model.name} on {ds.name}"
        return Report(name, clock.spent(), subject.facts, found, tuple(subject.skipped))


def _reason_to_skip(each: _Check, subject: Subject, findings: list[Finding]) -> str | None:
    if each.needs and not subject.samples.read:
        return "no sample could be read"
    if each.needs in ("scores", "loss", "sound") and subject.scores is None:
        return "there is no output of the model to look at"
    if each.needs in ("loss", "sound") and not subject.has_loss:
        return "the model is not compiled"
    explained = [f.kind for f in findings if f.kind in each.unless]
    if explained:
        return f"mend {explained[0]} first"
    if each.needs == "sound":
        stops = [f.kind for f in findings if f.level == "certain" and KINDS[f.kind].stops]
        if stops:
            return f"mend {stops[0]} first"
    left, needed = subject.clock.left(), each.passes * _seconds_of_a_pass(subject)
    if each.passes and needed > left:
        return f"takes about {needed:.0f} s, and {max(left, 0):.0f} s are left"
    return None


def _seconds_of_a_pass(subject: Subject) -> float:
    """As it was measured, before that a guess by the number of layers."""
    if subject.forward_seconds is not None:
        return subject.forward_seconds
    return 0.005 * len(parts(subject.model))


def _check_arguments(model: object, ds: object, seconds: float, batch_size: object) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, received {type(model).__name__}")
    if not isinstance(ds, Dataset):
        raise TypeError(
            f"ds must be a semseg.data.Dataset, received {type(ds).__name__}; from_arrays, "
            "from_pairs and from_folders make one"
        )
    check_positive("seconds", seconds)
    check_count("batch_size", batch_size, 1)
