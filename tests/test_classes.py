"""ClassMap: one look-up in each direction, and errors that name what was found."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap

CELLS = ClassMap(["background", "cell"])
ROAD = ClassMap(["sky", "road", "car"], ignore_class=255)


@st.composite
def class_maps(draw):
    """Any ClassMap: 2 to 300 classes, any kind of ignored id, ids and colours remapped."""
    count = draw(st.sampled_from([2, 3, 11, 255, 256, 257, 300]))
    outside = st.one_of(st.integers(-(2**31), -1), st.integers(count, 2**31 - 1))
    ignore = draw(st.one_of(st.none(), outside))
    targets = st.integers(0, count - 1) if ignore is None else st.just(ignore)
    raw_ids = st.integers(-(2**31), 2**31 - 1)
    channel = st.integers(0, 255)
    keys = st.one_of(raw_ids, st.tuples(channel, channel, channel))
    remap = draw(st.dictionaries(keys, st.one_of(st.integers(0, count - 1), targets), max_size=5))
    return ClassMap([f"class {i}" for i in range(count)], ignore_class=ignore, remap=remap)


def ids_of(class_map, seed, shape=(5, 7)):
    """Random ids of a map, the ignored one among them."""
    ids = np.arange(class_map.num_classes)
    if class_map.ignore_class is not None:
        ids = np.append(ids, class_map.ignore_class)
    return np.random.default_rng(seed).choice(ids, shape)


# -- round trips --------------------------------------------------------------------------------


@given(class_maps(), st.integers(0, 2**31))
def test_colours_that_no_remap_touches_come_back_as_their_ids(class_map, seed):
    ids = ids_of(class_map, seed)
    colors = class_map.colorize(ids)
    painted_over = [k for k in class_map.remap if isinstance(k, tuple)]
    untouched = np.ones(ids.shape, bool)
    for color in painted_over:
        untouched &= ~(colors == color).all(-1)
    assert colors.dtype == np.uint8 and colors.shape == (*ids.shape, 3)
    np.testing.assert_array_equal(class_map.encode(colors)[untouched], ids[untouched])


@given(class_maps(), st.integers(0, 2**31))
def test_encoding_equals_a_dictionary_asked_pixel_by_pixel(class_map, seed):
    known = {i: i for i in range(class_map.num_classes)}
    if class_map.ignore_class is not None:
        known[class_map.ignore_class] = class_map.ignore_class
    known |= {k: v for k, v in class_map.remap.items() if isinstance(k, int)}
    raw = np.random.default_rng(seed).choice(list(known), (4, 6))
    expected = [[known[int(value)] for value in row] for row in raw]
    encoded = class_map.encode(raw)
    np.testing.assert_array_equal(encoded, expected)
    smallest = min(min(known.values()), 0)
    fits = smallest >= 0 and class_map.num_classes <= 256 and (class_map.ignore_class or 0) <= 255
    assert encoded.dtype == (np.uint8 if fits else np.int32)


@given(class_maps(), st.integers(0, 2**31))
def test_painted_masks_follow_the_colour_dictionary(class_map, seed):
    known = dict(zip(class_map.colors, range(class_map.num_classes), strict=True))
    if class_map.ignore_class is not None:
        known[class_map.ignore_color] = class_map.ignore_class
    known |= {k: v for k, v in class_map.remap.items() if isinstance(k, tuple)}
    choice = np.random.default_rng(seed).integers(0, len(known), (4, 6))
    painted = np.array(list(known), np.uint8)[choice]
    np.testing.assert_array_equal(class_map.encode(painted), np.array(list(known.values()))[choice])


@given(class_maps())
def test_a_map_survives_json(class_map):
    again = ClassMap.from_dict(json.loads(json.dumps(class_map.to_dict())))
    assert again == class_map
    assert hash(again) == hash(class_map)


@given(class_maps(), st.randoms(use_true_random=False))
def test_equal_maps_have_equal_hashes_whatever_the_order_of_remap(class_map, random):
    pairs = list(class_map.remap.items())
    random.shuffle(pairs)
    other = ClassMap(class_map.names, class_map.colors, class_map.ignore_class, dict(pairs))
    assert other == class_map
    assert hash(other) == hash(class_map)


@pytest.mark.parametrize(
    "other",
    [
        ClassMap(["sky", "road", "bike"], ignore_class=255),
        ClassMap(["sky", "road", "car"], ignore_class=254),
        ClassMap(["sky", "road", "car"]),
        ClassMap(["sky", "road", "car"], ignore_class=255, remap={3: 2}),
        ClassMap(["sky", "road", "car"], [(1, 1, 1), (2, 2, 2), (3, 3, 3)], ignore_class=255),
    ],
)
def test_maps_that_differ_in_one_thing_are_not_equal(other):
    assert other != ROAD


def test_a_map_cannot_be_changed():
    with pytest.raises(AttributeError):
        ROAD.ignore_class = 3


# -- by hand ------------------------------------------------------------------------------------


def test_a_mask_of_0_and_255_becomes_0_and_1():
    cells = ClassMap(["background", "cell"], remap={255: 1})
    np.testing.assert_array_equal(cells.encode(np.array([[0, 255]], np.uint8)), [[0, 1]])


def test_ids_that_start_at_one_are_mapped_down():
    one_based = ClassMap(["a", "b", "c"], remap={1: 0, 2: 1, 3: 2})
    np.testing.assert_array_equal(one_based.encode([[1, 2, 3]]), [[0, 1, 2]])


def test_several_masks_are_encoded_at_once():
    ids = ids_of(ROAD, 0, (2, 3, 4))
    np.testing.assert_array_equal(ROAD.encode(ids), ids)
    np.testing.assert_array_equal(ROAD.encode(ROAD.colorize(ids)), ids)


def test_a_mask_three_pixels_wide_holds_ids():
    np.testing.assert_array_equal(ROAD.encode(np.array([[0, 1, 2]])), [[0, 1, 2]])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int64", "uint64", "float32", "bool"])
def test_ids_of_any_dtype_are_encoded(dtype):
    raw = np.array([[0, 1, 1]], dtype)
    encoded = ROAD.encode(raw)
    assert encoded.dtype == np.uint8
    np.testing.assert_array_equal(encoded, [[0, 1, 1]])


def test_the_ignored_label_has_the_first_free_grey():
    assert ROAD.ignore_color == (255, 255, 255)
    white = ClassMap(["a", "b"], [(255, 255, 255), (0, 0, 0)], ignore_class=9)
    assert white.ignore_color == (1, 1, 1)
    np.testing.assert_array_equal(white.colorize([[9]]), [[[1, 1, 1]]])


def test_ids_have_names():
    assert [ROAD.name(i) for i in (0, 1, 2, 255)] == ["sky", "road", "car", "ignored"]


def test_a_map_describes_itself_in_one_line():
    assert repr(ROAD) == "ClassMap(3 classes: sky, road, car, ignore_class=255)"
    many = ClassMap([f"c{i}" for i in range(9)], remap={255: 0})
    assert repr(many) == "ClassMap(9 classes: c0, c1, c2, c3, c4, c5, ..., remap of 1)"


# -- errors -------------------------------------------------------------------------------------


def test_unknown_ids_are_named_with_their_pixels():
    mask = np.array([[0, 7, 7], [9, 1, 2]])
    message = r"ids \[7, 9\] outside 0..2 and the ignored 255 \(2 pixels of id 7, 3 in all\)"
    with pytest.raises(ValueError, match=message):
        ROAD.encode(mask)


@pytest.mark.parametrize("bad", [-1, -2, -300, 256, 70_000, 2**40])
def test_ids_beyond_the_table_are_unknown(bad):
    with pytest.raises(ValueError, match=rf"ids \[{bad}\] outside"):
        ROAD.encode(np.array([[0, bad]]))


def test_an_id_that_a_wide_table_jumps_over_is_unknown():
    wide = ClassMap(["a", "b"], remap={100_000: 1, -5: 0})
    np.testing.assert_array_equal(wide.encode([[100_000, -5, 1]]), [[1, 0, 1]])
    with pytest.raises(ValueError, match=r"ids \[99999\] outside"):
        wide.encode([[99_999]])


def test_a_mask_of_0_and_255_in_a_map_of_two_names_the_remap():
    with pytest.raises(ValueError, match=r"ids \[255\] .* 0/1 with ClassMap\(..., remap=\{255: 1"):
        CELLS.encode(np.array([[0, 255]], np.uint8))


def test_one_unknown_id_suggests_ignoring_it():
    with pytest.raises(ValueError, match=r"pass ignore_class=11 or add it"):
        ClassMap([str(i) for i in range(10)]).encode([[0, 11]])


def test_ids_one_too_high_suggest_mapping_them_down():
    with pytest.raises(ValueError, match=r"where ids start at 1, .* remap=\{1: 0, 2: 1"):
        CELLS.encode([[1, 2]])


def test_the_first_unknown_colour_is_named_with_its_pixels():
    mask = np.zeros((2, 3, 3), np.uint8) + np.array(ROAD.colors[1], np.uint8)
    mask[0, 1:] = (9, 8, 7)
    mask[1, 0] = (1, 2, 3)
    message = (
        r"the colour \(9, 8, 7\) in 2 pixels, .*\(2 unknown colours, 3 pixels in all\)"
        r".*remap=\{\(9, 8, 7\): id\}"
    )
    with pytest.raises(ValueError, match=message):
        ROAD.encode(mask)


def test_colours_must_be_bytes():
    with pytest.raises(TypeError, match="mask colours must be uint8, received float32"):
        ROAD.encode(np.zeros((2, 2, 3), np.float32))


def test_fractions_are_no_ids():
    with pytest.raises(ValueError, match="mask must hold whole class ids, received float64"):
        ROAD.encode([[0.5, 1.0]])


def test_only_class_ids_have_a_colour():
    with pytest.raises(ValueError, match=r"ids has ids \[3\] outside 0..2"):
        ClassMap(["a", "b", "c"], remap={3: 2}).colorize([[0, 3]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["cell"]}, r"at least two classes, received \['cell'\]; in a binary problem"),
        ({"names": []}, r"at least two classes, received \[\]"),
        ({"names": ["a", "b", "a"]}, r"names must differ .* received \['a'\] more than once"),
        ({"ignore_class": 1}, "ignore_class must lie outside 0..1, received 1; .* such as 255"),
        ({"remap": {7: 2}}, r"remap target of 7 must be a class id 0..1 or the ignored id \(None"),
        ({"remap": {7: None}}, r"remap target of 7 must be a class id 0..1 .* received None"),
        ({"remap": {7: 254}, "ignore_class": 255}, r"or the ignored id \(255\), received 254"),
        ({"remap": {(1, 2): 0}}, r"remap keys must be .* received \(1, 2\)"),
        ({"remap": {(1, 2, 256): 0}}, r"remap keys must be .* received \(1, 2, 256\)"),
        ({"colors": [(1, 2, 3)]}, r"one \(red, green, blue\) .* 2 in all, received shape \(1, 3\)"),
        ({"colors": [(1, 2), (3, 4)]}, r"received shape \(2, 2\)"),
        ({"colors": [(1, 2, 3), (3, 4)]}, r"colors must hold one \(red, green, blue\)"),
        ({"colors": [(0.1, 0.2, 0.3)] * 2}, "whole numbers a class, .* dtype float64"),
        ({"colors": [(0, 0, 0), (0, 0, 256)]}, r"colors must lie in 0..255, received 0..256"),
        ({"colors": [(0, 0, 0), (0, -1, 0)]}, r"colors must lie in 0..255, received -1..0"),
        ({"colors": [(5, 5, 5)] * 2}, r"colors must differ .* received \[\(5, 5, 5\)\] more"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClassMap(**{"names": ["a", "b"], **arguments})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"background", "cell"}, r"whose places are the ids, received set"),
        (None, r"whose places are the ids, received NoneType"),
        ({0: "background", 1: "cell"}, r"received a dict.*pass \[names\[i\]"),
    ],
)
def test_names_need_an_order(names, message):
    with pytest.raises(TypeError, match=message):
        ClassMap(names)


@pytest.mark.parametrize("class_id", [-1, 2])
def test_an_id_that_is_no_class_has_no_name(class_id):
    with pytest.raises(
        ValueError, match=r"class_id must lie in 0\.\.1 .* received " + str(class_id)
    ):
        ClassMap(["background", "cell"], ignore_class=255).name(class_id)


def test_one_string_is_no_list_of_names():
    with pytest.raises(TypeError, match="names must be a list of class names, .* 'road'"):
        ClassMap("road")


@pytest.mark.parametrize("bad", [True, 2.0, "255"])
def test_the_ignored_label_is_an_int(bad):
    with pytest.raises(TypeError, match="ignore_class must be None or an int, received"):
        ClassMap(["a", "b"], ignore_class=bad)
