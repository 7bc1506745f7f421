"""from_folders: the right mask for every image, or an error that says which file is to blame."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semseg.classes import ClassMap
from semseg.data import from_folders

CELLS = ClassMap(["background", "cell", "border"], ignore_class=255)
SIZE = (4, 6)


def write(folder, name, array):
    folder.mkdir(parents=True, exist_ok=True)
    array = np.asarray(array, np.uint8)
    cv2.imwrite(str(folder / name), array[..., ::-1] if array.ndim == 3 else array)


def image_of(value):
    return np.full((*SIZE, 3), (value, 2 * value, 3 * value), np.uint8)


def mask_of(value):
    return np.full(SIZE, value, np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Three pairs; image and mask of a pair hold the same number."""
    for value, stem in enumerate(["c", "a", "b"]):
        write(tmp_path / "images", f"{stem}.png", image_of(value))
        write(tmp_path / "masks", f"{stem}.png", mask_of(value))
    return tmp_path / "images", tmp_path / "masks"


# -- pairing -------------------------------------------------------------------------------------


def test_images_and_masks_pair_by_stem_in_the_order_of_the_names(folders):
    ds = from_folders(*folders, CELLS)
    assert list(ds.ids) == ["a", "b", "c"]
    assert [int(image[0, 0, 0]) for image, _ in ds] == [1, 2, 0]
    assert [int(mask[0, 0]) for _, mask in ds] == [1, 2, 0]


def test_the_images_are_rgb(folders):
    image, _ = from_folders(*folders, CELLS)[0]
    np.testing.assert_array_equal(image, image_of(1))


def test_suffixes_may_differ_and_other_files_are_passed_over(folders, tmp_path):
    images, masks = folders
    write(images, "d.BMP", image_of(2))
    write(masks, "d.tif", mask_of(2))
    (images / "notes.txt").write_text("taken on Monday")
    (masks / "classes.json").write_text("{}")
    ds = from_folders(images, masks, CELLS)
    assert list(ds.ids) == ["a", "b", "c", "d"]
    assert ds[3][1].max() == 2


def test_numbered_stems_pair_as_texts(tmp_path):
    for stem in ("2", "10", "1.5"):
        write(tmp_path / "images", f"{stem}.png", image_of(1))
        write(tmp_path / "masks", f"{stem}.png", mask_of(1))
    assert list(from_folders(tmp_path / "images", tmp_path / "masks", CELLS).ids) == [
        "1.5",
        "10",
        "2",
    ]


@pytest.mark.parametrize("name", ["two words", "Zellkörper", "a#1"])
def test_any_name_will_do(tmp_path, name):
    write(tmp_path / "images", f"{name}.png", image_of(1))
    write(tmp_path / "masks", f"{name}.png", mask_of(1))
    ds = from_folders(str(tmp_path / "images"), str(tmp_path / "masks"), CELLS)
    assert list(ds.ids) == [name]
    assert ds[0][1].max() == 1


def test_the_name_is_the_folders_unless_given(folders):
    assert from_folders(*folders, CELLS).name == "images"
    assert from_folders(*folders, CELLS, name="cells").name == "cells"


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_missing_folder_is_named(folders, missing):
    paths = {"images": folders[0], "masks": folders[1]}
    paths[missing] = folders[0].parent / "nowhere"
    with pytest.raises(FileNotFoundError, match=rf"{missing} must be a folder, .*nowhere"):
        from_folders(**paths, class_map=CELLS)


@pytest.mark.parametrize("content", [[], ["notes.txt"]])
@pytest.mark.parametrize("bare", ["images", "masks"])
def test_a_folder_without_pictures_says_what_is_in_it(folders, bare, content):
    paths = {"images": folders[0], "masks": folders[1]}
    paths[bare] = folders[0].parent / "bare"
    paths[bare].mkdir()
    for name in content:
        (paths[bare] / name).touch()
    holds = content[0] if content else "nothing"
    with pytest.raises(FileNotFoundError, match=rf"{bare} must hold pictures .*it holds {holds}"):
        from_folders(**paths, class_map=CELLS)


def test_images_without_mask_are_named_and_counted(folders):
    for stem in "xyz":
        write(folders[0], f"{stem}.png", image_of(0))
    message = r"3 images without mask \(x.png, y.png, z.png\); 3 pairs match"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS)


def test_masks_without_image_are_named_and_counted(folders):
    for number in range(7):
        write(folders[1], f"m{number}.png", mask_of(0))
    message = r"received 7 masks without image \(m0.png, m1.png, m2.png, m3.png, m4.png, ...\)"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS)


