"""RandAugment: so many transforms of one set, as strong as one number says."""

import numpy as np
import pytest

from semseg.data.transforms import Compose, Cutout, Flip, OneOf, RandAugment


def sample(size=(40, 50), channels=3):
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 5, (size[0] // 5, size[1] // 5)).repeat(5, 0).repeat(5, 1)
    image = (40 * blocks[..., None] + rng.integers(0, 30, (*size, channels))).astype(np.uint8)
    return image, blocks.astype(np.uint8)


def applied(augment, image, mask, times=60):
    """What several generators make of a pair."""
    return [augment(image, mask, np.random.default_rng(seed)) for seed in range(times)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_it_applies_as_many_as_it_is_told(count):
    augment = RandAugment(count)
    steps = [len(list(augment.steps(np.random.default_rng(seed)))) for seed in range(200)]
    assert max(steps) == count
    # A flip is applied only some of the time; every other one always.
    assert np.mean(steps) > 0.9 * count


def test_every_operation_is_drawn_as_often():
    augment = RandAugment(1, 1.0)
    counts = dict.fromkeys(map(repr, augment.operations()), 0)
    rng = np.random.default_rng(0)
    for _ in range(2600):
        for step in augment.steps(rng):
            counts[repr(step)] += 1
    flips = counts.pop(repr(Flip(0.5)))
    assert 60 < flips < 140
    assert all(140 < n < 260 for n in counts.values()), counts


def test_a_magnitude_of_0_changes_nothing():
    image, mask = sample()
    for shown, moved in applied(RandAugment(3, 0), image, mask):
        np.testing.assert_array_equal(shown, image)
        np.testing.assert_array_equal(moved, mask)


def test_more_magnitude_changes_more():
    image, mask = sample()
    changes = []
    for magnitude in (0.1, 0.4, 1.0):
        results = applied(RandAugment(2, magnitude), image, mask, 150)
        by_image = np.mean([np.abs(s.astype(int) - image).mean() for s, _ in results])
        changes.append((by_image, np.mean([(m != mask).mean() for _, m in results])))
    assert changes[0][0] < changes[1][0] < changes[2][0]
    assert changes[0][1] < changes[1][1] < changes[2][1]


def test_it_needs_no_id_for_what_lies_outside_unless_it_fills():
    image, mask = sample()
    for _, moved in applied(RandAugment(3, 1.0), image, mask):
        assert set(np.unique(moved)) <= set(range(5))
    filling = RandAugment(3, 1.0, border="fill").filled(255)
    assert any((moved == 255).any() for _, moved in applied(filling, image, mask))
    assert RandAugment().filled(255) == RandAugment() and filling.fills() == {255}
    with pytest.raises(ValueError, match="has no id for what it finds there"):
        applied(RandAugment(3, 1.0, border="fill"), image, mask)


def test_without_colors_it_takes_any_number_of_channels():
    image, mask = sample(channels=4)
    applied(RandAugment(3, 0.5, colors=False), image, mask)
    for augment in (RandAugment(3, 0.5), Compose([Flip(), OneOf([RandAugment()], probability=0)])):
        with pytest.raises(ValueError, match=r"of 3 channels .* pass colors=False"):
            augment(image, mask, np.random.default_rng(0))


def test_cutouts_hide_the_picture_and_not_the_mask():
    cutout = next(step for step in RandAugment().operations() if isinstance(step, Cutout))
    assert not cutout.ignored


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count of RandAugment must be an int >= 1"),
        ({"magnitude": 1.5}, r"magnitude of RandAugment must lie in \[0, 1\], received 1.5"),
        ({"border": "zero"}, "border must be 'fill' or 'reflect'"),
        ({"colors": "no"}, "colors of RandAugment must be a bool, received 'no'"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        RandAugment(**arguments)
