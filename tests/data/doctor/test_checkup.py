"""The doctor on whole data sets: splits, real data, data in memory, the command line."""

import json
import zipfile
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from broken_data import Clean, mask_0_255, rgb_masks, write
from PIL import Image

import semseg.data
from semseg.classes import ClassMap
from semseg.data import Dataset, camvid, digits, from_arrays, from_folders, isbi_em, nuclei
from semseg.data.doctor import check_folders
from semseg.data.doctor.__main__ import main
from semseg.data.doctor.report import LEVELS

CELLS = ClassMap(["background", "cell"])


def small(count=6):
    ds = digits("train", count=count, size=(96, 128))
    return Clean(*map(list, zip(*ds, strict=True)), ds.class_map)


@pytest.fixture
def folder(tmp_path):
    return write(small(), tmp_path / "set")


def kinds(report):
    return [p.kind for p in report.problems]


# -- splits --------------------------------------------------------------------------------------


def test_a_picture_in_two_splits_is_a_leak_and_both_names_are_given():
    ds = digits("train", count=6, size=(48, 56))
    train, val = ds.subset([0, 1, 2, 3], name="train"), ds.subset([3, 4, 5], name="val")
    report = train.check(against=[val])
    leak = report.of_kind("leak")
    assert leak.count == 1 and leak.examples == ("train-0003 = train-0003 of val",)
    assert report.worst == "certain"
    assert train.check(against=ds.subset([4, 5])).of_kind("leak") is None


def test_a_leak_is_found_across_file_formats(tmp_path):
    clean = small(3)
    png = write(clean, tmp_path / "png")
    npy = write(clean, tmp_path / "npy")
    for path, image in zip(npy.images, clean.images, strict=True):
        path.unlink()
        np.save(path.with_suffix(".npy"), image)
    sets = [from_folders(f.root / "images", f.root / "masks", clean.class_map) for f in (png, npy)]
    assert sets[0].check(against=sets[1:]).of_kind("leak").count == 3


def test_a_split_without_groups_tears_no_duplicates_apart_unnoticed():
    ds = digits("train", count=5, size=(48, 56))
    report = ds.concat(ds.subset([2])).check()
    assert report.of_kind("duplicate_image").examples == ("train-0002 = train-0002",)


# -- data sets of other kinds --------------------------------------------------------------------


def test_arrays_in_memory_are_checked_too():
    images = np.random.default_rng(0).random((4, 20, 24, 3), np.float32)
    masks = np.random.default_rng(0).integers(0, 2, (4, 20, 24))
    report = from_arrays(images, masks, CELLS).check()
    assert kinds(report) == ["normalised_images"]
    masks[1, 3, 3] = 7
    report = from_arrays(images, masks, CELLS).check()
    unreadable = report.of_kind("unreadable_sample")
    assert unreadable.examples == ("1",)
    assert "mask has ids [7] outside 0..1" in unreadable.message


@pytest.mark.parametrize("error", [KeyError("scan"), zipfile.BadZipFile("no zip"), IndexError(3)])
def test_whatever_a_read_of_ones_own_raises_is_a_problem_of_its_sample(error):
    def read(index):
        if index == 2:
            raise error
        return np.full((4, 6, 3), 30 * index, np.uint8), np.full((4, 6), index % 2, np.uint8)

    ds = Dataset(read, list("abcd"), CELLS, "scans")
    report = ds.check(against=ds)
    assert report.of_kind("unreadable_sample").examples == ("c",)
    assert type(error).__name__ in report.of_kind("unreadable_sample").message or isinstance(
        error, zipfile.BadZipFile
    )


def in_folders(folder, class_map=None, encoding="ids"):
    images, masks = folder.root / "images", folder.root / "masks"
    return from_folders(images, masks, class_map or folder.class_map, encoding=encoding)


