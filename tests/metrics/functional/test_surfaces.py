"""surface_distances: as MONAI defines them, and a metric of surfaces."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import IGNORED, blobs, scenes

from semseg.metrics.functional import surface_distances

SPACINGS = st.sampled_from([1.0, 2.5, (1.0, 0.5), (0.7, 3.0)])


def slow_surface(ids, class_id):
    """Pixels of the class with a side at another class or at the frame, by looking at each."""
    wide = np.pad(ids, 1, constant_values=-1)
    places = []
    for y, x in np.argwhere(ids == class_id):
        sides = wide[[y, y + 2, y + 1, y + 1], [x + 1, x + 1, x, x + 2]]
        if any(side not in (class_id, IGNORED) for side in sides):
            places.append((y, x))
    return np.array(places, float).reshape(-1, 2)


def slow_distances(truth, pred, class_id, spacing):
    """Each point against all others; MONAI's summaries of them."""
    pred = np.where(truth == IGNORED, IGNORED, pred)
    sides = [slow_surface(ids, class_id) * spacing for ids in (truth, pred)]
    if not any(map(len, sides)):
        return [np.nan] * 3
    if not all(map(len, sides)):
        return [np.inf] * 3
    apart = np.sqrt(((sides[0][:, None] - sides[1]) ** 2).sum(-1))
    nearest = apart.min(1), apart.min(0)
    percentiles = [np.percentile(side, 95) for side in nearest]
    return [apart.min(1).max(initial=apart.min(0).max()), max(percentiles), np.mean(np.r_[nearest])]


@given(scenes(), SPACINGS)
def test_distances_are_those_of_all_pairs_of_points(case, spacing):
    truth, pred, count = case
    found = surface_distances(truth, pred, count, IGNORED, spacing=spacing)
    for class_id in range(count):
        expected = slow_distances(truth, pred, class_id, spacing)
        np.testing.assert_allclose([part[0, class_id] for part in found], expected)


@given(scenes((2,), side=(2, 14), ignoring=False), SPACINGS)
def test_monai_s_erosion_and_distance_transform_find_the_same(case, spacing):
    """Its steps of `get_mask_edges` and `get_surface_distance`."""
    edges = [ids ^ scipy.ndimage.binary_erosion(ids) for ids in (i.astype(bool) for i in case[:2])]
    found = surface_distances(*case, spacing=spacing)
    if all(edge.any() for edge in edges):
        far = [
            scipy.ndimage.distance_transform_edt(~edge, sampling=np.broadcast_to(spacing, 2))
            for edge in edges
        ]
        sides = far[1][edges[0]], far[0][edges[1]]
        expected = (
            max(side.max() for side in sides),
            max(np.percentile(side, 95) for side in sides),
            np.concatenate(sides).mean(),
        )
        np.testing.assert_allclose([part[0, 1] for part in found], expected)


@given(scenes((2,), side=(2, 14), ignoring=False))
def test_scikit_image_finds_the_same_hausdorff_distance(case):
    skimage = pytest.importorskip("skimage.metrics")
    edges = [i ^ scipy.ndimage.binary_erosion(i) for i in (ids.astype(bool) for ids in case[:2])]
    if all(edge.any() for edge in edges):
        found = surface_distances(*case).hausdorff[0, 1]
        assert found == pytest.approx(skimage.hausdorff_distance(*edges))


@given(st.integers(0, 999), SPACINGS)
def test_the_hausdorff_distance_is_a_metric(seed, spacing):
    a, b, c = (blobs(seed + k, (11, 13), 2, size=4) for k in range(3))

    def apart(one, other):
        return surface_distances(one, other, 2, spacing=spacing).hausdorff

    assert (apart(a, a) == 0).all()
    np.testing.assert_allclose(apart(a, b), apart(b, a))
    assert (apart(a, c) <= apart(a, b) + apart(b, c) + 1e-9).all()


@given(st.integers(0, 999), SPACINGS, st.floats(0.1, 9))
def test_the_average_is_the_least_and_all_grow_with_the_pixels(seed, spacing, factor):
    truth, pred = (blobs(seed + k, (11, 13), 3, size=3) for k in range(2))
    found = surface_distances(truth, pred, 3, spacing=spacing)
    assert (found.hausdorff_95 <= found.hausdorff).all()
    assert (found.average <= found.hausdorff).all()
    larger = surface_distances(truth, pred, 3, spacing=np.multiply(spacing, factor))
    np.testing.assert_allclose(larger, np.multiply(found, factor))


def test_a_moved_square_is_as_far_as_it_was_moved():
    mask = np.zeros((30, 30), int)
    mask[5:15, 5:15] = 1
    for move in (1, 3, 7):
        found = surface_distances(mask, np.roll(mask, move, axis=0), 2, spacing=(0.5, 9.0))
        assert found.hausdorff[0, 1] == move * 0.5
        assert 0 < found.average[0, 1] < move * 0.5


def test_a_class_on_one_side_is_infinitely_far_and_on_none_has_no_distance():
    truth = np.zeros((2, 4, 4), int)
    truth[0, 1, 1] = 1
    found = surface_distances(truth, np.zeros_like(truth), 3)
    for part in found:
        assert part[0].tolist()[1] == np.inf and np.isnan(part[:, 2]).all()
        assert np.isnan(part[1, 1]) and part[1, 0] == 0


@pytest.mark.parametrize("spacing", [0, -1.0, (1.0, 0), (1, 2, 3), np.nan, "mm"])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing must be the side of a pixel > 0, or its"):
        surface_distances(np.zeros((2, 2), int), np.zeros((2, 2), int), 2, spacing=spacing)
