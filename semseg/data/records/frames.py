"""The frame of a record in a TFRecord file: its length before it, a checksum behind each of both.

    uint64 length, uint32 masked CRC-32C of these 8 bytes, data, uint32 masked CRC-32C of the data

all in little endian (tensorflow/core/lib/io/record_writer.h).
"""

import struct

from semseg.data.records.crc32c import crc32c

#: Bytes before and behind a record's data.
HEAD, TAIL = 12, 4


def framed(data: bytes) -> bytes:
    """The record as it stands in the file."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _masked_crc(length), data, _masked_crc(data)))


def is_framed(frame: bytes) -> bool:
    """Whether a record's bytes, with head and tail, are what `framed` makes."""
    if len(frame) < HEAD + TAIL:
        return False
    length, data = frame[:8], frame[HEAD:-TAIL]
    fits = struct.pack("<Q", len(data)) == length and _masked_crc(length) == frame[8:HEAD]
    return fits and _masked_crc(data) == frame[-TAIL:]


def _masked_crc(data: bytes) -> bytes:
    """TensorFlow rotates and shifts checksums, as those of data with checksums in it are weak."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
