"""oxford_pets: the trimap's border as a class or ignored, and pictures that are stored grey."""

import numpy as np
from source_trees import raw_mask, write_oxford_pets

from semseg.data import oxford_pets


def test_the_trimaps_1_2_3_are_pet_background_border(tmp_path):
    ds = oxford_pets(write_oxford_pets(tmp_path))
    assert ds.class_map.names == ("pet", "background", "border")
    assert ds.class_map.ignore_class is None
    for number, (_, mask) in enumerate(ds):
        np.testing.assert_array_equal(mask, raw_mask([0, 1, 2], number))


def test_without_the_border_pets_are_class_1_and_the_border_is_ignored(tmp_path):
    ds = oxford_pets(write_oxford_pets(tmp_path), ignore_border=True)
    assert ds.class_map.names == ("background", "pet")
    for number, (_, mask) in enumerate(ds):
        np.testing.assert_array_equal(mask, raw_mask([1, 0, 255], number))


def test_the_list_gives_the_order_and_its_comments_no_sample(tmp_path):
    ds = oxford_pets(write_oxford_pets(tmp_path))
    assert list(ds.ids) == ["Abyssinian_1", "beagle_1", "yorkshire_terrier_9"]


def test_a_picture_that_is_stored_grey_comes_in_three_equal_channels(tmp_path):
    ds = oxford_pets(write_oxford_pets(tmp_path))
    assert [image.shape for image, _ in ds] == [(6, 8, 3)] * 3
    grey = ds[0][0]
    assert (grey == grey[..., :1]).all() and grey.std() > 0
