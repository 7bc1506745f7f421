"""map_classes: joining after reading is joining the table that reads."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semseg.classes import ClassMap
from semseg.data import Dataset, from_arrays
from semseg.data.encodings import MaskDecoder
from semseg.data.remapping import joined_classes, renumbered
from semseg.data.samples import SampleFiles

NAMES = ("sky", "car", "truck", "road", "tree")
IGNORED = st.sampled_from([None, 255, 5, -1, 70000])
MAPPINGS = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(["car", "vehicle", "road", None]), max_size=5
).filter(lambda m: len({m.get(n, n) for n in NAMES} - {None}) >= 2)
RAW = arrays(np.uint8, (4, 5), elements=st.integers(0, 4))


def new_name(mapping, name):
    return mapping.get(name, name)


def one_sample(mask, class_map):
    image = np.zeros((*mask.shape, 1), np.uint8)
    return Dataset(lambda i: (image, mask), ["a"], class_map)


@given(raw=RAW, mapping=MAPPINGS, ignored=IGNORED, colours=st.booleans())
def test_mapping_what_was_encoded_is_encoding_with_a_mapped_table(raw, mapping, ignored, colours):
    """Two routes: read, then join; or a ClassMap that joins while it reads."""
    before = ClassMap(NAMES, ignore_class=ignored)
    holds = before.colorize(raw) if colours else raw
    image = np.zeros((1, 4, 5, 1), np.uint8)
    joined = from_arrays(image, holds[None], before).map_classes(mapping)
    after = joined.class_map
    keys = before.colors if colours else range(5)
    remap = {
        key: after.ignore_class
        if (new := new_name(mapping, name)) is None
        else after.names.index(new)
        for key, name in zip(keys, NAMES, strict=True)
    }
    at_once = ClassMap(after.names, after.colors, after.ignore_class, remap)
    np.testing.assert_array_equal(joined[0][1], at_once.encode(holds))


@given(raw=RAW, mapping=MAPPINGS, ignored=IGNORED)
def test_every_pixel_has_the_new_name_of_its_class(raw, mapping, ignored):
    before = ClassMap(NAMES, ignore_class=ignored)
    mask = raw.astype(np.int32)
    if ignored is not None:
        mask[0, 0] = ignored
    joined = one_sample(mask, before).map_classes(mapping)
    for old, new in zip(mask.ravel(), joined[0][1].ravel(), strict=True):
        expected = "ignored" if old == ignored else new_name(mapping, NAMES[old])
        assert joined.class_map.name(int(new)) == (expected or "ignored")


@given(mapping=MAPPINGS, ignored=IGNORED)
def test_new_classes_stand_where_their_first_member_stood_in_its_colour(mapping, ignored):
    before = ClassMap(NAMES, ignore_class=ignored)
    after, table = joined_classes(before, mapping)
    firsts = [next(i for i in range(5) if new_name(mapping, NAMES[i]) == n) for n in after.names]
    assert firsts == sorted(firsts)
    assert after.colors == tuple(before.colors[i] for i in firsts)
    assert set(table) == {*range(5), *([] if ignored is None else [ignored])}
    if ignored is not None:
        assert after.ignore_class == table[ignored] == ignored
    elif None in mapping.values():
        assert after.ignore_class == 255
    else:
        assert after.ignore_class is None


@given(raw=RAW, first=MAPPINGS, second=st.sampled_from([{}, {"road": "way"}, {"road": None}]))
def test_two_mappings_are_their_chain(raw, first, second):
    ds = one_sample(raw, ClassMap(NAMES, ignore_class=255))
    left = {new_name(first, name) for name in NAMES}
    second = {old: new for old, new in second.items() if old in left}
    chain = {
        n: None if new_name(first, n) is None else new_name(second, new_name(first, n))
        for n in NAMES
    }
    if len(set(chain.values()) - {None}) < 2:
        return
    twice, once = ds.map_classes(first).map_classes(second), ds.map_classes(chain)
    assert twice.class_map == once.class_map
    np.testing.assert_array_equal(twice[0][1], once[0][1])


def test_an_empty_mapping_changes_nothing_but_the_remap():
    ds = one_sample(np.eye(3, dtype=np.uint8), ClassMap(NAMES, remap={9: 1}))
    same = ds.map_classes({})
    assert same.class_map == ClassMap(NAMES)
    np.testing.assert_array_equal(same[0][1], ds[0][1])


def test_exchanged_names_exchange_no_pixel():
    after, table = joined_classes(ClassMap(["a", "b"]), {"a": "b", "b": "a"})
    assert (after.names, table) == (("b", "a"), {0: 0, 1: 1})


@pytest.mark.parametrize(
    ("targets", "dtype"), [((0, 255), np.uint8), ((0, -1), np.int32), ((0, 300), np.int32)]
)
def test_the_new_mask_is_as_small_as_its_ids_allow(targets, dtype):
    mask = renumbered(np.array([[0, 1]], np.int64), dict(enumerate(targets)))
    assert mask.dtype == dtype
    assert mask.tolist() == [list(targets)]


def test_more_than_255_classes_ignore_minus_1():
    many = ClassMap([f"c{i}" for i in range(300)])
    after, table = joined_classes(many, {"c299": None})
    assert (after.ignore_class, table[299], table[298]) == (-1, -1, 298)


def test_the_decoder_of_the_files_and_the_table_give_the_new_ids(tmp_path):
    """Who reads the files by themselves finds what the samples hold."""
    before = ClassMap(NAMES, ignore_class=255)
    files = SampleFiles(Path("a.png"), Path("b.png"), MaskDecoder(before))
    mask = np.arange(5, dtype=np.uint8)[None]
    ds = Dataset(
        lambda i: (np.zeros((1, 5, 1), np.uint8), mask), ["a"], before, files=lambda i: files
    )
    joined = ds.map_classes({"truck": "car"}).map_classes({"sky": None})
    found = joined.files(0)
    decoded = found.decoder.decode(mask, found.mask)
    assert [found.table[i] for i in decoded.ravel().tolist()] == joined[0][1].ravel().tolist()
    assert joined.paths(0) == (Path("a.png"), Path("b.png"))


def test_names_that_are_no_classes_are_quoted():
    ds = one_sample(np.zeros((1, 1), np.uint8), ClassMap(NAMES))
    with pytest.raises(
        ValueError, match=r"no classes: \['bus', 'lorry'\]; the classes are \['sky'"
    ):
        ds.map_classes({"lorry": "car", "bus": "car"})


@pytest.mark.parametrize(
    "mapping", [dict.fromkeys(NAMES, "all"), {name: None for name in NAMES if name != "sky"}]
)
def test_two_classes_must_be_left(mapping):
    ds = one_sample(np.zeros((1, 1), np.uint8), ClassMap(NAMES))
    with pytest.raises(
        ValueError, match=r"must leave at least two classes, received \['(all|sky)'\]"
    ):
        ds.map_classes(mapping)
