"""cityscapes: label ids become the 19 train ids, all others the ignored one."""

import numpy as np
from source_trees import raw_mask, write_cityscapes

from semseg.data import cityscapes
from semseg.data.sources.cityscapes import CITYSCAPES

#: The authors' table of label ids, by name; those that are not here are not scored.
LABEL_IDS = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17,
    "traffic light": 19, "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23,
    "person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28, "train": 31, "motorcycle": 32,
    "bicycle": 33,
}  # fmt: skip


def city(sample):
    return sample.split("/")[0]


def test_19_classes_in_the_order_of_the_train_ids():
    assert CITYSCAPES.names == tuple(LABEL_IDS)
    assert CITYSCAPES.ignore_class == 255
    colors = dict(zip(CITYSCAPES.names, CITYSCAPES.colors, strict=True))
    assert colors["road"] == (128, 64, 128) and colors["bicycle"] == (119, 11, 32)


def test_every_label_id_becomes_its_train_id_or_is_ignored(tmp_path):
    ds = cityscapes(write_cityscapes(tmp_path))
    train_ids = {raw: i for i, raw in enumerate(LABEL_IDS.values())}
    for number, (_, mask) in enumerate(ds):
        raw = raw_mask([*range(34), 255], number)
        expected = np.vectorize(lambda label: train_ids.get(label, 255))(raw)
        np.testing.assert_array_equal(mask, expected)
    assert set(np.unique(ds[0][1])) == {*range(19), 255}


def test_ids_begin_with_the_city_and_only_label_ids_are_masks(tmp_path):
    ds = cityscapes(write_cityscapes(tmp_path))
    assert list(ds.ids) == ["aachen/aachen_0_1", "bochum/bochum_0_1", "bochum/bochum_0_2"]
    assert ds.paths(0)[1].name == "aachen_0_1_gtFine_labelIds.png"
    train, val = ds.split((0.5, 0.5), groups=city)
    cities = [{city(sample) for sample in part.ids} for part in (train, val)]
    assert cities[0].isdisjoint(cities[1])
