"""What a picture's file holds, read from its header, and its pixels, decoded.

OpenCV decodes, but turns palette ids into colours, cuts 16 bit to 8, takes the first of several
pages and returns half a picture for a truncated JPEG. Pillow reads the header first and says what
the file holds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image

#: Extensions that count as pictures in a folder.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".npy")

#: A file that declares more pixels is refused before it is decoded: Pillow's own limit.
MAX_PIXELS = 178_956_970

_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class UnreadableFileError(ValueError):
    """A file that can't be read as it should; `fault` says in one word what is wrong with it.

    The faults: empty, damaged, truncated, too_large, several_pages, turned_tiff, transparent,
    mask_alpha, mask_depth, channels, dtype.
    """

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    if path.stat().st_size == 0:
        raise UnreadableFileError("empty", f"the file is empty (0 bytes): {path}")
    if path.suffix.lower() == ".npy":
        return _array_header(path, "NPY", _npy(path), max_pixels)
    data = path.read_bytes()
    try:
        with pillow(path) as file:
            size = file.height, file.width
            _check_pixels(path, size, max_pixels)
            mode, kind, has_alpha = file.mode, str(file.format), file.has_transparency_data
            pages = 1 if kind == "MPO" else getattr(file, "n_frames", 1)
            # To look for EXIF behind the pixels of a PNG, Pillow decodes all of them.
            may_turn = kind != "PNG" or b"eXIf" in data or b"Raw profile type" in data
            orientation = file.getexif().get(ExifTags.Base.Orientation, 1) if may_turn else 1
    except UnreadableFileError as error:
        if error.fault != "damaged" or data[:4] not in _TIFF_STARTS:
            raise
        return _array_header(path, "TIFF", _tiff(path, error, max_pixels), max_pixels)
    if pages != 1:
        raise _several_pages(path, pages)
    if kind == "TIFF" and orientation != 1:
        raise UnreadableFileError(
            "turned_tiff",
            f"the TIFF is stored turned (orientation {orientation}), and OpenCV spoils such files: "
            f"{path}; save it upright",
        )
    if kind in ("JPEG", "MPO") and not _jpeg_is_whole(data):
        raise UnreadableFileError(
            "truncated", f"the file is truncated (the JPEG's end is missing): {path}"
        )
    bits = data[24] if kind == "PNG" and mode == "L" else 8
    step = 255 // (2 ** min(bits, 8) - 1)
    return Header(kind, mode, size, has_alpha, step, orientation, data)


def decode(path: str | os.PathLike[str], flags: int, header: Header) -> np.ndarray:
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
def pillow(path: Path) -> Iterator[Image.Image]:
    """The file opened by Pillow, whose errors become ours."""
    try:
        with Image.open(path) as file:
            yield file
    except UnreadableFileError:
        raise
    except Image.DecompressionBombError as error:
        message = f"the file declares too many pixels: {path} ({error})"
        raise UnreadableFileError("too_large", message) from error
    except Exception as error:  # of a dozen kinds, zlib's and struct's among them
        message = f"the file is damaged or no picture: {path} ({error})"
        raise UnreadableFileError("damaged", message) from error


def _npy(path: Path) -> np.ndarray:
    """The array of an .npy file, mapped, not read."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # ValueError, EOFError, SyntaxError, struct's, by what is damaged
        fault = "truncated" if "mmap length" in str(error) else "damaged"
        message = f"the file is damaged or no .npy array of numbers: {path} ({error})"
        raise UnreadableFileError(fault, message) from error


def _tiff(path: Path, refused: Exception, max_pixels: int) -> np.ndarray:
    """A TIFF that Pillow refuses (more than four channels, several of float), by tifffile."""
    try:
        import tifffile
    except ImportError:
        raise UnreadableFileError(
            "damaged",
            f"{refused}; a TIFF of more than four channels, or of several float channels, needs "
            "tifffile: pip install 'semseg[tiff]'",
        ) from None
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            if len(file.series) > 1 or "S" not in series.axes[2:3] + series.axes[:1]:
                raise _several_pages(path, len(file.pages))
            _check_pixels(path, series.shape[-2:], max_pixels)
            array: Any = series.asarray()
    except UnreadableFileError:
        raise
    except Exception as error:  # of many kinds, by what is damaged
        message = f"the file is damaged or no picture: {path} ({error})"
        raise UnreadableFileError("damaged", message) from error
    return np.moveaxis(array, 0, -1) if series.axes[0] == "S" else array


def _check_pixels(path: Path, size: tuple[int, ...], max_pixels: int) -> None:
    """Refuses what would fill the memory when decoded."""
    if size[0] * size[1] > max_pixels:
        raise UnreadableFileError(
            "too_large",
            f"the file declares {size[1]}x{size[0]} pixels, more than max_pixels={max_pixels}: "
            f"{path}; pass a larger max_pixels= if it is a picture, and cut it into tiles",
        )


def _array_header(path: Path, kind: str, array: np.ndarray, max_pixels: int) -> Header:
    if array.ndim not in (2, 3) or array.dtype.kind not in "buif":
        raise UnreadableFileError(
            "channels",
            f"an array file must hold numbers (height, width) or (height, width, channels), "
            f"received shape {array.shape} and dtype {array.dtype}: {path}",
        )
    size = int(array.shape[0]), int(array.shape[1])
    _check_pixels(path, size, max_pixels)
    return Header(kind, "", size, False, 1, 1, b"", array)


def _several_pages(path: Path, pages: int) -> UnreadableFileError:
    return UnreadableFileError(
        "several_pages",
        f"the file holds {pages} pictures (pages or frames), and which one is meant can't be "
        f"known: {path}; save each as a file of its own",
    )


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
