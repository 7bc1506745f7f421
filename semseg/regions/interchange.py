"""Regions in the words of COCO and GeoJSON."""

from typing import Any

import numpy as np

from semseg._checks import check_mask
from semseg.regions.outlines import polygons


def coco_segmentation(inside: Any) -> Any:
    """What COCO writes as the `segmentation` of an object: polygons, or RLE where it has holes.

    A polygon of COCO is a flat list `[x1, y1, x2, y2, ...]`, several are one object, and none can
    have a hole; so an object with holes is written as uncompressed RLE, which pycocotools reads in
    annotations of any `iscrowd`. Coordinates are edges of pixels, (0, 0) being the upper left
    corner of the picture, as in COCO's `bbox` (x, y, width, height).

    Args:
        inside: (height, width) bool, or ids where 0 is outside: one object.

    Returns:
        A list of polygons, empty without pixels, or `{"size": [height, width], "counts": [...]}`:
        the lengths of runs down the columns, outside and inside in turns, outside first. All
        Python numbers, for `json.dumps`.

    Raises:
        ValueError, TypeError: another shape.

    Example:
        >>> inside = np.pad(np.ones((2, 3), bool), 1)
        >>> coco_segmentation(inside)
        [[1, 1, 4, 1, 4, 3, 1, 3]]
        >>> inside = np.pad(np.zeros((1, 1), bool), 1, constant_values=True)
        >>> coco_segmentation(inside)
        {'size': [3, 3], 'counts': [0, 4, 1, 4]}
    """
    inside = check_mask(inside, "inside") != 0
    found = polygons(inside)
    if any(polygon.holes for polygon in found):
        return {"size": list(inside.shape), "counts": _runs(inside.T.ravel())}
    return [polygon.outline[:, ::-1].ravel().tolist() for polygon in found]


def geojson_geometry(inside: Any) -> dict[str, Any]:
    """A region as a geometry of GeoJSON (RFC 7946), holes kept.

    Rings are closed, the outline first, then its holes; the right-hand rule of section 3.1.6 holds
    for the numbers as they are written: outlines have a positive area in (x, y). Positions are
    pixels, `[column, row]` of corners, (0, 0) being the upper left one of the picture; no degrees.
    Who maps them onto the earth, where y goes up, turns each ring around.

    Args:
        inside: (height, width) bool, or ids where 0 is outside.

    Returns:
        `{"type": "Polygon", "coordinates": [...]}` for one part, a "MultiPolygon" for several or
        none. All Python numbers, for `json.dumps`.

    Raises:
        ValueError, TypeError: another shape.

    Example:
        >>> geojson_geometry(np.array([[0, 1]]))
        {'type': 'Polygon', 'coordinates': [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]]}
    """
    found = [
        [_closed(ring) for ring in (polygon.outline, *polygon.holes)]
        for polygon in polygons(inside)
    ]
    if len(found) == 1:
        return {"type": "Polygon", "coordinates": found[0]}
    return {"type": "MultiPolygon", "coordinates": found}


def _closed(ring: np.ndarray) -> list[list[int]]:
    corners: list[list[int]] = ring[:, ::-1].tolist()
    return [*corners, corners[0]]


def _runs(flat: np.ndarray) -> list[int]:
    """Lengths of runs of equal values, beginning with outside, if need be with a run of 0."""
    changes = np.flatnonzero(np.diff(flat)) + 1
    lengths: list[int] = np.diff([0, *changes, len(flat)]).tolist()
    return [0, *lengths] if flat[0] else lengths
