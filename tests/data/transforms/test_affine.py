"""Affine and Perspective: against matrices made another way."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Affine, Compose, Flip, Perspective, RandomCrop
from semseg.data.transforms.frame import Frame, project

sizes = st.tuples(st.integers(2, 50), st.integers(2, 50))


def matrix_of(transform, size, seed=0):
    frame = Frame.of(np.zeros(size, np.uint8))
    return transform.place(frame, np.random.default_rng(seed)).matrix


def at(matrix, x, y):
    return tuple(float(v) for v in project(matrix, np.float64(x), np.float64(y)))


@given(size=sizes, seed=st.integers(0, 999))
def test_a_rotation_is_opencvs_around_the_middle(size, seed):
    matrix = matrix_of(Affine(rotation=180), size, seed)
    angle = 180 * (2 * np.random.default_rng(seed).random(4)[0] - 1)
    # Positive is counter-clockwise for OpenCV too; ours leads from the output to the source.
    expected = cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), angle, 1.0)
    np.testing.assert_allclose(np.linalg.inv(matrix)[:2], expected, atol=1e-4)


@given(size=sizes, seed=st.integers(0, 999))
def test_a_zoom_magnifies_by_a_factor_within_its_limits(size, seed):
    matrix = matrix_of(Affine(zoom=(0.5, 3)), size, seed)
    assert 1 / 3 - 1e-9 <= matrix[0, 0] == matrix[1, 1] <= 2 + 1e-9
    middle = (size[1] / 2, size[0] / 2)
    np.testing.assert_allclose(at(matrix, *middle), middle, atol=1e-9)


@given(size=sizes, seed=st.integers(0, 999))
def test_a_shift_is_a_share_of_the_size(size, seed):
    matrix = matrix_of(Affine(shift=0.25), size, seed)
    np.testing.assert_allclose(matrix[:2, :2], np.eye(2), atol=1e-12)
    assert abs(matrix[0, 2]) <= size[1] / 4 + 1e-9
    assert abs(matrix[1, 2]) <= size[0] / 4 + 1e-9


@given(size=sizes, seed=st.integers(0, 999))
def test_a_shear_lets_verticals_lean_and_leaves_horizontals(size, seed):
    matrix = matrix_of(Affine(shear=30), size, seed)
    assert matrix[1].tolist() == [0, 1, 0] or np.allclose(matrix[1], [0, 1, 0], atol=1e-12)
    assert abs(matrix[0, 1]) <= np.tan(np.radians(30)) + 1e-9


@given(seed=st.integers(0, 99))
def test_areas_are_those_of_the_zoom(seed):
    """Rotation, shear and shift keep areas."""
    matrix = matrix_of(Affine(rotation=50, shear=30, shift=0.3), (20, 30), seed)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-9)


def test_each_argument_is_drawn_in_both_directions():
    found = [matrix_of(Affine(rotation=40, shift=0.2), (20, 30), seed) for seed in range(60)]
    angles = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in found])
    assert -40 <= angles.min() < -25 and 25 < angles.max() <= 40
    assert abs(angles.mean()) < 12


@pytest.mark.parametrize("zoom", [0.5, 0.4, 0.24])
def test_a_fine_checkerboard_becomes_grey_when_it_shrinks(zoom):
    board = (np.indices((96, 96)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    shrink = Affine(rotation=180, zoom=(zoom, zoom), border="reflect")
    for seed in range(4):
        shown, _ = shrink(board, board[..., 0], np.random.default_rng(seed))
        assert np.abs(shown[40:56, 40:56].astype(int) - 127.5).max() <= 32


@given(size=sizes, seed=st.integers(0, 999))
def test_a_perspective_looks_at_points_inside_and_keeps_straight_lines(size, seed):
    matrix = matrix_of(Perspective(0.3), size, seed)
    height, width = size
    for x, y in ((0, 0), (width, 0), (0, height), (width, height)):
        seen = at(matrix, x, y)
        assert -1e-3 <= abs(seen[0] - x) <= 0.3 * width + 1e-3
        assert -1e-3 <= abs(seen[1] - y) <= 0.3 * height + 1e-3
        assert -1e-3 <= seen[0] <= width + 1e-3 and -1e-3 <= seen[1] <= height + 1e-3
    line = np.array([at(matrix, t * width, t * height / 3) for t in (0.1, 0.4, 0.8)])
    (a, b, c) = line
    assert abs(np.cross(np.append(b - a, 0), np.append(c - a, 0))[2]) < 1e-6 * width * height


def test_a_perspective_needs_no_fill():
    image, mask = np.full((30, 40, 3), 9, np.uint8), np.zeros((30, 40), np.uint8)
    for seed in range(20):
        shown, moved = Perspective(0.4)(image, mask, np.random.default_rng(seed))
        assert (shown == 9).all() and (moved == 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": -5}, r"rotation of Affine must lie in \[0, 360\], received -5"),
        ({"shear": 90}, r"shear of Affine must lie in \[0, 80\], received 90"),
        ({"shift": 2}, r"shift of Affine must lie in \[0, 1\], received 2"),
        ({"zoom": 1.2}, r"zoom of Affine must be \(low, high\) with 0 < low <= high, received 1.2"),
        ({"zoom": (2, 1)}, r"zoom of Affine must be \(low, high\).* received \(2, 1\)"),
        ({"zoom": (0, 1)}, r"zoom of Affine must be \(low, high\)"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Affine(**arguments)


def test_a_distortion_must_stay_below_a_half():
    with pytest.raises(ValueError, match=r"distortion of Perspective must lie in \[0, 0.49\]"):
        Perspective(0.5)
    assert Flip() != Perspective()


def test_a_picture_too_wide_for_opencv_is_turned_after_a_crop_and_else_named():
    image, mask = np.zeros((6, 40_000, 1), np.uint8), np.zeros((6, 40_000), np.uint8)
    turn, generator = Affine(rotation=5, mask_fill=0), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"Affine\(.*x39993 pixels is too large .*; crop first"):
        turn(image, mask, generator)
    assert Compose([RandomCrop((6, 9)), turn])(image, mask, generator)[1].shape == (6, 9)
