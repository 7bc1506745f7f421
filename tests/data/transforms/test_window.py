"""Boxes of the picture: linear for the image, nearest for the mask, half-pixel centres."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from semseg.data.transforms import Resize
from semseg.data.transforms.frame import Frame, Outside
from semseg.data.transforms.geometric import resample as resample_frame
from semseg.data.transforms.transform import Sample
from semseg.data.transforms.window import Window, on_pixels

small = st.integers(1, 24)
sizes = st.tuples(small, small)


def noise(size, channels=3, dtype=np.uint8, seed=0):
    """Little contrast: OpenCV places pixels to 1/32, before version 5 and for some dtypes."""
    values = np.random.default_rng(seed).integers(90, 106, (*size, channels))
    return values.astype(dtype)


def ids(size, seed=0):
    return np.random.default_rng(seed).integers(0, 200, size).astype(np.uint8)


def numbered(size):
    """A mask in which every pixel has an id of its own."""
    return np.arange(size[0] * size[1], dtype=np.int32).reshape(size)


def whole(size):
    return Window(0.0, 0.0, float(size[0]), float(size[1]), size)


def frame_of(mask, window, fill=255):
    """The frame that shows what a window shows."""
    down, across = window.height / window.size[0], window.width / window.size[1]
    matrix = np.array([[across, 0, window.left], [0, down, window.top], [0, 0, 1.0]])
    frame = Frame.of(mask).seen(matrix, window.size, Outside("fill", fill, "the crop"))
    mirror = np.array([[-1.0, 0, window.size[1]], [0, 1, 0], [0, 0, 1]])
    return frame.seen(mirror, window.size) if window.flipped else frame


def resample(image, mask, window, fill=255):
    shown, moved, _ = resample_frame(Sample(image, mask), frame_of(mask, window, fill))
    return shown, moved


def slow_linear(image, window):
    """Bilinear interpolation pixel by pixel in Python; 0 outside the picture.

    A box of whole pixels is a picture of its own; any other is interpolated with what is around it.
    """
    box = (window.top, window.left, window.top + window.height, window.left + window.width)
    on_pixels = all(edge == floor(edge) for edge in box)
    if on_pixels and min(box) >= 0 and box[2] <= image.shape[0] and box[3] <= image.shape[1]:
        top, left, bottom, right = (int(edge) for edge in box)
        image = image[top:bottom, left:right]
        window = replace(window, top=0.0, left=0.0)
    height, width, channels = image.shape
    out = np.zeros((*window.size, channels))
    for i in range(window.size[0]):
        y = window.top + (i + 0.5) * window.height / window.size[0]
        for j in range(window.size[1]):
            x = window.left + (j + 0.5) * window.width / window.size[1]
            if not (0 <= y < height and 0 <= x < width):
                continue
            # Pixel r has its centre at r + 1/2; beyond the first and last centre it is constant.
            v, u = y - 0.5, x - 0.5
            top, left = floor(v), floor(u)
            for r, weight_r in ((top, 1 - (v - top)), (top + 1, v - top)):
                for c, weight_c in ((left, 1 - (u - left)), (left + 1, u - left)):
                    pixel = image[min(max(r, 0), height - 1), min(max(c, 0), width - 1)]
                    out[i, j] += weight_r * weight_c * pixel
    return out[:, ::-1] if window.flipped else out


def slow_nearest(mask, window, fill):
    out = np.full(window.size, fill, mask.dtype)
    for i in range(window.size[0]):
        y = floor(window.top + (i + 0.5) * window.height / window.size[0])
        for j in range(window.size[1]):
            x = floor(window.left + (j + 0.5) * window.width / window.size[1])
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]:
                out[i, j] = mask[y, x]
    return out[:, ::-1] if window.flipped else out


@st.composite
def windows(draw, step=(1 / 4, 1.9)):
    """A picture's size and a window in it or beyond it, with `step` source pixels a pixel."""
    source, size = draw(sizes), draw(sizes)
    edges = []
    for n, m in zip(source, size, strict=True):
        # Eighths: exact in binary, and no pixel centre falls on the picture's border by rounding.
        length = m * draw(st.integers(int(step[0] * 64), int(step[1] * 64))) / 64
        edges += [draw(st.integers(-64, 8 * n + 32)) / 8, length]
    top, height, left, width = edges
    return source, Window(top, left, height, width, size, draw(st.booleans()))


@given(drawn=windows(), channels=st.sampled_from([1, 3, 5]), seed=st.integers(0, 99))
def test_a_window_shows_what_slow_bilinear_interpolation_shows(drawn, channels, seed):
    source, window = drawn
    image = noise(source, channels, seed=seed)
    shown, _ = resample(image, ids(source), window)
    np.testing.assert_allclose(shown, slow_linear(image, window), atol=1.01)


