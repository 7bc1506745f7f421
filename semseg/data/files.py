"""A Dataset whose samples are pairs of files."""

import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.encodings import AmbiguousMaskError, Encoding, Found, MaskDecoder, detect
from semseg.data.passes import in_order
from semseg.data.reading import MAX_PIXELS
from semseg.data.samples import Pair, SampleFiles

PathLike = str | os.PathLike[str]
Channels = Literal[1, 3]
OnError = Literal["raise", "skip"]

_LOOKED_AT = 8  # masks, until one can be read in one way only


class FilePair(NamedTuple):
    """A sample's name, its picture and its mask."""

    id: str
    image: Path
    mask: Path


def dataset_of_files(
    pairs: Sequence[FilePair],
    class_map: ClassMap,
    name: str,
    encoding: Encoding = "auto",
    max_pixels: int = MAX_PIXELS,
    on_error: OnError = "raise",
    channels: Channels | None = None,
) -> Dataset:
    """The Dataset of pairs of files.

    Args:
        pairs: the files, one entry a sample.
        class_map: what the masks hold.
        name: the data set's name.
        encoding: how masks are meant; "auto" looks at the first mask.
        max_pixels: files that declare more are refused.
        on_error: "raise" when a bad sample is read, or "skip" to read all of them once and leave
            the bad ones out: `ds.skipped` lists them with their errors, and a warning counts them.
        channels: 3 repeats grey pictures in three channels, 1 turns colours into grey; None keeps
            what each file has.

    Raises:
        ValueError: an unknown `encoding` or `on_error`, a first mask that can be read in two ways,
            or no sample that can be read.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', received {on_error!r}")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be None, 1 or 3, received {channels!r}")
    given = MaskDecoder(class_map, encoding, max_pixels)
    found = _found(pairs, given)
    decoder = MaskDecoder(class_map, found.encoding, max_pixels)
    if on_error == "raise":
        return _dataset(pairs, decoder, name, channels, _note(pairs, found, decoder, channels))
    ds = _dataset(pairs, decoder, name, channels, "")
    errors = list(in_order(lambda i: _error(ds, i), range(len(pairs)), len(pairs), "reading"))
    good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
    skipped = tuple((p.id, e) for p, e in zip(pairs, errors, strict=True) if e is not None)
    if not good:
        raise ValueError(f"no sample of {name!r} can be read; the first error: {skipped[0][1]}")
    ds = _dataset(good, decoder, name, channels, _note(good, found, decoder, channels))
    if not skipped:
        return ds
    warnings.warn(
        f"{len(skipped)} of {len(pairs)} samples of {name!r} are skipped, since they can't be "
        f"read (ds.skipped lists them); the first: {skipped[0][1]}",
        stacklevel=3,
    )
    ds.note += f", {len(skipped)} of {len(pairs)} samples skipped"
    ds.skipped = skipped
    return ds


def _dataset(
    pairs: Sequence[FilePair],
    decoder: MaskDecoder,
    name: str,
    channels: Channels | None,
    note: str,
) -> Dataset:
    files = partial(_files, pairs, decoder, channels)
    ids = [pair.id for pair in pairs]
    ds = Dataset(partial(_read, files), ids, decoder.class_map, name, files=files, note=note)
    ds._read_mask = partial(_read_mask, files)
    return ds


def _files(
    pairs: Sequence[FilePair], decoder: MaskDecoder, channels: Channels | None, index: int
) -> SampleFiles:
    return SampleFiles(pairs[index].image, pairs[index].mask, decoder, channels)


def _read(files: Callable[[int], SampleFiles], index: int) -> Pair:
    sample = files(index)
    return sample.read_image(), sample.decoder.read(sample.mask)


def _read_mask(files: Callable[[int], SampleFiles], index: int) -> np.ndarray:
    sample = files(index)
    return sample.decoder.read(sample.mask)


def _note(
    pairs: Sequence[FilePair], found: Found, decoder: MaskDecoder, channels: Channels | None
) -> str:
    """What the first image and mask hold, for `repr`."""
    try:
        image = _files(pairs, decoder, channels, 0).read_image()
    except (ValueError, OSError):
        return "the first image can't be read"
    note = f"first image {'x'.join(map(str, image.shape))} {image.dtype}"
    return f"{note}, masks: {found.form}" if found.form else note


def _found(pairs: Sequence[FilePair], given: MaskDecoder) -> Found:
    """What the first mask that can be read, and in one way only, holds.

    An unreadable mask is reported when it's read.
    """
    if given.encoding != "auto":
        return Found(given.encoding, {"rgb": "RGB colours"}.get(given.encoding, given.encoding))
    undecided = Found("ids", "")
    for pair in pairs[:_LOOKED_AT]:
        try:
            found = detect(pair.mask, given.class_map, given.max_pixels)
        except AmbiguousMaskError:
            raise
        except (ValueError, OSError):
            continue
        if found.is_certain:
            return found
        undecided = found
    return undecided


def _error(ds: Dataset, index: int) -> str | None:
    try:
        ds[index]
    except (ValueError, TypeError, OSError) as error:
        return str(error)
    return None
