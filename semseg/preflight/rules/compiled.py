"""The model as it was built and compiled: nothing is run."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject
from semseg.training.data_facts import UNLIKE, variance_between
from semseg.training.trials import parts

_SHOWN = 4


def compiled(subject: Subject) -> Iterator[Finding]:
    """Whether there is a loss, and anything that it may change; weights that are numbers."""
    if not subject.has_loss:
        yield finding("not_compiled", "model.compile was not called, or without a loss")
    weights = subject.model.weights
    if weights and not subject.model.trainable_weights:
        yield finding("nothing_trainable", f"0 of {len(weights)} weights are trainable")
    broken = [layer.name for layer in parts(subject.model) if not _is_finite(layer)]
    if broken:
        yield finding("weights_not_finite", f"in {shown(broken)}")


def batch_norms(subject: Subject) -> Iterator[Finding]:
    """Batch normalisations that are live where they should not be."""
    live = [layer for layer in parts(subject.model) if _is_live_norm(layer)]
    behind = [layer.name for layer in live if _is_frozen(_before(layer))]
    if behind:
        yield finding("live_batch_norm", f"{shown(behind)}, of {len(live)} live ones in all")
    if live and subject.batch_size == 1:
        yield finding("batch_norm_of_one", f"batch_size=1 and {len(live)} batch normalisations")
    images = [sample.image for sample in subject.samples.read]
    if live and len({image.shape[-1] for image in images}) == 1:
        between = variance_between(images)
        if between > UNLIKE:
            evidence = f"{between:.0%} of the variance lies between pictures; {len(live)} are live"
            yield finding("unlike_pictures", evidence)


def shown(names: list[str]) -> str:
    """The first few names."""
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _is_finite(layer: Any) -> bool:
    values = (keras.ops.convert_to_numpy(w) for w in layer.weights)
    return all(np.isfinite(v.astype("float32")).all() for v in values if v.dtype.kind not in "iub")


def _is_live_norm(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization) and layer.trainable


def _before(layer: Any) -> Any:
    """The next layer with weights on the way to the input, where there is one way."""
    while True:
        try:
            source = layer.input
        except (AttributeError, ValueError):  # called several times, or not in a graph
            return None
        if not isinstance(source, keras.KerasTensor):
            return None
        layer = source._keras_history.operation
        if isinstance(layer, keras.layers.InputLayer):
            return None
        if getattr(layer, "weights", None):
            return layer


def _is_frozen(layer: Any) -> bool:
    return layer is not None and not layer.trainable
