"""Compose and OneOf: what they apply, to whose errors, with whose functions."""

import numpy as np
import pytest

from semseg.data.transforms import Brightness, Compose, Flip, Hue, OneOf, RandomCrop, Resize

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
MASK = np.arange(48, dtype=np.uint8).reshape(6, 8)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_one_of_takes_each_as_often():
    turns = OneOf([Flip(1.0), Flip(1.0, "vertical"), Compose([Flip(1.0), Flip(1.0, "vertical")])])
    generator = rng()
    corners = [int(turns(IMAGE, MASK, generator)[1][0, 0]) for _ in range(300)]
    assert set(corners) == {7, 40, 47}
    assert min(corners.count(c) for c in set(corners)) > 75


@pytest.mark.parametrize("kind", [Compose, OneOf])
def test_the_probability_is_that_of_the_whole(kind):
    chain = kind([Flip(1.0)], probability=0.25)
    generator = rng()
    flips = sum(chain(IMAGE, MASK, generator)[1][0, 0] == 7 for _ in range(400))
    assert abs(flips / 400 - 0.25) < 0.07


@pytest.mark.parametrize("entry", [5, None, "flip"])
def test_what_is_no_function_is_refused(entry):
    message = rf"transforms must be functions of \(image, mask, rng\), received {entry!r}"
    with pytest.raises(TypeError, match=message):
        Compose([Flip(), entry])


def test_a_choice_of_nothing_is_refused():
    with pytest.raises(ValueError, match="OneOf needs at least one transform"):
        OneOf([])


def too_dark(image, mask, rng):
    raise KeyError("too dark")


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (Hue(), ValueError, r"^Hue\(\): colours can only"),
        (RandomCrop((9, 9)), ValueError, r"RandomCrop\(size=\(9, 9\)\) reaches outside"),
        (too_dark, RuntimeError, r"^too_dark: KeyError\('too dark'\)$"),
        (lambda image, mask, rng: 1 / 0, ZeroDivisionError, r"^<lambda>: division by zero$"),
    ],
)
def test_an_error_names_the_step_and_keeps_its_type(step, error, message):
    image = np.zeros((6, 8, 4), np.uint8)
    with pytest.raises(error, match=message) as caught:
        Compose([Brightness(), OneOf([step]), Brightness()])(image, MASK, rng())
    assert caught.value.__cause__ is not None or "reaches outside" in message


def halves_the_image_alone(image, mask, rng):
    return image[::2, ::2], mask


@pytest.mark.parametrize("later", [RandomCrop((3, 3)), Flip(1.0), Resize((6, 8)), Brightness()])
def test_a_pair_that_a_function_has_taken_apart_is_not_forced_together(later):
    message = r"^halves_the_image_alone: image and mask must have one size, .*\(3, 4\) and \(6, 8\)"
    with pytest.raises(ValueError, match=message):
        Compose([halves_the_image_alone, later])(IMAGE, MASK, rng())
    double = lambda image, mask, rng: (np.repeat(image, 2, 0), mask)  # noqa: E731
    undone = Compose([double, halves_the_image_alone, later])  # each is looked at by itself
    with pytest.raises(ValueError, match=r"^<lambda>: image and mask must have one size"):
        undone(IMAGE, MASK, rng())


def test_weights_that_a_function_has_taken_apart_are_named():
    cuts = lambda image, mask, rng, weights: (image, mask, weights[1:])  # noqa: E731
    with pytest.raises(ValueError, match=r"^<lambda>: weights must have the mask's shape"):
        Compose([cuts, Flip(1.0)])(IMAGE, MASK, rng(), MASK.astype(np.float32))


def test_a_function_that_knows_weights_moves_them():
    def mirror(image, mask, rng, weights):
        return image[:, ::-1], mask[:, ::-1], weights[:, ::-1]

    chain = Compose([Resize((6, 8)), mirror, Flip(1.0)])
    result = chain(IMAGE, MASK, rng(), MASK.astype(np.float32))
    for array, expected in zip(result, (IMAGE, MASK, MASK), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_a_function_that_does_not_may_change_values_only():
    weights = np.ones((6, 8), np.float32)
    inverted = Compose([lambda image, mask, rng: (255 - image, mask)])(IMAGE, MASK, rng(), weights)
    np.testing.assert_array_equal(inverted[0], 255 - IMAGE)
    np.testing.assert_array_equal(inverted[2], weights)
    with pytest.raises(ValueError, match="a function that moves the mask must move the weights"):
        Compose([lambda image, mask, rng: (image[::-1], mask[::-1])])(IMAGE, MASK, rng(), weights)
