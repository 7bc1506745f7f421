"""A sample in a record: bit for bit what it was, and stored in the form that is asked for."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_damage import CELLS, files_of_all_kinds

from semseg.data import Dataset
from semseg.data.encodings import MaskDecoder
from semseg.data.records.example import from_example
from semseg.data.records.sample import example_to_sample, is_same, sample_to_example
from semseg.data.samples import SampleFiles

MODES = ("encoded", "raw", "compressed")
NUMBERS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "?"]
IDS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]


def form(example, part="image"):
    return str(from_example(example)[f"{part}_format"], "ascii")


def check_round_trip(pair, images, files=None):
    example = sample_to_example("a sample", pair, images, files)
    for found, was in zip(example_to_sample(example, Path("here")), pair, strict=True):
        assert is_same(found, was)
        assert found.dtype.name == was.dtype.name
        assert found.dtype.isnative and found.flags.writeable and found.flags.c_contiguous
    return form(example)


@given(data=st.data(), images=st.sampled_from(MODES))
def test_any_sample_is_read_bit_for_bit(data, images):
    height, width, channels = (data.draw(st.integers(1, n)) for n in (7, 7, 5))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    order = data.draw(st.sampled_from("<>"))
    kind, ids = data.draw(st.sampled_from(NUMBERS)), data.draw(st.sampled_from(IDS))
    size = height * width * channels * np.dtype(kind).itemsize
    image = np.frombuffer(rng.bytes(size), order + kind).reshape(height, width, channels)
    if kind == "?":
        image = rng.random(image.shape) < 0.5
    mask = rng.integers(0, 100, (width, height)).astype(order + ids).T
    check_round_trip((image, mask), images)


@pytest.fixture(scope="module", params=[None, 3, 1], ids=lambda c: f"channels={c}")
def files(request, tmp_path_factory):
    return files_of_all_kinds(tmp_path_factory.mktemp("files") / "all", request.param)


@pytest.mark.parametrize("images", MODES)
def test_files_of_all_kinds_are_read_bit_for_bit(files, images):
    forms = [check_round_trip(files[i], images, files.files(i)) for i in range(len(files))]
    if images == "encoded":
        own = [Path(files.paths(i)[0]).suffix[1:] for i in range(len(files))]
        expected = {"jpg": "jpeg", "tif": "tiff", "npy": "zlib"}
        assert forms == [expected.get(suffix, suffix) for suffix in own]
    else:
        assert set(forms) == {"zlib" if images == "compressed" else "raw"}


def test_the_file_is_stored_as_it_is(files):
    for index in range(len(files)):
        example = sample_to_example("a", files[index], "encoded", files.files(index))
        if form(example) != "zlib":
            assert bytes(from_example(example)["image"]) == files.paths(index)[0].read_bytes()


def test_of_a_data_set_that_changes_what_its_files_hold_the_samples_are_stored(files):
    image, mask = files[0]
    assert check_round_trip((image[::-1], mask), "encoded", files.files(0)) == "png"


def test_a_file_that_only_the_data_set_can_read_does_no_harm(tmp_path):
    path = tmp_path / "own.format"
    path.write_bytes(b"numbers of someone's own")
    pair = np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3), np.uint8)
    assert check_round_trip(pair, "encoded", SampleFiles(path, path, MaskDecoder(CELLS))) == "zlib"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_in_a_record_is_turned_as_in_its_file(tmp_path, orientation):
    from image_files import encoded, smooth
    from record_damage import exif

    path = tmp_path / "turned.jpg"
    path.write_bytes(encoded(smooth(), "jpeg", exif=exif(orientation)))
    files = SampleFiles(path, path, MaskDecoder(CELLS))
    image = files.read_image()
    pair = image, np.zeros(image.shape[:2], np.uint8)
    assert check_round_trip(pair, "encoded", files) == "jpeg"


def test_another_decoder_is_noticed_where_it_gives_another_shape(monkeypatch):
    image = np.zeros((4, 6, 3), np.uint8)
    example = sample_to_example("a", (image, image[..., 0]), "encoded")
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *a: decode(*a)[:-1])
    with pytest.raises(
        ValueError, match=r"decoded to \(3, 6, 3\) uint8, but was \(4, 6, 3\).*here"
    ):
        example_to_sample(example, Path("here"))


def test_an_image_that_no_form_gives_back_is_an_error(monkeypatch):
    monkeypatch.setattr("semseg.data.records.sample.is_same", lambda found, array: False)
    with pytest.raises(ValueError, match="image can't be stored so that it is read as it was"):
        sample_to_example("a", (np.zeros((4, 6, 3)), np.zeros((4, 6), np.uint8)), "encoded")


def test_the_comparison_knows_nan_zeros_and_dtypes():
    one = np.array([[np.nan, 0.0]])
    assert is_same(one, one.copy())
    assert is_same(one, one.astype(">f8"))
    assert not is_same(one, -one)
    assert not is_same(one, one.astype(np.float32))
    assert not is_same(one, one.T)


def test_names_that_are_no_unicode_are_stored():
    """As `os.fsdecode` gives them where a file's name is not."""
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    ds = Dataset(lambda i: (np.zeros((2, 2, 3), "u1"), np.zeros((2, 2), "u1")), [name], CELLS)
    assert bytes(from_example(sample_to_example(name, ds[0], "raw"))["id"]) == b"caf\xe9"
