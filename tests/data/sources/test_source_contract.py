"""What every source promises. A new one is added to SOURCES and inherits the tests."""

import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from source_trees import WRITERS

import semseg.data
from semseg.classes import ClassMap
from semseg.data import (
    Dataset,
    ade20k,
    camvid,
    camvid_full,
    cityscapes,
    digits,
    from_arrays,
    from_folders,
    from_pairs,
    isbi_em,
    nuclei,
    oxford_pets,
    shapes,
    voc,
)

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
    for name, write in WRITERS.items():
        write(root / name)
    return root


def some_arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, 6, 8, 3), np.uint8), rng.integers(0, 3, (3, 6, 8))


#: Data sets that others give out, each in a layout of its own below the root.
ON_DISK = {
    "ade20k": ade20k,
    "camvid_full": camvid_full,
    "cityscapes": cityscapes,
    "isbi_em": isbi_em,
    "nuclei": nuclei,
    "oxford_pets": oxford_pets,
    "voc": voc,
}


SOURCES = {
    "from_folders": lambda root: from_folders(root / "train", root / "trainannot", THREE),
    "from_folders, rgb": lambda root: from_folders(
        root / "train", root / "colours", THREE, encoding="rgb"
    ),
    "from_pairs": lambda root: from_pairs(root / "train.txt", THREE),
    "from_arrays": lambda root: from_arrays(*some_arrays(), THREE),
    "camvid": lambda root: camvid(root, "train"),
    "ade20k": lambda root: ade20k(root / "ade20k"),
    "camvid_full": lambda root: camvid_full(root / "camvid_full"),
    "cityscapes": lambda root: cityscapes(root / "cityscapes"),
    "isbi_em": lambda root: isbi_em(root / "isbi_em").subset(range(3)),
    "nuclei": lambda root: nuclei(root / "nuclei"),
    "nuclei, border": lambda root: nuclei(root / "nuclei", border=True),
    "oxford_pets": lambda root: oxford_pets(root / "oxford_pets"),
    "oxford_pets, ignore_border": lambda root: oxford_pets(
        root / "oxford_pets", ignore_border=True
    ),
    "voc": lambda root: voc(root / "voc"),
    "digits": lambda root: digits("train", count=3, size=(32, 40)),
    "shapes": lambda root: shapes("train", count=3, size=(32, 40)),
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


def test_a_mask_alone_is_the_samples_mask(ds):
    for i in range(len(ds)):
        assert equal([ds.mask(i)], [ds[i][1]])


@pytest.mark.parametrize("view", ["itself", "subset", "concat", "map_classes"])
def test_it_can_be_sent_to_another_process_with_all_its_views(ds, view):
    first, second, *_ = ds.class_map.names
    views = {
        "itself": lambda: ds,
        "subset": lambda: ds.subset([2, 0, 1]),
        "concat": lambda: ds.subset([0]).concat(ds.subset([1, 2])),
        "map_classes": lambda: ds.map_classes(
            {first: second} if len(ds.class_map.names) > 2 else {}
        ),
    }
    sent = views[view]()
    sent.class_map.encode(np.zeros((2, 2), np.uint8))  # its tables do not travel
    data = pickle.dumps(sent)
    assert len(data) < 100_000
    back = pickle.loads(data)
    assert back.class_map == sent.class_map and back.ids == sent.ids
    assert all(equal(back[i], sent[i]) for i in range(3))
    assert (back.files is None) == (sent.files is None)
    if sent.files is not None:
        assert back.paths(1) == sent.paths(1)


def test_names_alone_are_no_class_map(root):
    names, pairs = ["a", "b", "c"], [(root / "train/0.png", root / "trainannot/0.png")]
    for load in (
        lambda: from_folders(root / "train", root / "trainannot", names),
        lambda: from_pairs(pairs, names),
        lambda: from_arrays(*some_arrays(), names),
    ):
        with pytest.raises(TypeError, match=r"class_map must be a semseg.ClassMap, received list"):
            load()


def test_every_public_source_is_in_the_list():
    functions = {n: getattr(semseg.data, n) for n in semseg.data.__all__}
    functions = {n: f for n, f in functions.items() if inspect.isfunction(f)}
    sources = {n for n, f in functions.items() if f.__module__.startswith("semseg.data.sources")}
    assert sources >= {"camvid", "from_folders", "voc"}
    assert sources <= set(SOURCES)
    with_root = {
        n for n in sources if next(iter(inspect.signature(functions[n]).parameters)) == "root"
    }
    assert with_root == {*ON_DISK, "camvid"}  # which has a test file of its own


# -- Data sets on disk: what is said where files are missing --------------------------------------


@pytest.fixture(params=ON_DISK)
def source_on_disk(request, tmp_path):
    """The function, and a tree of its own to damage."""
    return ON_DISK[request.param], WRITERS[request.param](tmp_path / "unpacked")


def test_a_wrong_root_says_what_is_looked_for_and_what_is_there(source_on_disk, tmp_path):
    source, _ = source_on_disk
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(FileNotFoundError, match=r"root must be .* with .*/.*elsewhere, which is e"):
        source(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/notes.txt").touch()
    with pytest.raises(FileNotFoundError, match=r"found no .*elsewhere, which holds notes\.txt;?"):
        source(str(tmp_path / "elsewhere"))
    with pytest.raises(FileNotFoundError, match=r"found no .*nowhere, which does not exist$"):
        source(tmp_path / "nowhere")


def test_the_folder_above_or_below_is_answered_with_the_right_one(source_on_disk, tmp_path):
    source, root = source_on_disk
    for wrong in (tmp_path, source(root).paths(0)[0].parent):
        if wrong.parent in (tmp_path, root):
            with pytest.raises(FileNotFoundError, match=rf"; pass root='{root}'$"):
                source(wrong)


@pytest.mark.parametrize("part", [0, 1], ids=["image", "mask"])
def test_a_missing_file_of_a_pair_is_named(source_on_disk, part):
    source, root = source_on_disk
    missing = source(root).paths(1)[part]
    other = source(root).paths(1)[1 - part]
    missing.unlink()
    with pytest.raises(FileNotFoundError) as error:
        source(root)
    assert missing.name in str(error.value) or other.name in str(error.value)
    assert "is everything downloaded and unpacked?" in str(error.value)


def test_an_unknown_split_is_refused_before_anything_is_looked_for(source_on_disk):
    source, _ = source_on_disk
    if "split" in inspect.signature(source).parameters:
        with pytest.raises(ValueError, match=r"split must be one of \('train.*, received 'dev'"):
            source("nowhere", "dev")


def test_the_data_set_is_named_after_its_function_and_split(source_on_disk):
    source, root = source_on_disk
    assert source(root).name.split("/")[0] == source.__name__


# -- The contract bites ---------------------------------------------------------------------------


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
