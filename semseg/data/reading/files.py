"""What a picture's file holds, read from its header, and its pixels, decoded.

OpenCV decodes, but turns palette ids into colours, cuts 16 bit to 8, takes the first of several
pages and returns half a picture for a truncated JPEG. Pillow reads the header first and says what
the file holds.
"""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from semseg.data.reading.arrays import npy_array, tiff_array
from semseg.data.reading.refusals import (
    MAX_PIXELS,
    UnreadableFileError,
    check_pages,
    check_pixels,
    check_tiff_is_upright,
)

#: Extensions that count as pictures in a folder.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".npy")

_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
# What the headers of files said: they are read in every epoch, and Pillow takes as long for one
# as for half of a small picture. A file that was changed a moment ago may change again
# without a new time; those are looked at each time.
_remembered: "dict[str, tuple[int, int, Header]]" = {}
_MOST_REMEMBERED = 200_000  # about 60 MB
_SETTLED = 2_000_000_000  # nanoseconds

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Header(NamedTuple):
    """What a file that is there, not empty, whole and one picture says of itself."""

    kind: str  # Pillow's name of the format, or "NPY"
    mode: str  # Pillow's, "" for an array
    size: tuple[int, int]  # (height, width) as stored, before EXIF turns it
    has_alpha: bool
    grey_step: int  # what decoders multiply the values of a 1, 2 or 4-bit grey PNG with
    orientation: int  # EXIF's: 1 is upright
    data: bytes  # the whole file, b"" for an array
    array: np.ndarray | None = None  # of a file that holds no picture but numbers, as they are


def read_header(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> Header:
    """Reads a file's bytes and header.

    Raises:
        FileNotFoundError: no such file.
        UnreadableFileError: an empty, truncated or unreadable file, one that declares more than
            `max_pixels`, several pages, a TIFF that is stored turned.
    """
    name = os.fspath(path)
    try:
        stat = os.stat(name)
    except OSError:
        stat = None
    if stat is None or not S_ISREG(stat.st_mode):
        raise FileNotFoundError(f"no such file: {name}")
    known = _remembered.get(name)
    if known is not None and known[:2] == (stat.st_size, stat.st_mtime_ns):
        header = known[2]
        check_pixels(Path(name), *header.size, max_pixels)
        with open(name, "rb") as file:
            return header._replace(data=file.read())
    header = _read_header(Path(name), stat.st_size, max_pixels)
    if header.array is None and time.time_ns() - stat.st_mtime_ns > _SETTLED:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[name] = (stat.st_size, stat.st_mtime_ns, header._replace(data=b""))
    return header


def _read_header(path: Path, size: int, max_pixels: int) -> Header:
    if size == 0:
        raise UnreadableFileError("empty", f"the file is empty (0 bytes): {path}")
    if path.suffix.lower() == ".npy":
        return _array_header("NPY", npy_array(path, max_pixels))
    return header_of(path, path.read_bytes(), max_pixels)


def header_of(path: Path, data: bytes, max_pixels: int = MAX_PIXELS) -> Header:
    """The header of a picture's bytes. `path`, which errors name, need not be a file."""
    try:
        with pillow(path, data) as file:
            check_pixels(path, file.height, file.width, max_pixels)
            mode, kind, has_alpha = file.mode, str(file.format), file.has_transparency_data
            size = file.height, file.width
            pages = 1 if kind == "MPO" else getattr(file, "n_frames", 1)
            # To look for EXIF behind the pixels of a PNG, Pillow decodes all of them.
            may_turn = kind != "PNG" or b"eXIf" in data or b"Raw profile type" in data
            orientation = file.getexif().get(ExifTags.Base.Orientation, 1) if may_turn else 1
            why_not = _beyond_opencv(file)
    except UnreadableFileError as error:
        if error.fault != "damaged" or data[:4] not in _TIFF_STARTS:
            raise
        why_not = "Pillow can't read the file"
        return _array_header("TIFF", tiff_array(path, data, max_pixels, why_not))
    check_pages(path, pages)
    if kind == "TIFF":
        check_tiff_is_upright(path, orientation)
    if why_not:
        return _array_header("TIFF", tiff_array(path, data, max_pixels, why_not))
    if kind in ("JPEG", "MPO") and not _jpeg_is_whole(data):
        raise UnreadableFileError(
            "truncated", f"the file is truncated (the JPEG's end is missing): {path}"
        )
    bits = data[24] if kind == "PNG" and mode == "L" else 8
    step = 255 // (2 ** min(bits, 8) - 1)
    return Header(kind, mode, size, has_alpha, step, orientation, data)


def decode(path: Path, flags: int, header: Header) -> np.ndarray:
    """The pixels of an encoded picture, turned upright; colours come in OpenCV's order."""
    # Bytes first: cv2.imread can't open names outside ASCII on Windows.
    data = np.frombuffer(header.data, np.uint8)
    flags |= cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(data, flags)
    except cv2.error as error:  # a picture above OpenCV's limit
        message = f"the file can't be decoded: {path} ({error})"
        raise UnreadableFileError("too_large", message) from error
    if image is None:
        raise UnreadableFileError(
            "truncated", f"the file is truncated or damaged, it can't be decoded: {path}"
        )
    return _upright(image, header.orientation)


@contextmanager
def pillow(path: Path, data: bytes) -> Iterator[Image.Image]:
    """A file's bytes opened by Pillow, whose errors become ours."""
    try:
        with Image.open(io.BytesIO(data)) as file:
            yield file
    except UnreadableFileError:
        raise
    except UnidentifiedImageError as error:  # its own message is about a buffer in memory
        message = f"the file is damaged or no picture: {path} (Pillow can't identify it)"
        raise UnreadableFileError("damaged", message) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = (
            f"the file declares too many pixels: {path} ({error}); if it is a picture, raise "
            "PIL.Image.MAX_IMAGE_PIXELS and max_pixels="
        )
        raise UnreadableFileError("too_large", message) from error
    except Exception as error:  # of a dozen kinds, zlib's and struct's among them
        message = f"the file is damaged or no picture: {path} ({error})"
        raise UnreadableFileError("damaged", message) from error


def _array_header(kind: str, array: np.ndarray) -> Header:
    return Header(kind, "", array.shape[:2], False, 1, 1, b"", array)


def _beyond_opencv(file: Image.Image) -> str:
    """Why OpenCV would spoil a TIFF, "" where it reads all of it."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        return ""
    tags = file.tag_v2
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    if samples != len(file.getbands()) or 0 in tags.get(TiffImagePlugin.EXTRASAMPLES, ()):
        return "the file holds channels besides colours and alpha"
    bits = set(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if samples > 1 and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 and bits != {8}:
        return "the file stores its channels one after the other, with more than 8 bits"
    is_unsigned = set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) == {1}
    if bits == {32} and is_unsigned and not hasattr(cv2, "CV_32U"):
        return "OpenCV before version 5 turns unsigned numbers of 32 bits into signed ones"
    return ""


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the end follows the picture's own data: a thumbnail in the header has one too."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at : at + 2] != _JPEG_SCAN:
        is_fill = data[at + 1 : at + 2] == b"\xff"
        at += 1 if is_fill else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return _JPEG_END in data[at:]


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turned as EXIF says. OpenCV knows it too, but not in WebP before version 4.13."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
