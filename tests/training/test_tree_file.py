"""Trees of plain values and arrays in a file: bit for bit, as a whole or not at all."""

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.training.tree_file import is_plain, read_tree, write_tree

arrays = hnp.arrays(
    st.sampled_from(["?", "i1", "u2", "i8", "f2", "f4", "f8", "U3"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(np.float32(0.1))
)
trees = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray | np.generic):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_equal(*pair)
    else:
        assert one == other or (math.isnan(one) and math.isnan(other))


@given(tree=trees)
def test_a_tree_comes_back_bit_for_bit(tree, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "tree.npz"
    assert is_plain(tree)
    write_tree(path, tree)
    assert_equal(read_tree(path), tree)


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e5m2", "float8_e4m3fn", "int4"])
@pytest.mark.parametrize("shape", [(), (3, 2), (0,)])
def test_dtypes_that_numpy_files_lose_come_back(dtype, shape, tmp_path):
    array = np.ones(shape, getattr(ml_dtypes, dtype))
    write_tree(tmp_path / "tree.npz", [array])
    assert_equal(read_tree(tmp_path / "tree.npz"), [array])


@pytest.mark.parametrize(
    "value", [{1}, object(), len, np.array([None]), [np.zeros(2, "i4,f4")], {"a": (1, b"")}]
)
def test_what_a_file_can_not_hold_is_not_plain(value, tmp_path):
    assert not is_plain(value)
    with pytest.raises(TypeError, match="a file can't hold"):
        write_tree(tmp_path / "tree.npz", value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [0, 10, 0.5, -1])
def test_a_file_that_was_cut_is_named(left, tmp_path):
    path = tmp_path / "tree.npz"
    write_tree(path, {"weights": np.arange(100)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
    with pytest.raises(ValueError, match=r"tree.npz is damaged \(.*\); put a copy of it back"):
        read_tree(path)


def test_a_flipped_bit_is_named(tmp_path):
    path = tmp_path / "tree.npz"
    write_tree(path, np.arange(1000))
    flipped = bytearray(path.read_bytes())
    flipped[3000] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(ValueError, match=r"tree.npz is damaged \(Bad CRC"):
        read_tree(path)


def test_a_limit_on_the_size_of_files_leaves_the_last_one(tmp_path):
    """A real refusal of the system's, as a full disk's would be."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "tree.npz"
    write_tree(path, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match=r"could not be written .*too large.*the last one stands"):
            write_tree(path, np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_tree(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["tree.npz"]
