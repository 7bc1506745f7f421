"""The first step: how far from guessing the model starts, and what its gradients are like."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.objectives import loss_weights
from semseg.preflight.report import Finding
from semseg.preflight.rules.compiled import shown
from semseg.preflight.subject import Subject
from semseg.preflight.words import told
from semseg.training.trials import parts

_HIGH, _EXPLODED = 3.0, 30.0  # times the loss of guessing
_LEARNT = 0.5  # times the loss of the best constant prediction
_LARGEST = 1e6  # that a healthy layer gives
_RATE = 1e-3  # small: only what starts at zero shall move
_MOST, _LEAST = 1e3, 1e-9  # norm of a layer's gradient over the norm of its weights


def values(subject: Subject) -> Iterator[Finding]:
    """What the layers gave: dead ReLUs, and values without bounds."""
    if subject.seen.dead:
        yield finding("dead_relu", f"on {len(subject.images)} pictures: {shown(subject.seen.dead)}")
    name, largest = subject.seen.largest
    if not largest < _LARGEST:
        yield finding("exploding_activations", f"{name} gives values up to {largest:.3g}")


def guessing(subject: Subject) -> Iterator[Finding]:
    """The first loss against the loss of the best constant prediction, and of a uniform one."""
    shares = _shares(subject)
    try:
        first = subject.loss_of(subject.masks, subject.outputs)
        constant = subject.loss_of(subject.masks, _constant(subject, shares))
        uniform = subject.loss_of(subject.masks, _constant(subject, np.full_like(shares, 1)))
    except Exception as error:  # a loss that takes no constant is not compared with one
        subject.skipped.append(f"the first loss against a constant prediction: {told(error)}")
        return
    subject.facts["first loss"] = f"{first:.4g}; the best constant prediction gets {constant:.4g}"
    if all(term.is_crossentropy for term in subject.terms):
        subject.facts["first loss"] += f", a uniform one {uniform:.4g}"
        subject.facts["first loss"] += f" (ln {subject.classes} = {np.log(subject.classes):.4g})"
    subject.has_learnt = first < _LEARNT * constant
    guess = max(abs(constant), abs(uniform), 1e-3)
    evidence = f"{first:.4g}; guessing gets {constant:.4g} to {uniform:.4g}"
    if first > _EXPLODED * guess:
        yield finding("exploding_activations", f"the first loss is {evidence}")
    elif first > _HIGH * guess:
        yield finding("first_loss_high", evidence)


def gradients(subject: Subject) -> Iterator[Finding]:
    """The size of each layer's gradient, against its weights."""
    layers = _gradients(subject, steps=1)
    broken = [layer.name for layer in layers if not np.isfinite(layer.ratio)]
    if broken:
        evidence = f"not finite in {shown(broken)}"
        yield finding("exploding_gradients", evidence, level="certain")
        return
    if any(layer.gradient == 0 for layer in layers):
        # A score layer that starts at zero hides what lies before it for a step or two.
        still = [layer.name for layer in _gradients(subject, steps=3) if layer.gradient == 0]
        if still:
            # A level of deep supervision that weighs nothing may be meant.
            level: Level = "hint" if 0 in loss_weights(subject.model) else "certain"
            yield finding("no_gradient", f"{shown(still)} of {len(layers)} layers", level=level)
    large = [layer for layer in layers if layer.weights > 0 and layer.ratio > _MOST]
    if large:
        worst = max(large, key=lambda layer: layer.ratio)
        evidence = f"in {worst.name} the gradient is {worst.ratio:.2g} times the weights"
        yield finding("exploding_gradients", f"{evidence}; {len(large)} such layers")
    small = [layer.name for layer in layers if 0 < layer.ratio < _LEAST]
    if small:
        evidence = f"gradients below {_LEAST} of the weights in {shown(small)}"
        yield finding("vanishing_gradients", evidence)


class _Layer(NamedTuple):
    """A layer's name, and the norms of its gradient and of its weights."""

    name: str
    gradient: float
    weights: float

    @property
    def ratio(self) -> float:
        return self.gradient / max(self.weights, 1e-12)


def _gradients(subject: Subject, steps: int) -> list[_Layer]:
    """Of each layer that learns, the gradients of some small steps summed up."""
    # With this optimizer the momentum after one step is the gradient, on every backend.
    optimizer = keras.optimizers.SGD(_RATE, momentum=0.5)
    subject.compile_twin(optimizer, eager=True)
    targets = subject.targets(subject.masks)
    layers = [layer for layer in parts(subject.model) if layer.trainable_variables]
    weights = [_norm([_array(v) for v in layer.trainable_variables]) for layer in layers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Gradients do not exist": a finding says it
            for _ in range(steps):
                subject.twin.train_on_batch(subject.images, targets)
        # After the count of steps and the rate there is one momentum for each weight.
        trained = subject.twin.trainable_variables
        momentums = [_array(v) for v in optimizer.variables[-len(trained) :]]
        found = {id(v): m / _RATE for v, m in zip(trained, momentums, strict=True)}
    finally:
        subject.kept.put_back()
    norms = [_norm([found[id(v)] for v in layer.trainable_variables]) for layer in layers]
    return [_Layer(each.name, g, w) for each, g, w in zip(layers, norms, weights, strict=True)]


def _norm(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.square(a, dtype=np.float64).sum() for a in arrays)))


def _array(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable))


def _shares(subject: Subject) -> np.ndarray:
    """Each class's share of the batch's labelled pixels, none of them 0."""
    counts = np.array([(subject.masks == c).sum() for c in range(subject.classes)], float)
    return np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum()


def _constant(subject: Subject, shares: np.ndarray) -> Any:
    """Outputs that say the same of every pixel."""
    shares, outputs = shares / shares.sum(), subject.scores.shape[-1]
    if outputs == 1:
        shares = shares[1:]
        one = shares if subject.probabilities else np.log(shares / (1 - shares))
    else:
        shares = np.pad(shares, (0, outputs - len(shares)), constant_values=1e-6)
        one = shares if subject.probabilities else np.log(shares)
    return subject.with_scores(np.broadcast_to(one, subject.scores.shape).astype(np.float32))