@given(drawn=windows(), dtype=st.sampled_from(["uint16", "int16", "float32", "float64"]))
def test_so_it_does_for_other_dtypes(drawn, dtype):
    source, window = drawn
    image = noise(source, 3, dtype)
    shown, _ = resample(image, ids(source), window)
    assert shown.dtype == dtype
    np.testing.assert_allclose(shown, slow_linear(image, window), atol=1.01)


@given(drawn=windows(step=(1 / 4, 4)), seed=st.integers(0, 99))
def test_a_window_shows_the_mask_pixel_under_each_centre(drawn, seed):
    source, window = drawn
    _, moved = resample(noise(source), ids(source, seed), window)
    np.testing.assert_array_equal(moved, slow_nearest(ids(source, seed), window, 255))


@given(drawn=windows(step=(1 / 4, 4)))
def test_outside_the_picture_the_image_is_0_just_where_the_mask_is_filled(drawn):
    source, window = drawn
    shown, moved = resample(noise(source), ids(source), window)
    np.testing.assert_array_equal((shown == 0).all(-1), moved == 255)


@given(size=sizes, dtype=st.sampled_from(["uint8", "uint16", "float32", "int64", "bool"]))
def test_the_whole_window_is_the_identity(size, dtype):
    image, mask = noise(size).astype(dtype), ids(size)
    shown, moved = resample(image, mask, whole(size))
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(moved, mask)
    assert shown.dtype == image.dtype
    assert not np.shares_memory(shown, image)
    assert not np.shares_memory(moved, mask)


@given(drawn=windows(step=(1 / 4, 4)))
def test_a_mirrored_window_shows_the_mirror_image(drawn):
    source, window = drawn
    image, mask = noise(source), ids(source)
    straight, mirrored = (
        resample(image, mask, window),
        resample(image, mask, replace(window, flipped=not window.flipped)),
    )
    for a, b in zip(straight, mirrored, strict=True):
        np.testing.assert_array_equal(a[:, ::-1], b)


