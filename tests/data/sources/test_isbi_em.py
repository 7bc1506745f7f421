"""isbi_em: 24 slices to train, six held out, 255 as the cell."""

import numpy as np
import pytest
from source_trees import raw_mask, write_isbi_em

from semseg.data import isbi_em


def test_the_first_24_slices_train_and_the_last_six_are_held_out(tmp_path):
    root = write_isbi_em(tmp_path)
    train, val = isbi_em(root), isbi_em(root, "val")
    assert [*train.ids, *val.ids] == [f"{i:02d}" for i in range(30)]
    assert (len(train), len(val)) == (24, 6)


def test_0_is_membrane_and_255_is_cell(tmp_path):
    image, mask = isbi_em(write_isbi_em(tmp_path))[1]
    assert isbi_em(tmp_path).class_map.names == ("membrane", "cell")
    np.testing.assert_array_equal(mask, raw_mask([0, 1], 1))
    assert image.shape == (6, 8, 1)


def test_missing_slices_are_counted(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"4 of the 12 files of 6 samples .*28\.png"):
        isbi_em(write_isbi_em(tmp_path, slices=28), "val")


@pytest.mark.data
def test_the_real_slices_are_grey_and_mostly_cell(data_root):
    root = data_root / "isbi-em"
    assert [len(isbi_em(root, split)) for split in ("train", "val")] == [24, 6]
    for split in ("train", "val"):
        image, mask = isbi_em(root, split)[-1]
        assert (image.shape, image.dtype, mask.shape) == ((512, 512, 1), np.uint8, (512, 512))
        assert set(np.unique(mask)) == {0, 1} and 0.7 < mask.mean() < 0.85
