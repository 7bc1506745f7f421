"""camvid: the lists of the SegNet tutorial, void as the ignored id, and the counts of the set."""

import cv2
import numpy as np
import pytest

from semseg.data import camvid
from semseg.data.reading import read_mask
from semseg.data.sources.camvid import CAMVID, SPLITS

SIZE = (4, 6)
STEMS = ["0001TP_2", "0001TP_1"]
TUTORIAL = "/SegNet/CamVid/"

#: Pixels of each class in the training split, void last: reference/architectures.md, section 2.
TRAIN_PIXELS = [
    10_682_767, 14_750_079, 623_349, 20_076_880, 2_845_085, 6_166_762, 743_859, 714_595, 3_719_877,
    405_385, 184_967, 2_503_995,
]  # fmt: skip


def mask_of(number):
    return (np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) + number).astype(np.uint8) % 12


def make_tree(root, prefix=""):
    """Two training pairs, listed with paths that begin with `prefix`."""
    for folder in ("train", "trainannot"):
        (root / folder).mkdir()
    lines = []
    for number, stem in enumerate(STEMS):
        cv2.imwrite(str(root / f"train/{stem}.png"), np.full((*SIZE, 3), number, np.uint8))
        cv2.imwrite(str(root / f"trainannot/{stem}.png"), mask_of(number))
        lines.append(f"{prefix}train/{stem}.png {prefix}trainannot/{stem}.png")
    (root / "train.txt").write_text("\n".join(lines) + "\n\n")
    return root


@pytest.mark.parametrize("prefix", ["", TUTORIAL])
def test_the_lists_order_and_pairs_are_kept(tmp_path, prefix):
    ds = camvid(make_tree(tmp_path, prefix))
    assert list(ds.ids) == STEMS
    assert ds.name == "camvid/train"
    assert ds.class_map is CAMVID
    for number, (image, mask) in enumerate(ds):
        assert (image == number).all()
        np.testing.assert_array_equal(mask, np.where(mask_of(number) == 11, 255, mask_of(number)))


def test_void_becomes_the_ignored_id(tmp_path):
    mask = camvid(str(make_tree(tmp_path)))[0][1]
    assert mask[mask_of(0) == 11].tolist() == [255, 255]
    assert camvid(tmp_path).class_map.ignore_class == 255


def test_a_map_of_11_classes_in_the_order_of_the_ids():
    assert CAMVID.num_classes == 11
    assert CAMVID.names[:4] == ("Sky", "Building", "Pole", "Road")
    assert dict(zip(CAMVID.names, CAMVID.colors, strict=True))["Bicyclist"] == (0, 128, 192)


@pytest.mark.parametrize("split", ["training", "", None])
def test_an_unknown_split_is_refused(tmp_path, split):
    with pytest.raises(ValueError, match=rf"split must be one of .*'val'.*, received {split!r}"):
        camvid(make_tree(tmp_path), split)


def test_a_missing_list_says_what_is_there(tmp_path):
    message = r"root must be CamVid's folder with val.txt.*found no val\.txt.*which holds train, "
    with pytest.raises(FileNotFoundError, match=message):
        camvid(make_tree(tmp_path), "val")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"found no train\.txt.*nowhere, which does not exist$"
    ):
        camvid(tmp_path / "nowhere")


@pytest.mark.parametrize("prefix", ["", TUTORIAL])
@pytest.mark.parametrize("folder", ["train", "trainannot"])
def test_a_listed_file_that_is_missing_is_named(tmp_path, prefix, folder):
    make_tree(tmp_path, prefix)
    (tmp_path / folder / f"{STEMS[1]}.png").unlink()
    message = rf"{prefix}{folder}/{STEMS[1]}.png is listed, but there is no {tmp_path}"
    with pytest.raises(FileNotFoundError, match=message):
        camvid(tmp_path)


@pytest.mark.parametrize("line", ["train/a.png", "train/a.png b.png c.png"])
def test_a_line_that_is_no_pair_is_quoted(tmp_path, line):
    make_tree(tmp_path)
    with (tmp_path / "train.txt").open("a") as listing:
        listing.write(line)
    with pytest.raises(ValueError, match=r"train.txt must hold one `image mask` pair .*a.png'"):
        camvid(tmp_path)


@pytest.mark.data
def test_the_real_set_has_367_101_and_233_pictures(data_root):
    assert [len(camvid(data_root / "camvid", split)) for split in SPLITS] == [367, 101, 233]


@pytest.mark.data
def test_the_real_samples_are_360_by_480(data_root):
    for split in SPLITS:
        image, mask = camvid(data_root / "camvid", split)[-1]
        assert (image.shape, image.dtype, mask.shape) == ((360, 480, 3), np.uint8, (360, 480))


@pytest.mark.data
def test_the_real_training_masks_have_the_published_pixel_counts(data_root):
    files = [f"trainannot/{stem}.png" for stem in camvid(data_root / "camvid").ids]
    counts = np.zeros(256, np.int64)
    for file in files:
        ids = CAMVID.encode(read_mask(data_root / "camvid" / file))
        counts += np.bincount(ids.ravel(), minlength=256)
    assert counts[[*range(11), 255]].tolist() == TRAIN_PIXELS
    assert counts.sum() == sum(TRAIN_PIXELS) == 367 * 360 * 480
