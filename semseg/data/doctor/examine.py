"""Facts about one sample, small enough to be thrown away after they were counted."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np

from semseg.data.dataset import Dataset
from semseg.data.doctor.edges import Edges, edges, within
from semseg.data.encodings import MaskDecoder, is_grey
from semseg.data.reading import UnreadableFileError
from semseg.data.reading.files import Header, read_header
from semseg.data.reading.images import image_of, with_channels
from semseg.data.reading.masks import mask_of
from semseg.data.samples import SampleFiles

#: Distinct values kept of one mask: one with more holds no ids.
_MOST_VALUES = 4096

Size = tuple[int, int]


@dataclass(frozen=True)
class FileFacts:
    """What the header of a file says."""

    name: str
    suffix: str
    kind: str
    stored: Size  # before EXIF turns it
    orientation: int
    has_alpha: bool


@dataclass(frozen=True)
class ImageFacts:
    """What a picture's pixels say."""

    size: Size
    channels: int
    dtype: str
    is_finite: bool
    low: float  # of numbers that are finite, as all that follows
    high: float
    mean: float
    std: float
    is_constant: bool
    distinct: int  # values in the first channel, of 8 bits
    digest: int
    file: FileFacts | None = None


@dataclass(frozen=True)
class MaskFacts:
    """What a mask's pixels say."""

    size: Size
    dtype: str
    channels: int  # 1, or 3 of colours
    is_grey: bool  # three equal channels
    fractional: bool
    values: dict[int, int]  # raw ids, or colours as 0xRRGGBB -> pixels
    inside: dict[int, int]  # the same, of pixels whose eight neighbours are equal to them
    edges: Edges
    digest: int
    classes: dict[int, int] | None = None  # class ids -> pixels, where the mask can be decoded
    file: FileFacts | None = None


@dataclass(frozen=True)
class Fault:
    """Why a file could not be read."""

    fault: str
    name: str
    message: str


@dataclass(frozen=True)
class Examined:
    """A sample's facts."""

    id: str
    image: ImageFacts | None = None
    mask: MaskFacts | None = None
    faults: tuple[Fault, ...] = ()
    decoder: MaskDecoder | None = None  # how the mask is read; None if nobody has said


def examine(ds: Dataset, index: int) -> Examined:
    """The facts of a sample of any data set; of files, the raw contents."""
    sample = str(ds.ids[index])
    if ds.files is not None:
        return examine_files(sample, ds.files(index))
    try:
        image, mask = ds[index]
    except Exception as error:  # `read` may raise anything
        return Examined(sample, faults=(Fault("sample", sample, str(error)),))
    ids, counts = np.unique(mask, return_counts=True)
    classes = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    decoder = MaskDecoder(ds.class_map)
    return Examined(sample, _image_facts(image), _mask_facts(mask, classes), decoder=decoder)


def examine_files(sample: str, files: SampleFiles) -> Examined:
    """The facts of a pair of files."""
    faults: list[Fault] = []
    image = _image_file(files, faults)
    mask = _mask_file(files, faults)
    return Examined(sample, image, mask, tuple(faults), files.decoder)


def image_digest(ds: Dataset, index: int) -> int | None:
    """The hash of a sample's picture, None where it can't be read."""
    try:
        if ds.files is None:
            return _digest(ds[index][0])
        return _digest(ds.files(index).read_image())
    except Exception:
        return None


def _image_file(files: SampleFiles, faults: list[Fault]) -> ImageFacts | None:
    path = files.image
    try:
        header = read_header(path, files.decoder.max_pixels)
        image = with_channels(image_of(path, header), files.channels)
    except (ValueError, OSError) as error:
        faults.append(_fault(path, error))
        return None
    return _image_facts(image, _file_facts(path, header))


