"""The windows of tiles along one axis, as whole numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.inference.windows import (
    Axis,
    cropped_windows,
    exact_windows,
    overlapping_windows,
    unpadded_windows,
)
from semseg.models import valid_sizes

pytestmark = pytest.mark.once

lengths = st.integers(1, 400)
reach = st.integers(0, 60)
padded = st.tuples(reach, reach, st.sampled_from([1, 2, 4, 6, 16])).map(lambda given: Axis(*given))


def unpadded(depth):
    """What the unpadded U-Net asks for, by the formulas of `unet_sizes`."""
    sizes = valid_sizes(depth, 1000)
    shrinks_by = 12 * 2**depth - 8

    def takes(tile):
        return max((size for size in sizes if size <= tile), default=0)

    return Axis(0, 0, 2**depth, shrinks_by, shrinks_by // 2, takes)


def assert_partition(windows, length):
    """What is kept lies side by side, from end to end, and inside the windows."""
    edges = [0, *(w.kept_to for w in windows)]
    assert [w.kept_from for w in windows] == edges[:-1]
    assert edges[-1] == length
    assert all(a < b for a, b in pairwise(edges))


def assert_exact(windows, length, axis):
    """Every kept pixel has its reach in the window, or the picture ends there."""
    for window in windows:
        assert window.skip == window.kept_from - window.start
        assert window.start % axis.stride == 0
        assert 0 <= window.start < window.stop <= length
        assert window.start == 0 or window.kept_from - axis.before >= window.start
        assert window.stop == length or window.kept_to - 1 + axis.after < window.stop
        # Inside the picture nothing may be padded to a multiple of the stride.
        assert window.stop == length or window.stop % axis.stride == 0


@given(length=lengths, more=st.integers(0, 90), axis=padded)
def test_exact_windows_keep_each_pixel_once_with_all_that_it_sees(length, more, axis):
    tile = axis.least_tile + more
    windows = exact_windows(length, tile, axis)
    assert_partition(windows, length)
    assert_exact(windows, length, axis)
    assert all(w.stop - w.start <= tile for w in windows)


@given(length=lengths, axis=padded)
def test_no_tile_below_the_least_would_do(length, axis):
    """A window of the next smaller multiple of the stride has no pixel with both its margins."""
    less = axis.least_tile - axis.stride
    assert less - sum(axis.margins) == 0
    before, after = axis.margins
    assert before - axis.stride < axis.before <= before
    assert after - axis.stride < axis.after <= after


def test_the_laws_notice_a_margin_that_is_one_short():
    axis = Axis(5, 5, 1)
    windows = exact_windows(100, 20, axis._replace(before=4))
    with pytest.raises(AssertionError):
        assert_exact(windows, 100, axis)


def test_windows_by_hand():
    axis = Axis(before=5, after=3, stride=4)
    found = exact_windows(50, 24, axis)
    assert axis.least_tile == 8 + 4 + 4
    assert found == [
        (0, 24, 0, 20, 0),
        (12, 36, 20, 32, 8),
        (24, 48, 32, 44, 8),
        (36, 50, 44, 50, 8),
    ]
    assert exact_windows(24, 24, axis) == [(0, 24, 0, 24, 0)]


@given(length=lengths, more=st.integers(0, 90), depth=st.integers(1, 4))
def test_unpadded_windows_have_one_legal_size_and_one_alignment(length, more, depth):
    axis = unpadded(depth)
    tile = axis.least_tile + more
    windows = unpadded_windows(length, tile, axis)
    assert_partition(windows, length)
    (seen,) = {w.stop - w.start for w in windows}
    assert seen in valid_sizes(depth) and seen <= tile
    for window in windows:
        assert window.kept_from - axis.offset == window.start
        assert window.kept_from % axis.stride == 0
        assert window.kept_to - window.kept_from <= seen - axis.shrinks_by
        assert window.skip == 0


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_least_unpadded_tile_works_and_one_less_keeps_no_whole_stride(depth):
    axis = unpadded(depth)
    assert axis.takes(axis.least_tile) - axis.shrinks_by >= axis.stride
    assert axis.takes(axis.least_tile - 1) - axis.shrinks_by < axis.stride


@given(length=lengths, tile=st.integers(1, 120), data=st.data())
def test_overlapping_windows_have_one_size_and_at_least_the_overlap(length, tile, data):
    overlap = data.draw(st.integers(0, tile - 1))
    windows = overlapping_windows(length, tile, overlap)
    assert_partition(windows, length)
    assert {w.stop - w.start for w in windows} == {min(tile, length)}
    assert windows[0].start == 0 and windows[-1].stop == length
    for window, following in pairwise(windows):
        assert window.stop - following.start >= overlap
        assert window.kept_to == following.start  # later windows don't reach what is finished
    assert all(a.stop < b.stop for a, b in pairwise(windows))


@given(length=lengths, tile=st.integers(1, 60), data=st.data())
def test_cropped_windows_keep_what_lies_most_in_their_middle(length, tile, data):
    overlap = data.draw(st.integers(0, tile - 1))
    windows = cropped_windows(length, tile, overlap)
    assert_partition(windows, length)
    plain = overlapping_windows(length, tile, overlap)
    assert [(w.start, w.stop) for w in windows] == [(w.start, w.stop) for w in plain]
    for window in windows:
        assert window.start <= window.kept_from < window.kept_to <= window.stop
        assert window.skip == window.kept_from - window.start

    def middle_distance(window, pixel):
        return abs(2 * pixel + 1 - window.start - window.stop)

    for window in windows:
        for pixel in (window.kept_from, window.kept_to - 1):
            others = [w for w in windows if w.start <= pixel < w.stop]
            nearest = min(middle_distance(w, pixel) for w in others)
            assert middle_distance(window, pixel) <= nearest + 1
