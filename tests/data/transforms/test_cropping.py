"""RandomCrop and Pad: where they look, and what they look for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numbered_pictures import numbered

from semseg.data.transforms import (
    Affine,
    Compose,
    Elastic,
    Flip,
    Pad,
    RandomCrop,
    RandomScale,
    Resize,
    Rotate90,
)

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))


def rng(seed=0):
    return np.random.default_rng(seed)


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


def test_a_crop_of_the_pictures_own_size_needs_no_fill():
    image, mask = numbered((4, 5))
    np.testing.assert_array_equal(RandomCrop((4, 5))(image, mask, rng())[1], mask)


BEFORE = {
    "nothing": [],
    "scale": [RandomScale(0.7, 1.5)],
    "turns": [Flip(), Rotate90(), Flip(direction="vertical")],
    "affine": [Affine(rotation=30, zoom=(0.9, 1.1), mask_fill=255)],
    "elastic": [Elastic(3, border="reflect")],
    "all": [Rotate90(), Affine(rotation=30, mask_fill=255), Elastic(2, mask_fill=255), Flip()],
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_a_balanced_crop_shows_a_rare_class_as_often_as_a_frequent_one(before):
    """One pixel in 2,000, but half of the draws: whatever moved it before."""
    mask = np.zeros((40, 50), np.uint8)
    mask[16:19, 21:24] = 1
    image = np.zeros((40, 50, 1), np.uint8)

    def share(balanced):
        chain = Compose([*before, RandomCrop((10, 12), mask_fill=255, balanced=balanced)])
        generator = rng()
        return np.mean([(chain(image, mask, generator)[1] == 1).any() for _ in range(150)])

    assert share(balanced=True) > 0.42
    assert share(balanced=False) < 0.3


def test_a_balanced_crop_draws_classes_alike_and_leaves_out_the_ignored_one():
    mask = np.full((60, 60), 255, np.uint8)
    mask[:4, :4], mask[-4:, -4:] = 3, 7
    image = np.zeros((60, 60, 1), np.uint8)
    crop, generator = RandomCrop((8, 8), mask_fill=255, balanced=True), rng()
    seen = [np.setdiff1d(crop(image, mask, generator)[1], [255]).tolist() for _ in range(200)]
    assert all(seen)
    assert abs(sum(s == [3] for s in seen) - 100) < 30
    only_ignored = np.full((60, 60), 255, np.uint8)  # nothing to look for: any place
    assert crop(image, only_ignored, generator)[1].shape == (8, 8)


def test_max_ignored_keeps_to_it_where_it_can():
    mask = np.full((64, 64), 255, np.uint8)
    mask[:, 32:] = 1
    image = np.zeros((64, 64, 1), np.uint8)

    def shares(size, most):
        crop, generator = RandomCrop(size, mask_fill=255, max_ignored=most), rng()
        return np.array([(crop(image, mask, generator)[1] == 255).mean() for _ in range(100)])

    assert shares((16, 16), 0.25).max() <= 0.25 + 0.07
    assert shares((16, 16), 1.0).max() == 1
    # Where no place will do, the one with the least: here all have a half or more.
    assert shares((16, 64), 0.1).max() == 0.5
    # What lies beyond the picture counts too.
    assert shares((128, 128), 0.5).shape == (100,)


def test_what_is_padded_counts_as_ignored():
    mask, image = np.zeros((20, 20), np.uint8), np.zeros((20, 20, 1), np.uint8)
    chain = Compose(
        [Pad((20, 80), mask_fill=255), RandomCrop((20, 20), mask_fill=255, max_ignored=0.5)]
    )
    generator = rng()
    shares = [(chain(image, mask, generator)[1] == 255).mean() for _ in range(100)]
    assert np.mean(np.array(shares) <= 0.5) > 0.9


def test_where_the_data_set_says_what_is_ignored_a_fill_only_paints():
    """A background that fills the crops is no ignored label, and the ignored label is no class."""
    mask = np.zeros((60, 60), np.uint8)
    mask[:4, :4] = 1
    image = np.zeros((60, 60, 1), np.uint8)
    crop = RandomCrop((8, 8), mask_fill=0, balanced=True, max_ignored=0.1)
    generator = rng()
    assert all((crop(image, mask, generator)[1] == 1).any() for _ in range(20))  # nobody has said
    told = crop.filled(None)
    assert told == crop
    shares = [(told(image, mask, generator)[1] == 1).any() for _ in range(200)]
    assert 0.4 < np.mean(shares) < 0.65
    mask[:] = 255
    mask[-4:, -4:] = 1
    told = Compose([crop]).filled(255)
    assert all((told(image, mask, generator)[1] == 1).any() for _ in range(20))


@given(size=sizes, target=sizes, border=st.sampled_from(["fill", "reflect"]))
def test_pad_surrounds_the_picture(size, target, border):
    image, mask = numbered(size)
    shown, moved = Pad(target, mask_fill=0, border=border)(image, mask, rng())
    missing = [max(0, want - have) for have, want in zip(size, target, strict=True)]
    around = [(n - n // 2, n // 2) if n % 2 else (n // 2, n // 2) for n in missing]
    how = {"mode": "symmetric"} if border == "reflect" else {"constant_values": 0}
    np.testing.assert_array_equal(moved, np.pad(mask, around, **how))
    np.testing.assert_array_equal(shown[..., 0], moved)


@pytest.mark.parametrize("kind", [Resize, RandomCrop, Pad])
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


def test_other_shares_and_borders_are_refused():
    with pytest.raises(ValueError, match=r"max_ignored of RandomCrop must lie in \[0, 1\], .*1.5"):
        RandomCrop((4, 4), max_ignored=1.5)
    for kind in (lambda **a: Pad((4, 4), **a), Affine, Elastic):
        with pytest.raises(ValueError, match="border must be 'fill' or 'reflect', received 'wrap'"):
            kind(border="wrap")
