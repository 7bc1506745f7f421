"""One sample as the features of a record, and back, bit for bit."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np

from semseg.data.reading import UnreadableFileError
from semseg.data.reading.files import header_of
from semseg.data.reading.images import image_of, with_channels
from semseg.data.records.example import Feature, from_example, to_example
from semseg.data.samples import Pair, SampleFiles

#: How pictures are stored.
Images = Literal["encoded", "raw", "compressed"]


class _Stored(NamedTuple):
    """An array as bytes: "raw" (its numbers, row by row), "zlib" (these, compressed), or a file."""

    form: str
    data: bytes


def sample_to_example(
    name: str, pair: Pair, images: Images, files: SampleFiles | None = None
) -> bytes:
    """The record of a sample; what will be read from it was compared with the sample.

    Args:
        name: the sample's id.
        pair: image and mask.
        images: how the image is stored.
        files: where the sample comes from; the image's file is stored as it is where that gives
            the very same image.
    """
    image, mask = pair
    features = {
        "id": name.encode("utf-8", "surrogateescape"),  # as file names are decoded
        **_features("image", image, _image_forms(image, images, files)),
        **_features("mask", mask, [_numbers(mask, "raw" if images == "raw" else "zlib")]),
    }
    return to_example(features)


def example_to_sample(example: bytes, where: Path) -> Pair:
    """The sample in a record; errors name `where` it is."""
    features = from_example(example)
    return _array("image", features, where), _array("mask", features, where)


def _features(part: str, array: np.ndarray, forms: Iterable[_Stored]) -> dict[str, Feature]:
    """The features of the first form that gives the array back."""
    for form, data in forms:  # a file may be read by the data set in a way of its own
        if _gives(array, form, data):
            return {
                part: data,
                f"{part}_format": form.encode(),
                f"{part}_dtype": array.dtype.name.encode(),
                f"{part}_shape": array.shape,
            }
    raise ValueError(f"{part} can't be stored so that it is read as it was ({array.dtype})")


def _array(part: str, features: Mapping[str, Any], where: Path) -> np.ndarray:
    data, form, dtype = (features[part + end] for end in ("", "_format", "_dtype"))
    shape = tuple(features[f"{part}_shape"])
    return _decoded(str(form, "ascii"), data, shape, str(dtype, "ascii"), where)


def _image_forms(image: np.ndarray, images: Images, files: SampleFiles | None) -> Iterator[_Stored]:
    if images == "encoded":
        yield from _file(files)
        yield from _png(image)
    yield _numbers(image, "raw" if images == "raw" else "zlib")


def _file(files: SampleFiles | None) -> Iterator[_Stored]:
    """The picture's own file, where OpenCV decodes it."""
    if files is None or files.image.suffix.lower() == ".npy":
        return
    data = files.image.read_bytes()
    try:
        header = header_of(files.image, data, files.decoder.max_pixels)
    except UnreadableFileError:  # it is not how the data set reads it
        return
    if header.array is None:
        yield _Stored(header.kind.lower(), data)


def _png(image: np.ndarray) -> Iterator[_Stored]:
    """A PNG, where one can hold the image."""
    if image.dtype in (np.uint8, np.uint16) and image.shape[2] in (1, 3):
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.shape[2] == 3 else image
        yield _Stored("png", cv2.imencode(".png", bgr)[1].tobytes())


def _numbers(array: np.ndarray, form: str) -> _Stored:
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    # Level 3: CamVid's images are no smaller at the usual 6, which takes 1.7 times as long.
    return _Stored(form, zlib.compress(data, 3) if form == "zlib" else data)


def _decoded(
    form: str, data: bytes | memoryview, shape: tuple[int, ...], dtype: str, where: Path
) -> np.ndarray:
    if form in ("raw", "zlib"):
        numbers = zlib.decompress(data) if form == "zlib" else data
        stored = np.frombuffer(numbers, np.dtype(dtype).newbyteorder("<"))
        # A copy, since what a reader writes into a sample must not stay, nor bytes keep it alive.
        return np.array(stored.reshape(shape), dtype)
    header = header_of(where, bytes(data), max_pixels=shape[0] * shape[1])
    image = image_of(where, header)
    if {image.shape[2], shape[2]} == {1, 3}:  # as the data set's channels= asked for
        image = with_channels(image, shape[2])
    if image.shape != shape or image.dtype != dtype:
        raise ValueError(
            f"the picture is decoded to {image.shape} {image.dtype}, but was {shape} {dtype} when "
            f"it was written: {where}; was it another version of OpenCV?"
        )
    return image


def _gives(array: np.ndarray, form: str, data: bytes) -> bool:
    try:
        found = _decoded(form, data, array.shape, array.dtype.name, Path("the file"))
    except ValueError:  # likewise
        return False
    return is_same(found, array)


def is_same(found: np.ndarray, array: np.ndarray) -> bool:
    """Whether arrays agree bit for bit: NaN is equal to itself, and 0 is not -0."""
    if found.shape != array.shape or found.dtype.name != array.dtype.name:
        return False
    array = np.ascontiguousarray(array, found.dtype)  # in one byte order
    return bool(np.array_equal(found.reshape(-1).view(np.uint8), array.reshape(-1).view(np.uint8)))
