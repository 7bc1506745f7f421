"""Which samples go into which part: reproducible, by group, with the classes shared out evenly."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from semseg.data.samples import LabelledSamples, mask_of
from semseg.data.statistics import classes_in

Groups = Sequence[Any] | Callable[[str], Any]


def split_indices(
    ds: LabelledSamples,
    fractions: Sequence[float],
    seed: int = 0,
    stratify: bool = True,
    groups: Groups | None = None,
) -> list[np.ndarray]:
    """The indices of each part of a random split; together they are all samples, each once.

    Args:
        ds: any random-access source of pairs with `ids` and `class_map`.
        fractions: the share of each part; they add up to 1.
        seed: another seed gives another split. The listing's order plays no part, only the ids.
        stratify: whether classes are shared out evenly (this reads every mask once). A sample
            counts for the rarest class in it, the one that is in the fewest samples.
        groups: what must stay together, such as frames of a clip or tiles of a slide: a group a
            sample, or a function of the sample's id.

    Raises:
        ValueError: fractions that do not add up to 1, a part that would be empty, fewer groups
            than parts.
    """
    shares = _checked_fractions(fractions)
    order, group = _ordered_groups(ds, groups)
    units = len(np.unique(group)) if group is not None else len(ds)
    if units < len(shares):
        what = "samples" if group is None else "groups"
        raise ValueError(f"fractions make {len(shares)} parts, but there are only {units} {what}")
    strata = _strata(ds, order) if stratify else None
    if group is None:
        return _split_by_samples(order, shares, seed, strata)
    part_of = _split_by_groups(group, shares, seed, strata)
    return [np.sort(order[part_of == part]) for part in range(len(shares))]


def fold_indices(
    ds: LabelledSamples,
    k: int,
    seed: int = 0,
    stratify: bool = True,
    groups: Groups | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` pairs of (training indices, validation indices); each sample validates once.

    The arguments are those of `split_indices`.
    """
    order, group = _ordered_groups(ds, groups)
    units = len(np.unique(group)) if group is not None else len(ds)
    if not isinstance(k, int | np.integer) or not 2 <= k <= units:
        what = "samples" if group is None else "groups"
        raise ValueError(f"k must be a whole number of 2..{units} ({what}), received {k!r}")
    strata = _strata(ds, order) if stratify else None
    if group is None:
        folds = _fold_numbers(order, int(k), seed, strata)
    else:
        folds = _split_by_groups(group, np.full(k, 1 / k), seed, strata)
    return [(np.sort(order[folds != f]), np.sort(order[folds == f])) for f in range(k)]


def _checked_fractions(fractions: Sequence[float]) -> np.ndarray:
    shares = np.asarray(fractions, float)
    is_list = shares.ndim == 1 and len(shares) >= 2
    if not (is_list and (shares > 0).all() and abs(shares.sum() - 1) <= 1e-6):
        raise ValueError(
            "fractions must be two or more shares > 0 that add up to 1, such as (0.8, 0.2), "
            f"received {fractions!r}"
        )
    return shares


def _ordered_groups(
    ds: LabelledSamples, groups: Groups | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Sample indices sorted by id, and the group number of each in that order."""
    order = np.array(sorted(range(len(ds)), key=lambda i: (str(ds.ids[i]), i)), int)
    if groups is None:
        return order, None
    named = [groups(str(i)) for i in ds.ids] if callable(groups) else list(groups)
    if len(named) != len(ds):
        raise ValueError(f"groups must name one group a sample, {len(ds)}, received {len(named)}")
    numbers: dict[Any, int] = {}
    return order, np.array([numbers.setdefault(named[i], len(numbers)) for i in order])


def _strata(ds: LabelledSamples, order: np.ndarray) -> np.ndarray:
    """Of each sample, in `order`, the class in it that is in the fewest samples."""
    count = ds.class_map.num_classes
    found = classes_in(lambda i: mask_of(ds, i), order, count)
    samples_with = found.sum(0)
    rarity = np.where(found, samples_with, len(order) + 1)
    return np.where(found.any(1), rarity.argmin(1), count)


def _split_by_samples(
    order: np.ndarray, shares: np.ndarray, seed: int, strata: np.ndarray | None
) -> list[np.ndarray]:
    """Every stratum is shuffled and laid out evenly over [0, 1), which is then cut."""
    rng = np.random.default_rng(seed)
    strata = np.zeros(len(order), int) if strata is None else strata
    shuffled = rng.permutation(len(order))
    place = np.empty(len(order))
    for stratum in np.unique(strata):
        of_stratum = shuffled[strata[shuffled] == stratum]
        place[of_stratum] = (np.arange(len(of_stratum)) + rng.random()) / len(of_stratum)
    ranked = np.argsort(place, kind="stable")
    return [np.sort(order[part]) for part in np.split(ranked, _cuts(len(order), shares))]


def _cuts(count: int, shares: np.ndarray) -> np.ndarray:
    """Where `count` things are cut, so that no part is empty."""
    cuts = np.round(np.cumsum(shares)[:-1] * count).astype(int)
    lowest = np.arange(1, len(shares))  # one thing in each part before
    spare = np.maximum.accumulate(np.maximum(cuts - lowest, 0))
    return np.minimum(spare, count - len(shares)) + lowest


def _split_by_groups(
    group: np.ndarray, shares: np.ndarray, seed: int, strata: np.ndarray | None
) -> np.ndarray:
    """The part of each sample: groups go, large ones first, to the part that lacks them most."""
    strata = np.zeros(len(group), int) if strata is None else strata
    counts = np.zeros((group.max() + 1, strata.max() + 2))  # of each stratum, and of all samples
    np.add.at(counts, (group, strata), 1)
    counts[:, -1] = counts.sum(1)
    totals = np.maximum(counts.sum(0), 1)
    lack = np.outer(shares, totals)
    # Sizes are compared by powers of two, or else the order would leave nothing to chance.
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    large_first = shuffled[np.argsort(-np.frexp(counts[shuffled, -1])[1], kind="stable")]
    part_of = np.empty(len(counts), int)
    empty = np.ones(len(shares), bool)
    for dealt, number in enumerate(large_first):
        score = lack @ (counts[number] / totals)
        if empty.sum() == len(counts) - dealt:  # what is left is for the empty parts
            score[~empty] = -np.inf
        part_of[number] = part = int(score.argmax())
        lack[part] -= counts[number]
        empty[part] = False
    return part_of[group]


def _fold_numbers(order: np.ndarray, k: int, seed: int, strata: np.ndarray | None) -> np.ndarray:
    """The fold of each sample, by scikit-learn."""
    strata = np.zeros(len(order), int) if strata is None else _large_enough(strata, k)
    folds = np.empty(len(order), int)
    splitter = StratifiedKFold(k, shuffle=True, random_state=seed)
    for number, (_, chosen) in enumerate(splitter.split(order, strata)):
        folds[chosen] = number
    return folds


def _large_enough(strata: np.ndarray, least: int) -> np.ndarray:
    """The smallest strata put together until each has `least` members."""
    strata = strata.copy()
    while True:
        found, sizes = np.unique(strata, return_counts=True)
        if len(found) == 1 or sizes.min() >= least:
            return strata
        smallest, next_one = found[np.argsort(sizes, kind="stable")[:2]]
        strata[strata == smallest] = next_one
