"""A picture's file as an array."""

import os
from pathlib import Path

import cv2
import numpy as np

from semseg.data.reading.files import (
    MAX_PIXELS,
    Header,
    UnreadableFileError,
    decode,
    pillow,
    read_header,
)

GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Reads a picture as (height, width, channels) in its own range and dtype.

    Grey pictures have one channel, colours come as RGB; 16-bit files stay uint16. EXIF rotation is
    applied. An alpha channel is dropped where it is opaque everywhere. An .npy file gives its array
    as it is, and so does a TIFF of more than four channels (which needs `semseg[tiff]`).

    Args:
        path: the file.
        max_pixels: a file that declares more is refused before it is decoded.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated, unreadable or too large file, one of several pages, or
            transparency that means something.
    """
    return image_of(Path(path), read_header(path, max_pixels))


def image_of(path: Path, header: Header) -> np.ndarray:
    """The picture behind a header."""
    if header.array is not None:
        image = np.array(header.array)
        return image[..., None] if image.ndim == 2 else image
    if header.has_alpha and is_transparent(path):
        raise UnreadableFileError(
            "transparent",
            f"the picture has transparent pixels, and what lies under them is undefined: {path}; "
            "flatten it on a background, or save it without alpha channel",
        )
    if header.mode in GREY_MODES:
        return decode(path, cv2.IMREAD_GRAYSCALE, header)[..., None]
    return cv2.cvtColor(decode(path, cv2.IMREAD_COLOR, header), cv2.COLOR_BGR2RGB)


def is_transparent(path: Path) -> bool:
    """Whether any pixel of a picture with an alpha channel is not opaque."""
    with pillow(path) as file:
        return bool(np.asarray(file.convert("RGBA"))[..., 3].min() < 255)
