"""Files that are read as arrays of numbers: .npy, and the TIFFs that are more than a picture."""

import io
import math
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

from semseg.data.reading.refusals import (
    UnreadableFileError,
    check_pages,
    check_pixels,
    check_tiff_is_upright,
)


def npy_array(path: Path, max_pixels: int) -> np.ndarray:
    """The array of an .npy file, mapped, not read."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = _NPY_HEADERS[version](file)
            start = file.tell()
    except Exception as error:  # ValueError, KeyError, SyntaxError, struct's, by what is damaged
        message = f"the file is damaged or no .npy array of numbers: {path} ({error})"
        raise UnreadableFileError("damaged", message) from error
    shape, is_fortran, dtype = header
    _check_array(path, shape, dtype)
    check_pixels(path, shape[0], shape[1], max_pixels)
    if os.path.getsize(path) < start + math.prod(shape) * dtype.itemsize:
        raise UnreadableFileError(
            "truncated", f"the file is truncated (it declares an array of shape {shape}): {path}"
        )
    return np.memmap(path, dtype, "r", start, shape, "F" if is_fortran else "C")


_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # differs in the names of structured fields only
}


def in_memory(array: np.ndarray) -> np.ndarray:
    """A copy as others give their pixels: row by row, in the machine's byte order."""
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def tiff_array(path: Path, data: bytes, max_pixels: int, why: str) -> np.ndarray:
    """All channels of a TIFF, by tifffile.

    Raises:
        UnreadableFileError: tifffile is missing (`why` it is needed), or the file is damaged.
    """
    try:
        import tifffile
    except ImportError:
        message = f"{why}: {path}; such a TIFF needs tifffile: pip install 'semseg[tiff]'"
        raise UnreadableFileError("needs_tifffile", message) from None
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            # ImageJ keeps several pictures behind one page, which the series alone knows.
            is_one = len(file.pages) == len(file.series) == 1 and page.shape == file.series[0].shape
            check_pages(path, 1 if is_one else max(2, len(file.pages)))
            check_pixels(path, page.imagelength, page.imagewidth, max_pixels)
            check_tiff_is_upright(path, page.tags.valueof("Orientation", 1))
            _check_tiff_is_whole(path, file, page)
            array, axes = np.asarray(page.asarray()), page.axes
    except UnreadableFileError:
        raise
    except Exception as error:  # of many kinds, by what is damaged
        message = f"the file is damaged or no picture: {path} ({error})"
        raise UnreadableFileError("damaged", message) from error
    array = np.moveaxis(array, 0, -1) if axes == "SYX" else array
    _check_array(path, array.shape, array.dtype)
    return array


def _check_tiff_is_whole(path: Path, file: Any, page: Any) -> None:
    """Refuses what tifffile fills up or passes over: tags, pixels, pages that are not there."""
    form = file.tiff
    file.filehandle.seek(page.offset)
    (tags,) = struct.unpack(form.tagnoformat, file.filehandle.read(form.tagnosize))
    file.filehandle.seek(tags * form.tagsize, os.SEEK_CUR)
    (next_page,) = struct.unpack(form.offsetformat, file.filehandle.read(form.offsetsize))
    ends = [at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    is_whole = len(list(page.tags)) == tags and len(ends) == math.prod(page.chunked)
    if not is_whole or next_page or max(ends) > file.filehandle.size:
        raise UnreadableFileError("truncated", f"the file is truncated or damaged: {path}")


def _check_array(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if len(shape) not in (2, 3) or min(shape) < 1 or dtype.kind not in "buif":
        raise UnreadableFileError(
            "channels",
            f"an array file must hold numbers (height, width) or (height, width, channels), "
            f"received shape {shape} and dtype {dtype}: {path}",
        )
