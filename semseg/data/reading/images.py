"""A picture's file as an array."""

import os
from pathlib import Path

import cv2
import numpy as np

from semseg.data.reading.arrays import in_memory
from semseg.data.reading.files import Header, decode, pillow, read_header
from semseg.data.reading.refusals import MAX_PIXELS, UnreadableFileError

GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Reads a picture as (height, width, channels) in its own range and dtype.

    Grey pictures have one channel, colours come as RGB; 16-bit files stay uint16. EXIF rotation is
    applied. An alpha channel is dropped where it is opaque everywhere. An .npy file gives its array
    as it is, and so does a TIFF of channels besides colours and alpha, or of several float channels
    (these need `semseg[tiff]`).

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
        image = in_memory(header.array)
        return image[..., None] if image.ndim == 2 else image
    if header.has_alpha and is_transparent(path, header.data):
        raise UnreadableFileError(
            "transparent",
            f"the picture has transparent pixels, and what lies under them is undefined: {path}; "
            "flatten it on a background, or save it without alpha channel",
        )
    if header.mode in GREY_MODES:
        return decode(path, cv2.IMREAD_GRAYSCALE, header)[..., None]
    return cv2.cvtColor(decode(path, cv2.IMREAD_COLOR, header), cv2.COLOR_BGR2RGB)


def is_transparent(path: Path, data: bytes) -> bool:
    """Whether any pixel of a picture with an alpha channel is not opaque."""
    with pillow(path, data) as file:
        return bool(np.asarray(file.convert("RGBA"))[..., 3].min() < 255)


def with_channels(image: np.ndarray, channels: int | None) -> np.ndarray:
    """Grey repeated in three channels, or colours as grey, where that is asked for.

    Raises:
        ValueError: a picture of neither one nor three channels, colours of an unusual dtype.
    """
    if channels is None or image.shape[2] == channels:
        return image
    if {image.shape[2], channels} != {1, 3}:
        raise ValueError(
            f"channels={channels} turns grey into RGB or RGB into grey, received a picture of "
            f"{image.shape[2]} channels"
        )
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise ValueError(
            f"channels=1 turns RGB of uint8, uint16 or float32 into grey, received {image.dtype}"
        )
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