def two_ways(folder, tmp_path):
    """The same pictures with two classes: as 0/1, as 0/255 and as colours."""
    map_of = partial(ClassMap, ["background", "cell"], [(0, 0, 0), (250, 90, 10)])
    arrays = [
        np.where((mask > 0) & (mask < 255), 1, 0).astype(np.uint8) for mask in folder.clean.masks
    ]
    clean = replace(folder.clean, masks=arrays, class_map=map_of())
    one, stretched, coloured = (write(clean, tmp_path / name) for name in ("a", "b", "c"))
    stretched.write_masks(lambda mask: mask * 255)
    coloured.write_masks(map_of().colorize)
    return (
        in_folders(one),
        in_folders(stretched, map_of(remap={255: 1})),
        in_folders(coloured, encoding="rgb"),
    )


def test_a_concat_of_masks_that_are_read_in_several_ways_is_no_fault(folder, tmp_path):
    parts = two_ways(folder, tmp_path)
    for first in range(3):
        order = [*parts[first:], *parts[:first]]
        for joined in (order[0].concat(order[1]), order[0].concat(order[2], order[1])):
            found = {p.kind for p in joined.check().problems if p.level != "hint"}
            assert found <= {"duplicate_image", "conflicting_masks"}, found


def test_in_a_concat_the_part_that_is_wrong_is_judged_by_its_own_way(folder, tmp_path):
    one, stretched, _ = two_ways(folder, tmp_path)
    for path in [stretched.paths(i)[1] for i in range(len(stretched))]:
        mask = np.asarray(Image.open(path))
        Image.fromarray(np.where(mask == 255, 7, mask).astype(np.uint8)).save(path)
    report = one.concat(stretched).check()
    assert "7" in report.of_kind("mask_0_255").message
    assert report.of_kind("mask_0_255").count == len(stretched)


def test_joined_classes_are_judged_as_they_are_joined(folder):
    ds = from_folders(folder.root / "images", folder.root / "masks", folder.class_map)
    names = ds.class_map.names
    without_nine = Dataset(
        lambda i: (ds[i][0], np.where(ds[i][1] == 10, 255, ds[i][1])), ds.ids, ds.class_map
    )
    absent = without_nine.check().of_kind("absent_class")
    assert "9" in absent.message
    joined = ds.map_classes(dict.fromkeys(names[1:], "digit"))
    assert joined.check().of_kind("absent_class") is None
    assert ds.map_classes({names[3]: None}).check().exit_status == ds.check().exit_status


def test_a_file_that_has_gone_since_is_missing(folder):
    ds = from_folders(folder.root / "images", folder.root / "masks", folder.class_map)
    folder.masks[2].unlink()
    assert ds.check().of_kind("missing_file").examples == ("02.png",)


