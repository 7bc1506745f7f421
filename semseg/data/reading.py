"""Reading image and mask files without losing anything in silence.

OpenCV decodes, but turns palette ids into colours, cuts 16 bit to 8 and returns half a picture
for a truncated JPEG. Pillow reads the header first and says what the file holds.
"""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

#: Extensions that count as pictures in a folder.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

_GREY_MODES = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")
_ALPHA_MODES = ("LA", "RGBA", "PA", "La", "RGBa")
_JPEG_END = b"\xff\xd9"
_JPEG_TAIL = 1 << 16  # some cameras append data of their own


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a picture as (height, width, channels) in its own range and dtype.

    Grey pictures have one channel, colours come as RGB; 16-bit files stay uint16. EXIF rotation is
    applied. An alpha channel is dropped where it is opaque everywhere.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated or unreadable file, or transparency that means something.
    """
    path = Path(path)
    mode = _header(path)
    if mode == "P":
        return _decoded(path, cv2.IMREAD_COLOR)[..., ::-1].copy()
    if mode in _ALPHA_MODES:
        return _without_alpha(path)
    flags = cv2.IMREAD_GRAYSCALE if mode in _GREY_MODES else cv2.IMREAD_COLOR
    image = _decoded(path, flags | cv2.IMREAD_ANYDEPTH)
    if image.ndim == 2:
        return image[..., None]
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_mask(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a mask as raw ids (height, width) or as RGB colours (height, width, 3) uint8.

    Palette files give their ids, not their colours.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated or unreadable file; an alpha channel.
    """
    path = Path(path)
    mode = _header(path)
    if mode in ("P", "1"):
        with Image.open(path) as file:
            return np.asarray(file, np.uint8)
    mask = _decoded(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim == 2:
        return mask
    if mask.shape[2] != 3 or mask.dtype != np.uint8:
        raise ValueError(
            f"mask must hold ids or 8-bit RGB colours, received {mask.shape[2]} channels of "
            f"{mask.dtype}; save it without alpha channel (file {path})"
        )
    return cv2.cvtColor(mask, cv2.COLOR_BGR2RGB)


def _header(path: Path) -> str:
    """The Pillow mode of a file that is there, not empty, whole, and a picture."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"the file is empty (0 bytes): {path}")
    try:
        with Image.open(path) as file:
            mode, kind = file.mode, file.format
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"the file is damaged or no picture: {path} ({error})") from error
    if kind == "JPEG" and not _jpeg_is_whole(path):
        raise ValueError(f"the file is truncated (the JPEG's end is missing): {path}")
    return mode


def _jpeg_is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _JPEG_TAIL))
        return _JPEG_END in file.read()


def _decoded(path: Path, flags: int) -> np.ndarray:
    # Bytes first: cv2.imread can't open names outside ASCII on Windows.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(data, flags)
    if image is None:
        raise ValueError(f"the file is truncated or damaged, it can't be decoded: {path}")
    return image


def _without_alpha(path: Path) -> np.ndarray:
    image = _decoded(path, cv2.IMREAD_UNCHANGED)
    alpha = image[..., -1]
    if (alpha != np.iinfo(alpha.dtype).max).any():
        raise ValueError(
            f"the picture has transparent pixels, and what lies under them is undefined: {path}; "
            "flatten it on a background, or save it without alpha channel"
        )
    if image.shape[2] == 2:
        return image[..., :1].copy()
    rgb = cv2.cvtColor(image, cv2.COLOR_BGRA2RGB)
    # Grey with alpha is decoded into four channels.
    with Image.open(path) as file:
        return rgb[..., :1].copy() if file.mode in ("LA", "La") else rgb
