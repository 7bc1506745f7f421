"""What every source promises. A new one is added to SOURCES and inherits the tests."""

import inspect
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import semseg.data
from semseg.classes import ClassMap
from semseg.data import Dataset, camvid, digits, from_folders

THREE = ClassMap(["a", "b", "c"], ignore_class=255)


def write_tree(root, listed=False):
    """Three pairs of folders `train` and `trainannot` (`listed`: with a list in train.txt)."""
    rng = np.random.default_rng(0)
    for folder in ("train", "trainannot", "colours"):
        (root / folder).mkdir()
    for i in range(3):
        mask = rng.choice([0, 1, 2], (6, 8)).astype(np.uint8)
        cv2.imwrite(str(root / f"train/{i}.png"), rng.integers(0, 256, (6, 8, 3)))
        cv2.imwrite(str(root / f"trainannot/{i}.png"), mask)
        cv2.imwrite(str(root / f"colours/{i}.png"), THREE.colorize(mask)[..., ::-1])
    lines = [f"train/{i}.png trainannot/{i}.png" for i in range(3)]
    (root / "train.txt").write_text("\n".join(lines))
    return root


SOURCES = {
    "from_folders": lambda root: from_folders(root / "train", root / "trainannot", THREE),
    "from_folders, rgb": lambda root: from_folders(
        root / "train", root / "colours", THREE, encoding="rgb"
    ),
    "camvid": lambda root: camvid(root, "train"),
    "digits": lambda root: digits("train", count=3, size=(32, 40)),
    "subset": lambda root: digits("val", count=5, size=(32, 40)).subset([4, 0, 1]),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(params=SOURCES)
def ds(request, root):
    return SOURCES[request.param](root)


def equal(pair, other):
    return all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(pair, other, strict=True)
    )


def check_reads_are_pure(ds):
    """Sample i is a function of i alone: of no order, no thread, no earlier reader's doings."""
    count = len(ds)
    forwards = [tuple(array.copy() for array in ds[i]) for i in range(count)]
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(lambda i: ds[i % count], range(4 * count)))
    for i, pair in enumerate(many):
        assert equal(pair, forwards[i % count]), f"sample {i % count} differs in a thread"
    for i in reversed(range(count)):
        image, mask = ds[i]
        assert equal((image, mask), forwards[i]), f"sample {i} differs in reverse order"
        if image.flags.writeable:
            image += 1
        if mask.flags.writeable:
            mask[:] = 0
    for i in range(count):
        assert equal(ds[i], forwards[i]), f"sample {i} keeps what a reader wrote into it"


def check_ids_are_valid(ds):
    for image, mask in ds:
        assert image.ndim == 3 and image.shape[:2] == mask.shape
        assert image.dtype.kind in "uif" and mask.dtype.kind in "ui"
        allowed = [*range(ds.class_map.num_classes), ds.class_map.ignore_class]
        assert np.isin(mask, [i for i in allowed if i is not None]).all()


def test_it_is_a_dataset_with_one_id_a_sample(ds):
    assert isinstance(ds, Dataset)
    assert len(ds) == len(ds.ids) == 3
    assert len(set(ds.ids)) == 3
    assert f"{len(ds)} samples" in repr(ds)


def test_its_samples_are_valid_pairs(ds):
    check_ids_are_valid(ds)


def test_its_samples_depend_on_the_index_alone(ds):
    check_reads_are_pure(ds)


def test_negative_indices_count_from_the_end(ds):
    assert equal(ds[-1], ds[2])
    with pytest.raises(IndexError, match="must be below 3"):
        ds[3]


def test_every_public_source_is_in_the_list():
    functions = {n for n in semseg.data.__all__ if inspect.isfunction(getattr(semseg.data, n))}
    assert functions <= set(SOURCES)


def test_the_contract_notices_a_source_that_counts_its_reads():
    counter = iter(range(1000))
    broken = Dataset(
        lambda i: (np.full((2, 2, 3), next(counter) % 256, np.uint8), np.zeros((2, 2), int)),
        ["a", "b"],
        THREE,
    )
    with pytest.raises(AssertionError, match="differs in a thread"):
        check_reads_are_pure(broken)


def test_the_contract_notices_a_source_that_hands_out_its_own_memory():
    pair = (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    with pytest.raises(AssertionError, match="keeps what a reader wrote"):
        check_reads_are_pure(Dataset(lambda i: pair, ["a"], THREE))