def test_both_kinds_stand_in_one_message(folders):
    (folders[1] / "a.png").rename(folders[1] / "a_mask.png")
    message = r"1 images without mask \(a.png\) and 1 masks without image \(a_mask.png\); 2 pairs"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS)


@pytest.mark.parametrize(("part", "argument"), [(0, "images"), (1, "masks")])
def test_two_files_with_one_stem_are_named(folders, part, argument):
    write(folders[part], "a.bmp", mask_of(0))
    with pytest.raises(
        ValueError, match=rf"{argument} must have one file a stem, .*a.bmp and a.png"
    ):
        from_folders(*folders, CELLS)


# -- what the masks hold -------------------------------------------------------------------------


def test_sizes_that_differ_within_a_pair_name_it(folders):
    write(folders[1], "b.png", np.zeros((4, 5)))
    ds = from_folders(*folders, CELLS)
    ds[0], ds[2]  # only that one is bad
    with pytest.raises(ValueError, match=r"sample 'b' of 'images'.*\(4, 6\) and \(4, 5\)$"):
        ds[1]


def test_a_transposed_mask_is_called_so(folders):
    write(folders[1], "b.png", np.zeros((6, 4)))
    with pytest.raises(ValueError, match=r"sample 'b'.*the mask looks transposed"):
        from_folders(*folders, CELLS)[1]


def test_ids_outside_the_class_map_name_the_file(folders):
    write(folders[1], "b.png", mask_of(3))
    message = (
        r"mask has ids \[3\] outside 0..2 and the ignored 255 \(24 pixels of id 3, 24 in all\); "
        r".*ignore_class=3.*\(file .*masks.b\.png\)"
    )
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS)[1]


def test_0_and_255_in_a_map_of_two_classes_name_the_cure_and_the_file(folders):
    write(folders[1], "b.png", np.eye(*SIZE) * 255)
    two = ClassMap(["background", "cell"])
    message = r"0/255 mask becomes 0/1 with ClassMap\(..., remap=\{255: 1\}\) \(file .*b\.png\)"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, two)[1]
    cured = ClassMap(["background", "cell"], remap={255: 1})
    np.testing.assert_array_equal(from_folders(*folders, cured)[1][1], np.eye(*SIZE))


def test_a_damaged_mask_and_a_damaged_image_name_the_file(folders):
    (folders[1] / "b.png").write_bytes(b"")
    (folders[0] / "c.png").write_bytes((folders[0] / "c.png").read_bytes()[:60])
    ds = from_folders(*folders, CELLS)
    with pytest.raises(ValueError, match=r"empty \(0 bytes\): .*masks.b\.png"):
        ds[1]
    with pytest.raises(ValueError, match=r"images.c\.png"):
        ds[2]


def test_a_file_that_disappears_is_named(folders):
    ds = from_folders(*folders, CELLS)
    (folders[0] / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no such file: .*images.a\.png"):
        ds[0]


def test_colours_where_ids_are_expected_name_the_way_out(folders):
    write(folders[1], "b.png", image_of(1))
    message = r"must hold ids in one channel, received RGB.*b\.png.*encoding='rgb'"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS)[1]


def test_ids_where_colours_are_expected_name_the_way_out(folders):
    message = r"must hold RGB colours, received one channel of ids .*a\.png.*encoding='ids'"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS, encoding="rgb")[0]


def test_an_unknown_colour_names_the_file(folders):
    for stem in "abc":
        write(folders[1], f"{stem}.png", CELLS.colorize(mask_of(1)))
    write(folders[1], "b.png", np.full((*SIZE, 3), (1, 2, 3)))
    ds = from_folders(*folders, CELLS, encoding="rgb")
    assert ds[0][1].max() == 1
    with pytest.raises(ValueError, match=r"colour \(1, 2, 3\) in 24 pixels.*\(file .*b\.png\)"):
        ds[1]


@given(mask=arrays(np.uint8, SIZE, elements=st.sampled_from([0, 1, 2, 255])))
def test_colours_of_the_class_map_come_back_as_ids(tmp_path_factory, mask):
    folder = tmp_path_factory.getbasetemp() / "round-trip"
    write(folder / "images", "a.png", image_of(0))
    write(folder / "masks", "a.png", CELLS.colorize(mask))
    ds = from_folders(folder / "images", folder / "masks", CELLS, encoding="rgb")
    np.testing.assert_array_equal(ds[0][1], mask)


