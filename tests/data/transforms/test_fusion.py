"""A fused chain is its steps one after the other, and image and mask agree to the pixel."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.transforms import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Elastic,
    Flip,
    GridDistortion,
    Pad,
    Perspective,
    RandomCrop,
    RandomScale,
    Resize,
    Rotate90,
    Saturation,
    geometric,
    values,
)
from semseg.data.transforms.window import Window

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


lengths = st.integers(24, 60)
resizes = st.builds(Resize, st.tuples(lengths, lengths))
scales = st.just(RandomScale(0.7, 1.5))
flips = st.builds(
    Flip, st.sampled_from([0.5, 1.0]), direction=st.sampled_from(["horizontal", "vertical"])
)
turns = st.just(Rotate90())
crops = st.builds(
    RandomCrop, st.tuples(st.integers(20, 50), st.integers(20, 50)), mask_fill=st.just(FILL)
)
borders = st.sampled_from(["fill", "reflect"])
pads = st.builds(Pad, st.tuples(lengths, lengths), mask_fill=st.just(FILL), border=borders)
affines = st.builds(
    Affine,
    rotation=st.sampled_from([0, 20, 180]),
    zoom=st.sampled_from([(1, 1), (0.8, 1.3)]),
    shift=st.sampled_from([0, 0.2]),
    shear=st.sampled_from([0, 10]),
    mask_fill=st.just(FILL),
    border=borders,
)
bends = st.sampled_from(
    [
        Elastic(1.5, mask_fill=FILL),
        Elastic(1.5, (4, 3), border="reflect"),
        GridDistortion(0.3, 4),
        Perspective(0.1),
    ]
)
straight = resizes | scales | flips | turns | pads | crops
moves = straight | affines | bends


@given(chain=st.lists(moves, max_size=4), seed=st.integers(0, 9999))
def test_the_image_shows_the_pixels_that_the_mask_names(chain, seed):
    image, mask = Compose(chain)(ramp(), numbered(), np.random.default_rng(seed))
    seen = mask != FILL
    assert (image[~seen] == 0).all()
    rows, columns = np.divmod(mask[seen], SIZE[1])
    named = 100 + SLOPES[0] * rows + SLOPES[1] * columns
    # Half a source pixel by the nearest pixel's nature, and as much where blocks are averaged.
    assert np.abs(image[seen][:, 0] - named).max(initial=0) <= 1.1 * sum(SLOPES)


@given(chain=st.lists(moves, max_size=3), seed=st.integers(0, 9999))
def test_a_fused_chain_is_its_steps_within_half_a_pixel(chain, seed):
    image, mask = ramp(), numbered()
    fused = Compose(chain)(image, mask, np.random.default_rng(seed))
    steps = step_by_step(chain, image, mask, np.random.default_rng(seed))
    assert fused[0].shape == steps[0].shape
    seen = (fused[1] != FILL) & (steps[1] != FILL)
    # Where the picture ends, one route blends with what it filled in before, or with the mirror
    # image, whose fold the other reads between two pixels.
    framed = np.pad(seen.astype(np.uint8), 1)
    inner = cv2.erode(framed, np.ones((9, 9), np.uint8))[1:-1, 1:-1].astype(bool)
    if any(getattr(step, "border", "") == "reflect" for step in chain):
        inner &= _is_smooth(fused[0]) & _is_smooth(steps[0])
    # A step of a random crop is put on whole pixels of the source: half a pixel, each crop.
    crops_made = 1 + sum(isinstance(step, RandomCrop) for step in chain)
    off = np.abs(fused[0] - steps[0])[inner].max(initial=0)
    assert off <= 0.5 * crops_made * sum(SLOPES)


def _is_smooth(image):
    """Away from the folds of a reflected ramp."""
    bumps = np.abs(cv2.Laplacian(image, cv2.CV_32F)) < 0.5
    return cv2.erode(bumps.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)


@given(chain=st.lists(moves, max_size=3), seed=st.integers(0, 9999))
def test_what_one_route_fills_the_other_fills_too(chain, seed):
    """Beyond the edges of a crop is nothing, though the source goes on there."""
    fused = Compose(chain)(ramp(), numbered(), np.random.default_rng(seed))[1] == FILL
    steps = step_by_step(chain, ramp(), numbered(), np.random.default_rng(seed))[1] == FILL
    square = np.ones((5, 5), np.uint8)
    for one, other in ((fused, steps), (steps, fused)):
        core = cv2.erode(one.astype(np.uint8), square).astype(bool)
        assert not (core & ~cv2.dilate(other.astype(np.uint8), square).astype(bool)).any()


def test_a_pad_behind_a_crop_does_not_bring_the_picture_back():
    chain = Compose([RandomCrop((10, 10)), Pad((20, 20), mask_fill=FILL)])
    mask = chain(ramp(), numbered(), np.random.default_rng(0))[1]
    assert (mask != FILL).sum() == 100
    chain = Compose([RandomCrop((10, 10)), Affine(zoom=(0.5, 0.5), mask_fill=FILL)])
    mask = chain(ramp(), numbered(), np.random.default_rng(0))[1]
    assert (mask != FILL).sum() == 25


def test_an_enlarged_crop_has_the_detail_of_the_source():
    """Scaling down and up again in one chain loses nothing: the pixels are read once."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    chain = Compose([Resize((10, 13)), Resize(SIZE)])
    shown, mask = chain(image, numbered(), np.random.default_rng(0))
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(mask, numbered())


