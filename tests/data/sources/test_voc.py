"""voc: the kit's names and colours, palette masks, and the year's folder."""

import numpy as np
import pytest
from source_trees import raw_mask, write_voc

from semseg.data import voc
from semseg.data.sources.voc import VOC


def kit_color(number):
    """The development kit's rule: the number's bits, dealt to red, green, blue from the top."""
    bits = [number >> i & 1 for i in range(8)]
    return tuple(sum(bits[3 * i + c] << 7 - i for i in range(3) if 3 * i + c < 8) for c in range(3))


def test_20_objects_and_the_background_in_alphabetical_order_with_the_kits_colours():
    assert VOC.num_classes == 21 and VOC.ignore_class == 255
    assert VOC.names[0] == "background" and list(VOC.names[1:]) == sorted(VOC.names[1:])
    assert VOC.colors == tuple(kit_color(i) for i in range(21))


def test_the_palettes_numbers_are_the_ids_and_255_stays_the_ignored_border(tmp_path):
    ds = voc(write_voc(tmp_path))
    assert list(ds.ids) == ["2007_000032", "2007_000039", "2007_000063"]
    for number, (_, mask) in enumerate(ds):
        np.testing.assert_array_equal(mask, raw_mask([0, 1, 20, 255], number))


def test_the_folder_above_the_year_is_answered_with_the_year(tmp_path):
    root = write_voc(tmp_path / "VOCdevkit/VOC2012")
    message = r"the folder of one year \(VOCdevkit/VOC2012\) with ImageSets/.*train.txt.*; pass "
    with pytest.raises(FileNotFoundError, match=message + rf"root='{root}'$"):
        voc(tmp_path / "VOCdevkit")


def test_a_split_without_list_is_missed_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found no ImageSets/Segmentation/val.txt in "):
        voc(write_voc(tmp_path), "val")
