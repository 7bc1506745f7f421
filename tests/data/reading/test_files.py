"""Files that can't be read as they should: an error that names them, and says in a word why."""

import io
import os
import pickle
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from image_files import encoded, saved, saved_palette
from PIL import Image

from semseg.data.reading import UnreadableFileError, files, read_image, read_mask
from semseg.data.reading.files import read_header

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
IDS = RNG.integers(0, 4, (5, 7), dtype=np.uint8)

READERS = pytest.mark.parametrize("read", [read_image, read_mask])


@pytest.mark.parametrize("name", ["two words.png", "Übergröße.png", "a#1.png", "道路.png"])
@pytest.mark.parametrize("as_text", [True, False])
def test_any_name_will_do(tmp_path, name, as_text):
    path = saved(tmp_path / name, IDS)
    path = str(path) if as_text else path
    np.testing.assert_array_equal(read_image(path)[..., 0], IDS)
    np.testing.assert_array_equal(read_mask(path), IDS)


@READERS
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nowhere\.png"):
        read(tmp_path / "nowhere.png")


@READERS
def test_a_folder_is_no_file(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read(tmp_path)


@READERS
def test_an_empty_file_is_named(tmp_path, read):
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match=r"the file is empty \(0 bytes\): .*a\.png"):
        read(tmp_path / "a.png")


@READERS
def test_a_file_that_is_no_picture_is_named(tmp_path, read):
    (tmp_path / "a.png").write_text("ids: 0 1 2")
    with pytest.raises(ValueError, match=r"damaged or no picture: .*a\.png"):
        read(tmp_path / "a.png")


@READERS
def test_a_picture_too_large_to_be_true_is_named(tmp_path, read):
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, 60000, 60000, 1, 24, *[0] * 6
    )
    (tmp_path / "bomb.bmp").write_bytes(header + bytes(100))
    with pytest.raises(ValueError, match=r"bomb\.bmp \(.*3600000000 pixels"):
        read(tmp_path / "bomb.bmp")


def test_a_picture_above_opencvs_limit_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", RGB)

    def refuse(*_):
        raise cv2.error("pixels <= CV_IO_MAX_IMAGE_PIXELS")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    with pytest.raises(ValueError, match=r"can't be decoded: .*a\.png \(.*MAX_IMAGE_PIXELS"):
        read_image(path)


# -- faults --------------------------------------------------------------------------------------


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def several(kind, **options):
    """Two pictures in one file."""
    second = Image.fromarray(RGB[::-1])
    return encoded(RGB, kind, save_all=True, append_images=[second], **options)


