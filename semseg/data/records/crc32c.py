"""CRC-32C, the checksum of TFRecord files, by NumPy alone.

A CRC is the remainder of the data, read as a polynomial over GF(2), modulo the CRC's polynomial.
So it does not change when a multiple of that polynomial is added, and with P(x) every P(x^m) with
m = 2, 4, 8, ... is a multiple, as squaring is linear over GF(2). With a multiple of few terms,
stretched by m, the front of the data is moved onto what follows by a few XORs of whole blocks: from
m = 8 on, exponents count bytes.
"""

from functools import lru_cache

import numpy as np

_CASTAGNOLI = 0x82F63B78  # x^32 + x^28 + ... + 1, the first bit of a byte being the lowest
# The exponents of its shortest multiple of six terms, found by search. That there is none below 209
# is known: HD = 8 up to 177 bits of data and 32 of the CRC (Koopman 2002, table 1).
_TOP, *_LOWER = 209, 144, 54, 39, 14, 0
_INITIAL = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The CRC-32C of at least 4 bytes."""
    rest = np.array(np.frombuffer(data, np.uint8))
    rest[:4] ^= 255  # the same as the initial value
    rest = _folded(rest)
    zeros_behind = np.arange(len(rest) - 1, -1, -1)
    return int(np.bitwise_xor.reduce(_table()[zeros_behind, rest])) ^ _INITIAL


def _folded(data: np.ndarray) -> np.ndarray:
    """At most `_TOP` bytes of the same remainder; `data` is used up."""
    stretch = 1
    while 2 * stretch * _TOP < len(data):
        stretch *= 2
    while stretch:
        while len(data) > stretch * _TOP:
            # No further than to where the first of these bytes are moved.
            count = min(len(data) - stretch * _TOP, stretch * (_TOP - _LOWER[0]))
            for exponent in _LOWER:
                start = stretch * (_TOP - exponent)
                data[start : start + count] ^= data[:count]
            data = data[count:]
        stretch //= 2
    return data


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """`table[zeros, byte]`: the remainder of a byte with so many zero bytes behind it."""
    row = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        row = np.where(row & 1, row >> 1 ^ np.uint32(_CASTAGNOLI), row >> 1)
    rows = [row]
    while len(rows) < _TOP:
        rows.append(rows[-1] >> 8 ^ row[rows[-1] & 255])
    return np.stack(rows)
