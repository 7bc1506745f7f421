"""A mask's file as raw ids or colours."""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageOps

from semseg.data.reading.files import (
    MAX_PIXELS,
    Header,
    UnreadableFileError,
    decode,
    pillow,
    read_header,
)
from semseg.data.reading.images import GREY_MODES

ALPHA_MODES = ("LA", "RGBA", "PA", "La", "RGBa")


def read_mask(
    path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, *, palette_ids: bool = True
) -> np.ndarray:
    """Reads a mask as raw ids (height, width) or as RGB colours (height, width, 3) uint8.

    EXIF rotation is applied, as to pictures. An .npy file gives its array as it is.

    Args:
        path: the file.
        max_pixels: a file that declares more is refused before it is decoded.
        palette_ids: whether files with a palette give their ids (True) or their colours (False).

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty, truncated, unreadable or too large file, one of several pages; an
            alpha channel.
    """
    return mask_of(Path(path), read_header(path, max_pixels), palette_ids)


def mask_of(path: Path, header: Header, palette_ids: bool = True) -> np.ndarray:
    """The mask behind a header."""
    if header.array is not None:
        mask = np.array(header.array)
        return mask[..., 0] if mask.ndim == 3 and mask.shape[-1] == 1 else mask
    if header.mode in ("P", "1"):
        with pillow(path) as file:
            file.verify()  # the one place where Pillow compares a PNG's checksums
        with pillow(path) as file:
            upright = ImageOps.exif_transpose(file)
            return np.array(upright if palette_ids else upright.convert("RGB"), np.uint8)
    if header.mode in ALPHA_MODES:
        raise UnreadableFileError(
            "mask_alpha",
            f"mask must hold ids or 8-bit RGB colours, received an alpha channel (mode "
            f"{header.mode}); save it without (file {path})",
        )
    if header.mode in GREY_MODES:
        mask = decode(path, cv2.IMREAD_GRAYSCALE, header)
        return mask if header.grey_step == 1 else mask // header.grey_step
    mask = decode(path, cv2.IMREAD_COLOR, header)
    if mask.dtype != np.uint8:
        raise UnreadableFileError(
            "mask_depth",
            f"mask must hold ids or 8-bit RGB colours, received {mask.shape[2]} channels of "
            f"{mask.dtype} (file {path})",
        )
    return cv2.cvtColor(mask, cv2.COLOR_BGR2RGB)
