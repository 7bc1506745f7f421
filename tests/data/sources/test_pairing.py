"""pair_folders: which files are listed, and which belong together."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.data import from_folders
from semseg.data.sources.folders import pair_folders


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def ids_of(*arguments, **options):
    """The ids of all pairs, where nothing is left alone."""
    pairing = pair_folders(*arguments, **options)
    pairing.raise_for_lone_files()
    return [pair.id for pair in pairing.pairs]


NAMES = st.lists(
    st.text("aÄ ß#._-%道1", min_size=1, max_size=6).filter(lambda n: n[0] != "." and n[-1] != "."),
    min_size=1,
    max_size=6,
    unique_by=lambda name: os.path.splitext(f"{name}.png")[0],
)


@given(names=NAMES, image_suffix=st.sampled_from(["", "_left"]), where=st.sampled_from(["", "x/"]))
def test_pairs_are_the_stems_whatever_the_names_and_suffixes(
    tmp_path_factory, names, image_suffix, where
):
    root = tmp_path_factory.mktemp("pairs")
    touch(root / "images", *(f"{where}{name}{image_suffix}.jpg" for name in names))
    touch(root / "masks", *(f"{where}{name}_mask.png" for name in names))
    found = pair_folders(
        root / "images",
        root / "masks",
        image_suffix=image_suffix,
        mask_suffix="_mask",
        recursive=bool(where),
    )
    assert [pair.id for pair in found.pairs] == sorted(where + name for name in names)
    for sample, image, mask in found.pairs:
        assert image == root / "images" / f"{sample}{image_suffix}.jpg"
        assert mask == root / "masks" / f"{sample}_mask.png"
    assert found.lone_images == found.lone_masks == []


# -- suffixes ------------------------------------------------------------------------------------


def test_files_without_the_suffix_are_passed_over(tmp_path):
    touch(tmp_path / "images", "1_left.png", "1_right.png")
    touch(tmp_path / "masks", "1_ids.png", "1_color.png", "2_color.png")
    options = {"image_suffix": "_left", "mask_suffix": "_ids"}
    assert ids_of(tmp_path / "images", tmp_path / "masks", **options) == ["1"]


@pytest.mark.parametrize("argument", ["image_suffix", "mask_suffix"])
def test_a_suffix_that_no_file_has_is_named(tmp_path, argument):
    touch(tmp_path / "images", "1.png")
    touch(tmp_path / "masks", "1.png")
    what = argument.replace("_suffix", "s")
    message = rf"{what} must hold files whose stem ends with '_x', found none among 1 .*1\.png"
    with pytest.raises(ValueError, match=message):
        pair_folders(tmp_path / "images", tmp_path / "masks", **{argument: "_x"})


@pytest.mark.parametrize(
    ("image_suffix", "mask_suffix"), [("", "_m"), ("_i", ""), ("_i", "_m"), ("_b", "_a_b")]
)
def test_one_folder_will_do_where_suffixes_tell_them_apart(tmp_path, image_suffix, mask_suffix):
    touch(tmp_path, *(f"{n}{image_suffix}.png" for n in "12"))
    touch(tmp_path, *(f"{n}{mask_suffix}.png" for n in "12"))
    options = {"image_suffix": image_suffix, "mask_suffix": mask_suffix}
    found = pair_folders(tmp_path, tmp_path, **options)
    found.raise_for_lone_files()
    assert [(p.id, p.image.name, p.mask.name) for p in found.pairs] == [
        (n, f"{n}{image_suffix}.png", f"{n}{mask_suffix}.png") for n in "12"
    ]


def test_one_folder_without_suffixes_is_refused_however_it_is_spelled(tmp_path):
    touch(tmp_path, "1.jpg", "1.png")
    (tmp_path / "link").symlink_to(tmp_path)
    for other in (tmp_path, f"{tmp_path}/.", tmp_path / "link"):
        with pytest.raises(ValueError, match=r"images and masks are one folder .*mask_suffix="):
            pair_folders(tmp_path, other)


# -- what is listed ------------------------------------------------------------------------------


def test_folders_inside_count_only_where_asked_for(tmp_path):
    for folder in ("images", "masks"):
        touch(tmp_path / folder, "1.png", "b/1.png", "b/c/2.png", "a/1.png")
    folders = tmp_path / "images", tmp_path / "masks"
    assert ids_of(*folders) == ["1"]
    assert ids_of(*folders, recursive=True) == ["1", "a/1", "b/1", "b/c/2"]


def test_equal_stems_in_different_folders_are_no_pair(tmp_path):
    touch(tmp_path / "images", "berlin/1.png")
    touch(tmp_path / "masks", "paris/1.png")
    found = pair_folders(tmp_path / "images", tmp_path / "masks", recursive=True)
    assert found.pairs == []
    with pytest.raises(ValueError, match=r"1 images without mask \(1.png\) and 1 masks without"):
        found.raise_for_lone_files()


def test_ids_are_paths_where_all_pictures_lie_in_one_folder_too(tmp_path):
    touch(tmp_path / "images", "city/1.png")
    touch(tmp_path / "masks", "city/1.png")
    assert ids_of(tmp_path / "images", tmp_path / "masks", recursive=True) == ["city/1"]


def test_the_way_out_is_named_where_all_pictures_lie_deeper(tmp_path):
    touch(tmp_path / "images", "city/1.png")
    with pytest.raises(FileNotFoundError, match=r"it holds city; recursive=True looks into"):
        pair_folders(tmp_path / "images", tmp_path)


def test_a_pattern_chooses_images(tmp_path):
    touch(tmp_path / "images", "1.jpg", "1_small.png", "2.jpg")
    touch(tmp_path / "masks", "1.png", "2.png")
    folders = tmp_path / "images", tmp_path / "masks"
    assert ids_of(*folders, pattern="*.jpg") == ["1", "2"]
    with pytest.raises(FileNotFoundError, match=r"images must hold pictures .*and '\*\.gif'"):
        pair_folders(*folders, pattern="*.gif")


def test_hidden_files_and_folders_are_left_out(tmp_path):
    for folder in ("images", "masks"):
        touch(tmp_path / folder, "1.png")
    touch(tmp_path / "images", "._1.png", ".DS_Store", ".cache/2.png")
    assert ids_of(tmp_path / "images", tmp_path / "masks", recursive=True) == ["1"]


def test_links_to_files_and_folders_are_followed(tmp_path):
    touch(tmp_path / "store", "1.png", "deep/2.png")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "first.png").symlink_to(tmp_path / "store" / "1.png")
        (tmp_path / folder / "all").symlink_to(tmp_path / "store")
    found = ids_of(tmp_path / "images", tmp_path / "masks", recursive=True)
    assert found == ["all/1", "all/deep/2", "first"]


@pytest.mark.parametrize("target", [".", "inside", "..", "images"])
def test_links_in_a_circle_give_each_file_once(tmp_path, target):
    root = touch(tmp_path / "data", "images/1.png", "images/inside/2.png", "masks/1.png")
    touch(root, "masks/inside/2.png")
    (root / "images" / "inside" / "round").symlink_to(
        {"images": root / "images", "inside": root / "images" / "inside"}.get(target, target)
    )
    assert ids_of(root / "images", root / "masks", recursive=True) == ["1", "inside/2"]


def test_a_link_that_leads_nowhere_is_said_to_be_missing_when_it_is_read(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").symlink_to(tmp_path / "gone.png")
    ds = from_folders(tmp_path / "images", tmp_path / "masks", ClassMap(["a", "b"]))
    with pytest.raises(FileNotFoundError, match=r"no such file: .*1\.png"):
        ds[0]


def test_a_folder_that_cannot_be_written_to_is_read(tmp_path):
    for folder in ("images", "masks"):
        touch(tmp_path / folder, "1.png")
        (tmp_path / folder).chmod(0o555)
    assert ids_of(tmp_path / "images", tmp_path / "masks") == ["1"]


def test_the_name_of_a_relative_folder_is_its_own(tmp_path, monkeypatch):
    touch(tmp_path / "street", "1.png", "1_m.png")
    monkeypatch.chdir(tmp_path / "street")
    ds = from_folders(".", ".", ClassMap(["a", "b"]), mask_suffix="_m")
    assert ds.name == "street"