@pytest.mark.parametrize("size", [(7, 9), (8, 8), (1, 5)])
@pytest.mark.parametrize(
    "steps",
    [
        [Flip(1.0)] * 2,
        [Flip(1.0, "vertical")] * 2,
        [Rotate90(turns=(1,))] * 4,
        [Rotate90(turns=(1,)), Rotate90(turns=(3,))],
        [Rotate90(turns=(2,)), Flip(1.0), Flip(1.0, "vertical")],
    ],
)
def test_turned_there_and_back_is_the_identity(size, steps):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    for chain in (Compose(steps), lambda *pair: step_by_step(steps, *pair)):
        shown, mask = chain(image, numbered(size), np.random.default_rng(0))
        np.testing.assert_array_equal(shown, image)
        np.testing.assert_array_equal(mask, numbered(size))


@given(seed=st.integers(0, 999), target=st.tuples(st.integers(1, 50), st.integers(1, 60)))
def test_a_crop_of_the_turned_picture_is_exact(seed, target):
    chain = [Flip(1.0), Rotate90(), RandomCrop(target, mask_fill=FILL), Flip(1.0, "vertical")]
    image, mask = ramp(), numbered()
    fused = Compose(chain)(image, mask, np.random.default_rng(seed))
    steps = step_by_step(chain, image, mask, np.random.default_rng(seed))
    for a, b in zip(fused, steps, strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_steps_keep_their_place_between_geometric_ones():
    chain = [Brightness(0.5), RandomCrop((60, 60), mask_fill=FILL), Contrast(0.5)]
    image, mask = ramp().astype(np.uint8), numbered()
    composed = Compose(chain)(image, mask, np.random.default_rng(5))
    steps = step_by_step(chain, image, mask, np.random.default_rng(5))
    for a, b in zip(composed, steps, strict=True):
        np.testing.assert_array_equal(a, b)


def test_neighbours_are_fused_and_a_function_of_ones_own_stands_between_them(monkeypatch):
    calls = []
    resample, adjusted = geometric.resample, values._adjusted
    monkeypatch.setattr(geometric, "resample", lambda *a: calls.append("move") or resample(*a))
    monkeypatch.setattr(values, "_adjusted", lambda *a: calls.append("table") or adjusted(*a))

    def invert(image, mask, rng):
        calls.append("own")
        return 255 - image, mask

    chain = Compose(
        [Flip(), Resize((9, 9)), Compose([Brightness()]), Contrast(), invert, Flip(), Flip()]
    )
    chain(ramp().astype(np.uint8), numbered(), np.random.default_rng(0))
    assert calls == ["move", "table", "own", "move"]


def test_colours_in_a_row_are_one_matrix():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    both = Compose([Saturation(1.0), Saturation(1.0)])
    rng = np.random.default_rng(3)
    first, second = (1 + 2 * rng.random() - 1 for _ in range(2))
    grey = (image @ np.array([0.299, 0.587, 0.114]))[..., None]
    expected = grey + first * second * (image - grey)
    shown = both(image, numbered((5, 6)), np.random.default_rng(3))[0]
    np.testing.assert_allclose(shown, expected.clip(0, 255), atol=1)


@pytest.mark.parametrize("mask_dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("limit", [20, 40_000])
def test_each_route_to_the_masks_pixels_gives_the_same(monkeypatch, mask_dtype, limit):
    """OpenCV where it can, NumPy where the dtype or the size is beyond it."""
    mask = (numbered() % 251).astype(mask_dtype)
    chain = Compose([Affine(rotation=30, mask_fill=0), Elastic(2, mask_fill=0)])
    expected = chain(ramp(), mask, np.random.default_rng(0))
    monkeypatch.setattr("semseg.data.transforms.warp._REMAP_LIMIT", limit)
    if limit < 40:  # the image has to be cut down to what is read
        chain = Compose([RandomCrop((9, 9)), Affine(rotation=30, mask_fill=0)])
        expected = None
    found = chain(ramp(), mask, np.random.default_rng(0))
    if expected is not None:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_fused_quarter_turn_is_read_as_a_box():
    """Not as a warp, which is ten times as slow."""
    frame = geometric.Frame.of(numbered())
    rng = np.random.default_rng(0)
    for step in (RandomScale(), Rotate90(turns=(1,)), RandomCrop((9, 9)), Flip(1.0)):
        frame = step.place(frame, rng)
    assert Window.of(frame).transposed