@given(size=sizes, target=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_where_nothing_shrinks_by_2_resize_is_opencvs_linear(size, target):
    assume(all(n < 2 * m for n, m in zip(size, target, strict=True)))
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    shown, _ = Resize(target)(image, ids(size), np.random.default_rng(0))
    expected = cv2.resize(image, target[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(shown, expected)


@given(size=sizes, target=sizes)
def test_resize_takes_the_mask_pixel_under_each_centre(size, target):
    _, moved = Resize(target)(noise(size), numbered(size), np.random.default_rng(0))
    rows, columns = np.divmod(moved, size[1])
    for found, n, m in ((rows[:, 0], size[0], target[0]), (columns[0], size[1], target[1])):
        for i, pixel in enumerate(found):
            centre = Fraction(2 * i + 1, 2 * m) * n
            # A centre on the border of two pixels has two right answers.
            assert pixel == floor(centre) or pixel == centre - 1
    assert (rows == rows[:, :1]).all() and (columns == columns[:1]).all()


@given(n=st.integers(1, 200), m=st.integers(1, 200), down=st.booleans())
def test_a_resized_ramp_stays_where_the_mask_is(n, m, down):
    """No shift, no matter how the numbers divide: the trap of averaging whole blocks."""
    ramp = np.arange(n, dtype=np.float32)[:, None, None].repeat(3, 1)
    image, size = (ramp, (m, 3)) if down else (ramp.transpose(1, 0, 2), (3, m))
    shown, _ = Resize(size)(image, np.zeros(image.shape[:2], np.uint8), np.random.default_rng(0))
    found = shown[:, 1, 0] if down else shown[1, :, 0]
    step = n / m
    expected = ((np.arange(m) + 0.5) * step - 0.5).clip(0, n - 1)
    # A block of which the picture has only a part: off by an eighth of it at most.
    np.testing.assert_allclose(found, expected, atol=0.02 + (0.15 * step if step >= 2 else 0))


@given(drawn=windows(step=(2, 5)))
def test_a_shrunk_window_of_a_ramp_stays_where_the_mask_is(drawn):
    source, window = drawn
    rows, columns = np.mgrid[: source[0], : source[1]].astype(np.float32)
    image = np.stack([rows, columns], -1) + 100
    shown, moved = resample(image, numbered(source), window)
    seen = moved != 255  # 255 may be a pixel's own number too: those are left out
    found_rows, found_columns = np.divmod(moved[seen], source[1])
    reach = [window.height / window.size[0], window.width / window.size[1]]
    assert (np.abs(shown[seen][:, 0] - 100 - found_rows) <= 0.51 + 0.5 * reach[0]).all()
    assert (np.abs(shown[seen][:, 1] - 100 - found_columns) <= 0.51 + 0.5 * reach[1]).all()


@pytest.mark.parametrize("target", [(32, 32), (31, 30), (21, 21), (17, 20), (16, 16), (9, 13)])
@pytest.mark.parametrize("shift", [0, 0.25])
def test_a_fine_checkerboard_becomes_grey(target, shift):
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    window = Window(shift, shift, 64 - 2 * shift, 64 - 2 * shift, target)
    if shift:  # still a shrinking by 2 or more
        window = Window(shift, shift, 63.5, 63.5, tuple(min(n, 31) for n in target))
    shown, _ = resample(board, np.zeros((64, 64), np.uint8), window)
    assert np.abs(shown.astype(int) - 127.5).max() <= 32
    naive = board[:: 64 // target[0], :: 64 // target[1]]
    assert np.abs(naive.astype(int) - 127.5).max() > 100  # what aliasing looks like


def test_a_crop_beyond_the_picture_needs_a_fill():
    message = r"the crop reaches outside the picture .* pass mask_fill= "
    with pytest.raises(ValueError, match=message):
        resample(noise((4, 5)), ids((4, 5)), Window(-1, 0, 4, 5, (4, 5)), fill=None)


@given(drawn=windows(step=(1 / 4, 4)), flips=st.tuples(st.booleans(), st.booleans()))
def test_a_frame_of_a_window_is_that_window(drawn, flips):
    """Through the matrix and back, whichever way it is turned."""
    source, window = drawn
    window = replace(window, flipped=flips[0])
    mask = ids(source)
    frame = frame_of(mask, window)
    if flips[1]:
        frame = frame.seen(np.array([[0, 1.0, 0], [1, 0, 0], [0, 0, 1]]), window.size[::-1])
    found = replace(Window.of(frame), outside=None)
    assert found == replace(window, transposed=flips[1])


@given(drawn=windows(step=(1 / 4, 4)), turns=st.integers(0, 3))
def test_on_whole_pixels_a_window_is_off_by_half_a_pixel_at_most(drawn, turns):
    source, window = drawn
    mask = ids(source)
    frame = frame_of(mask, window)
    for _ in range(turns):
        quarter = np.array([[0.0, -1, frame.size[1]], [1, 0, 0], [0, 0, 1]])
        frame = frame.seen(quarter, frame.size[::-1])
    before, after = Window.of(frame), Window.of(on_pixels(frame))
    for start, length in (("top", "height"), ("left", "width")):
        first, last = getattr(before, start), getattr(before, start) + getattr(before, length)
        moved = getattr(after, start), getattr(after, start) + getattr(after, length)
        assert abs(moved[0] - first) <= 0.5
        assert abs(moved[1] - last) <= 0.5
    for same in ("size", "flipped", "upside_down", "transposed"):
        assert getattr(before, same) == getattr(after, same)
    is_inside = not before.beyond(source) and round(before.height) and round(before.width)
    on_whole = all(
        float(getattr(after, e)).is_integer() for e in ("top", "left", "height", "width")
    )
    assert on_whole or not is_inside or min(before.height, before.width) < 1


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "bool", "float16"])
@pytest.mark.parametrize("window", [Window(0, 0, 4, 5, (8, 9)), Window(0.5, 0, 3, 5, (3, 5))])
def test_a_dtype_that_opencv_would_convert_in_silence_is_refused(dtype, window):
    message = rf"image must have one of the dtypes uint8, .*received {dtype}; convert it"
    with pytest.raises(TypeError, match=message):
        resample(noise((4, 5)).astype(dtype), ids((4, 5)), window)


def test_the_slow_route_would_notice_top_left_alignment():
    """OpenCV's INTER_NEAREST, and a linear resize without half-pixel centres, must fail it."""
    source, target = (8, 8), (4, 4)
    window = Window(0, 0, 8, 8, target)
    nearest = cv2.resize(ids(source), target, interpolation=cv2.INTER_NEAREST)
    assert not np.array_equal(nearest, slow_nearest(ids(source), window, 255))
    window = Window(0, 0, 8, 8, (12, 12))
    corner = np.array([[8 / 12, 0, 0], [0, 8 / 12, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shifted = cv2.warpAffine(noise(source), corner, (12, 12), flags=flags)
    assert np.abs(shifted - slow_linear(noise(source), window)).max() > 1.01
