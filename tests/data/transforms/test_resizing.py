"""Resize and RandomScale: what each draws and does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numbered_pictures import numbered

from semseg.data.transforms import RandomScale, Resize
from semseg.data.transforms.frame import Frame

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))


def rng(seed=0):
    return np.random.default_rng(seed)


@given(size=sizes, target=sizes, method=st.sampled_from(["stretch", "fit", "fill"]))
def test_resize_gives_that_size(size, target, method):
    image, mask = Resize(target, method, mask_fill=0)(*numbered(size), rng())
    assert image.shape == (*target, 1)
    assert mask.shape == target


def check_alike(found, expected, size, shown):
    """Images of numbered pixels that differ by an eighth of a source pixel at most."""
    steps = [max(1, have / got) for have, got in zip(size, shown, strict=True)]
    reach = 0.15 * (size[1] * steps[0] + steps[1])
    np.testing.assert_allclose(found, expected, atol=reach)


@given(size=sizes, target=sizes)
def test_fit_shows_all_of_the_picture_in_the_middle(size, target):
    image, mask = Resize(target, "fit", mask_fill=0)(*numbered(size), rng())
    rows, columns = np.flatnonzero((mask > 0).any(1)), np.flatnonzero((mask > 0).any(0))
    shown = (len(rows), len(columns))
    scale = min(want / have for have, want in zip(size, target, strict=True))
    assert shown == tuple(max(1, round(n * scale)) for n in size)
    assert any(s == t for s, t in zip(shown, target, strict=True))
    for found, n in ((rows, target[0]), (columns, target[1])):
        assert abs(found[0] - (n - 1 - found[-1])) <= 1
    stretched = Resize(shown)(*numbered(size), rng())[0]
    check_alike(image[rows][:, columns], stretched, size, shown)


@given(size=sizes, target=sizes)
def test_fill_covers_the_size_and_cuts_alike_on_both_sides(size, target):
    image = Resize(target, "fill")(*numbered(size), rng())[0]
    scale = max(want / have for have, want in zip(size, target, strict=True))
    shown = tuple(max(1, round(n * scale)) for n in size)
    stretched = Resize(shown)(*numbered(size), rng())[0]
    row, column = ((h - w) // 2 for h, w in zip(shown, target, strict=True))
    part = stretched[row : row + target[0], column : column + target[1]]
    check_alike(image, part, size, shown)


@given(size=sizes, longest=st.integers(1, 40))
def test_longest_is_the_longer_side_and_keeps_the_aspect(size, longest):
    mask = Resize(longest, "longest")(*numbered(size), rng())[1]
    assert max(mask.shape) == longest
    scale = longest / max(size)
    assert mask.shape == tuple(max(1, round(n * scale)) for n in size)


def test_resize_takes_whole_numbers_of_any_kind():
    assert Resize([np.int64(4), 5.0]).size == (4, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((4, 5), "crop"), "method must be one of stretch, fit, fill, longest, received 'crop'"),
        (((4, 5), "longest"), r"size must be an int >= 1 for 'longest', received \(4, 5\)"),
        ((0, "longest"), "size must be an int >= 1 for 'longest', received 0"),
    ],
)
def test_other_methods_and_sizes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Resize(*arguments)


@given(size=sizes, seed=st.integers(0, 999))
def test_random_scale_stays_between_its_bounds_and_keeps_the_aspect(size, seed):
    image, _ = RandomScale(0.5, 2.0)(*numbered(size), rng(seed))
    for n, m in zip(size, image.shape, strict=False):
        assert max(1, round(0.5 * n)) <= m <= 2 * n
    factors = [m / n for n, m in zip(size, image.shape, strict=False)]
    assert abs(factors[0] - factors[1]) <= 0.5 / size[0] + 0.5 / size[1] + 1e-9 or 1 in image.shape


def test_random_scale_enlarges_as_often_as_it_shrinks():
    generator, frame = rng(), Frame.of(np.zeros((1000, 1000), np.uint8))
    heights = [RandomScale(0.25, 4.0).place(frame, generator).size[0] for _ in range(400)]
    assert abs(np.log2(np.array(heights) / 1000).mean()) < 0.2
    assert min(heights) < 300 and max(heights) > 3300


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 1), (float("nan"), 1)])
def test_the_bounds_of_a_scale_must_be_in_order(low, high):
    with pytest.raises(ValueError, match=rf"0 < low <= high, received low={low}, high={high}"):
        RandomScale(low, high)


def test_a_scale_is_two_numbers_and_no_pair():
    with pytest.raises(ValueError, match=r"low=\(0.5, 2.0\), .*; pass two numbers, as in Random"):
        RandomScale((0.5, 2.0))
