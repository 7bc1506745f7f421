"""The compiled loss, against outputs, ids and the ignored label."""

from collections.abc import Iterator

import numpy as np

from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.objectives import Term
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject
from semseg.preflight.words import told

_GARBAGE = 7.0  # added to what stands under ignored pixels


def arguments(subject: Subject) -> Iterator[Finding]:
    """What can be told from the arguments of each loss of the sum."""
    outputs = subject.scores.shape[-1]
    for term in subject.terms:
        yield from _form(term, outputs)
        if term.from_logits is not None:
            yield from _logits(term, subject)
        weights = term.config.get("class_weights")
        if term.is_ours and weights is not None and len(weights) != max(2, outputs):
            evidence = f"{term.name} has {len(weights)} weights for {outputs} outputs"
            yield finding("class_weights_length", evidence)
        yield from _label(term, subject)


def first_loss(subject: Subject) -> Iterator[Finding]:
    """The loss on the first batch, and whether ignored pixels are in it."""
    try:
        loss = subject.loss_of(subject.masks, subject.outputs)
    except Exception as error:  # someone's own loss may raise anything
        if _works_without_ignored(subject):
            yield finding("wrong_ignore_in_loss", told(error), subject.ignored)
        else:
            yield finding("loss_fails", told(error))
        return
    if np.isfinite(loss):
        subject.facts["first loss"] = f"{loss:.4g}"
        yield from _ignored(subject, loss)
    elif _works_without_ignored(subject):
        evidence = f"the loss is {loss} with the id {subject.ignored} in the masks"
        yield finding("wrong_ignore_in_loss", evidence, subject.ignored)
    elif np.isfinite(subject.scores).all():
        yield finding("loss_not_finite", f"the loss of the first batch is {loss}")
    else:
        yield finding("exploding_activations", "outputs are NaN or infinite, all weights finite")


def _form(term: Term, outputs: int) -> Iterator[Finding]:
    if term.wants_one_hot:
        yield finding("loss_wants_one_hot", f"{term.name} and integer masks")
    elif term.is_sparse and outputs == 1:
        yield finding("softmax_of_one", f"{term.name} and 1 output")
    elif term.is_binary and outputs > 1:
        yield finding("binary_loss", f"{term.name} and {outputs} outputs")


def _logits(term: Term, subject: Subject) -> Iterator[Finding]:
    scores = subject.scores
    span = f"outputs lie in {scores.min():.3g} .. {scores.max():.3g}"
    said = f"{term.name}(from_logits={term.from_logits})"
    if subject.probabilities and term.from_logits:
        whole = "are a sigmoid" if scores.shape[-1] == 1 else "sum to 1 over the classes"
        yield finding("softmax_twice", f"{span} and {whole}; {said}")
    elif not subject.probabilities and not term.from_logits:
        is_share = scores.shape[-1] == 1 and scores.min() >= 0 and scores.max() <= 1
        if not is_share:  # someone's own last layer may make shares
            yield finding("logits_as_probabilities", f"{span}; {said}")


def _label(term: Term, subject: Subject) -> Iterator[Finding]:
    """The ignored label that a loss names, against that of the data."""
    if "ignore_class" not in term.config:
        return
    ignored, wanted = term.config["ignore_class"], subject.ignored
    said = f"{term.name}(ignore_class={ignored}), the data set's is {wanted}"
    if ignored is not None and 0 <= ignored < subject.classes:
        yield finding("class_ignored_by_loss", said)
    elif wanted is not None and ignored != wanted:
        occurs = any((sample.mask == wanted).any() for sample in subject.samples.read)
        level: Level = "certain" if occurs else "likely"
        yield finding("wrong_ignore_in_loss", said, wanted, level=level)


def _ignored(subject: Subject, loss: float) -> Iterator[Finding]:
    """Whether what stands under ignored pixels changes the loss."""
    under = _where_ignored(subject)
    if not under.any() or isinstance(subject.outputs, dict | list | tuple):
        return
    changed = subject.outputs.copy()
    if subject.probabilities:
        changed[under] = 1.0 / changed.shape[-1]
        changed[under, 0] = 1.0 - changed[under, 1:].sum(-1) / 2
    else:
        changed[under, 0] += _GARBAGE
    other = subject.loss_of(subject.masks, changed)
    if not np.isclose(loss, other, rtol=1e-4, atol=1e-6):
        evidence = f"other outputs under them change the loss from {loss:.4g} to {other:.4g}"
        yield finding("wrong_ignore_in_loss", evidence, subject.ignored)


def _where_ignored(subject: Subject) -> np.ndarray:
    if subject.ignored is None:
        return np.zeros(subject.masks.shape, bool)
    return np.asarray(subject.masks == subject.ignored)


def _works_without_ignored(subject: Subject) -> bool:
    """Whether the loss is a number once the ignored pixels are of class 0."""
    under = _where_ignored(subject)
    if not under.any():
        return False
    try:
        masks = np.where(under, 0, subject.masks).astype(subject.masks.dtype)
        return bool(np.isfinite(subject.loss_of(masks, subject.outputs)))
    except Exception:  # another fault
        return False
