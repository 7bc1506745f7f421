"""assert_in_sync: sees what moves image and mask apart, and nothing else."""

import cv2
import numpy as np
import pytest

from semseg.data.transforms import (
    Affine,
    Brightness,
    Compose,
    Cutout,
    Elastic,
    RandomCrop,
    Resize,
    assert_in_sync,
)


def flips_the_image_alone(image, mask, rng):
    return image[:, ::-1].copy(), mask


def flips_by_two_draws(image, mask, rng):
    """The classic: image and mask decide for themselves."""
    image = image[:, ::-1] if rng.random() < 0.5 else image
    mask = mask[:, ::-1] if rng.random() < 0.5 else mask
    return image.copy(), mask.copy()


def shifts_the_mask(image, mask, rng):
    return image, np.roll(mask, 6, axis=0)


def deforms_by_two_draws(image, mask, rng):
    """An elastic deformation whose image and mask have displacements of their own."""
    elastic = Elastic(sd=8, border="reflect")
    return elastic(image, mask, rng)[0], elastic(image, mask, rng)[1]


def rotates_the_other_way(image, mask, rng):
    middle = (mask.shape[1] / 2, mask.shape[0] / 2)
    left, right = (cv2.getRotationMatrix2D(middle, angle, 1) for angle in (20, -20))
    size = mask.shape[::-1]
    turned = cv2.warpAffine(mask, right, size, flags=cv2.INTER_NEAREST, borderValue=255)
    return cv2.warpAffine(image, left, size), turned


def flips_a_corner(image, mask, rng):
    return image[:8, 7::-1], mask[:8, :8]


@pytest.mark.parametrize(
    "broken",
    [
        flips_the_image_alone,
        flips_by_two_draws,
        shifts_the_mask,
        deforms_by_two_draws,
        rotates_the_other_way,
        Compose([Brightness(0.3), shifts_the_mask, Cutout(3, 0.3)]),
    ],
)
def test_it_notices_a_mask_out_of_step(broken):
    with pytest.raises(AssertionError, match=r"out of step: \d+% of the pixels show"):
        assert_in_sync(broken)


STATE = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda i, m, rng: (i, m[:50]), "different sizes: .96, 128. and .50, 128"),
        (lambda i, m, rng: (i, m.T), "different sizes"),
        (lambda i, m, rng: (np.roll(i, STATE.integers(9, 20), 0), m), "it draws from somewhere"),
        (lambda i, m, rng: (i, (i[..., 0] > 100).astype(np.uint8)), "depends on the image's"),
        (lambda i, m, rng: (i, cv2.resize(m * 40, (128, 96)[::1])), "new ids .* interpolated"),
    ],
)
def test_it_notices(broken, message):
    with pytest.raises(AssertionError, match=message):
        assert_in_sync(broken)


@pytest.mark.parametrize(
    "own",
    [
        lambda image, mask, rng: (255 - image, mask),
        lambda image, mask, rng: (image[::-1], mask[::-1]),
        lambda image, mask, rng: (image[5:60, 9:99], mask[5:60, 9:99]),
        lambda image, mask, rng: (np.zeros_like(image), mask),  # hides all of it
        Compose([Affine(rotation=30, mask_fill=9), Cutout(4, 0.4), Brightness(0.3)]),
    ],
)
def test_it_lets_pass_what_keeps_step(own):
    assert_in_sync(own)


@pytest.mark.parametrize("transform", [RandomCrop((8, 8)), Resize((3, 4)), flips_a_corner])
def test_what_can_not_be_compared_is_said_and_not_let_pass(transform):
    with pytest.raises(AssertionError, match=r"nothing could be compared: .*pass a larger size="):
        assert_in_sync(transform)
    assert_in_sync(RandomCrop((60, 60)))


def test_several_channels_and_other_sizes():
    assert_in_sync(Brightness(), channels=5, size=(48, 51))
