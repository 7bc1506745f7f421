"""A mask's file as raw ids or colours."""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageOps

from semseg.data.reading.arrays import in_memory
from semseg.data.reading.files import Header, decode, pillow, read_header
from semseg.data.reading.images import GREY_MODES
from semseg.data.reading.refusals import MAX_PIXELS, UnreadableFileError

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
        return _mask_of_array(path, header.array)
    if header.mode in ("P", "1"):
        if header.kind == "PNG":  # Pillow compares no checksums, and fills up what lacks
            decode(path, cv2.IMREAD_GRAYSCALE, header)
        with pillow(path, header.data) as file:
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
    _check_depth(path, mask)
    return cv2.cvtColor(mask, cv2.COLOR_BGR2RGB)


def _mask_of_array(path: Path, array: np.ndarray) -> np.ndarray:
    mask = in_memory(array)
    if mask.ndim == 2:
        return mask
    if mask.shape[2] not in (1, 3):
        raise UnreadableFileError(
            "channels",
            "mask must hold ids (height, width) or RGB colours (height, width, 3), received shape "
            f"{mask.shape} (file {path})",
        )
    if mask.shape[2] == 3:
        _check_depth(path, mask)
    return mask[..., 0] if mask.shape[2] == 1 else mask


def _check_depth(path: Path, colours: np.ndarray) -> None:
    if colours.dtype != np.uint8:
        raise UnreadableFileError(
            "mask_depth",
            f"mask must hold ids or 8-bit RGB colours, received {colours.shape[2]} channels of "
            f"{colours.dtype} (file {path})",
        )
