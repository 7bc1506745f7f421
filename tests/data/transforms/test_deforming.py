"""Elastic and GridDistortion: the paper's formula, and lines that never cross."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Elastic, GridDistortion
from semseg.data.transforms.deforming import CubicBend
from semseg.data.transforms.frame import Frame

sizes = st.tuples(st.integers(2, 40), st.integers(2, 40))
grids = st.tuples(st.integers(2, 5), st.integers(2, 5))


def centres(size):
    x = np.arange(size[1], dtype=np.float32)[None] + np.float32(0.5)
    return x, np.arange(size[0], dtype=np.float32)[:, None] + np.float32(0.5)


def cubic(t):
    """Keys' kernel, a = -1/2."""
    t = abs(t)
    if t < 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def slow_displacement(moves, size, x, y):
    """Sixteen nodes around a point, those beyond the edges being the nearest on them."""
    _, rows, columns = moves.shape
    u = min(max(x / size[1], 0), 1) * (columns - 1)
    v = min(max(y / size[0], 0), 1) * (rows - 1)
    total = np.zeros(2)
    for i in range(int(np.floor(v)) - 1, int(np.floor(v)) + 3):
        for j in range(int(np.floor(u)) - 1, int(np.floor(u)) + 3):
            node = moves[:, min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]
            total += cubic(v - i) * cubic(u - j) * node
    return total


@given(size=sizes, grid=grids, seed=st.integers(0, 999))
def test_displacements_are_bicubic_between_the_nodes(size, grid, seed):
    moves = np.random.default_rng(seed).normal(0, 5, (2, *grid)).astype(np.float32)
    bend = CubicBend(size, moves)
    x, y = centres(size)
    moved_x, moved_y = bend(x, y)
    dense = bend(np.broadcast_to(x, size).copy(), np.broadcast_to(y, size).copy())
    for row in range(0, size[0], max(1, size[0] // 2)):
        for column in range(0, size[1], max(1, size[1] // 2)):
            expected = slow_displacement(moves, size, column + 0.5, row + 0.5)
            found = moved_x[row, column] - column - 0.5, moved_y[row, column] - row - 0.5
            np.testing.assert_allclose(found, expected, atol=1e-3)
            found = dense[0][row, column] - column - 0.5, dense[1][row, column] - row - 0.5
            np.testing.assert_allclose(found, expected, atol=2e-2)  # by way of the lattice


@pytest.mark.parametrize("size", [(300, 420), (513, 257), (201, 202)])
@pytest.mark.parametrize("crop", [(0, 0, 1.0), (-30, 17, 0.7), (50, 20, 2.3)])
def test_slow_displacements_are_as_good_as_exact(size, crop):
    """Whatever part of the frame is seen, in whatever step: to a tenth of a pixel at the edges."""
    moves = np.random.default_rng(0).normal(0, 10, (2, 3, 3)).astype(np.float32)
    bend, (left, top, step) = CubicBend(size, moves), crop
    x, y = (
        np.float32(start) + np.float32(step) * a
        for start, a in zip((left, top), centres((93, 118)), strict=True)
    )
    exact = bend._between(x / size[1], y / size[0])
    for found, at, moved in zip(bend(x, y), (x, y), exact, strict=True):
        np.testing.assert_allclose(found - at, moved, atol=0.1)
        assert np.abs(found - at - moved).mean() < 0.01


def test_the_displacements_have_the_papers_deviation_at_the_nodes():
    frame = Frame.of(np.zeros((512, 512), np.uint8))
    moves = np.stack(
        [Elastic().place(frame, np.random.default_rng(seed)).bend.moves for seed in range(300)]
    )
    assert moves.shape[1:] == (2, 3, 3)
    assert abs(moves.std() - 10) < 0.5
    assert abs(moves.mean()) < 0.5


def test_a_point_is_found_again_behind_a_deformation():
    frame = Frame.of(np.zeros((60, 80), np.uint8))
    for seed in range(5):
        bent = (
            Elastic(3)
            .place(frame, np.random.default_rng(seed))
            .cropped(5, 9, (40, 50), Elastic().outside(0))
        )
        x, y = bent.locate(30.5, 22.5)
        seen = bent.bend(np.array([[x + 9]], np.float32), np.array([[y + 5]], np.float32))
        np.testing.assert_allclose([seen[0].item(), seen[1].item()], [30.5, 22.5], atol=0.05)


@given(size=sizes, seed=st.integers(0, 999), cells=st.integers(2, 6))
def test_a_distorted_grid_keeps_the_edges_and_the_order(size, seed, cells):
    rng = np.random.default_rng(seed)
    bend = GridDistortion(0.49, cells).place(Frame.of(np.zeros(size, np.uint8)), rng).bend
    height, width = size
    edges = bend(np.array([[0, width]], np.float32), np.array([[0], [height]], np.float32))
    np.testing.assert_allclose(edges[0].ravel(), [0, width], atol=1e-4)
    np.testing.assert_allclose(edges[1].ravel(), [0, height], atol=1e-4)
    x, y = bend(*centres(size))
    assert (np.diff(x) > 0).all() and (np.diff(y, axis=0) > 0).all()
    step = width / cells
    assert np.abs(x - centres(size)[0]).max() <= 0.49 * step + 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Elastic(-1), r"sd of Elastic must lie in \[0, inf\], received -1"),
        (lambda: Elastic(grid=(1, 3)), r"grid must have at least 2 rows and columns, .*\(1, 3\)"),
        (lambda: Elastic(grid=3), r"grid must be \(height, width\), received 3"),
        (lambda: GridDistortion(0.5), r"limit of GridDistortion must lie in \[0, 0.49\]"),
        (lambda: GridDistortion(cells=1), "cells must be an int >= 2, received 1"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