def test_a_turned_tiff_and_an_array_that_is_no_image_are_named(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(folder.clean.images[0]).save(folder.images[0].with_suffix(".tif"), exif=exif)
    folder.images[0].unlink()
    np.save(folder.images[1].with_suffix(".npy"), np.zeros((2, 3, 4, 5)))
    folder.images[2].unlink() if folder.images[1].suffix == ".npy" else folder.images[1].unlink()
    report = folder.check()
    assert {"turned_tiff", "array_shape"} <= set(kinds(report))


@pytest.mark.once
@pytest.mark.data
def test_camvid_is_clean_and_no_picture_is_in_two_splits(data_root):
    train, val, test = (camvid(data_root / "camvid", s) for s in ("train", "val", "test"))
    for report in (val.check(against=[train.subset(range(0, 367, 8)), test]), test.check()):
        assert report.exit_status == 0, str(report)


@pytest.mark.slow
@pytest.mark.data
def test_camvids_training_pictures_are_in_no_other_split(data_root):
    train, val, test = (camvid(data_root / "camvid", s) for s in ("train", "val", "test"))
    report = train.check(against=[val, test])
    assert report.exit_status == 0, str(report)


@pytest.mark.slow
@pytest.mark.data
def test_the_medical_sets_are_clean_by_their_sources(data_root):
    for split in ("train", "val"):
        assert isbi_em(data_root / "isbi-em", split).check().exit_status == 0
    for split in ("train", "test"):
        for border in (False, True):
            report = nuclei(data_root / "nuclei", split, border=border).check()
            assert report.exit_status == 0, str(report)


# -- folders without a class map -----------------------------------------------------------------


def test_without_classes_masks_are_judged_by_themselves(folder):
    folder.class_map = None
    assert folder.check().worst == "nothing", str(folder.check())
    assert folder.check().found["ids (pixels)"]["0"] > 0
    mask_0_255_of_digits = [
        ((m > 0) & (m < 255)).astype(np.uint8) * 255 for m in folder.clean.masks
    ]
    masks = iter(mask_0_255_of_digits)
    folder.write_masks(lambda _: next(masks))
    assert kinds(folder.check()) == ["mask_0_255"]


def test_without_classes_0_255_masks_are_known_through_interpolation(folder):
    folder.class_map = None
    folder.write_masks(lambda mask: cv2.blur((mask > 0).astype(np.uint8) * 255, (3, 3)))
    assert kinds(folder.check()) == ["antialiased_mask", "mask_0_255"]


def test_without_classes_gaps_are_named(folder):
    folder.class_map = None
    folder.write_masks(lambda mask: (mask > 5).astype(np.uint8) * 4)
    assert folder.check().of_kind("gaps_in_ids").fix.startswith("ClassMap([...], remap={4: 1})")


def test_a_suffix_pairs_what_has_two_names(folder):
    for path in folder.masks:
        path.rename(path.with_stem(path.stem + "_mask"))
    assert {"image_without_mask", "mask_without_image"} <= set(kinds(folder.check()))
    assert folder.check(mask_suffix="_mask").worst == "nothing"


# -- the report ----------------------------------------------------------------------------------


def test_the_report_is_data_and_sorted(folder):
    mask_0_255(folder)
    folder.images[1].write_bytes(b"")
    report = folder.check()
    levels = [LEVELS.index(p.level) for p in report.problems]
    assert levels == sorted(levels)
    data = json.loads(report.to_json())
    assert [p["kind"] for p in data["problems"]] == kinds(report)
    assert data["worst"] == report.worst == "certain" and report.exit_status == 1


def test_the_same_set_gives_the_same_report(folder):
    mask_0_255(folder)
    assert str(folder.check()) == str(folder.check())


# -- the command ---------------------------------------------------------------------------------


def run(folder, *arguments):
    images, masks = folder.root / "images", folder.root / "masks"
    return main([str(images), str(masks), *map(str, arguments)])


def test_the_command_prints_the_report_and_says_by_its_status(folder, tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(folder.class_map.names))
    assert run(folder, "--classes", names, "--ignore", 255, "--json", tmp_path / "r.json") == 0
    assert "no problem found" in capsys.readouterr().out
    assert json.loads((tmp_path / "r.json").read_text())["samples"] == 6
    assert run(folder, "--classes", names) == 1
    assert "ignore_class=255" in capsys.readouterr().out


def test_the_command_reads_colours_beside_the_names(folder, tmp_path, capsys):
    rgb_masks(folder)
    classes = zip(folder.class_map.names, folder.class_map.colors, strict=True)
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"{name} {r} {g} {b}" for name, (r, g, b) in classes))
    assert run(folder, "--classes", names, "--ignore", 255, "--encoding", "rgb") == 0
    names.write_text("background 0 0 0\nroad")
    assert run(folder, "--classes", names) == 2
    assert "every class a colour or none, but 'road' has none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--encoding", "rgb"), "encoding='rgb' needs a class_map"), (("--ignore", 255), "--ignore")],
)
def test_what_needs_the_classes_asks_for_them(folder, capsys, arguments, message):
    assert run(folder, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "--classes" in error


def test_instances_need_no_classes(folder, capsys):
    assert run(folder, "--encoding", "instances") == 0


def test_the_command_names_what_it_can_t_run_on(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere"), str(tmp_path)]) == 2
    assert "images must be a folder" in capsys.readouterr().err


def test_check_folders_is_the_command_s_function():
    assert semseg.data.doctor.check_folders is check_folders
