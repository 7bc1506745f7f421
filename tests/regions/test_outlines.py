"""regions.polygons: outlines that are exact, valid, and give the region back."""

import json

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semseg.regions import Polygon, coco_segmentation, fill_polygons, geojson_geometry, polygons
from semseg.regions.outlines import signed_area

INSIDE = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))
CORNERS = st.lists(st.tuples(st.integers(-5, 20), st.integers(-5, 20)), min_size=3, max_size=6)


def within(point, ring):
    """Whether a ray from a point crosses a ring an odd number of times."""
    y, x = point
    odd = False
    for (y0, x0), (y1, x1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd


def slow_fill(found, size):
    filled = np.zeros(size, bool)
    for y, x in np.ndindex(size):
        middle = (y + 0.5, x + 0.5)
        filled[y, x] = any(
            within(middle, p.outline.tolist())
            and not any(within(middle, h.tolist()) for h in p.holes)
            for p in found
        )
    return filled


def rings_of(polygon):
    return [polygon.outline, *polygon.holes]


@given(INSIDE)
def test_a_region_comes_back_to_the_pixel(inside):
    found = polygons(inside)
    np.testing.assert_array_equal(fill_polygons(found, inside.shape), inside)
    np.testing.assert_array_equal(slow_fill(found, inside.shape), inside)


@given(INSIDE)
def test_each_part_that_hangs_together_by_sides_is_a_polygon_of_its_area(inside):
    parts, count = scipy.ndimage.label(inside)
    found = polygons(inside)
    assert len(found) == count
    for polygon in found:
        filled = fill_polygons([polygon], inside.shape)
        (part,) = np.unique(parts[filled])
        np.testing.assert_array_equal(filled, parts == part)
        assert sum(signed_area(ring) for ring in rings_of(polygon)) == filled.sum()
    # The first one is met first.
    assert [tuple(p.outline[0]) for p in found] == sorted(tuple(p.outline[0]) for p in found)


@given(INSIDE)
def test_rings_are_simple_and_run_the_right_way_round(inside):
    for polygon in polygons(inside):
        assert signed_area(polygon.outline) > 0
        assert all(signed_area(hole) < 0 for hole in polygon.holes)
        for ring in rings_of(polygon):
            corners = [tuple(corner) for corner in ring.tolist()]
            ways = np.roll(ring, -1, axis=0) - ring
            assert ((ways != 0).sum(axis=1) == 1).all()  # along edges
            turned = (ways != 0).argmax(1)
            assert (turned != np.roll(turned, -1)).all()  # each corner is one
            # No place is passed twice, not even in between.
            passed = []
            for (y, x), (down, right) in zip(corners, ways.tolist(), strict=True):
                length = abs(down) + abs(right)
                passed += [(y + down * i // length, x + right * i // length) for i in range(length)]
            assert len(passed) == len(set(passed))


def test_where_pixels_meet_at_a_corner():
    apart = polygons(np.array([[1, 0], [0, 1]]))
    assert [p.outline.tolist() for p in apart] == [
        [[0, 0], [0, 1], [1, 1], [1, 0]],
        [[1, 1], [1, 2], [2, 2], [2, 1]],
    ]
    # A hole that shares a corner with the outside is a hole.
    pocket = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1]])
    (polygon,) = polygons(pocket)
    assert len(polygon.holes) == 1
    assert polygon.holes[0].tolist() == [[1, 1], [2, 1], [2, 2], [1, 2]]
    # Two holes that share a corner are two.
    pair = np.pad(1 - np.eye(2, dtype=int), 1, constant_values=1)
    assert len(polygons(pair)[0].holes) == 2


@given(CORNERS, st.booleans(), st.integers(1, 9))
def test_a_ring_may_lie_anywhere_and_go_either_way_round(corners, backwards, scale):
    """Between pixels and outside the picture; around its middle, so that inside needs no rule."""
    points = np.array(corners) / scale + (0.1234, 0.0717)  # no middle lies on an edge
    order = np.argsort(np.arctan2(*(points - points.mean(axis=0)).T), kind="stable")
    ring = Polygon(points[order][:: -1 if backwards else 1], ())
    if abs(signed_area(ring.outline)) > 1e-9:
        np.testing.assert_array_equal(fill_polygons([ring], (9, 11)), slow_fill([ring], (9, 11)))


def test_a_middle_on_the_edge_belongs_to_what_lies_below_or_to_the_right():
    square = Polygon(np.array([[0.5, 0.5], [0.5, 2.5], [2.5, 2.5], [2.5, 0.5]]), ())
    assert np.argwhere(fill_polygons([square], (4, 4))).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_polygons_that_overlap_are_united_and_holes_of_one_do_not_cut_the_other():
    square = np.array([[0, 0], [0, 4], [4, 4], [4, 0]])
    ring = Polygon(square, (np.array([[1, 1], [1, 3], [3, 3], [3, 1]]),))
    dot = Polygon(np.array([[1, 1], [1, 2], [2, 2], [2, 1]]), ())
    filled = fill_polygons([ring, dot, dot], (4, 4))
    assert (~filled).sum() == 3 and filled[1, 1]


def decoded(counts, size):
    flat = np.concatenate([np.full(n, i % 2 == 1) for i, n in enumerate(counts)])
    return flat.reshape(size[::-1]).T


@given(INSIDE)
def test_what_coco_gets_gives_the_region_back(inside):
    segmentation = json.loads(json.dumps(coco_segmentation(inside)))
    if isinstance(segmentation, dict):
        assert any(p.holes for p in polygons(inside))
        assert segmentation["size"] == list(inside.shape)
        found = decoded(segmentation["counts"], segmentation["size"])
    else:
        rings = [np.array(flat).reshape(-1, 2)[:, ::-1] for flat in segmentation]
        found = fill_polygons([Polygon(ring, ()) for ring in rings], inside.shape)
    np.testing.assert_array_equal(found, inside)


@given(INSIDE)
def test_what_geojson_gets_keeps_the_rules_and_gives_the_region_back(inside):
    geometry = json.loads(json.dumps(geojson_geometry(inside)))
    parts = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        parts = [parts]
    assert (geometry["type"] == "Polygon") == (len(parts) == 1)
    found = []
    for rings in parts:
        for number, ring in enumerate(rings):
            assert len(ring) >= 4 and ring[0] == ring[-1]
            x, y = np.array(ring, float).T
            area = (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2
            assert (area > 0) == (number == 0)  # RFC 7946, section 3.1.6
        outline, *holes = (np.array(ring)[:-1, ::-1] for ring in rings)
        found.append(Polygon(outline, tuple(holes)))
    np.testing.assert_array_equal(slow_fill(found, inside.shape), inside)


def test_nothing_and_everything():
    assert polygons(np.zeros((3, 4), bool)) == [] == coco_segmentation(np.zeros((3, 4)))
    assert geojson_geometry(np.zeros((3, 4))) == {"type": "MultiPolygon", "coordinates": []}
    assert not fill_polygons([], (3, 4)).any()
    assert coco_segmentation(np.ones((2, 3), int)) == [[0, 0, 3, 0, 3, 2, 0, 2]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polygons(np.zeros((2, 3, 1), int)), r"inside must have shape \(height, width\)"),
        (lambda: coco_segmentation(np.zeros(3, int)), r"inside must have shape \(height, width\)"),
        (
            lambda: fill_polygons([Polygon(np.zeros((2, 2)), ())], (3, 3)),
            r"rings \(corners, 2\) of at least 3 corners, received \(2, 2\)",
        ),
        (lambda: fill_polygons([], (0, 3)), r"size must be \(height, width\), whole numbers >= 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