@pytest.mark.parametrize("encoding", ["RGB", "palette", None])
def test_an_unknown_encoding_is_refused(folders, encoding):
    with pytest.raises(
        ValueError, match=rf"encoding must be one of \['auto', 'ids', .*received {encoding!r}"
    ):
        from_folders(*folders, CELLS, encoding=encoding)


# -- bad samples ---------------------------------------------------------------------------------


def spoil(folders):
    """Of the three samples, one image and one mask are damaged."""
    (folders[0] / "a.png").write_bytes(b"")
    write(folders[1], "c.png", mask_of(7))


def test_skip_leaves_out_what_cannot_be_read_and_says_so(folders):
    spoil(folders)
    with pytest.warns(UserWarning, match=r"2 of 3 samples of 'images' are skipped.*empty.*a\.png"):
        ds = from_folders(*folders, CELLS, on_error="skip")
    assert ds.ids == ["b"]
    assert [sample for sample, _ in ds.skipped] == ["a", "c"]
    assert "images" in ds.skipped[0][1] and "mask has ids [7]" in ds.skipped[1][1]
    assert repr(ds).endswith("first image 4x6x3 uint8, masks: 8-bit ids, 2 of 3 samples skipped)")
    assert int(ds[0][1].max()) == 2
    assert [path.name for path in ds.paths(0)] == ["b.png", "b.png"]


def test_the_warning_of_skipped_samples_points_to_the_caller(folders):
    spoil(folders)
    with pytest.warns(UserWarning, match="are skipped") as caught:
        from_folders(*folders, CELLS, on_error="skip")
    assert caught[0].filename == __file__


def test_skip_without_bad_samples_is_silent_and_gives_the_same(folders):
    ds = from_folders(*folders, CELLS, on_error="skip")
    assert ds.skipped == ()
    assert repr(ds) == repr(from_folders(*folders, CELLS))


def test_skip_with_nothing_readable_is_an_error(folders):
    for stem in "abc":
        (folders[1] / f"{stem}.png").write_bytes(b"no picture")
    message = r"no sample of 'images' can be read; the first error: .*masks.a\.png"
    with pytest.raises(ValueError, match=message):
        from_folders(*folders, CELLS, on_error="skip")


def test_another_on_error_is_refused(folders):
    with pytest.raises(ValueError, match="on_error must be 'raise' or 'skip', received 'ignore'"):
        from_folders(*folders, CELLS, on_error="ignore")


def test_what_declares_too_many_pixels_is_refused_when_it_is_read(folders):
    ds = from_folders(*folders, CELLS, max_pixels=23)
    assert "the first image can't be read" in repr(ds)
    with pytest.raises(ValueError, match=r"declares 6x4 pixels, more than max_pixels=23: .*a\.png"):
        ds[0]
    assert from_folders(*folders, CELLS, max_pixels=24)[0][0].shape == (4, 6, 3)


# -- channels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int32, bool])
def test_grey_and_colour_pictures_come_with_the_channels_asked_for(folders, dtype):
    grey = np.arange(24).reshape(SIZE).astype(dtype)
    for stem in "abc":
        (folders[0] / f"{stem}.png").unlink()
        np.save(folders[0] / f"{stem}.npy", grey)
    np.save(folders[0] / "b.npy", np.dstack([grey] * 3))
    ds = from_folders(*folders, CELLS, channels=3)
    assert f"first image 4x6x3 {np.dtype(dtype)}" in repr(ds)
    for image, _ in ds:
        np.testing.assert_array_equal(image, np.dstack([grey] * 3))
    as_grey = from_folders(*folders, CELLS, channels=1)
    np.testing.assert_array_equal(as_grey[0][0], grey[..., None])
    if dtype in (np.uint8, np.uint16, np.float32):
        np.testing.assert_allclose(as_grey[1][0], grey[..., None], rtol=1e-5)
    else:
        with pytest.raises(ValueError, match=r"RGB of uint8, uint16 or float32 .*\(file .*b\.npy"):
            as_grey[1]


def test_channels_that_cannot_be_had_name_the_file(folders):
    np.save(folders[0] / "d.npy", np.zeros((*SIZE, 5), np.uint8))
    write(folders[1], "d.png", mask_of(0))
    with pytest.raises(ValueError, match=r"received a picture of 5 channels \(file .*d\.npy\)"):
        from_folders(*folders, CELLS, channels=3)[3]
    with pytest.raises(ValueError, match="channels must be None, 1 or 3, received 4"):
        from_folders(*folders, CELLS, channels=4)
