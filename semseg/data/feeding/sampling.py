"""How likely each sample is drawn: evenly, by class, or as the user says."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from semseg.data.samples import LabelledSamples
from semseg.data.statistics import classes_in

Sampling = Literal["balanced"] | Sequence[float] | np.ndarray


def is_balanced(sampling: Sampling) -> bool:
    """Whether samples are drawn by their classes; other words than "balanced" are refused."""
    if isinstance(sampling, str) and sampling != "balanced":
        raise ValueError(
            f"sampling must be None, 'balanced' or one weight a sample, received {sampling!r}"
        )
    return isinstance(sampling, str)


def balanced_probabilities(
    ds: LabelledSamples, members: np.ndarray, read_mask: Callable[[int], np.ndarray]
) -> np.ndarray:
    """The probability of each member, from one pass over the masks; they add up to 1.

    A class is chosen, each as likely, and then one of the samples in which it occurs,
    each as likely. Of a sample `i` that is the mean of `[c in i] / n_c` over the classes `c` that
    occur at all, with `n_c` the number of samples that hold `c`.
    """
    found = classes_in(read_mask, members, ds.class_map.num_classes)
    samples_with = found.sum(0)
    if not samples_with.any():
        raise ValueError(f"sampling='balanced' needs classes, but {ds.name!r} has none in it")
    found, samples_with = found[:, samples_with > 0], samples_with[samples_with > 0]
    return (found / samples_with).mean(1)


def given_probabilities(sampling: Any, ds: LabelledSamples, members: np.ndarray) -> np.ndarray:
    """The probability of each member in proportion to the weights; they add up to 1."""
    weights = _checked_weights(sampling, ds)[members]
    if not weights.any():
        raise ValueError("sampling gives every sample of the shard the weight 0")
    return weights / weights.sum()


def _checked_weights(sampling: Any, ds: LabelledSamples) -> np.ndarray:
    try:
        weights = np.asarray(sampling, float)
    except (TypeError, ValueError):
        raise TypeError(
            f"sampling must be None, 'balanced' or one weight a sample, received {sampling!r}"
        ) from None
    if weights.shape != (len(ds),) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"sampling must hold one finite weight >= 0 a sample, {len(ds)} of them (data set "
            f"{ds.name!r}), received shape {weights.shape}"
            + (f" from {weights.min()} to {weights.max()}" if weights.size else "")
        )
    return weights
