"""The compiled metrics, each by its arguments and by what ignored pixels do to it."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject
from semseg.preflight.words import told


def metrics(subject: Subject) -> Iterator[Finding]:
    """All metrics that `compile` got."""
    for metric in _fresh_metrics(subject):
        found = list(_arguments(metric, subject))
        if not found and subject.scores.shape[1:3] == subject.masks.shape[1:]:
            found = list(_tried(metric, subject))
        yield from found


def _arguments(metric: Any, subject: Subject) -> Iterator[Finding]:
    """What a metric's arguments say."""
    outputs, name = subject.scores.shape[-1], f"{type(metric).__name__} {metric.name!r}"
    counted = getattr(metric, "num_classes", None)
    if isinstance(counted, int) and max(2, counted) != subject.classes:
        said = f"{name} counts {counted} classes, the data set has {subject.classes}"
        yield finding("metric_classes", said, subject.classes)
        return
    if isinstance(metric, keras.metrics.IoU):
        if not metric.sparse_y_true:
            yield finding("metric_wants_one_hot", f"{name} with sparse_y_true=False")
        elif metric.sparse_y_pred:
            yield finding("metric_wants_ids", f"{name} gets {outputs} scores a pixel")
        elif metric.axis not in (-1, 3):
            yield finding("metric_axis", f"{name} with axis={metric.axis}")
    threshold = getattr(metric, "threshold", None)
    if outputs == 1 and isinstance(threshold, float):
        fitting = 0.5 if subject.probabilities else 0.0
        if threshold != fitting and (threshold in (0.0, 0.5) or fitting == 0.5):
            what = "a sigmoid" if subject.probabilities else "a logit"
            yield finding("metric_threshold", f"{name} parts {what} at {threshold}", fitting)


def _tried(metric: Any, subject: Subject) -> Iterator[Finding]:
    """What a metric does on the first batch, and on one with other outputs under ignored pixels."""
    name, scores = f"{type(metric).__name__} {metric.name!r}", subject.scores
    stated = getattr(metric, "ignore_class", subject.ignored)
    if subject.ignored is not None and stated != subject.ignored:
        evidence = f"{name} has ignore_class={stated}, the data set {subject.ignored}"
        occurs = any((sample.mask == subject.ignored).any() for sample in subject.samples.read)
        level: Level = "certain" if occurs else "likely"
        yield finding("wrong_ignore_in_metric", evidence, subject.ignored, level=level)
        return
    try:
        value = _value(metric, subject.masks, scores)
    except Exception as error:  # someone's own metric may raise anything
        yield finding("metric_fails", f"{name}: {told(error)}")
        return
    under = subject.masks == subject.ignored if subject.ignored is not None else None
    if under is None or not under.any():
        return
    for best in range(scores.shape[-1]):
        changed = scores.copy()
        changed[under] = scores.min()
        changed[under, best] = scores.max()
        other = _value(metric, subject.masks, changed)
        if not np.allclose(value, other, rtol=1e-6, equal_nan=True):
            evidence = f"other outputs under them change {name} from {value[0]:.4g} "
            evidence += f"to {other[0]:.4g}"
            yield finding("wrong_ignore_in_metric", evidence, subject.ignored)
            return
    if _counts_ignored(metric, subject, under, value):
        evidence = f"without them {name} is another one"
        yield finding("wrong_ignore_in_metric", evidence, subject.ignored)


def _counts_ignored(metric: Any, subject: Subject, under: Any, value: Any) -> bool:
    """Whether pixels without a class count as wrong: a metric of pixels alone can be asked."""
    if not isinstance(metric, keras.metrics.SparseCategoricalAccuracy):
        return False
    without = _value(metric, subject.masks[~under][None], subject.scores[~under][None])
    return not np.allclose(value, without, rtol=1e-6)


def _value(metric: Any, masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    metric.reset_state()
    metric.update_state(keras.ops.convert_to_tensor(masks), keras.ops.convert_to_tensor(scores))
    values = keras.tree.flatten(metric.result())
    return np.array([float(keras.ops.convert_to_numpy(v)) for v in values])


def _fresh_metrics(subject: Subject) -> Iterator[Any]:
    """New metrics with the arguments of those that `compile` got."""
    compiled = getattr(subject.model, "_compile_metrics", None)
    if compiled is None:
        return
    for given in (compiled._user_metrics, compiled._user_weighted_metrics):
        if isinstance(given, dict):
            given = given.get("logits", given)
        for metric in keras.tree.flatten(given):
            if metric is not None:
                yield _fresh(metric, subject)


def _fresh(metric: Any, subject: Subject) -> Any:
    if metric in ("accuracy", "acc"):
        one = subject.scores.shape[-1] == 1
        made = keras.metrics.BinaryAccuracy if one else keras.metrics.SparseCategoricalAccuracy
        return made(name=metric)
    if isinstance(metric, str):
        return keras.metrics.get(metric)
    if not isinstance(metric, keras.metrics.Metric):
        return keras.metrics.MeanMetricWrapper(metric, name=getattr(metric, "__name__", "metric"))
    return type(metric).from_config(metric.get_config())