def _mask_file(files: SampleFiles, faults: list[Fault]) -> MaskFacts | None:
    path, decoder = files.mask, files.decoder
    try:
        header = read_header(path, decoder.max_pixels)
        raw = mask_of(path, header, decoder.encoding != "rgb")
    except (ValueError, OSError) as error:
        faults.append(_fault(path, error))
        return None
    return _mask_facts(raw, _classes(raw, files, decoder), _file_facts(path, header))


def _classes(raw: np.ndarray, files: SampleFiles, decoder: MaskDecoder) -> dict[int, int] | None:
    try:
        ids, counts = np.unique(decoder.decode(raw, files.mask), return_counts=True)
    except (ValueError, TypeError):
        return None
    classes: dict[int, int] = {}
    for old, count in zip(ids.tolist(), counts.tolist(), strict=True):
        new = old if files.table is None else files.table[old]
        classes[new] = classes.get(new, 0) + count
    return classes


def _fault(path: Path, error: Exception) -> Fault:
    if isinstance(error, UnreadableFileError):
        return Fault(error.fault, path.name, str(error))
    return Fault(
        "missing" if isinstance(error, FileNotFoundError) else "damaged", path.name, str(error)
    )


def _file_facts(path: Path, header: Header) -> FileFacts:
    return FileFacts(
        path.name,
        path.suffix.lower(),
        header.kind,
        header.size,
        header.orientation,
        header.has_alpha,
    )


def _image_facts(image: np.ndarray, file: FileFacts | None = None) -> ImageFacts:
    height, width, channels = image.shape
    is_finite = image.dtype.kind != "f" or bool(np.isfinite(image).all())
    first = image[..., 0]
    distinct = np.count_nonzero(np.bincount(first.ravel())) if image.dtype == np.uint8 else -1
    return ImageFacts(
        (height, width),
        channels,
        str(image.dtype),
        is_finite,
        *_range_and_moments(image if is_finite else image[np.isfinite(image)]),
        bool((image == image[0, 0]).all()),
        int(distinct),
        _digest(image),
        file,
    )


def _range_and_moments(image: np.ndarray) -> tuple[float, float, float, float]:
    if not image.size:  # nothing in it is finite
        return 0.0, 0.0, 0.0, 0.0
    return float(image.min()), float(image.max()), *_mean_and_deviation(image)


def _mean_and_deviation(image: np.ndarray) -> tuple[float, float]:
    if image.dtype in (np.uint8, np.uint16):
        mean, std = cv2.meanStdDev(np.ascontiguousarray(image[..., 0]))
        return float(mean[0, 0]), float(std[0, 0])
    return float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))


def _mask_facts(
    raw: np.ndarray, classes: dict[int, int] | None, file: FileFacts | None = None
) -> MaskFacts:
    channels = raw.shape[2] if raw.ndim == 3 else 1
    grey = channels == 3 and is_grey(raw)
    flat = raw[..., 0] if grey else raw
    fractional = raw.dtype.kind == "f" and not bool((raw == np.floor(raw)).all())
    if flat.ndim == 3:
        wide = flat[..., :3].astype(np.int32)
        flat = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    values, inside = ({}, {}) if fractional else (_counts(flat), _counts(flat[within(flat)]))
    return MaskFacts(
        (raw.shape[0], raw.shape[1]),
        str(raw.dtype),
        channels,
        grey,
        fractional,
        values,
        inside,
        edges(raw.sum(-1) if channels == 3 and not grey else flat),
        _digest(raw),
        classes,
        file,
    )


def _counts(values: np.ndarray) -> dict[int, int]:
    if values.dtype in (np.uint8, np.uint16):
        counts = np.bincount(values.ravel())
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(values, return_counts=True)
    kept = zip(found[:_MOST_VALUES].tolist(), counts[:_MOST_VALUES].tolist(), strict=True)
    return {int(v): n for v, n in kept}


def _digest(array: np.ndarray) -> int:
    digest = blake2b(str(array.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(array).data)
    return int.from_bytes(digest.digest(), "big")
