"""camvid_full: the authors' colours as 31 classes, black Void as the ignored id."""

import numpy as np
import pytest
from source_trees import picture, raw_mask, write, write_camvid_full

from semseg.data import camvid_full
from semseg.data.sources.camvid import CAMVID
from semseg.data.sources.camvid_full import CAMVID_FULL


def test_31_classes_in_the_order_of_the_authors_list_without_void():
    assert CAMVID_FULL.num_classes == 31
    assert CAMVID_FULL.names[0] == "Animal" and CAMVID_FULL.names[-1] == "Wall"
    assert list(CAMVID_FULL.names) == sorted(CAMVID_FULL.names, key=str.lower)


def test_classes_of_the_reduced_form_that_keep_their_name_keep_their_colour():
    full = dict(zip(CAMVID_FULL.names, CAMVID_FULL.colors, strict=True))
    reduced = dict(zip(CAMVID.names, CAMVID.colors, strict=True))
    shared = full.keys() & reduced.keys()
    assert len(shared) == 9  # all but Pole and Pavement
    assert {name: full[name] for name in shared} == {name: reduced[name] for name in shared}
    assert full["Column_Pole"] == reduced["Pole"]


def test_colours_become_ids_and_void_is_ignored(tmp_path):
    ds = camvid_full(write_camvid_full(tmp_path))
    assert list(ds.ids) == ["0001TP_1", "0006R0_f1", "0016E5_1"]
    masks = dict(zip(ds.ids, (mask for _, mask in ds), strict=True))
    for number, stem in enumerate(["0001TP_1", "0006R0_f1", "0016E5_1"]):
        np.testing.assert_array_equal(masks[stem], raw_mask([0, 255, 30], number))


def test_a_colour_of_no_class_names_the_file(tmp_path):
    root = write_camvid_full(tmp_path)
    write(root / "LabeledApproved_full/0001TP_1_L.png", picture(1))
    with pytest.raises(ValueError, match=r"which no class has .*0001TP_1_L\.png"):
        camvid_full(root)[0]
