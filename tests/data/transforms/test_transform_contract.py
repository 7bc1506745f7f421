"""What every transform promises. A new one is added to TRANSFORMS and inherits the tests."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg.data.transforms
from semseg.data.transforms import (
    Brightness,
    Compose,
    Contrast,
    Flip,
    RandomCrop,
    RandomScale,
    Resize,
)

FILL = 255


def darken(image, mask, rng):
    """A user's own function, which may write into what it gets."""
    image //= 2
    mask[mask == 9] = 0
    return image, mask


#: Name -> transform. None enlarges 12 pixels to more than 60, and all keep the values of ids apart.
TRANSFORMS = {
    "Resize, larger": Resize((37, 46)),
    "Resize, smaller": Resize((11, 7)),
    "Resize, to one pixel": Resize((1, 1)),
    "Flip": Flip(),
    "Flip, always": Flip(1.0),
    "Flip, never": Flip(0.0),
    "RandomScale": RandomScale(0.5, 2.0),
    "RandomScale, smaller": RandomScale(0.2, 0.5),
    "RandomCrop": RandomCrop((20, 16), mask_fill=FILL),
    "RandomCrop, small": RandomCrop((1, 1)),
    "Brightness": Brightness(0.3),
    "Contrast": Contrast(0.3),
    "Compose of nothing": Compose([]),
    "Compose, geometric": Compose([RandomScale(0.5, 2.0), RandomCrop((24, 24), FILL), Flip()]),
    "Compose, photometric": Compose([Brightness(0.2), Contrast(0.2), Brightness(0.1)]),
    "Compose, training": Compose(
        [Resize((30, 40)), RandomScale(), RandomCrop((32, 32), FILL), Flip(), Brightness()]
    ),
    "Compose, mixed": Compose([Flip(1.0), Contrast(0.1), Resize((21, 33)), Flip(), Flip()]),
}
ALL = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
seeds = st.integers(0, 2**32 - 1)
IMAGE_DTYPES = st.sampled_from(["uint8", "uint16", "float32"])
MASK_DTYPES = st.sampled_from(["uint8", "uint16", "int32", "int64"])
CHANNELS = st.sampled_from([1, 3, 4, 5])

#: The image's value where the mask has id 0, 1, 2, 3: far apart, far from the range's ends.
VALUES = np.array([70, 105, 140, 175])


