"""Regions as polygons along the edges of pixels, and polygons filled again: exactly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg._checks import check_mask, check_size
from semseg.regions.objects import components

# Clockwise on the screen from "to the right": as the edges of a pixel follow each other.
_STEPS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])


class Polygon(NamedTuple):
    """An outline with holes.

    Rings are (corners, 2) arrays of (row, column), not closed: the last corner is joined with the
    first. They lie on the edges of pixels: the first pixel has the corners (0, 0) to (1, 1), the
    middle of pixel (row, column) is at (row + 0.5, column + 0.5).

    Attributes:
        outline: clockwise as seen on the screen, rows going down.
        holes: rings, counter-clockwise.
    """

    outline: np.ndarray
    holes: tuple[np.ndarray, ...]


def polygons(inside: Any) -> list[Polygon]:
    """The outlines of a region, exact to the pixel, with their holes.

    There is a polygon for each part that hangs together by sides; parts that share a corner alone
    are two polygons. No ring touches itself, so all are valid by the rules of OGC and GeoJSON.
    Corners are whole numbers and stand where the direction changes. `fill_polygons` gives the
    region back. OpenCV's `findContours` goes through the middles of the outer pixels instead: half
    a pixel less on each side, and nothing of lines one pixel wide.

    Args:
        inside: (height, width) bool, or ids where 0 is outside.

    Returns:
        Polygons in the order in which rows and columns meet them, int64 corners.

    Raises:
        ValueError, TypeError: another shape.

    Example:
        >>> ring = np.ones((3, 4), bool)
        >>> ring[1, 1:3] = False
        >>> (polygon,) = polygons(ring)
        >>> polygon.outline.tolist()
        [[0, 0], [0, 4], [3, 4], [3, 0]]
        >>> [hole.tolist() for hole in polygon.holes]
        [[[1, 1], [2, 1], [2, 3], [1, 3]]]
    """
    parts = components(check_mask(inside, "inside"), neighbours=4)
    outlines: dict[int, np.ndarray] = {}
    holes: dict[int, list[np.ndarray]] = {}
    for part, ring in _rings(parts):
        if signed_area(ring) > 0:
            outlines[part] = ring
        else:
            holes.setdefault(part, []).append(ring)
    return [Polygon(ring, tuple(holes.get(part, ()))) for part, ring in outlines.items()]


def fill_polygons(polygons: Sequence[Polygon], size: tuple[int, int]) -> np.ndarray:
    """The region that polygons cover: all pixels whose middle lies inside one of them.

    Args:
        polygons: as from `polygons`, or others, with corners between pixels or outside the
            picture too; each ring may go either way round. A middle on the edge itself belongs to
            the polygon below or to the right of it.
        size: (height, width) of the result.

    Returns:
        (height, width) bool.

    Raises:
        ValueError: rings that are no (corners, 2) arrays of three corners or more.

    Example:
        >>> triangle = Polygon(np.array([[0, 0], [0, 4], [4, 0]]), ())
        >>> fill_polygons([triangle], (3, 4)).astype(int)
        array([[1, 1, 1, 0],
               [1, 1, 0, 0],
               [1, 0, 0, 0]])
    """
    height, width = check_size(size)
    turns = np.zeros((height, width + 1), np.int32)  # how often what lies to the right is inside
    for polygon in polygons:
        for ring, sign in ((polygon.outline, 1), *((hole, -1) for hole in polygon.holes)):
            ring = _checked_ring(ring)
            _add_crossings(turns, ring if sign * signed_area(ring) > 0 else ring[::-1])
    return turns.cumsum(axis=1)[:, :width] > 0


def signed_area(ring: np.ndarray) -> float:
    """What a ring encloses, in pixels: above 0 where it goes clockwise on the screen."""
    rows, columns = ring.T
    return float((columns * np.roll(rows, -1) - np.roll(columns, -1) * rows).sum() / 2)


def _rings(parts: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """(part, ring) for all borders of numbered parts, a part to the right of the way."""
    part_of, starts, headings = _edges(parts)
    following = _following(parts.shape, part_of, starts, headings).tolist()
    turns = headings != headings[following]  # whether a corner stands where the edge ends
    seen, rings = bytearray(len(following)), []
    for first in range(len(following)):
        if seen[first]:
            continue
        edge, ring = first, []
        while not seen[edge]:
            seen[edge] = 1
            ring.append(edge)
            edge = following[edge]
        way = np.array(ring)
        corners = starts[np.roll(way, -1)[turns[way]]]
        rings.append((int(part_of[first]), np.roll(corners, 1, axis=0)))
    return rings


def _edges(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part, start (row, column) and heading of each pixel's edge with something else beyond it."""
    padded = np.pad(parts, 1)
    height, width = parts.shape
    found = []
    # The edge that goes right has the pixel above beyond it, the one that goes down the right one.
    beyond = ((-1, 0), (0, 1), (1, 0), (0, -1))
    start = ((0, 0), (0, 1), (1, 1), (1, 0))
    for heading, ((down, right), corner) in enumerate(zip(beyond, start, strict=True)):
        other = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        places = np.argwhere((parts != 0) & (other != parts))
        found.append((parts[tuple(places.T)], places + corner, np.full(len(places), heading)))
    part_of, starts, headings = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((headings, starts[:, 1], starts[:, 0]))  # polygons begin at the top left
    return part_of[order], starts[order], headings[order]


def _following(
    shape: tuple[int, ...], part_of: np.ndarray, starts: np.ndarray, headings: np.ndarray
) -> np.ndarray:
    """The edge that each edge is followed by.

    Where two pixels meet at a corner alone, two edges begin. If both pixels are of one part, the
    way turns left, so that a hole is cut off from what lies outside; else right, around its pixel.
    """
    edge_at = np.full((shape[0] + 1, shape[1] + 1, 4), -1)
    edge_at[starts[:, 0], starts[:, 1], headings] = np.arange(len(starts))
    ends = starts + _STEPS[headings]
    left, ahead, right = (
        edge_at[ends[:, 0], ends[:, 1], (headings + turn) % 4] for turn in (3, 0, 1)
    )
    is_left = (left >= 0) & (part_of[left] == part_of)
    return np.where(is_left, left, np.where(ahead >= 0, ahead, right))


def _add_crossings(turns: np.ndarray, ring: np.ndarray) -> None:
    """Marks where rows of pixel middles cross a ring: +1 where it goes up, -1 where down."""
    height, width = turns.shape[0], turns.shape[1] - 1
    following = np.roll(ring, -1, axis=0)
    for (row, column), (next_row, next_column) in zip(
        ring.tolist(), following.tolist(), strict=True
    ):
        low, high = sorted((row, next_row))
        rows = np.arange(max(0, np.ceil(low - 0.5)), min(height, np.ceil(high - 0.5)), dtype=int)
        if not len(rows):
            continue
        slope = (next_column - column) / (next_row - row)
        columns = np.ceil(column + slope * (rows + 0.5 - row) - 0.5).clip(0, width).astype(int)
        turns[rows, columns] += 1 if next_row < row else -1


def _checked_ring(ring: Any) -> np.ndarray:
    ring = np.asarray(ring)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
        raise ValueError(
            f"polygons must have rings (corners, 2) of at least 3 corners, received {ring.shape}"
        )
    return ring.astype(np.float64)
