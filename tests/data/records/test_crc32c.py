"""CRC-32C by folding, against the check value, a slow loop, and the polynomial's own arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.records import crc32c as module
from semseg.data.records.crc32c import crc32c

CASTAGNOLI = 0x11EDC6F41


def slow_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_check_value_of_the_catalogues():
    assert crc32c(b"123456789") == 0xE3069283


def test_the_examples_of_rfc_3720():
    """Appendix B.4."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@given(data=st.binary(min_size=4, max_size=2000))
def test_any_bytes_give_what_the_slow_loop_gives(data):
    assert crc32c(data) == slow_crc32c(data)


@pytest.mark.parametrize("length", [4, 208, 209, 210, 418, 419, 3344, 3345, 20_001])
def test_lengths_around_the_steps_of_the_folding(length):
    data = np.random.default_rng(length).bytes(length)
    assert crc32c(data) == slow_crc32c(data)


def test_the_terms_make_a_multiple_of_the_polynomial():
    rest = sum(1 << exponent for exponent in (module._TOP, *module._LOWER))
    while rest.bit_length() > 32:
        rest ^= CASTAGNOLI << (rest.bit_length() - 33)
    assert rest == 0
