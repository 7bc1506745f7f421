"""finding: what a root lacks, what is there instead, and where the right one is."""

import pytest

from semseg.data.sources.finding import check_root, listed_ids, pairs_in_folders, pairs_of_ids

NEEDED = ("list.txt", "images/")


@pytest.fixture
def right(tmp_path):
    root = tmp_path / "downloads/set"
    (root / "images/inside").mkdir(parents=True)
    (root / "list.txt").touch()
    return root


def test_a_root_with_all_that_is_needed_comes_back_as_a_path(right):
    assert check_root(str(right), "the set's folder", NEEDED) == right


@pytest.mark.parametrize("wrong", ["downloads", "downloads/set/images"])
def test_the_right_root_beside_the_given_one_is_named(tmp_path, right, wrong):
    message = rf"found no list.txt.* in {tmp_path / wrong}, .*; pass root='{right}'$"
    with pytest.raises(FileNotFoundError, match=message):
        check_root(tmp_path / wrong, "the set's folder", NEEDED)


def test_only_what_is_missing_is_called_so(right):
    (right / "list.txt").unlink()
    message = (
        r"root must be the set's folder with list.txt, images/; found no list.txt in .*set, which "
        r"holds images$"
    )
    with pytest.raises(FileNotFoundError, match=message):
        check_root(right, "the set's folder", NEEDED)


def test_a_file_is_no_folder_and_a_folder_no_file(right):
    with pytest.raises(FileNotFoundError, match=r"found no list.txt/, images in "):
        check_root(right, "the set's folder", ("list.txt/", "images"))
    with pytest.raises(FileNotFoundError, match=r"list.txt, which is a file$"):
        check_root(right / "list.txt", "the set's folder", NEEDED)


def test_of_many_files_the_first_are_named_and_all_counted(tmp_path):
    for i in range(20):
        (tmp_path / f"{i:02d}.png").touch()
    with pytest.raises(FileNotFoundError, match=r"holds 00.png, .*07.png, ... \(20 in all\)$"):
        check_root(tmp_path, "the set's folder", NEEDED)


def test_lists_give_the_first_word_of_lines_that_are_no_comments(tmp_path):
    (tmp_path / "list.txt").write_text("\ufeff# id class\na 1\n\n  b 2 \n", encoding="utf-8")
    assert listed_ids(tmp_path / "list.txt") == ["a", "b"]
    (tmp_path / "list.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"list.txt must list one sample a line, received none"):
        listed_ids(tmp_path / "list.txt")


def test_missing_files_of_listed_samples_are_counted_and_the_first_is_named(right):
    (right / "images/a.png").touch()
    message = r"3 of the 4 files of 2 samples are missing, the first: .*masks.a\.png; is every"
    with pytest.raises(FileNotFoundError, match=message):
        pairs_of_ids(right, ["a", "b"], "images/{}.png", "masks/{}.png")


def test_files_without_partner_are_counted_and_the_first_is_named(right):
    (right / "masks").mkdir()
    for name in ("images/a.png", "images/b.png", "images/inside/c.png", "masks/a.png"):
        (right / name).touch()
    message = r"2 images have no mask and 0 masks .*the first: .*images.b\.png \(1 pairs match\)"
    with pytest.raises(FileNotFoundError, match=message):
        pairs_in_folders(right, "images/", "masks/")
