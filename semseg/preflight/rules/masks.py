"""What the masks hold, against the classes."""

from collections.abc import Iterator

import numpy as np

from semseg._checks import unknown_ids
from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.samples import Unread
from semseg.preflight.subject import Subject

_DOMINANT = 0.9  # of the labelled pixels
_REGIONS = (
    "Boundary", "CenterlineDice", "Dice", "FocalTversky", "GeneralizedDice", "Jaccard", "Lovasz",
    "MCC", "Tversky",
)  # fmt: skip


def unread(subject: Subject) -> Iterator[Finding]:
    """Samples that can't be read, by what is wrong with them."""
    by_kind: dict[str, list[Unread]] = {}
    for sample in subject.samples.unread:
        by_kind.setdefault(_kind(sample, subject), []).append(sample)
    if "shifted_ids" in by_kind:  # pictures without the last class show it less clearly
        by_kind.pop("unknown_ids", None)
    for kind, samples in by_kind.items():
        first, looked = samples[0], len(subject.samples.unread) + len(subject.samples.read)
        yield finding(kind, f"{len(samples)} of {looked} looked at; the first: {first.error}")


def ids(subject: Subject) -> Iterator[Finding]:
    """Which classes occur, and how often."""
    frequencies = subject.samples.frequencies(subject.ds.class_map)
    pixels, names = np.array(frequencies.pixels), subject.ds.class_map.names
    looked = f"in {'all' if subject.samples.all else 'the'} {len(subject.samples.read)} masks"
    looked += "" if subject.samples.all else f" looked at of {len(subject.ds)}"
    sure: Level = "certain" if subject.samples.all else "likely"
    subject.facts["classes"] = f"{(pixels > 0).sum()} of {len(names)} occur {looked}"
    if not pixels.sum():
        yield finding("only_ignored", looked, level=sure)
    elif (pixels > 0).sum() == 1:
        only = names[int(pixels.argmax())]
        yield finding("one_class_only", f"nothing but {only!r} {looked}", level=sure)
    elif not pixels[0] and (pixels[1:] > 0).all():
        evidence = f"{looked} class 0 ({names[0]!r}) never occurs, and all others do"
        yield finding("shifted_ids", evidence, level="likely")
    else:
        yield from _imbalance(subject)


def _imbalance(subject: Subject) -> Iterator[Finding]:
    frequencies = subject.samples.frequencies(subject.ds.class_map)
    shares, names = frequencies.shares, subject.ds.class_map.names
    weighted = any(term.config.get("class_weights") for term in subject.terms)
    regional = any(term.name in _REGIONS for term in subject.terms)
    if shares.max() > _DOMINANT and not weighted and not regional:
        weights = frequencies.weights(absent=1.0)
        listed = ", ".join(f"{w:.3g}" for w in weights)
        yield finding(
            "class_imbalance",
            f"{shares.max():.0%} of the pixels are {names[int(shares.argmax())]!r}; "
            f"median frequency weights would be [{listed}]",
        )


def _kind(sample: Unread, subject: Subject) -> str:
    image, mask = sample.image, sample.mask
    if mask is None or image.ndim != 3 or mask.dtype.kind not in "uibf":
        return "unreadable_sample"
    if mask.ndim == 3 and mask.shape[-1] == subject.classes and (mask.sum(-1) == 1).all():
        return "one_hot_masks"
    if mask.ndim != 2:
        return "unreadable_sample"
    if mask.shape != image.shape[:2]:
        return "mask_size_differs"
    found = unknown_ids(mask, subject.classes, subject.ignored)
    if set(found) == {subject.classes} and not (mask == 0).any():
        return "shifted_ids"
    return "unknown_ids" if found else "unreadable_sample"
