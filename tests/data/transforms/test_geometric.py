"""Resize, Flip, RandomScale, RandomCrop: what each draws and does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import Flip, RandomCrop, RandomScale, Resize
from semseg.data.transforms.geometric import Geometric
from semseg.data.transforms.window import Window

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))


def numbered(size):
    """An image and a mask in which every pixel has a number of its own."""
    mask = np.arange(1, size[0] * size[1] + 1, dtype=np.int32).reshape(size)
    return mask[..., None].astype(np.float32), mask


def rng(seed=0):
    return np.random.default_rng(seed)


@given(size=sizes, target=sizes)
def test_resize_gives_that_size(size, target):
    image, mask = Resize(target)(*numbered(size), rng())
    assert image.shape == (*target, 1)
    assert mask.shape == target


def test_resize_takes_whole_numbers_of_any_kind():
    assert Resize([np.int64(4), 5.0]).size == (4, 5)


@given(size=sizes)
def test_flip_exchanges_left_and_right_exactly(size):
    image, mask = numbered(size)
    flipped, moved = Flip(1.0)(image, mask, rng())
    np.testing.assert_array_equal(flipped, image[:, ::-1])
    np.testing.assert_array_equal(moved, mask[:, ::-1])


@given(size=sizes)
def test_to_flip_twice_is_the_identity(size):
    image, mask = numbered(size)
    flip = Flip(1.0)
    twice = flip(*flip(image, mask, rng()), rng())
    np.testing.assert_array_equal(twice[0], image)
    np.testing.assert_array_equal(twice[1], mask)


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_flip_flips_that_share(probability):
    image, mask = numbered((2, 3))
    generator = rng()
    flips = sum(Flip(probability)(image, mask, generator)[1][0, 0] == 3 for _ in range(400))
    assert abs(flips / 400 - probability) < 0.07


@given(size=sizes, seed=st.integers(0, 999))
def test_random_scale_stays_between_its_bounds_and_keeps_the_aspect(size, seed):
    image, _ = RandomScale(0.5, 2.0)(*numbered(size), rng(seed))
    for n, m in zip(size, image.shape, strict=False):
        assert max(1, round(0.5 * n)) <= m <= 2 * n
    factors = [m / n for n, m in zip(size, image.shape, strict=False)]
    assert abs(factors[0] - factors[1]) <= 0.5 / size[0] + 0.5 / size[1] + 1e-9 or 1 in image.shape


def test_random_scale_enlarges_as_often_as_it_shrinks():
    generator, window = rng(), Window.whole((1000, 1000))
    heights = [RandomScale(0.25, 4.0).place(window, generator).size[0] for _ in range(400)]
    assert abs(np.log2(np.array(heights) / 1000).mean()) < 0.2
    assert min(heights) < 300 and max(heights) > 3300


def test_random_scale_by_one_is_the_identity():
    image, mask = numbered((7, 9))
    shown, moved = RandomScale(1, 1)(image, mask, rng())
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(moved, mask)


@given(size=sizes, target=sizes, seed=st.integers(0, 999))
def test_random_crop_cuts_out_a_piece_or_places_the_whole_picture(size, target, seed):
    image, mask = numbered(size)
    shown, moved = RandomCrop(target, mask_fill=0)(image, mask, rng(seed))
    assert moved.shape == target
    np.testing.assert_array_equal(shown[..., 0], moved)  # the image is 0 where the mask is filled
    rows, columns = (moved > 0).any(1), (moved > 0).any(0)
    assert rows.sum() == min(size[0], target[0])
    assert columns.sum() == min(size[1], target[1])
    part = moved[rows][:, columns]
    row, column = np.argwhere(mask == part[0, 0])[0]
    expected = mask[row : row + part.shape[0], column : column + part.shape[1]]
    np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("size", [(3, 4), (5, 6)])
def test_random_crop_reaches_every_place(size):
    """(4, 5) cut to (3, 4), or placed in (5, 6): two by two places either way."""
    image, mask = numbered((4, 5))
    generator = rng()
    crop = RandomCrop(size, mask_fill=0)
    places = [crop(image, mask, generator)[1].tobytes() for _ in range(200)]
    assert len(set(places)) == 4
    assert min(places.count(p) for p in set(places)) > 25


def test_a_crop_larger_than_the_picture_needs_a_fill():
    with pytest.raises(ValueError, match=r"reaches outside the picture .* pass mask_fill= "):
        RandomCrop((5, 4))(*numbered((4, 5)), rng())


def test_a_crop_of_the_pictures_own_size_needs_none():
    image, mask = numbered((4, 5))
    np.testing.assert_array_equal(RandomCrop((4, 5))(image, mask, rng())[1], mask)


@pytest.mark.parametrize("kind", [Resize, RandomCrop])
@pytest.mark.parametrize(
    ("size", "error"),
    [
        ((0, 4), ValueError),
        ((4, -1), ValueError),
        ((2.5, 4), ValueError),
        (4, TypeError),
        ((4,), TypeError),
        ((4, 5, 3), TypeError),
        (("a", "b"), TypeError),
        (None, TypeError),
    ],
)
def test_a_size_must_be_height_and_width(kind, size, error):
    with pytest.raises(error, match=r"size must be \(height, width\)"):
        kind(size)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_must_lie_in_0_to_1(probability):
    with pytest.raises(ValueError, match=rf"probability must lie in \[0, 1\], .*{probability}"):
        Flip(probability)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 1), (float("nan"), 1)])
def test_the_bounds_of_a_scale_must_be_in_order(low, high):
    with pytest.raises(ValueError, match=rf"0 < low <= high, received low={low}, high={high}"):
        RandomScale(low, high)


def test_a_geometric_transform_must_say_where_it_places_the_window():
    with pytest.raises(NotImplementedError):
        Geometric()(*numbered((2, 2)), rng())