def npy(array, shape=None):
    """An .npy file, which may declare another shape than it has."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    text = repr(header).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


def clear_palette():
    file = io.BytesIO()
    saved_palette(file, IDS, transparency=0, format="png")
    return file.getvalue()


OPAQUE = np.dstack([RGB, np.full((5, 7), 255, np.uint8)])
SIXTEEN = cv2.imencode(".png", RGB.astype(np.uint16) * 257)[1].tobytes()

#: fault -> file name, contents, the readers that refuse it
FAULTS = [
    ("empty", "a.png", b"", "image mask"),
    ("empty", "a.npy", b"", "image mask"),
    ("damaged", "a.png", b"no picture", "image mask"),
    ("damaged", "a.npy", b"PK\x03\x04 an .npz file is no .npy file", "image mask"),
    ("damaged", "a.npy", b"\x93NUMPY\x07\x00" + bytes(90), "image mask"),
    ("truncated", "a.png", encoded(RGB, "png")[:-40], "image mask"),
    ("truncated", "a.jpg", encoded(RGB, "jpeg")[:-40], "image mask"),
    ("truncated", "a.npy", npy(RGB)[:-1], "image mask"),
    ("too_large", "a.npy", npy(RGB, (5000000, 7000000, 3)), "image mask"),
    ("several_pages", "a.tif", several("tiff"), "image mask"),
    ("several_pages", "a.webp", several("webp", lossless=True), "image mask"),
    ("several_pages", "a.png", several("png"), "image mask"),
    ("turned_tiff", "a.tif", encoded(RGB, "tiff", exif=exif(6)), "image mask"),
    ("transparent", "a.png", clear_palette(), "image"),
    ("mask_alpha", "a.png", encoded(OPAQUE, "png"), "mask"),
    ("mask_depth", "a.png", SIXTEEN, "mask"),
    ("mask_depth", "a.npy", npy(RGB.astype(np.float32)), "mask"),
    ("channels", "a.npy", npy(np.zeros((5, 7, 2), np.uint8)), "mask"),
    ("channels", "a.npy", npy(np.zeros(5)), "image mask"),
    ("channels", "a.npy", npy(np.zeros((1, 5, 7, 3))), "image mask"),
    ("channels", "a.npy", npy(np.zeros((5, 0), np.uint8)), "image mask"),
    ("channels", "a.npy", npy(np.full((5, 7), "cell")), "image mask"),
    ("channels", "a.npy", npy(np.zeros((5, 7), complex)), "image mask"),
]


@pytest.mark.parametrize(("fault", "name", "data", "readers"), FAULTS)
def test_the_error_says_what_is_wrong_in_a_word_and_names_the_file(
    tmp_path, fault, name, data, readers
):
    path = tmp_path / name
    path.write_bytes(data)
    for read in (read_image, read_mask):
        if read.__name__.removeprefix("read_") in readers:
            with pytest.raises(UnreadableFileError, match=path.name) as caught:
                read(path)
            assert caught.value.fault == fault
        else:
            read(path)


def test_every_fault_has_an_example():
    named = UnreadableFileError.__doc__.split("The faults:")[1].replace(".", "").split(",")
    elsewhere = {"needs_tifffile"}  # by test_arrays.py, which can write such files
    assert {fault.strip() for fault in named} == {fault for fault, *_ in FAULTS} | elsewhere


def test_the_error_can_be_sent_to_another_process():
    error = UnreadableFileError("empty", "the file is empty: a.png")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.fault, str(again)) == (type(error), error.fault, str(error))


@pytest.mark.parametrize("kind", ["tiff", "webp", "png"])
def test_one_page_of_a_format_of_many_is_a_picture(tmp_path, kind):
    options = {"lossless": True} if kind == "webp" else {}
    (tmp_path / f"a.{kind}").write_bytes(
        encoded(RGB, kind, save_all=True, append_images=[], **options)
    )
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{kind}"), RGB)


# -- pixels --------------------------------------------------------------------------------------


@READERS
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif", "a.webp", "a.npy"])
def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch, read, name):
    kind = {".tif": "tiff", ".jpg": "jpeg"}.get(name[1:], name[2:])
    (tmp_path / name).write_bytes(npy(RGB) if kind == "npy" else encoded(RGB, kind))
    assert read(tmp_path / name, 35).shape == (5, 7, 3)
    message = rf"declares 7x5 pixels, more than max_pixels=34: .*{name}; pass a larger max_pixels="
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(UnreadableFileError, match=message) as caught:
        read(tmp_path / name, 34)
    assert caught.value.fault == "too_large"


@READERS
@pytest.mark.parametrize("limit", [17, 34])
@pytest.mark.filterwarnings("error")
def test_pillows_own_limit_names_the_file_and_how_to_raise_it(tmp_path, monkeypatch, read, limit):
    """Above its limit Pillow warns, and above twice its limit it refuses."""
    path = saved(tmp_path / "a.png", RGB)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(UnreadableFileError, match=r"a\.png .*PIL.Image.MAX_IMAGE_PIXELS") as caught:
        read(path, 10**9)
    assert caught.value.fault == "too_large"


# -- headers are remembered ----------------------------------------------------------------------


def write_grey(path, value, size=(6, 8), age=60):
    cv2.imwrite(str(path), np.full(size, value, np.uint8))
    then = time.time() - age
    os.utime(path, (then, then))


def test_a_header_is_read_once_as_long_as_the_file_stays(tmp_path, monkeypatch):
    path, calls = tmp_path / "a.png", []
    write_grey(path, 7)
    look = files.header_of
    monkeypatch.setattr(files, "header_of", lambda *a: calls.append(a) or look(*a))
    first, again = read_header(path), read_header(path)
    assert first == again and again.data == path.read_bytes()
    assert len(calls) == 1


@pytest.mark.parametrize("age", [0, 60])
def test_a_file_that_changes_is_looked_at_again(tmp_path, age):
    path = tmp_path / "a.png"
    write_grey(path, 7, age=age)
    assert read_header(path).size == (6, 8)
    write_grey(path, 7, size=(9, 8), age=age / 2)
    assert read_header(path).size == (9, 8)


def test_a_file_of_this_moment_is_not_trusted(tmp_path):
    """It may change within one tick of the file system's clock."""
    path = tmp_path / "a.png"
    write_grey(path, 7, age=0)
    stamp = path.stat().st_mtime_ns
    assert read_header(path).size == (6, 8)
    data = bytearray(path.read_bytes())
    data[16:24] = data[20:24] + data[16:20]  # width and height exchanged, as many bytes
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    os.utime(path, ns=(stamp, stamp))
    assert read_header(path).size == (8, 6)


def test_a_remembered_file_is_still_checked_against_the_limit_of_pixels(tmp_path):
    path = tmp_path / "a.png"
    write_grey(path, 7)
    read_header(path)
    with pytest.raises(ValueError, match="more than max_pixels"):
        read_header(path, max_pixels=47)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_header(path)


def test_the_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_REMEMBERED", 3)
    monkeypatch.setattr(files, "_remembered", {})
    for i in range(8):
        write_grey(tmp_path / f"{i}.png", i)
        read_header(tmp_path / f"{i}.png")
        assert 1 <= len(files._remembered) <= 3
