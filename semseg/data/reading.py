"""Reading image and mask files without losing anything in silence.

OpenCV decodes, but turns palette ids into colours, cuts 16 bit to 8 and returns half a picture
for a truncated JPEG. Pillow reads the header first and says what the file holds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

#: Extensions that count as pictures in a folder.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

_GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
_ALPHA_MODES = ("LA", "RGBA", "PA", "La", "RGBa")
_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a picture as (height, width, channels) in its own range and dtype.

    Grey pictures have one channel, colours come as RGB; 16-bit files stay uint16. EXIF rotation is
    applied. An alpha channel is dropped where it is opaque everywhere.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated or unreadable file, or transparency that means something.
    """
    path = Path(path)
    header = _header(path)
    if header.has_alpha and _is_transparent(path):
        raise ValueError(
            f"the picture has transparent pixels, and what lies under them is undefined: {path}; "
            "flatten it on a background, or save it without alpha channel"
        )
    if header.mode in _GREY_MODES:
        return _decoded(path, cv2.IMREAD_GRAYSCALE, header)[..., None]
    return cv2.cvtColor(_decoded(path, cv2.IMREAD_COLOR, header), cv2.COLOR_BGR2RGB)


def read_mask(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a mask as raw ids (height, width) or as RGB colours (height, width, 3) uint8.

    Palette files give their ids, not their colours. EXIF rotation is applied, as to pictures.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated or unreadable file; an alpha channel.
    """
    path = Path(path)
    header = _header(path)
    if header.mode in ("P", "1"):
        with _pillow(path) as file:
            file.verify()  # the one place where Pillow compares a PNG's checksums
        with _pillow(path) as file:
            return np.array(ImageOps.exif_transpose(file), np.uint8)
    if header.mode in _ALPHA_MODES:
        raise ValueError(
            f"mask must hold ids or 8-bit RGB colours, received an alpha channel (mode "
            f"{header.mode}); save it without (file {path})"
        )
    if header.mode in _GREY_MODES:
        mask = _decoded(path, cv2.IMREAD_GRAYSCALE, header)
        return mask if header.grey_step == 1 else mask // header.grey_step
    mask = _decoded(path, cv2.IMREAD_COLOR, header)
    if mask.dtype != np.uint8:
        raise ValueError(
            f"mask must hold ids or 8-bit RGB colours, received {mask.shape[2]} channels of "
            f"{mask.dtype} (file {path})"
        )
    return cv2.cvtColor(mask, cv2.COLOR_BGR2RGB)


class _Header(NamedTuple):
    mode: str  # Pillow's
    has_alpha: bool
    grey_step: int  # what decoders multiply the values of a 1, 2 or 4-bit grey PNG with
    orientation: int  # EXIF's: 1 is upright
    data: bytes  # the whole file


def _header(path: Path) -> _Header:
    """What a file holds that is there, not empty, whole, and a picture."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"the file is empty (0 bytes): {path}")
    data = path.read_bytes()
    with _pillow(path) as file:
        mode, kind, has_alpha = file.mode, file.format, file.has_transparency_data
        # To look for EXIF behind the pixels of a PNG, Pillow decodes all of them.
        may_turn = kind != "PNG" or b"eXIf" in data or b"Raw profile type" in data
        orientation = file.getexif().get(ExifTags.Base.Orientation, 1) if may_turn else 1
    if kind == "TIFF" and orientation != 1:
        raise ValueError(
            f"the TIFF is stored turned (orientation {orientation}), and OpenCV spoils such files: "
            f"{path}; save it upright"
        )
    if kind in ("JPEG", "MPO") and not _jpeg_is_whole(data):
        raise ValueError(f"the file is truncated (the JPEG's end is missing): {path}")
    bits = data[24] if kind == "PNG" and mode == "L" else 8
    return _Header(mode, has_alpha, 255 // (2 ** min(bits, 8) - 1), orientation, data)


@contextmanager
def _pillow(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as file:
            yield file
    except Exception as error:  # of a dozen kinds, zlib's and struct's among them
        raise ValueError(f"the file is damaged or no picture: {path} ({error})") from error


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the end follows the picture's own data: a thumbnail in the header has one too."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at : at + 2] != _JPEG_SCAN:
        is_fill = data[at + 1 : at + 2] == b"\xff"
        at += 1 if is_fill else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return _JPEG_END in data[at:]


def _decoded(path: Path, flags: int, header: _Header) -> np.ndarray:
    # Bytes first: cv2.imread can't open names outside ASCII on Windows.
    data = np.frombuffer(header.data, np.uint8)
    flags |= cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(data, flags)
    except cv2.error as error:  # a picture above OpenCV's limit
        raise ValueError(f"the file can't be decoded: {path} ({error})") from error
    if image is None:
        raise ValueError(f"the file is truncated or damaged, it can't be decoded: {path}")
    return _upright(image, header.orientation)


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turned as EXIF says. OpenCV knows it too, but not in WebP before version 4.13."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _is_transparent(path: Path) -> bool:
    with _pillow(path) as file:
        return bool(np.asarray(file.convert("RGBA"))[..., 3].min() < 255)
