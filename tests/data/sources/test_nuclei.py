"""nuclei: instances as two classes, or three with the borders where nuclei touch."""

import numpy as np
import pytest
from source_trees import write_ids, write_nuclei

from semseg.data import nuclei

INSIDE = np.zeros((6, 8), np.uint8)
INSIDE[1:3, 1:3] = INSIDE[1:3, 4:6] = INSIDE[5, 7] = 1


def test_every_instance_is_a_nucleus_whatever_its_number(tmp_path):
    ds = nuclei(write_nuclei(tmp_path))
    assert ds.class_map.names == ("background", "nucleus")
    for _, mask in ds:
        np.testing.assert_array_equal(mask, INSIDE)


def test_with_border_what_is_near_two_nuclei_is_a_third_class(tmp_path):
    ds = nuclei(write_nuclei(tmp_path), border=True)
    assert ds.class_map.names == ("background", "nucleus", "border")
    expected = INSIDE.copy()
    expected[0:4, 3] = 2  # the gap of one pixel between the two upper ones
    np.testing.assert_array_equal(ds[0][1], expected)


def test_the_lists_order_and_samples_are_kept(tmp_path):
    root = write_nuclei(tmp_path)
    write_ids(root / "test.txt", ["0280fa8f60f6", "00071198d059"])
    assert list(nuclei(root, "test").ids) == ["0280fa8f60f6", "00071198d059"]


def test_grey_and_coloured_pictures_come_in_three_channels(tmp_path):
    ds = nuclei(write_nuclei(tmp_path))
    assert [image.shape for image, _ in ds] == [(6, 8, 3)] * 3
    assert (ds[0][0] == ds[0][0][..., :1]).all() and not (ds[1][0] == ds[1][0][..., :1]).all()


@pytest.mark.data
def test_the_real_set_has_250_and_62_pictures_of_three_channels(data_root):
    root = data_root / "nuclei"
    assert [len(nuclei(root, split)) for split in ("train", "test")] == [250, 62]
    two, three = nuclei(root, "test"), nuclei(root, "test", border=True)
    for i in range(0, 62, 10):
        (image, mask), (_, with_border) = two[i], three[i]
        assert image.shape[2] == 3 and set(np.unique(mask)) <= {0, 1} and mask.any()
        inside = with_border != 2
        np.testing.assert_array_equal(with_border[inside], mask[inside])
    assert any((mask == 2).any() for _, mask in three.subset(range(0, 62, 10)))
