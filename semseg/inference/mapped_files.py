"""Files that are mapped into memory: what was read or written need not stay there."""

import mmap
from typing import Any

import numpy as np

_DONTNEED = getattr(mmap, "MADV_DONTNEED", None)  # not on Windows


def release_pages(array: Any) -> None:
    """Lets go of the pages of a `numpy.memmap`, which count as memory of this process.

    They stay in the file and come back when they are read. Nothing happens to other arrays, nor
    to a file opened with mode "c", whose changes are in memory alone.
    """
    mapped = getattr(array, "_mmap", None)
    if isinstance(array, np.memmap) and mapped is not None and array.mode != "c" and _DONTNEED:
        mapped.madvise(_DONTNEED)
