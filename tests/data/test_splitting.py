"""split and folds: laws of random parts, and scikit-learn's warnings never seen."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.splitting import fold_indices, split_indices

THREE = ClassMap(["a", "b", "c"], ignore_class=255)
IMAGE = np.zeros((1, 3, 1), np.uint8)


def samples(rows, ids=None):
    """A data set with one mask of a row of pixels a sample."""
    masks = [np.array([list(row)], np.uint8) for row in rows]
    names = ids or [f"s{i:03}" for i in range(len(rows))]
    return Dataset(
        lambda i: (np.zeros((*masks[i].shape, 1), np.uint8), masks[i]), names, THREE, "rows"
    )


def unlabelled(count, ids=None):
    return samples([(0,)] * count, ids)


SHARES = st.lists(st.integers(1, 9), min_size=2, max_size=5).map(
    lambda parts: [part / sum(parts) for part in parts]
)
SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.lists(st.sampled_from([(0,), (0, 1), (0, 2), (1,), (255,)]), min_size=5, max_size=40)


def of_ids(ds, parts):
    return [{ds.ids[i] for i in part} for part in parts]


# -- laws without groups -------------------------------------------------------------------------


@given(rows=ROWS, shares=SHARES, seed=SEEDS, stratify=st.booleans())
def test_parts_are_disjoint_complete_and_within_one_of_their_share(rows, shares, seed, stratify):
    parts = split_indices(samples(rows), shares, seed, stratify)
    assert sorted(np.concatenate(parts)) == list(range(len(rows)))
    for part, share in zip(parts, shares, strict=True):
        assert len(part) >= 1
        # Every part has one sample at least, which another part then lacks.
        assert abs(len(part) - share * len(rows)) <= 1 or min(map(len, parts)) == 1
        assert list(part) == sorted(part)


@given(rows=ROWS, k=st.integers(2, 5), seed=SEEDS, stratify=st.booleans())
def test_folds_validate_every_sample_once_and_have_equal_sizes(rows, k, seed, stratify):
    folds = fold_indices(samples(rows), k, seed, stratify)
    assert sorted(np.concatenate([val for _, val in folds])) == list(range(len(rows)))
    sizes = [len(val) for _, val in folds]
    assert max(sizes) - min(sizes) <= 1
    for train, val in folds:
        assert sorted([*train, *val]) == list(range(len(rows)))


GROUPED = st.lists(
    st.tuples(st.sampled_from([(0,), (0, 1), (2,)]), st.integers(0, 8)), min_size=6, max_size=40
).filter(lambda rows: len({group for _, group in rows}) >= 5)


@given(
    rows=GROUPED,
    order=st.randoms(use_true_random=False),
    seed=SEEDS,
    stratify=st.booleans(),
    grouped=st.booleans(),
)
def test_the_order_of_the_listing_plays_no_part(rows, order, seed, stratify, grouped):
    shuffled = list(range(len(rows)))
    order.shuffle(shuffled)
    names = [f"s{i}" for i in range(len(rows))]
    groups = {name: group for name, (_, group) in zip(names, rows, strict=True)}
    ds = samples([row for row, _ in rows], names)
    other = samples([rows[i][0] for i in shuffled], [names[i] for i in shuffled])
    options = {"seed": seed, "stratify": stratify, "groups": groups.get if grouped else None}
    assert of_ids(ds, split_indices(ds, (0.5, 0.3, 0.2), **options)) == of_ids(
        other, split_indices(other, (0.5, 0.3, 0.2), **options)
    )
    assert [of_ids(ds, pair) for pair in fold_indices(ds, 3, **options)] == [
        of_ids(other, pair) for pair in fold_indices(other, 3, **options)
    ]


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_another_seed_gives_another_split_and_the_same_seed_the_same(stratify, grouped):
    ds = samples([(i % 3,) for i in range(40)])
    groups = [i // 2 for i in range(40)] if grouped else None

    def drawn(seed):
        split = split_indices(ds, (0.5, 0.5), seed, stratify, groups)
        return split[0].tolist(), [
            val.tolist() for _, val in fold_indices(ds, 4, seed, stratify, groups)
        ]

    assert drawn(1) == drawn(1)
    splits, folds = zip(*(drawn(seed) for seed in range(6)), strict=True)
    assert len(set(map(str, splits))) > 3
    assert len(set(map(str, folds))) > 3


@given(counts=st.tuples(*[st.integers(1, 30)] * 3).filter(lambda c: sum(c) >= 4), seed=SEEDS)
def test_each_class_is_shared_out_within_three_samples(counts, seed):
    """Strata are laid out evenly, and the cut lies where the sum of all has the right size."""
    rows = [(label,) for label, count in enumerate(counts) for _ in range(count)]
    parts = split_indices(samples(rows), (0.5, 0.25, 0.25), seed)
    labels = np.array([row[0] for row in rows])
    for part, share in zip(parts, (0.5, 0.25, 0.25), strict=True):
        found = np.bincount(labels[part], minlength=3)
        assert (np.abs(found - share * np.array(counts)) <= 3).all()


@given(counts=st.tuples(*[st.integers(5, 30)] * 3), seed=SEEDS)
def test_folds_have_the_class_counts_of_scikit_learn(counts, seed):
    rows = [(label,) for label, count in enumerate(counts) for _ in range(count)]
    labels = np.array([row[0] for row in rows])
    ours = [
        np.bincount(labels[val], minlength=3) for _, val in fold_indices(samples(rows), 5, seed)
    ]
    theirs = StratifiedKFold(5, shuffle=True, random_state=seed).split(labels, labels)
    assert [list(c) for c in ours] == [
        list(np.bincount(labels[val], minlength=3)) for _, val in theirs
    ]


def test_a_sample_counts_for_its_rarest_class():
    """Class 2 is in 4 of 40 masks, always beside class 0, and is in both halves all the same."""
    rows = [(0, 2) if i < 4 else (0, 1) if i < 20 else (0,) for i in range(40)]
    for seed in range(10):
        halves = split_indices(samples(rows), (0.5, 0.5), seed)
        assert [sum(i < 4 for i in half) for half in halves] == [2, 2]


# -- groups --------------------------------------------------------------------------------------


@given(rows=GROUPED, shares=SHARES, seed=SEEDS, stratify=st.booleans(), k=st.integers(2, 5))
def test_groups_never_straddle_and_parts_are_complete(rows, shares, seed, stratify, k):
    ds, groups = samples([row for row, _ in rows]), [group for _, group in rows]
    parts = split_indices(ds, shares, seed, stratify, groups)
    validated = [val for _, val in fold_indices(ds, k, seed, stratify, groups)]
    for chosen in (parts, validated):
        assert sorted(np.concatenate(chosen)) == list(range(len(rows)))
        assert all(len(part) for part in chosen)
        owners = defaultdict(set)
        for number, part in enumerate(chosen):
            for i in part:
                owners[groups[i]].add(number)
        assert all(len(found) == 1 for found in owners.values())


@given(count=st.integers(5, 60), size=st.integers(1, 4), seed=SEEDS, stratify=st.booleans())
def test_equal_groups_are_dealt_out_within_one_group(count, size, seed, stratify):
    ds, groups = unlabelled(count * size), [i // size for i in range(count * size)]
    parts = split_indices(ds, (0.6, 0.2, 0.2), seed, stratify, groups)
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        assert abs(len(part) / size - share * count) <= 1


@given(sizes=st.lists(st.integers(1, 9), min_size=8, max_size=40), seed=SEEDS)
def test_parts_are_off_by_no_more_than_the_largest_group(sizes, seed):
    groups = [number for number, size in enumerate(sizes) for _ in range(size)]
    ds = unlabelled(len(groups))
    for part, share in zip(
        split_indices(ds, (0.7, 0.3), seed, groups=groups), (0.7, 0.3), strict=True
    ):
        assert abs(len(part) - share * len(groups)) <= max(sizes)


def test_many_small_groups_come_close_to_the_shares():
    ds, groups = unlabelled(1000), [i // 2 for i in range(1000)]
    assert [len(p) for p in split_indices(ds, (0.8, 0.1, 0.1), groups=groups)] == [800, 100, 100]


def test_groups_of_very_unequal_size_leave_no_part_empty():
    groups = [0] * 90 + list(range(1, 11))
    for seed in range(5):
        train, val = split_indices(unlabelled(100), (0.8, 0.2), seed, groups=groups)
        assert (len(train), len(val)) == (90, 10)
        folds = fold_indices(unlabelled(100), 5, seed, groups=groups)
        assert sorted(len(val) for _, val in folds) == [2, 2, 3, 3, 90]


def test_classes_are_shared_out_among_groups():
    """Every fourth group of 40 holds class 1; each half gets its share."""
    rows = [(int(i // 3 % 4 == 0),) for i in range(120)]
    groups = [i // 3 for i in range(120)]
    for seed in range(5):
        halves = split_indices(samples(rows), (0.5, 0.5), seed, groups=groups)
        assert [sum(rows[i][0] for i in half) for half in halves] == [15, 15]


@pytest.mark.parametrize("kind", ["list", "function", "numpy", "text"])
def test_groups_are_any_names_one_a_sample_or_a_function_of_the_id(kind):
    ds = unlabelled(12)
    numbers = [i % 4 for i in range(12)]
    groups = {
        "list": numbers,
        "function": lambda name: int(name[1:]) % 4,
        "numpy": np.array(numbers),
        "text": [f"clip {n}" for n in numbers],
    }[kind]
    expected = split_indices(ds, (0.5, 0.5), groups=numbers)
    assert [list(p) for p in split_indices(ds, (0.5, 0.5), groups=groups)] == [
        list(p) for p in expected
    ]


# -- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stratify", [True, False])
def test_two_samples_are_one_and_one(stratify):
    ds = samples([(0,), (1,)])
    for shares in ((0.5, 0.5), (0.99, 0.01), (0.01, 0.99)):
        assert [len(part) for part in split_indices(ds, shares, stratify=stratify)] == [1, 1]
        assert [len(p) for p in split_indices(ds, shares, 0, stratify, ["a", "b"])] == [1, 1]
    assert [len(val) for _, val in fold_indices(ds, 2, stratify=stratify)] == [1, 1]


def test_a_tiny_share_between_others_is_not_empty():
    parts = split_indices(unlabelled(10), (0.2, 0.01, 0.79))
    assert [len(part) for part in parts] == [2, 1, 7]


@pytest.mark.parametrize("row", [(1,), (255,)])
def test_one_class_in_all_or_none_in_any_is_no_obstacle(row):
    ds = samples([row] * 10)
    assert [len(part) for part in split_indices(ds, (0.7, 0.3))] == [7, 3]
    assert [len(val) for _, val in fold_indices(ds, 5)] == [2] * 5


def test_ids_may_be_numbers_of_numpy():
    ids = list(np.arange(20))
    ds = unlabelled(20, ids)
    train, val = ds.split((0.5, 0.5), groups=lambda name: int(name) // 2)
    assert len(train) == len(val) == 10
    assert {int(i) // 2 for i in train.ids}.isdisjoint({int(i) // 2 for i in val.ids})
    again = unlabelled(20, [str(i) for i in ids]).split((0.5, 0.5), groups=lambda n: int(n) // 2)
    assert [str(i) for i in train.ids] == again[0].ids


def test_without_stratify_no_mask_is_read():
    def read(index):
        raise AssertionError("read")

    ds = Dataset(read, list("abcdef"), THREE)
    split_indices(ds, (0.5, 0.5), stratify=False)
    fold_indices(ds, 3, stratify=False, groups=lambda name: name)
    with pytest.raises(AssertionError, match="read"):
        split_indices(ds, (0.5, 0.5))


def test_a_dataset_gives_data_sets():
    ds = samples([(0,), (1,), (2,), (0, 1)] * 3)
    train, val = ds.split((0.75, 0.25), seed=3)
    expected = split_indices(ds, (0.75, 0.25), 3)
    assert [train.ids, val.ids] == [[ds.ids[i] for i in part] for part in expected]
    (first_train, first_val), *_ = ds.folds(3, seed=3)
    assert sorted(first_train.ids + first_val.ids) == ds.ids
    assert first_val.class_map is ds.class_map


@pytest.mark.parametrize(
    "fractions", [(0.8,), (0.8, 0.3), (1.0, 0.0), (1.2, -0.2), (np.nan, 0.5), 0.8, ((0.5, 0.5),)]
)
def test_fractions_that_are_no_shares_are_refused(fractions):
    with pytest.raises(ValueError, match=r"fractions must be two or more shares > 0 that add up"):
        split_indices(unlabelled(5), fractions)


def test_more_parts_than_samples_or_groups_are_refused():
    thirds = (1 / 3, 1 / 3, 1 / 3)
    with pytest.raises(ValueError, match="make 3 parts, but there are only 2 samples"):
        split_indices(unlabelled(2), thirds)
    with pytest.raises(ValueError, match="make 3 parts, but there are only 2 groups"):
        split_indices(unlabelled(9), thirds, groups=[i % 2 for i in range(9)])


@pytest.mark.parametrize("k", [0, 1, 10, 2.0, "3", True])
def test_a_k_that_makes_no_folds_is_refused(k):
    with pytest.raises(ValueError, match=rf"k must be a whole number of 2..9 .*received {k!r}"):
        fold_indices(unlabelled(9), k)
    with pytest.raises(ValueError, match=r"2..3 \(groups\), received 4"):
        fold_indices(unlabelled(9), 4, groups=[i % 3 for i in range(9)])


def test_groups_are_as_many_as_samples():
    with pytest.raises(ValueError, match="groups must name one group a sample, 9, received 8"):
        split_indices(unlabelled(9), (0.5, 0.5), groups=list(range(8)))
