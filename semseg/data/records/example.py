"""`tf.train.Example` as bytes, of features that hold one string of bytes or whole numbers >= 0.

The messages are nested as Example > Features > one entry a feature (its name, Feature) >
BytesList or Int64List (tensorflow/core/example/feature.proto). Every field of them is a tag,
a length and so many bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Feature = bytes | Sequence[int]

_BYTES_LIST, _INT64_LIST = 1, 3  # of a Feature
_KEY, _VALUE = 1, 2  # of an entry


def to_example(features: Mapping[str, Feature]) -> bytes:
    """The serialised Example, with the features in the order of their names."""
    entries = []
    for name, value in sorted(features.items()):
        if isinstance(value, bytes):
            feature = _field(_BYTES_LIST, *_field(1, value))
        else:
            feature = _field(_INT64_LIST, *_field(1, *map(_varint, value)))
        entries += _field(1, *_field(_KEY, name.encode()), *_field(_VALUE, *feature))
    return b"".join(_field(1, *entries))


def from_example(data: bytes) -> dict[str, Any]:
    """The features of an Example: a memoryview of bytes, or a list of numbers each.

    Raises:
        ValueError: bytes that are no such Example.
    """
    features: dict[str, Any] = {}
    for _, message in _fields(memoryview(data)):
        for _, entry in _fields(message):
            parts = dict(_fields(entry))
            ((kind, values),) = _fields(parts[_VALUE])
            ((_, value),) = _fields(values)
            features[str(parts[_KEY], "utf-8")] = value if kind == _BYTES_LIST else _ints(value)
    return features


def _field(number: int, *content: bytes) -> list[bytes]:
    """Pieces, so that pictures are copied once, at the end."""
    return [bytes([number << 3 | 2]), _varint(sum(map(len, content))), *content]


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        tag = data[at]
        length, at = _read_varint(data, at + 1)
        if tag & 7 != 2 or at + length > len(data):
            raise ValueError("the record is no tf.train.Example of bytes and whole numbers")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number, and where the next thing begins."""
    number = shift = 0
    while True:
        if at == len(data):
            raise ValueError("the record ends within a number")
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return number, at


def _ints(data: memoryview) -> list[int]:
    numbers, at = [], 0
    while at < len(data):
        number, at = _read_varint(data, at)
        numbers.append(number)
    return numbers
