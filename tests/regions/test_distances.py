"""regions.near and signed_distance: by their definitions, whichever way they are computed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from semseg.regions import distances, near, signed_distance

MARKED = hnp.arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)))
# Those of circles through pixel centres, and some between them.
RADII = st.sampled_from([0.0, 0.9, 1.0, 2**0.5, 2.0, 5**0.5, 4.5, 5.0, 50**0.5, 9.0, 13.0, 30.0])


def slow_near(marked, radius):
    places = np.argwhere(marked)
    found = np.zeros(marked.shape, bool)
    for y, x in np.ndindex(marked.shape):
        found[y, x] = any(a * a + b * b <= radius * radius + 1e-9 for a, b in places - (y, x))
    return found


@given(MARKED, RADII)
def test_what_is_near_is_within_the_radius_of_a_marked_pixel(marked, radius):
    np.testing.assert_array_equal(near(marked, radius), slow_near(marked, radius))


@pytest.mark.parametrize("small", [0, 100])
def test_a_disc_and_a_distance_transform_agree(monkeypatch, small):
    marked = np.random.default_rng(0).random((40, 50)) < 0.01
    expected = {radius: slow_near(marked, radius) for radius in (1.0, 4.5, 5.0, 12.2)}
    monkeypatch.setattr(distances, "_SMALL", small)
    for radius, near_by in expected.items():
        np.testing.assert_array_equal(near(marked, radius), near_by)


def test_ids_other_than_0_are_marked():
    ids = np.array([[0, 0, 0, 7, 0, 0]])
    assert near(ids, 1).astype(int).tolist() == [[0, 0, 1, 1, 1, 0]]


@pytest.mark.parametrize(
    ("marked", "radius", "message"),
    [
        (np.zeros((2, 2), bool), -1, "radius must be >= 0 pixels, received -1"),
        (np.zeros((2, 2), bool), float("nan"), "radius must be >= 0 pixels, received nan"),
        (np.zeros((2, 2, 2), bool), 1, r"marked must have shape \(height, width\), received"),
    ],
)
def test_bad_arguments_are_named(marked, radius, message):
    with pytest.raises(ValueError, match=message):
        near(marked, radius)


# -- signed_distance ----------------------------------------------------------------------------


@given(MARKED)
def test_signed_distance_is_that_of_kervadecs_one_hot2dist(region):
    outside = ~region
    expected = np.zeros(region.shape)
    if region.any() and outside.any():
        inward = (distance_transform_edt(region) - 1) * region
        expected = distance_transform_edt(outside) * outside - inward
    found = signed_distance(region)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@given(MARKED)
def test_signed_distance_is_above_0_outside_and_not_inside(region):
    if region.any() and not region.all():
        np.testing.assert_array_equal(signed_distance(region) <= 0, region)


def test_ids_other_than_0_are_inside():
    assert signed_distance(np.array([[0, 7, 7, 7]])).tolist() == [[1, 0, -1, -2]]


def test_a_region_is_a_picture():
    with pytest.raises(ValueError, match=r"region must have shape \(height, width\), received"):
        signed_distance(np.zeros((2, 2, 2), bool))
