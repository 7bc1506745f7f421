"""from_pairs: the files that a list names, or an error that quotes the line."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.data import from_pairs

TWO = ClassMap(["background", "cell"])


def write_pair(root, image, mask, value=0):
    for name, array in ((image, np.full((4, 6, 3), value)), (mask, np.full((4, 6), value % 2))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), array.astype(np.uint8))


@pytest.fixture
def root(tmp_path):
    for value, stem in enumerate("cab"):
        write_pair(tmp_path, f"x/{stem}.png", f"y/{stem}_ids.png", value)
    return tmp_path


PAIRS = [(f"x/{stem}.png", f"y/{stem}_ids.png") for stem in "cab"]
LINES = "\n".join(" ".join(pair) for pair in PAIRS)
ROWS = "\n".join(",".join(pair) for pair in PAIRS)


def written(root, name, text):
    (root / name).write_text(text, encoding="utf-8")
    return root / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", LINES),
        ("list.txt", "\n" + LINES.replace(" ", "\t  ").replace("\n", "\n\n") + "\n"),
        ("list.txt", "\ufeff" + LINES.replace("\n", "\r\n")),
        ("list.csv", ROWS),
        ("list.CSV", "image,mask\n" + ROWS.replace(",", " , ")),
        ("list.csv", "mask,split,image\n" + "\n".join(f"{m},train,{i}" for i, m in PAIRS)),
        ("list.csv", "\n" + "\n".join(f'"{i}","{m}"' for i, m in PAIRS) + "\n\n"),
    ],
)
def test_every_form_of_list_gives_the_same_data_set_in_its_order(root, name, text):
    ds = from_pairs(written(root, name, text), TWO)
    same = from_pairs(PAIRS, TWO, root=root, name="list")
    assert ds.ids == same.ids == ["c", "a", "b"]
    assert repr(ds) == repr(same)
    assert [ds.paths(i) for i in range(3)] == [(root / i, root / m) for i, m in PAIRS]
    assert [int(image[0, 0, 0]) for image, _ in ds] == [0, 1, 2]
    assert [int(mask[0, 0]) for _, mask in ds] == [0, 1, 0]


def test_paths_are_relative_to_root_to_the_list_or_to_where_one_is(root, monkeypatch):
    elsewhere = root / "lists"
    elsewhere.mkdir()
    listing = written(elsewhere, "train.txt", LINES)
    with pytest.raises(FileNotFoundError, match=r"6 of 6 listed files are missing, the first: "):
        from_pairs(listing, TWO)
    assert from_pairs(str(listing), TWO, root=str(root)).name == "train"
    absolute = [(root / image, str(root / mask)) for image, mask in PAIRS]
    assert from_pairs(absolute, TWO).name == "pairs"
    monkeypatch.chdir(root)
    mixed = [absolute[0], *PAIRS[1:]]
    assert from_pairs(mixed, TWO).ids == from_pairs(iter(PAIRS), TWO).ids == ["c", "a", "b"]


def test_names_with_spaces_need_a_csv_file(root):
    write_pair(root, "x/two words.png", "y/Zellkörper #1.png")
    row = "x/two words.png,y/Zellkörper #1.png"
    assert from_pairs(written(root, "a.csv", row), TWO).ids == ["two words"]
    with pytest.raises(ValueError, match=r"line 1 of .*a\.txt must be a pair .* need a \.csv file"):
        from_pairs(written(root, "a.txt", row.replace(",", " ")), TWO)


@given(stems=st.lists(st.sampled_from(["a", "b", "p/a", "p/q/b"]), min_size=1, unique=True))
def test_ids_are_stems_or_paths_and_always_differ(tmp_path_factory, stems):
    root = tmp_path_factory.getbasetemp() / "ids"
    pairs = [(f"deep/{stem}.png", f"ids/{stem}.png") for stem in stems]
    for pair in pairs:
        write_pair(root, *pair)
    ids = from_pairs(pairs, TWO, root=root).ids
    assert len(set(ids)) == len(stems)
    last = [stem.split("/")[-1] for stem in stems]
    assert ids == (last if len(set(last)) == len(last) else stems)


def test_ids_keep_the_ends_where_those_alone_differ(root):
    for name in ("a.png", "a.bmp"):
        write_pair(root, name, f"ids_{name}")
    ds = from_pairs([("a.png", "ids_a.png"), ("a.bmp", "ids_a.bmp")], TWO, root=root)
    assert ds.ids == ["a.png", "a.bmp"]


def test_missing_files_are_counted_and_the_first_is_named(root):
    (root / "y" / "a_ids.png").unlink()
    (root / "x" / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"2 of 6 listed files .* first: .*y.a_ids\.png; "):
        from_pairs(PAIRS, TWO, root=root)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("list.txt", "\n" + LINES + "\nalone.png", 5),
        ("list.txt", "a.png b.png c.png\n" + LINES, 1),
        ("list.csv", "image,mask\n\nx/c.png,y/c_ids.png\nx/a.png", 4),
        ("list.csv", "x/a.png;y/a_ids.png", 1),
    ],
)
def test_a_line_that_is_no_pair_is_quoted_with_its_number(root, name, text, line):
    message = rf"line {line} of .*{name} must be a pair \(image, mask\), received \['"
    with pytest.raises(ValueError, match=message):
        from_pairs(written(root, name, text), TWO)


@pytest.mark.parametrize("pair", ["ab", ("a.png",), ("a.png", "b.png", "c.png")])
def test_an_entry_that_is_no_pair_is_quoted(pair):
    with pytest.raises(ValueError, match=r"pairs\[1\] must be a pair \(image, mask\), received "):
        from_pairs([("a.png", "b.png"), pair], TWO)


def test_an_empty_list_and_a_missing_list_are_refused(root):
    with pytest.raises(ValueError, match=r"pairs must name at least one .*received none from \[\]"):
        from_pairs([], TWO)
    with pytest.raises(ValueError, match=r"at least one .* none from .*empty\.txt"):
        from_pairs(written(root, "empty.txt", "\n"), TWO)
    with pytest.raises(
        FileNotFoundError, match=r"list of pairs or a file, found none at .*nowhere"
    ):
        from_pairs(root / "nowhere.txt", TWO)


def test_bad_samples_can_be_skipped(root):
    (root / "x" / "a.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"1 of 3 samples of 'pairs' are skipped") as caught:
        ds = from_pairs(PAIRS, TWO, root=root, on_error="skip")
    assert (ds.ids, [sample for sample, _ in ds.skipped]) == (["c", "b"], ["a"])
    assert caught[0].filename == __file__
