"""ade20k: the benchmark's 150 names and colours, and 0 as the ignored id."""

import hashlib

import numpy as np
from source_trees import raw_mask, write_ade20k

from semseg.data import ade20k
from semseg.data.sources.ade20k import ADE20K


def test_150_classes_in_the_order_of_the_benchmark():
    assert ADE20K.num_classes == 150 and ADE20K.ignore_class == 255
    some = {0: "wall", 12: "person", 20: "car", 89: "television", 126: "animal", 149: "flag"}
    assert {i: ADE20K.names[i] for i in some} == some
    colors = {0: (120, 120, 120), 12: (150, 5, 61), 126: (255, 0, 122), 149: (92, 0, 255)}
    assert {i: ADE20K.colors[i] for i in colors} == colors


def test_names_and_colours_are_those_of_the_benchmarks_files():
    # Digests of objectInfo150.txt's first names and of color150.mat (github.com/CSAILVision/
    # sceneparsing), whose skyscraper has the road's colour.
    assert digest("\n".join(ADE20K.names).encode()) == "ffd47f2fcbad6c48"
    colors = np.array(ADE20K.colors, np.uint8)
    assert ADE20K.names[48] == "skyscraper" and colors[48].tolist() == [140, 140, 141]
    colors[48] = colors[ADE20K.names.index("road")]
    assert digest(colors.tobytes()) == "ce475c9151035eff"


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def test_0_is_ignored_and_1_to_150_become_0_to_149(tmp_path):
    for number, (image, mask) in enumerate(ade20k(write_ade20k(tmp_path))):
        np.testing.assert_array_equal(mask, raw_mask([255, 0, 149], number))
        assert image.shape == (6, 8, 3)  # the first is stored grey
    raw = np.arange(151, dtype=np.uint8).reshape(1, -1)
    assert ADE20K.encode(raw).tolist() == [[255, *range(150)]]
