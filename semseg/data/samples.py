"""What batches and passes are made of: named samples with random access."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from semseg._checks import check_image, check_mask
from semseg.classes import ClassMap
from semseg.data.encodings import MaskDecoder
from semseg.data.errors import prefixed
from semseg.data.reading import read_image
from semseg.data.reading.images import with_channels

Pair = tuple[np.ndarray, np.ndarray]


class Samples(Protocol):
    """`len(samples)` and `samples[i]` -> (image, mask), a pure function of `i`."""

    name: str
    ids: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Pair: ...


class LabelledSamples(Samples, Protocol):
    """Samples that say what their ids mean."""

    class_map: ClassMap


def checked_pair(image: Any, mask: Any, when: str = "") -> Pair:
    """An image and a mask that may be a sample; `when` says in errors what they come from."""
    image, mask = check_image(image, f"image{when}"), check_mask(mask, f"mask{when}")
    if image.shape[:2] != mask.shape:
        raise ValueError(
            f"image and mask{when} must have one size, received (height, width) "
            f"{image.shape[:2]} and {mask.shape}"
            + ("; the mask looks transposed" if image.shape[:2] == mask.shape[::-1] else "")
        )
    return image, mask


def where(ds: Samples, index: int) -> str:
    """A sample for an error: its id, its data set, and its files where it has some."""
    found = getattr(ds, "files", None)
    files = f" (files {', '.join(str(f) for f in found(index)[:2])})" if found else ""
    return f"sample {ds.ids[index]!r} of {ds.name!r}{files}"


def raise_named(error: Exception, ds: Samples, index: int) -> NoReturn:
    """Raises the error with its sample before its text, where that is not there already."""
    if str(error).startswith(f"sample {ds.ids[index]!r} of "):
        raise error
    raise prefixed(error, where(ds, index)) from error


def mask_of(ds: Samples, index: int) -> np.ndarray:
    """A sample's mask; the picture is read too only where the two can't be had apart."""
    read: Callable[[int], np.ndarray] | None = getattr(ds, "mask", None)
    return ds[index][1] if read is None else read(index)


class SampleFiles(NamedTuple):
    """Where a sample comes from, and how its mask is read."""

    image: Path
    mask: Path
    decoder: MaskDecoder
    channels: int | None = None  # what grey or colour pictures are turned into
    table: Mapping[int, int] | None = None  # what map_classes makes of the decoder's ids

    def read_image(self) -> np.ndarray:
        """The picture as the data set gives it; every error names the file."""
        image = read_image(self.image, self.decoder.max_pixels)
        try:
            return with_channels(image, self.channels)
        except ValueError as error:
            raise ValueError(f"{error} (file {self.image})") from None
