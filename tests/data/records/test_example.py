"""Records as bytes: TensorFlow reads what is written here, and the reverse."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.records.example import from_example, to_example
from semseg.data.records.frames import framed, is_framed

FEATURES = st.dictionaries(
    st.text(max_size=12),
    st.binary(max_size=400) | st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


def plain(features):
    return {name: bytes(v) if isinstance(v, memoryview) else v for name, v in features.items()}


def tensorflows(features):
    message = tf.train.Example()
    for name, value in features.items():
        if isinstance(value, bytes):
            message.features.feature[name].bytes_list.value.append(value)
        else:
            message.features.feature[name].int64_list.value.extend(value)
    return message


@given(features=FEATURES)
def test_tensorflow_reads_the_same_features(features):
    assert tf.train.Example.FromString(to_example(features)) == tensorflows(features)


@given(features=FEATURES)
def test_what_tensorflow_wrote_and_what_was_written_here_is_read(features):
    assert plain(from_example(tensorflows(features).SerializeToString())) == features
    assert plain(from_example(to_example(features))) == features


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x0a\x05\x0a", "no tf.train.Example"),
        (b"\x08\x05", "no tf.train.Example"),
        (b"\x0a\x80", "ends within a number"),
        (b"\x0a", "ends within a number"),
    ],
)
def test_other_bytes_are_an_error(data, message):
    with pytest.raises(ValueError, match=message):
        from_example(data)


def test_a_file_is_byte_for_byte_tensorflows(tmp_path):
    rng = np.random.default_rng(0)
    records = [rng.bytes(n) for n in (4, 17, 209, 300, 5000, 70_000)]
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    assert b"".join(map(framed, records)) == (tmp_path / "theirs").read_bytes()


@given(data=st.binary(min_size=4, max_size=60), at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_frame_shows(data, at, bit):
    frame = bytearray(framed(data))
    assert is_framed(bytes(frame))
    frame[at % len(frame)] ^= 1 << bit
    assert not is_framed(bytes(frame))
    assert not is_framed(bytes(frame[: at % len(frame)]))
