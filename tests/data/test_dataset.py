"""Dataset: random access, and a named error for whatever a source returns that is no pair."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.encodings import MaskDecoder
from semseg.data.samples import SampleFiles

CELLS = ClassMap(["background", "cell"], ignore_class=255)


def image_of(index):
    return np.full((3, 4, 3), index, np.uint8)


def mask_of(index):
    return np.full((3, 4), index % 2, np.uint8)


def cells(count=5, read=lambda i: (image_of(i), mask_of(i)), class_map=CELLS):
    return Dataset(read, [f"cell {i}" for i in range(count)], class_map, "cells")


def with_pair(image=None, mask=None, class_map=CELLS):
    """A data set whose only sample is what it is given."""
    image = image_of(0) if image is None else image
    mask = mask_of(0) if mask is None else mask
    return cells(1, lambda i: (image, mask), class_map)


@given(count=st.integers(1, 20), data=st.data())
def test_it_is_indexed_like_a_list(count, data):
    ds, listed = cells(count), [image_of(i) for i in range(count)]
    index = data.draw(st.integers(-count, count - 1))
    image, mask = ds[index]
    np.testing.assert_array_equal(image, listed[index])
    np.testing.assert_array_equal(mask, mask_of(index % count))
    assert len(ds) == count


@pytest.mark.parametrize("index", [5, -6, 100])
def test_an_index_outside_is_an_index_error(index):
    with pytest.raises(IndexError, match=rf"below 5 \(data set 'cells'\), got {index}"):
        cells()[index]


def test_a_numpy_integer_is_an_index():
    np.testing.assert_array_equal(cells()[np.int64(-1)][0], image_of(4))


def test_iteration_gives_every_sample_once_and_ends():
    seen = [int(image[0, 0, 0]) for image, _ in cells()]
    assert seen == [0, 1, 2, 3, 4]


def test_the_index_error_ends_the_iteration_of_those_who_only_index():
    """The old protocol of `iter`, which loaders use that know `__getitem__` alone."""
    ds = cells()
    seen, index = [], 0
    while True:
        try:
            seen.append(ds[index])
        except IndexError:
            break
        index += 1
    assert len(seen) == 5


@given(chosen=st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_a_subset_has_the_chosen_samples_in_their_order(chosen):
    ds = cells()
    part = ds.subset(chosen)
    assert len(part) == len(chosen)
    assert part.ids == [ds.ids[i] for i in chosen]
    assert (part.class_map, part.name) == (ds.class_map, ds.name)
    for i, j in enumerate(chosen):
        np.testing.assert_array_equal(part[i][0], ds[j][0])


def test_a_subset_of_a_subset_and_an_array_of_indices_will_do():
    part = cells().subset(np.array([4, 2, 0])).subset([2, 0])
    assert [int(image[0, 0, 0]) for image, _ in part] == [0, 4]


@pytest.mark.parametrize("outside", [-1, 5])
def test_a_subset_reaches_no_sample_outside(outside):
    with pytest.raises(IndexError, match=rf"indices must lie in 0..4, received \[{outside}\]"):
        cells().subset([0, outside])


@pytest.mark.parametrize("indices", [[0.5, 1.0], np.array([True, False, True]), ["0"]])
def test_indices_of_a_subset_are_whole_numbers(indices):
    with pytest.raises(TypeError, match=r"indices must be whole numbers, .*np\.flatnonzero"):
        cells().subset(indices)


@pytest.mark.parametrize("index", [1.0, "1", None, slice(2)])
def test_an_index_is_a_whole_number(index):
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        cells()[index]


def test_an_empty_subset_is_refused():
    with pytest.raises(ValueError, match=r"ids must name at least one sample \(data set 'cells'\)"):
        cells().subset([])


def test_repr_says_what_is_in_it():
    assert repr(cells()) == "Dataset('cells', 5 samples, 2 classes: background, cell)"
    many = ClassMap([f"c{i}" for i in range(20)])
    assert repr(cells(class_map=many)).endswith("20 classes: " + "c0, " + _listed(1, 12) + ", ...)")


def _listed(first, stop):
    return ", ".join(f"c{i}" for i in range(first, stop))


def test_repr_adds_what_the_source_notes():
    ds = Dataset(lambda i: (image_of(i), mask_of(i)), ["a"], CELLS, note="masks: 8-bit ids")
    assert repr(ds) == (
        "Dataset('dataset', 1 samples, 2 classes: background, cell; masks: 8-bit ids)"
    )
    assert repr(ds.subset([0])) == repr(ds)
    assert repr(ds.concat(ds)).endswith("; masks: 8-bit ids)")


def with_files(name, count, note=""):
    """A data set that says where its samples lie; sample `i` holds the number `i`."""
    return Dataset(
        lambda i: (image_of(i), mask_of(i)),
        [f"{name} {i}" for i in range(count)],
        CELLS,
        name,
        files=lambda i: SampleFiles(Path(f"{name}/{i}.png"), Path(f"{name}/m{i}.png"), DECODER),
        note=note,
    )


DECODER = MaskDecoder(CELLS)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_concat_has_the_samples_of_all_in_their_order(sizes, data):
    parts = [with_files(f"p{number}", size) for number, size in enumerate(sizes)]
    joined = parts[0].concat(*parts[1:])
    assert len(joined) == sum(sizes)
    assert joined.ids == [sample for part in parts for sample in part.ids]
    assert joined.name == "+".join(part.name for part in parts)
    singles = [(part, i) for part in parts for i in range(len(part))]
    for index, (part, i) in enumerate(singles):
        np.testing.assert_array_equal(joined[index][0], part[i][0])
        assert joined.paths(index) == part.paths(i)
    chosen = data.draw(st.lists(st.integers(0, len(joined) - 1), min_size=1, max_size=6))
    part = joined.subset(chosen)
    assert part.ids == [joined.ids[i] for i in chosen]
    assert [part.paths(i) for i in range(len(part))] == [joined.paths(i) for i in chosen]
    for i, j in enumerate(chosen):
        np.testing.assert_array_equal(part[i][1], joined[j][1])


@given(first=st.integers(1, 4), second=st.integers(1, 4))
def test_a_data_set_is_the_concat_of_its_subsets(first, second):
    ds = with_files("p", first + second)
    halves = ds.subset(range(first)), ds.subset(range(first, first + second))
    again = halves[0].concat(halves[1], name="p")
    assert (again.ids, repr(again)) == (ds.ids, repr(ds))
    for i in range(len(ds)):
        assert again.paths(i) == ds.paths(i)
        np.testing.assert_array_equal(again[i][0], ds[i][0])


def test_concat_keeps_each_note_once_and_paths_only_where_all_have_them():
    one, two = with_files("a", 1, "8-bit ids"), with_files("b", 1, "RGB colours")
    assert one.concat(two, one).note == "8-bit ids; RGB colours"
    with pytest.raises(ValueError, match=r"paths are of data sets made of files, and 'a\+cells'"):
        one.concat(cells()).paths(0)


@pytest.mark.parametrize(
    "other",
    [
        ClassMap(["cell", "background"], ignore_class=255),
        ClassMap(["background", "nucleus"], ignore_class=255),
        ClassMap(["background", "cell"]),
    ],
)
def test_concat_needs_the_same_classes(other):
    message = r"concat needs data sets of the same classes, received ClassMap\(2 .*map_classes"
    with pytest.raises(ValueError, match=message):
        cells().concat(cells(class_map=other))


def test_concat_joins_what_map_classes_made_alike():
    other = ClassMap(["nothing", "nucleus"], colors=[(1, 1, 1), (2, 2, 2)], ignore_class=255)
    renamed = cells(class_map=other).map_classes({"nothing": "background", "nucleus": "cell"})
    joined = cells().concat(renamed)
    assert joined.class_map == CELLS
    assert [int(mask[0, 0]) for _, mask in joined] == [0, 1, 0, 1, 0] * 2


def test_an_error_in_a_concat_names_the_part_and_the_sample():
    bad = cells(2, lambda i: (image_of(i), mask_of(i) + 7))
    with pytest.raises(ValueError, match=r"sample 'cell 1' of 'cells': mask has ids \[8\]"):
        cells().concat(bad)[6]


def test_paths_count_from_the_end_too_and_reach_no_sample_outside():
    ds = with_files("p", 3)
    assert ds.paths(-1) == (Path("p/2.png"), Path("p/m2.png"))
    assert ds.map_classes({"cell": "nucleus"}).paths(1) == ds.paths(1)
    with pytest.raises(IndexError, match="index must be below 3"):
        ds.paths(3)
    with pytest.raises(ValueError, match="paths are of data sets made of files, and 'cells' is"):
        cells().paths(0)


@pytest.mark.parametrize("error", [ValueError("v"), FileNotFoundError("f"), OSError("o")])
@pytest.mark.parametrize("ask", [lambda ds: ds[3], lambda ds: ds.mask(3), lambda ds: list(ds)])
def test_an_error_of_read_names_the_sample_and_keeps_its_type(error, ask):
    def read(index):
        if index == 3:
            raise error
        return image_of(index), mask_of(index)

    whole = cells(read=read)
    for ds in (whole, whole.map_classes({"cell": "x"}), whole.subset(range(5))):
        with pytest.raises(type(error), match=rf"^sample 'cell 3' of 'cells': {error}$") as e:
            ask(ds)
        assert e.value.__cause__ is error or e.value.__context__.__cause__ is error


@pytest.mark.parametrize("error", [KeyError("k"), IndexError("i"), StopIteration("s")])
def test_an_error_of_read_that_would_end_a_loop_becomes_a_runtime_error(error):
    def read(index):
        raise error

    with pytest.raises(RuntimeError, match=rf"^sample 'cell 2' of 'cells': {type(error).__name__}"):
        cells(read=read)[2]


def test_what_read_returns_must_be_a_pair():
    with pytest.raises(ValueError, match=r"^sample 'cell 0' of 'cells': .*unpack"):
        cells(read=lambda i: (image_of(i), mask_of(i), None))[0]


def test_a_mask_alone_is_that_of_the_sample_in_every_view():
    bad = cells(read=lambda i: (image_of(i), mask_of(i) + 7))
    views = [cells().subset([3, 1]), cells().map_classes({"cell": "x"}), cells().concat(cells(2))]
    for ds in [cells(), *views]:
        for i in range(len(ds)):
            np.testing.assert_array_equal(ds.mask(i), ds[i][1])
        with pytest.raises(IndexError, match="index must be below"):
            ds.mask(len(ds))
    with pytest.raises(ValueError, match=r"^sample 'cell 1' of 'cells': mask has ids \[8\]"):
        bad.mask(1)


def test_a_class_map_is_required():
    with pytest.raises(TypeError, match=r"class_map must be a semseg.ClassMap, received list"):
        cells(class_map=["background", "cell"])


def test_read_is_called_with_plain_indices_in_range():
    asked = []

    def read(index):
        asked.append(index)
        return image_of(index), mask_of(index)

    ds = cells(3, read)
    ds[-1], ds[np.int64(1)]
    assert asked == [2, 1]
    assert all(type(index) is int for index in asked)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            np.zeros((3, 4), np.uint8),
            r"image must have shape \(height, width, channels\).*\(3, 4\)",
        ),
        (np.zeros((1, 3, 4, 3), np.uint8), r"image must have shape .*\(1, 3, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"image must not be empty, received shape \(0, 4, 3\)"),
    ],
)
def test_an_image_of_the_wrong_shape_names_the_sample(image, message):
    with pytest.raises(ValueError, match=rf"sample 'cell 0' of 'cells': {message}"):
        with_pair(image=image)[0]


@pytest.mark.parametrize("image", [np.full((3, 4, 3), "a"), np.full((3, 4, 3), None)])
def test_an_image_that_holds_no_numbers_names_the_sample(image):
    with pytest.raises(TypeError, match=r"sample 'cell 0' of 'cells': image must be an array of"):
        with_pair(image=image)[0]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((3, 4, 1), np.uint8), r"\(3, 4, 1\); drop the channel axis with mask\[..., 0\]"),
        (np.zeros((3, 4, 3), np.uint8), r"\(3, 4, 3\); colours are turned into ids by ClassMap"),
        (np.zeros(12, np.uint8), r"must have shape \(height, width\), received \(12,\)"),
        (np.full((3, 4), 0.5), r"must hold whole class ids, received float64 with fractions"),
        (np.full((3, 4), np.nan), r"must hold whole class ids"),
    ],
)
def test_a_mask_that_is_none_names_the_sample(mask, message):
    with pytest.raises(ValueError, match=rf"sample 'cell 0' of 'cells': mask .*{message}"):
        with_pair(mask=mask)[0]


def test_a_mask_of_text_names_the_sample():
    with pytest.raises(TypeError, match=r"sample 'cell 0' of 'cells': mask must hold integer"):
        with_pair(mask=np.full((3, 4), "cell"))[0]


@pytest.mark.parametrize("dtype", [bool, np.float32, np.int64, np.uint16])
def test_a_mask_of_whole_numbers_becomes_integer(dtype):
    mask = with_pair(mask=mask_of(1).astype(dtype))[0][1]
    assert mask.dtype.kind in "ui"
    np.testing.assert_array_equal(mask, mask_of(1))


def test_sizes_that_differ_are_named():
    message = r"sample 'cell 0' of 'cells': .*one size, .*\(3, 4\) and \(3, 5\)$"
    with pytest.raises(ValueError, match=message):
        with_pair(mask=np.zeros((3, 5), np.uint8))[0]


def test_a_transposed_mask_is_called_so():
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(4, 3\); the mask looks transposed"):
        with_pair(mask=mask_of(0).T)[0]


def test_ids_outside_the_class_map_are_named_and_counted():
    mask = np.array([[0, 1, 7, 7], [255, 9, 7, 0], [0, 0, 0, 0]])
    message = (
        r"sample 'cell 0' of 'cells': mask has ids \[7, 9\] outside 0..1 and the ignored 255 "
        r"\(3 pixels of id 7, 4 in all\)"
    )
    with pytest.raises(ValueError, match=message):
        with_pair(mask=mask)[0]


@pytest.mark.parametrize("dtype", [np.int16, np.int64])
def test_negative_ids_are_named(dtype):
    with pytest.raises(ValueError, match=r"mask has ids \[-1\] outside 0..1"):
        with_pair(mask=np.full((3, 4), -1, dtype))[0]


def test_0_and_255_in_a_map_of_two_classes_name_the_cure():
    with pytest.raises(ValueError, match=r"0/1 with ClassMap\(..., remap=\{255: 1\}\)"):
        with_pair(mask=mask_of(1) * 255, class_map=ClassMap(["background", "cell"]))[0]


def test_data_are_read_augmented_and_batched_without_tensorflow():
    program = """
        import sys
        sys.modules["tensorflow"] = None
        import numpy as np
        from semseg.data import digits
        from semseg.data.feeding.batches import BatchSource
        from semseg.data.transforms import Brightness, Compose, Contrast, Flip
        from semseg.data.transforms import RandomCrop, RandomScale, Resize

        ds = digits("train", count=3, size=(32, 40))
        augment = [RandomScale(0.5, 2.0), RandomCrop((24, 24), 255), Flip(), Brightness()]
        source = BatchSource(ds, 2, size=(30, 36), augment=augment + [Contrast()], cache="ram")
        shapes = [tuple(part.shape for part in source[step]) for step in range(3)]
        assert shapes == [((n, 24, 24, 3), (n, 24, 24)) for n in (2, 1, 2)], shapes
        assert not {"keras", "matplotlib", "torch", "jax"} & set(sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_views_remember_what_was_skipped():
    part, other = cells(4), cells(2)
    part.skipped, other.skipped = (("a", "no such file"),), (("b", "empty"),)
    assert part.subset([1]).skipped == part.map_classes({"cell": "nucleus"}).skipped == part.skipped
    assert part.concat(other, part).skipped == (("a", "no such file"), ("b", "empty"))
    assert part.split((0.5, 0.5))[0].skipped == part.skipped
