"""Compose: fused, yet what the steps one after the other do."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import (
    Brightness,
    Compose,
    Contrast,
    Flip,
    RandomCrop,
    RandomScale,
    Resize,
    compose,
)

FILL = -1
SIZE = (40, 52)
#: Grey levels a pixel downwards and to the right.
SLOPES = (2.0, 3.0)


def ramp(size=SIZE):
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return (100 + SLOPES[0] * rows + SLOPES[1] * columns)[..., None]


def numbered(size=SIZE):
    return np.arange(size[0] * size[1], dtype=np.int32).reshape(size)


def step_by_step(chain, image, mask, rng):
    for transform in chain:
        image, mask = transform(image, mask, rng)
    return image, mask


resizes = st.builds(Resize, st.tuples(st.integers(24, 60), st.integers(24, 60)))
scales = st.just(RandomScale(0.7, 1.5))
flips = st.builds(Flip, st.sampled_from([0.5, 1.0]))
crops = st.builds(
    RandomCrop, st.tuples(st.integers(20, 50), st.integers(20, 50)), mask_fill=st.just(FILL)
)


@st.composite
def chains(draw):
    """Geometric steps with at most one crop, which is the usual way to write them."""
    before = draw(st.lists(resizes | scales | flips, max_size=2))
    crop = draw(st.lists(crops, max_size=1))
    return before + crop + draw(st.lists(resizes | scales | flips, max_size=2))


@given(chain=chains(), seed=st.integers(0, 9999))
def test_a_fused_chain_is_its_steps_within_half_a_pixel(chain, seed):
    image, mask = ramp(), numbered()
    fused = Compose(chain)(image, mask, np.random.default_rng(seed))
    steps = step_by_step(chain, image, mask, np.random.default_rng(seed))
    assert fused[0].shape == steps[0].shape
    seen = (fused[1] != FILL) & (steps[1] != FILL)
    # Where the picture ends, one route blends with what it filled in before.
    framed = np.pad(seen.astype(np.uint8), 1)
    inner = cv2.erode(framed, np.ones((9, 9), np.uint8))[1:-1, 1:-1].astype(bool)
    assert np.abs(fused[0] - steps[0])[inner].max(initial=0) <= 0.5 * sum(SLOPES)
    # Nearest after nearest may take the neighbour, once a step.
    for a, b in zip(np.divmod(fused[1], SIZE[1]), np.divmod(steps[1], SIZE[1]), strict=True):
        assert np.abs(a - b)[seen].max(initial=0) <= 1 + len(chain) // 2


@given(chain=chains(), seed=st.integers(0, 9999))
def test_the_image_shows_the_pixels_that_the_mask_names(chain, seed):
    image, mask = Compose(chain)(ramp(), numbered(), np.random.default_rng(seed))
    seen = mask != FILL
    rows, columns = np.divmod(mask[seen], SIZE[1])
    named = 100 + SLOPES[0] * rows + SLOPES[1] * columns
    # Half a source pixel by the nearest pixel's nature, and as much where blocks are averaged.
    assert np.abs(image[seen][:, 0] - named).max() <= 1.1 * sum(SLOPES)


def test_an_enlarged_crop_has_the_detail_of_the_source():
    """Scaling down and up again in one chain loses nothing: the pixels are read once."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    chain = Compose([Resize((10, 13)), Resize(SIZE)])
    shown, mask = chain(image, numbered(), np.random.default_rng(0))
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(mask, numbered())


@pytest.mark.parametrize("size", [(7, 9), (8, 8), (1, 5)])
def test_to_flip_twice_in_a_chain_is_the_identity(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    shown, mask = Compose([Flip(1.0), Flip(1.0)])(image, numbered(size), np.random.default_rng(0))
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(mask, numbered(size))


@given(seed=st.integers(0, 999), target=st.tuples(st.integers(1, 50), st.integers(1, 60)))
def test_a_crop_of_the_flipped_picture_is_exact(seed, target):
    chain = [Flip(1.0), RandomCrop(target, mask_fill=FILL), Flip(1.0)]
    image, mask = ramp(), numbered()
    fused = Compose(chain)(image, mask, np.random.default_rng(seed))
    steps = step_by_step(chain, image, mask, np.random.default_rng(seed))
    for a, b in zip(fused, steps, strict=True):
        np.testing.assert_array_equal(a, b)


def test_photometric_steps_keep_their_place_between_geometric_ones():
    chain = [Brightness(0.5), RandomCrop((60, 60), mask_fill=FILL), Contrast(0.5)]
    image, mask = ramp().astype(np.uint8), numbered()
    composed = Compose(chain)(image, mask, np.random.default_rng(5))
    steps = step_by_step(chain, image, mask, np.random.default_rng(5))
    for a, b in zip(composed, steps, strict=True):
        np.testing.assert_array_equal(a, b)


def test_neighbours_are_fused_and_a_function_of_ones_own_stands_between_them(monkeypatch):
    calls = []
    resample, photometric = compose.resample, compose.apply_photometric
    monkeypatch.setattr(compose, "resample", lambda *a: calls.append("move") or resample(*a))
    monkeypatch.setattr(
        compose, "apply_photometric", lambda *a: calls.append("table") or photometric(*a)
    )

    def invert(image, mask, rng):
        calls.append("own")
        return 255 - image, mask

    chain = Compose([Flip(), Resize((9, 9)), Brightness(), Contrast(), invert, Flip(), Flip()])
    chain(ramp().astype(np.uint8), numbered(), np.random.default_rng(0))
    assert calls == ["move", "table", "own", "move"]


def test_a_chain_in_a_chain_is_one_chain():
    nested = Compose([Compose([Flip(), Resize((4, 5))]), Compose([Compose([Brightness()])])])
    assert nested == Compose([Flip(), Resize((4, 5)), Brightness()])


@pytest.mark.parametrize("entry", [5, None, "flip"])
def test_what_is_no_function_is_refused(entry):
    message = rf"transforms must be functions of \(image, mask, rng\), received {entry!r}"
    with pytest.raises(TypeError, match=message):
        Compose([Flip(), entry])
