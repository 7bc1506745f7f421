"""encodings: what a mask file means is found where it is certain, and asked for where not."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from image_files import saved_palette
from PIL import Image

from semseg.classes import ClassMap
from semseg.data import from_folders
from semseg.data.encodings import AmbiguousMaskError, MaskDecoder, detect
from semseg.regions import touching_borders

SIZE = (5, 7)
THREE = ClassMap(["a", "b", "c"], ignore_class=255)
RAW = ClassMap(["a", "b", "c"], remap={100: 1, 2000: 2})
IDS = np.random.default_rng(0).integers(0, 3, SIZE, dtype=np.uint8)
CLASS_COLOURS = np.array(THREE.colors, np.uint8)


def png(path, array):
    Image.fromarray(array).save(path)


def palette(colours):
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = colours
    return table


#: name -> (how the ids are written, the map, what is found, what people are told)
FORMS = {
    "8 bit": (png, THREE, "ids", "8-bit ids"),
    "16 bit": (
        lambda p, m: png(p, np.array([0, 100, 2000], np.uint16)[m]),
        RAW,
        "ids",
        "16-bit ids",
    ),
    "1 bit": (lambda p, m: png(p, m > 0), ClassMap(["a", "b"]), "ids", "8-bit ids"),
    "three equal channels": (
        lambda p, m: png(p, np.dstack([m] * 3)),
        THREE,
        "ids",
        "ids in three equal channels",
    ),
    "0/255": (
        lambda p, m: png(p, (m > 0) * np.uint8(255)),
        ClassMap(["a", "b"], remap={255: 1}),
        "ids",
        "8-bit ids",
    ),
    "0/255 in three channels": (
        lambda p, m: png(p, np.dstack([(m > 0) * np.uint8(255)] * 3)),
        ClassMap(["a", "b"], remap={255: 1}),
        "ids",
        "ids in three equal channels",
    ),
    "palette ids": (
        lambda p, m: saved_palette(p, m, palette([(9, 9, 9), (8, 8, 8), (7, 7, 7)])),
        THREE,
        "ids",
        "palette ids",
    ),
    "palette ids and colours that agree": (
        lambda p, m: saved_palette(p, m, palette(CLASS_COLOURS)),
        THREE,
        "ids",
        "palette ids",
    ),
    "palette colours": (
        lambda p, m: saved_palette(p, m + 10, palette([*[(1, 1, 1)] * 10, *THREE.colors])),
        THREE,
        "rgb",
        "palette colours",
    ),
    "RGB": (lambda p, m: png(p, CLASS_COLOURS[m]), THREE, "rgb", "RGB colours"),
}


def classes_of(form, ids):
    return (ids > 0).astype(np.uint8) if "255" in form or form == "1 bit" else ids


@pytest.mark.parametrize("form", FORMS)
def test_auto_finds_the_form_says_it_and_reads_the_ids(tmp_path, form):
    write, class_map, encoding, said = FORMS[form]
    path = tmp_path / "masks" / "a.png"
    path.parent.mkdir()
    write(path, IDS)
    assert detect(path, class_map)[:2] == (encoding, said)
    (tmp_path / "images").mkdir()
    png(tmp_path / "images" / "a.png", IDS)
    ds = from_folders(tmp_path / "images", path.parent, class_map)
    assert repr(ds).endswith(f"; first image 5x7x1 uint8, masks: {said})")
    np.testing.assert_array_equal(ds[0][1], classes_of(form, IDS))


@pytest.mark.parametrize("form", FORMS)
@given(ids=arrays(np.uint8, SIZE, elements=st.integers(0, 2)))
def test_the_form_that_was_found_reads_the_ids_of_any_mask(tmp_path_factory, form, ids):
    write, class_map, encoding, _ = FORMS[form]
    path = tmp_path_factory.getbasetemp() / f"{form.replace('/', '-')}.png"
    write(path, ids)
    decoded = MaskDecoder(class_map, encoding).read(path)
    np.testing.assert_array_equal(decoded, classes_of(form, ids))
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (IDS, "8-bit ids"),
        (IDS.astype(np.int64), "64-bit ids"),
        (IDS.astype(">u2"), "16-bit ids"),
        (np.asfortranarray(IDS), "8-bit ids"),
        (IDS.astype(np.float32), "float32 ids"),
        (IDS[..., None], "8-bit ids"),
        (CLASS_COLOURS[IDS], "RGB colours"),
        (np.dstack([IDS] * 3), "ids in three equal channels"),
    ],
)
def test_arrays_hold_ids_or_colours_too(tmp_path, array, said):
    path = tmp_path / "a.npy"
    np.save(path, array)
    encoding, form, _ = detect(path, THREE)
    assert form == said
    np.testing.assert_array_equal(MaskDecoder(THREE, encoding).read(path), IDS)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_an_array_of_other_channels_is_no_mask_and_is_named_when_it_is_read(tmp_path, channels):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", np.zeros((*SIZE, channels), np.uint8))
    ds = from_folders(tmp_path / "images", tmp_path / "masks", THREE)
    assert f"first image 5x7x{channels} uint8" in repr(ds)
    message = rf"mask must hold ids .* received shape \(5, 7, {channels}\) \(file .*masks.a\.npy\)"
    with pytest.raises(ValueError, match=message):
        ds[0]


# -- two readings --------------------------------------------------------------------------------

SWAPPED = palette([THREE.colors[1], THREE.colors[0], THREE.colors[2]])
ROADS = ClassMap(["other", "road"], colors=[(0, 0, 0), (255, 255, 255)], ignore_class=255)


def ambiguous_files(folder):
    saved_palette(folder / "swapped.png", IDS, SWAPPED)
    yield folder / "swapped.png", THREE
    png(folder / "white.png", np.dstack([(IDS > 1) * np.uint8(255)] * 3))
    yield folder / "white.png", ROADS


def test_two_readings_that_disagree_are_an_error_that_names_the_argument(tmp_path):
    for path, class_map in ambiguous_files(tmp_path):
        message = rf"ids and as colours .*disagree: .*{path.name}; pass encoding='ids' or .*'rgb'"
        with pytest.raises(AmbiguousMaskError, match=message):
            detect(path, class_map)


def test_either_reading_is_what_the_caller_gets_who_says_which(tmp_path):
    saved_palette(tmp_path / "a.png", IDS, SWAPPED)
    as_ids, as_colours = (
        MaskDecoder(THREE, encoding).read(tmp_path / "a.png") for encoding in ("ids", "rgb")
    )
    np.testing.assert_array_equal(as_ids, IDS)
    np.testing.assert_array_equal(as_colours, np.array([1, 0, 2])[IDS])


def folder_of(tmp_path, masks):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number, mask in enumerate(masks):
        png(tmp_path / "images" / f"{number}.png", IDS)
        png(tmp_path / "masks" / f"{number}.png", mask)
    return tmp_path / "images", tmp_path / "masks"


BLACK, WHITE = (np.full((*SIZE, 3), value, np.uint8) for value in (0, 255))


def test_a_mask_that_says_nothing_leaves_the_question_to_the_next(tmp_path):
    """Black pixels are class 0 as ids and as colours; white ones are a class, or to be ignored."""
    with pytest.raises(AmbiguousMaskError, match=r"masks.1\.png"):
        from_folders(*folder_of(tmp_path, [BLACK, WHITE]), ROADS)


def test_a_black_first_mask_does_not_turn_colours_into_ids(tmp_path):
    roads = ClassMap(["other", "road"], colors=[(0, 0, 0), (255, 0, 0)])
    red = np.where([True, False, False], 255, BLACK).astype(np.uint8)
    ds = from_folders(*folder_of(tmp_path, [BLACK, red]), roads)
    assert "RGB colours" in repr(ds)
    assert [int(mask.max()) for _, mask in ds] == [0, 1]


def test_a_first_mask_that_cannot_be_read_leaves_the_question_to_the_next(tmp_path):
    folders = folder_of(tmp_path, [CLASS_COLOURS[IDS]] * 2)
    (folders[1] / "0.png").write_bytes(b"")
    ds = from_folders(*folders, THREE)
    np.testing.assert_array_equal(ds[1][1], IDS)
    with pytest.raises(ValueError, match="empty"):
        ds[0]


# -- instances -----------------------------------------------------------------------------------

INSTANCES = arrays(np.uint16, SIZE, elements=st.sampled_from([0, 0, 1, 2, 300, 65535]))
TWO_CLASSES, WITH_BORDER = ClassMap(["out", "cell"]), ClassMap(["out", "cell", "border"])


@given(instances=INSTANCES)
def test_instances_become_background_object_and_border(tmp_path_factory, instances):
    path = tmp_path_factory.getbasetemp() / "instances.png"
    png(path, instances)
    two = MaskDecoder(TWO_CLASSES, "instances").read(path)
    three = MaskDecoder(WITH_BORDER, "instances").read(path)
    np.testing.assert_array_equal(two, instances > 0)
    np.testing.assert_array_equal(three == 2, touching_borders(instances))
    np.testing.assert_array_equal(three[three < 2], two[three < 2])


def test_the_border_is_where_two_objects_are_neighbours():
    decoder = MaskDecoder(WITH_BORDER, "instances")
    mask = decoder.decode(np.array([[4, 4, 4, 9, 9, 0, 0]]), "a.png")
    assert mask.tolist() == [[1, 1, 2, 2, 1, 0, 0]]


def test_repr_says_instances(tmp_path):
    folders = folder_of(tmp_path, [IDS])
    ds = from_folders(*folders, TWO_CLASSES, encoding="instances")
    assert repr(ds).endswith("masks: instances)")
    np.testing.assert_array_equal(ds[0][1], IDS > 0)


@pytest.mark.parametrize("names", ["abcd", "abcde"])
def test_instances_make_two_or_three_classes(names):
    with pytest.raises(ValueError, match=rf"2 classes .* or 3 .*class_map of {len(names)}"):
        MaskDecoder(ClassMap(list(names)), "instances")


@pytest.mark.parametrize(
    "raw", [IDS.astype(np.float32), np.dstack([IDS] * 3), IDS.astype(np.int16) - 1]
)
def test_what_counts_no_objects_is_refused_and_named(raw):
    with pytest.raises(ValueError, match=r"whole numbers >= 0 in one channel.*\(file a\.npy\)"):
        MaskDecoder(TWO_CLASSES, "instances").decode(raw, "a.npy")


def test_ids_that_count_objects_name_the_argument_and_0_255_does_not():
    decoder = MaskDecoder(TWO_CLASSES)
    with pytest.raises(ValueError, match=r"pass encoding='instances' \(file a\.png\)"):
        decoder.decode(np.array([[0, 1, 2, 3]]), "a.png")
    with pytest.raises(ValueError, match=r"remap=\{255: 1\}\) \(file a\.png\)"):
        decoder.decode(np.array([[0, 255]]), "a.png")


# -- what is refused -----------------------------------------------------------------------------


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match=r"encoding must be one of \['auto', .*received 'colors'"):
        MaskDecoder(THREE, "colors")


def test_colours_for_ids_and_ids_for_colours_name_the_way_out():
    with pytest.raises(ValueError, match=r"received RGB colours \(file a\.png\); .*'rgb'"):
        MaskDecoder(THREE, "ids").decode(CLASS_COLOURS[IDS], "a.png")
    with pytest.raises(ValueError, match=r"one channel of ids \(file a\.png\); .*'ids'"):
        MaskDecoder(THREE, "rgb").decode(IDS, "a.png")


def test_a_pixel_limit_holds_before_a_mask_is_decoded(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), IDS)
    with pytest.raises(ValueError, match=r"declares 7x5 pixels, more than max_pixels=34"):
        MaskDecoder(THREE, max_pixels=34).read(tmp_path / "a.png")
