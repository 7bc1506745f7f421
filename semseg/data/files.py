"""A Dataset whose samples are pairs of files."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.encodings import AmbiguousMaskError, Encoding, Found, MaskDecoder, detect
from semseg.data.passes import in_order
from semseg.data.reading import MAX_PIXELS, read_image
from semseg.data.samples import Pair, SampleFiles

OnError = Literal["raise", "skip"]


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

    Raises:
        ValueError: an unknown `encoding` or `on_error`, a first mask that can be read in two ways,
            or no sample that can be read.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', received {on_error!r}")
    given = MaskDecoder(class_map, encoding, max_pixels)
    found = _found(pairs, given)
    decoder = MaskDecoder(class_map, found.encoding, max_pixels)
    ds = _dataset(pairs, decoder, name, _note(pairs, found, max_pixels))
    if on_error == "raise":
        return ds
    errors = list(in_order(lambda i: _error(ds, i), range(len(pairs)), len(pairs), "reading"))
    good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
    skipped = tuple((p.id, e) for p, e in zip(pairs, errors, strict=True) if e is not None)
    if not skipped:
        return ds
    if not good:
        raise ValueError(f"no sample of {name!r} can be read; the first error: {skipped[0][1]}")
    warnings.warn(
        f"{len(skipped)} of {len(pairs)} samples of {name!r} are skipped, since they can't be "
        f"read (ds.skipped lists them); the first: {skipped[0][1]}",
        stacklevel=3,
    )
    ds = _dataset(good, decoder, name, f"{ds.note}, {len(skipped)} samples skipped".lstrip(", "))
    ds.skipped = skipped
    return ds


def _dataset(pairs: Sequence[FilePair], decoder: MaskDecoder, name: str, note: str) -> Dataset:
    def read(index: int) -> Pair:
        _, image, mask = pairs[index]
        return read_image(image, decoder.max_pixels), decoder.read(mask)

    def files(index: int) -> SampleFiles:
        return SampleFiles(pairs[index].image, pairs[index].mask, decoder)

    ids = [pair.id for pair in pairs]
    return Dataset(read, ids, decoder.class_map, name, files=files, note=note)


def _note(pairs: Sequence[FilePair], found: Found, max_pixels: int) -> str:
    """What the first image and mask hold, for `repr`."""
    try:
        image = read_image(pairs[0].image, max_pixels)
    except (ValueError, OSError):
        return "the first image can't be read"
    height, width, channels = image.shape
    note = f"first image {height}x{width}x{channels} {image.dtype}"
    return f"{note}, masks: {found.form}" if found.form else note


def _found(pairs: Sequence[FilePair], given: MaskDecoder) -> Found:
    """What the first mask that can be read holds; an unreadable one is reported when it's read."""
    if given.encoding != "auto":
        return Found(given.encoding, {"rgb": "RGB colours"}.get(given.encoding, given.encoding))
    for pair in pairs[:8]:
        try:
            found = detect(pair.mask, given.class_map, given.max_pixels)
        except AmbiguousMaskError:
            raise
        except (ValueError, OSError):
            continue
        return found
    return Found("ids", "")


def _error(ds: Dataset, index: int) -> str | None:
    try:
        ds[index]
    except (ValueError, TypeError, OSError) as error:
        return str(error)
    return None
