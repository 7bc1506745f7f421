"""How views of a data set read it: plain functions, so that they can be sent to other processes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from semseg.data.remapping import renumbered
from semseg.data.samples import Pair, SampleFiles

Result = TypeVar("Result")


def chosen(read: Callable[[int], Result], indices: Sequence[int], index: int) -> Result:
    """What `read` gives for the index at a place of the list."""
    return read(indices[index])


def sample_at(places: Sequence[tuple[Any, int]], index: int) -> Pair:
    """A sample of several data sets behind each other."""
    part, i = places[index]
    return part[i]


def mask_at(places: Sequence[tuple[Any, int]], index: int) -> np.ndarray:
    """A mask of several data sets behind each other."""
    part, i = places[index]
    mask: np.ndarray = part.mask(i)
    return mask


def files_at(places: Sequence[tuple[Any, int]], index: int) -> SampleFiles:
    """The files of a sample of several data sets behind each other."""
    part, i = places[index]
    return part.files(i)


def joined(ds: Any, table: Mapping[int, int], index: int) -> Pair:
    """A sample with its ids replaced."""
    image, mask = ds[index]
    return image, renumbered(mask, table)


def joined_mask(ds: Any, table: Mapping[int, int], index: int) -> np.ndarray:
    """A mask with its ids replaced."""
    return renumbered(ds.mask(index), table)


def joined_files(
    files: Callable[[int], SampleFiles], table: Mapping[int, int], index: int
) -> SampleFiles:
    """The files of a sample whose ids are replaced, perhaps not for the first time."""
    found = files(index)
    before = found.table or {i: i for i in table}
    return found._replace(table={old: table[i] for old, i in before.items()})