def patches(size, seed, side):
    """A mask of random ids 0..3 in even patches of at least `side` pixels."""
    counts = [max(1, n // side) for n in size]
    coarse = np.random.default_rng(seed).integers(0, 4, counts)
    rows, columns = (np.arange(n) * count // n for n, count in zip(size, counts, strict=True))
    return coarse[rows][:, columns].astype(np.uint8)


def coded(mask, channels=3):
    """The image that shows the mask's ids as values."""
    return VALUES[mask].astype(np.uint8)[..., None].repeat(channels, -1)


def inner(mask, reach, is_cropped):
    """Pixels with the same id all around, up to `reach` pixels, beyond a crop's edge too."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    how = {"constant_values": -1} if is_cropped else {"mode": "edge"}
    ids = np.pad(mask.astype(np.float32), reach, **how)
    same = cv2.erode(ids, square) == cv2.dilate(ids, square)
    return same[reach:-reach, reach:-reach]


def check_in_step(transform, mask, seed, reach=3):
    """Away from the borders of ids, the image is still a function of the mask, one to one."""
    image, moved = transform(coded(mask), mask, np.random.default_rng(seed))
    assert image.shape[:2] == moved.shape
    certain = inner(moved, reach, is_cropped="Crop" in repr(transform))
    found = {i: np.unique(image[certain & (moved == i)]) for i in np.unique(moved[certain])}
    for values in found.values():
        # One value, but for the rounding of a mean.
        assert values.max() - values.min() <= 1, f"image and mask are out of step: {found}"
    ordered = [found[i].mean() for i in sorted(found) if i != FILL]
    assert np.all(np.diff(ordered) > 5), f"image and mask are out of step: {found}"
    return int(certain.sum()), len(found)


def check_no_new_ids(transform, mask, seed):
    moved = transform(coded(mask), mask, np.random.default_rng(seed))[1]
    new = np.setdiff1d(moved, mask)
    assert set(new) <= {FILL}, f"new ids {new}"
    assert moved.dtype == mask.dtype, f"{mask.dtype} became {moved.dtype}"


def check_inputs_are_kept(transform, image, mask, seed):
    image_before, mask_before = image.copy(), mask.copy()
    transform(image, mask, np.random.default_rng(seed))
    assert np.array_equal(image, image_before), "the image was written to"
    assert np.array_equal(mask, mask_before), "the mask was written to"


def check_depends_on_rng_alone(transform, image, mask, seed):
    first = transform(image, mask, np.random.default_rng(seed))
    transform(image, mask, np.random.default_rng(seed + 1))
    np.random.seed(seed % 1000)  # noqa: NPY002  nor on the global generator
    again = transform(image, mask, np.random.default_rng(seed))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a, b), "the same rng gave another result"


def check_form_is_kept(transform, image, mask, seed):
    shown, moved = transform(image, mask, np.random.default_rng(seed))
    assert shown.dtype == image.dtype, f"{image.dtype} became {shown.dtype}"
    assert shown.ndim == 3, f"the shape became {shown.shape}"
    assert shown.shape[2] == image.shape[2], f"the shape became {shown.shape}"
    assert shown.shape[:2] == moved.shape
    assert np.isfinite(shown).all()
    assert shown.flags.c_contiguous


@ALL
@given(size=sizes, side=st.integers(6, 24), seed=seeds)
def test_image_and_mask_stay_in_step(transform, size, side, seed):
    check_in_step(transform, patches(size, seed, side), seed)


@ALL
@given(size=sizes, side=st.integers(1, 9), seed=seeds, dtype=MASK_DTYPES)
def test_the_mask_gains_no_id_and_keeps_its_dtype(transform, size, side, seed, dtype):
    check_no_new_ids(transform, patches(size, seed, side).astype(dtype), seed)


@ALL
@given(size=sizes, seed=seeds, dtype=IMAGE_DTYPES, channels=CHANNELS)
def test_the_image_keeps_dtype_and_channels(transform, size, seed, dtype, channels):
    mask = patches(size, seed, 5)
    check_form_is_kept(transform, coded(mask, channels).astype(dtype), mask, seed)


@ALL
@given(size=sizes, seed=seeds, dtype=IMAGE_DTYPES)
def test_the_inputs_are_not_written_to(transform, size, seed, dtype):
    mask = patches(size, seed, 5)
    check_inputs_are_kept(transform, coded(mask).astype(dtype), mask, seed)


@ALL
@given(size=sizes, seed=seeds, channels=CHANNELS)
def test_a_view_gives_what_its_copy_gives_and_is_not_written_to(transform, size, seed, channels):
    mask = patches([2 * n for n in size], seed, 5)
    image = coded(mask, channels)
    views = image[::2, ::-1][:, ::2], mask[::2, ::-1][:, ::2]
    for view in views:
        view.flags.writeable = False
    check_inputs_are_kept(transform, *views, seed)
    shown = transform(*views, np.random.default_rng(seed))
    copied = transform(*(view.copy() for view in views), np.random.default_rng(seed))
    for a, b in zip(shown, copied, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.shares_memory(shown[0], image) or transform == Compose([])  # does nothing


@ALL
@given(size=sizes, seed=seeds)
def test_the_result_depends_on_the_rng_alone(transform, size, seed):
    mask = patches(size, seed, 5)
    check_depends_on_rng_alone(transform, coded(mask), mask, seed)


@ALL
def test_it_shows_its_arguments(transform):
    assert repr(transform).startswith(type(transform).__name__ + "(")


def test_every_public_transform_is_in_the_list():
    used = {type(t).__name__ for t in TRANSFORMS.values()}
    assert used == set(semseg.data.transforms.__all__)


# -- the harness can fail ------------------------------------------------------------------------

MASK = patches((40, 40), seed=1, side=20)


def test_the_check_of_the_step_sees_most_of_a_picture():
    pixels, ids = check_in_step(Flip(1.0), MASK, seed=0)
    assert pixels > 800 and ids >= 3


def flips_the_image_alone(image, mask, rng):
    return image[:, ::-1].copy(), mask


def flips_by_two_draws(image, mask, rng):
    """The classic: image and mask decide for themselves."""
    image = image[:, ::-1] if rng.random() < 0.5 else image
    mask = mask[:, ::-1] if rng.random() < 0.5 else mask
    return image.copy(), mask.copy()


def shifts_the_mask(image, mask, rng):
    return image, np.roll(mask, 6, axis=0)


def transposes_the_mask(image, mask, rng):
    return image, mask.T.copy()


@pytest.mark.parametrize(
    "broken", [flips_the_image_alone, flips_by_two_draws, shifts_the_mask, transposes_the_mask]
)
def test_the_contract_notices_a_mask_out_of_step(broken):
    def check_eight():
        for seed in range(8):
            check_in_step(broken, MASK, seed)

    with pytest.raises(AssertionError, match="out of step"):
        check_eight()


def test_the_contract_notices_blended_ids():
    def blends(image, mask, rng):
        return image, cv2.resize(mask, (33, 33), interpolation=cv2.INTER_LINEAR)

    with pytest.raises(AssertionError, match="new ids"):
        check_no_new_ids(blends, np.where(MASK > 1, 3, 0).astype(np.uint8), seed=0)


def test_the_contract_notices_what_writes_into_its_inputs():
    with pytest.raises(AssertionError, match="the image was written to"):
        check_inputs_are_kept(darken, coded(MASK), MASK.copy(), seed=0)
    check_inputs_are_kept(Compose([darken]), coded(MASK), MASK.copy(), seed=0)
    check_inputs_are_kept(Compose([Contrast(), darken]), coded(MASK), MASK.copy(), seed=0)


def test_the_contract_notices_the_global_generator():
    state = np.random.default_rng(0)

    def impure(image, mask, rng):
        return image + state.integers(0, 9, dtype=np.uint8), mask

    with pytest.raises(AssertionError, match="the same rng gave another result"):
        check_depends_on_rng_alone(impure, coded(MASK), MASK, seed=0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda image, mask, rng: (image[..., 0], mask), "the shape became"),
        (lambda image, mask, rng: (image / 255, mask), "uint8 became float64"),
    ],
)
def test_the_contract_notices_a_changed_form(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_form_is_kept(broken, coded(MASK, 1), MASK, seed=0)
