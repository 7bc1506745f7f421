"""What every transform promises. A new one is added to TRANSFORMS and inherits the tests."""

import json
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg.data.transforms
from semseg.data.transforms import (
    CLAHE,
    JPEG,
    Affine,
    Blur,
    Brightness,
    Compose,
    Contrast,
    Cutout,
    Elastic,
    Flip,
    Gamma,
    GridDistortion,
    Hue,
    MotionBlur,
    Noise,
    OneOf,
    Pad,
    Perspective,
    RandAugment,
    RandomCrop,
    RandomScale,
    Resize,
    Rotate90,
    Saturation,
    aerial,
    assert_in_sync,
    from_dict,
    light,
    medical,
    street,
)
from semseg.data.transforms.stored import BATCH_KINDS, KINDS

FILL = 255


IMAGE = np.zeros((6, 8, 3), np.uint8)
ONLY_RGB = {"JPEG", "Hue", "Saturation", "RandAugment"}


def darken(image, mask, rng):
    """A user's own function, which may write into what it gets."""
    image //= 2
    mask[mask == 9] = 0
    return image, mask


#: Name -> transform. None enlarges 12 pixels to more than 60.
TRANSFORMS = {
    "Resize, larger": Resize((37, 46)),
    "Resize, smaller": Resize((11, 7)),
    "Resize, to one pixel": Resize((1, 1)),
    "Resize, fit": Resize((31, 40), "fit", mask_fill=FILL),
    "Resize, fill": Resize((30, 18), "fill"),
    "Resize, longest": Resize(25, "longest"),
    "RandomScale": RandomScale(0.5, 2.0),
    "RandomScale, smaller": RandomScale(0.2, 0.5),
    "RandomCrop": RandomCrop((20, 16), mask_fill=FILL),
    "RandomCrop, small": RandomCrop((1, 1)),
    "RandomCrop, balanced": RandomCrop((9, 12), mask_fill=FILL, balanced=True),
    "RandomCrop, few ignored": RandomCrop((9, 12), mask_fill=FILL, max_ignored=0.2),
    "Pad": Pad((30, 35), mask_fill=FILL),
    "Pad, reflect": Pad((64, 64), border="reflect"),
    "Flip": Flip(),
    "Flip, always": Flip(1.0),
    "Flip, never": Flip(0.0),
    "Flip, vertical": Flip(direction="vertical"),
    "Rotate90": Rotate90(),
    "Affine": Affine(rotation=180, shear=20, zoom=(0.7, 1.5), shift=0.2, mask_fill=FILL),
    "Affine, reflect": Affine(rotation=45, zoom=(0.3, 0.6), border="reflect"),
    "Perspective": Perspective(0.3),
    "Elastic": Elastic(sd=3, grid=(3, 4), mask_fill=FILL),
    "Elastic, reflect": Elastic(sd=3, border="reflect"),
    "GridDistortion": GridDistortion(0.4),
    "Brightness": Brightness(0.3),
    "Contrast": Contrast(0.3),
    "Gamma": Gamma(),
    "Saturation": Saturation(),
    "Hue": Hue(),
    "Blur": Blur(),
    "MotionBlur": MotionBlur(),
    "CLAHE": CLAHE((1, 2), 32),
    "RandAugment": RandAugment(3, 0.5),
    "RandAugment, of any channels": RandAugment(2, 0.8, False, "fill", FILL),
    "Noise": Noise(),
    "JPEG": JPEG(),
    "Cutout": Cutout(2, 0.4),
    "Cutout, ignored": Cutout(ignored=True, mask_fill=FILL),
    "Compose of nothing": Compose([]),
    "Compose, geometric": Compose(
        [RandomScale(0.5, 2.0), Affine(rotation=20, mask_fill=FILL), RandomCrop((24, 24), FILL)]
    ),
    "Compose, values": Compose([Brightness(0.2), Contrast(0.2), Gamma()]),
    "Compose, mixed": Compose([Flip(1.0), Contrast(0.1), Resize((21, 33)), Rotate90(), Flip()]),
    "OneOf": OneOf([Flip(1.0), Elastic(2, border="reflect"), Cutout()], probability=0.7),
    "light": light(),
    "street": street((30, 24)).filled(FILL),
    "medical": medical((20, 20)).filled(FILL),
    "aerial": aerial((24, 24)).filled(FILL),
}
ALL = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)

seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))


def images_of(transform):
    """Dtypes and channels that the transform takes."""
    shown = repr(transform)
    if "CLAHE(" in shown:
        return st.tuples(st.just("uint8"), st.sampled_from([1, 3, 5]))
    if any(f"{kind}(" in shown for kind in ("JPEG", "Hue", "Saturation", "RandAugment")) and (
        transform != TRANSFORMS["RandAugment, of any channels"]
    ):
        dtypes = ["uint8"] if "JPEG(" in shown else ["uint8", "uint16", "float32"]
        return st.tuples(st.sampled_from(dtypes), st.just(3))
    return st.tuples(st.sampled_from(["uint8", "uint16", "float32"]), st.sampled_from([1, 3, 5]))


def check_promises(transform, image, mask, weights, seed):
    """Everything that holds for any picture."""
    before = [array.copy() for array in (image, mask, weights)]
    for array in (image, mask, weights):
        array.flags.writeable = False
    shown, moved = transform(image, mask, np.random.default_rng(seed))
    for array, kept in zip((image, mask, weights), before, strict=True):
        assert np.array_equal(array, kept), "an input was written to"
    assert shown.dtype == image.dtype, f"{image.dtype} became {shown.dtype}"
    assert shown.ndim == 3 and shown.shape[2] == image.shape[2], f"the shape became {shown.shape}"
    assert shown.shape[:2] == moved.shape, "image and mask have different sizes"
    assert np.isfinite(shown).all()
    assert moved.dtype == mask.dtype, f"{mask.dtype} became {moved.dtype}"
    assert set(np.setdiff1d(moved, mask)) <= {FILL}, "the mask has new ids"
    np.random.seed(seed % 1000)  # noqa: NPY002  nothing may draw from the global generator
    again = transform(image, mask, np.random.default_rng(seed), weights)
    assert np.array_equal(again[0], shown), "the same rng gave another image"
    assert np.array_equal(again[1], moved), "the same rng gave another mask"
    assert again[2].shape == moved.shape
    assert again[2].dtype == np.float32
    # The weights are 1 + the ids: they go where the mask goes.
    assert again[2].min() >= 0 and again[2].max() <= weights.max() + 1e-5
    # A view, in any order of memory, is what its copy is.
    views = [np.asfortranarray(array) for array in (image, mask)]
    for a, b in zip(transform(*views, np.random.default_rng(seed)), (shown, moved), strict=True):
        assert np.array_equal(a, b), "a view gave another result than its copy"


@ALL
@given(size=sizes, seed=seeds, dtype=st.sampled_from(["uint8", "int32", "int64"]), data=st.data())
def test_the_promises_hold(transform, size, seed, dtype, data):
    image_dtype, channels = data.draw(images_of(transform))
    if isinstance(transform, CLAHE):  # which needs a whole tile
        size = (size[0] + 31, size[1] + 31)
    rng = np.random.default_rng(seed)
    num_classes = data.draw(st.sampled_from([2, 12]))  # binary and many-class
    mask = rng.integers(0, num_classes, size).astype(dtype)
    image = rng.integers(0, 200, (*size, channels)).astype(image_dtype)
    check_promises(transform, image, mask, (1 + mask).astype(np.float32), seed)


#: These leave so little of the check's pictures that there is nothing to compare.
TINY = [name for name in TRANSFORMS if name.startswith("RandomCrop")]
TINY += ["Resize, smaller", "Resize, to one pixel"]


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name not in TINY])
def test_image_and_mask_stay_in_step(name):
    assert_in_sync(TRANSFORMS[name], tries=3)


@ALL
@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        ((6, 8, 3), (5, 8), r"image and mask must have one size, .*\(6, 8\) and \(5, 8\)"),
        ((6, 8), (6, 8), r"image must have shape \(height, width, channels\)"),
        ((6, 8, 3), (6, 8, 1), r"mask must have shape .*drop the channel axis"),
    ],
)
def test_what_is_no_pair_is_refused(transform, image, mask, message):
    with pytest.raises(ValueError, match=message):
        transform(np.zeros(image, np.uint8), np.zeros(mask, np.uint8), np.random.default_rng(0))


@ALL
def test_weights_of_another_size_than_the_mask_are_refused(transform):
    with pytest.raises(ValueError, match=r"weights must have the mask's shape \(6, 8\), received"):
        transform(IMAGE, IMAGE[..., 0], np.random.default_rng(0), np.ones((6, 7), np.float32))


MANY = [t for name, t in TRANSFORMS.items() if not set(re.findall(r"\w+", repr(t))) & ONLY_RGB]


@pytest.mark.parametrize("transform", MANY, ids=repr)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_more_channels_than_opencv_takes_go_in_groups(transform, dtype):
    """Hyperspectral pictures have hundreds; OpenCV 5 takes 128, OpenCV 4 512."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, (32, 40, 520)).astype(dtype)
    mask = rng.integers(0, 9, (32, 40)).astype(np.uint8)
    if set(re.findall(r"\w+", repr(transform))) & {"Noise", "Contrast", "Gamma"}:
        assert transform(image, mask, rng)[0].shape[2] == 520  # of the image as a whole
        return
    if isinstance(transform, CLAHE):  # needs integers
        image = image.astype(np.uint8)
    shown, moved = transform(image, mask, np.random.default_rng(1))
    few, same = transform(image[..., 128:256], mask, np.random.default_rng(1))
    np.testing.assert_array_equal(shown[..., 128:256], few)
    np.testing.assert_array_equal(moved, same)


@ALL
def test_it_reads_well_and_can_be_stored(transform):
    assert repr(transform).startswith(type(transform).__name__ + "(")
    stored = json.dumps(transform.to_dict())
    assert from_dict(json.loads(stored)) == transform


@ALL
def test_never_applied_it_changes_nothing(transform):
    if isinstance(transform, Flip):
        never = Flip(0.0)
    else:
        never = from_dict({**transform.to_dict(), "probability": 0.0})
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, (9, 12, 3)).astype(np.uint8)
    mask = rng.integers(0, 9, (9, 12)).astype(np.uint8)
    for a, b in zip(never(image, mask, rng), (image, mask), strict=True):
        np.testing.assert_array_equal(a, b)


NOTHING = {
    "Resize": Resize((9, 12)),
    "RandomScale": RandomScale(1, 1),
    "RandomCrop": RandomCrop((9, 12)),
    "Pad": Pad((4, 5)),
    "Affine": Affine(),
    "Perspective": Perspective(0),
    "Elastic": Elastic(0),
    "GridDistortion": GridDistortion(0),
    "Brightness": Brightness(0),
    "Contrast": Contrast(0),
    "Gamma": Gamma((1, 1)),
    "Saturation": Saturation(0),
    "Hue": Hue(0),
    "MotionBlur": MotionBlur((1, 1)),
    "Noise": Noise(0),
    "Cutout": Cutout(share=0),
    "Rotate90": Rotate90(turns=(0,)),
}


@pytest.mark.parametrize("transform", NOTHING.values(), ids=NOTHING)
@given(seed=seeds)
def test_at_zero_strength_it_is_the_identity(transform, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    mask = rng.integers(0, 200, (9, 12)).astype(np.uint8)
    for a, b in zip(transform(image, mask, rng), (image, mask), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_public_transform_is_in_the_list():
    shown = " ".join(map(repr, TRANSFORMS.values()))
    public = set(semseg.data.transforms.__all__) - {"assert_in_sync", "from_dict", *BATCH_KINDS}
    missing = {name for name in public if f"{name}(" not in shown and name not in TRANSFORMS}
    assert not missing


@pytest.mark.parametrize("name", KINDS)
def test_a_probability_must_lie_in_0_to_1(name):
    kind, arguments = KINDS[name], {}
    if name in ("Resize", "RandomCrop", "Pad"):
        arguments = {"size": (4, 4)}
    if name in ("Compose", "OneOf"):
        arguments = {"transforms": [Flip()]}
    for wrong in (-0.1, 1.1, float("nan"), "often"):
        with pytest.raises(ValueError, match=rf"probability of {name} must lie in \[0, 1\]"):
            kind(**arguments, probability=wrong)


@pytest.mark.parametrize(
    ("dtype", "fill", "expected"),
    [
        ("uint8", 255, "uint8"),
        ("int32", 255, "int32"),
        ("uint8", -1, "int32"),
        ("uint8", 300, "int32"),
        ("uint16", 300, "uint16"),
    ],
)
def test_a_fill_that_does_not_fit_widens_the_mask_whether_it_is_needed_or_not(
    dtype, fill, expected
):
    image, mask = np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), dtype)
    for probability in (0.0, 1.0):
        pad = Pad((6, 5), mask_fill=fill, probability=probability)
        for transform in (pad, Compose([OneOf([pad]), Flip()])):
            moved = transform(image, mask, np.random.default_rng(0))[1]
            assert moved.dtype == expected
            assert (moved == fill).sum() == (10 if probability else 0)
            assert (moved == 1).sum() == 20
        cutout = Cutout(share=1.0, ignored=True, mask_fill=fill, probability=probability)
        hidden = cutout(image, mask, np.random.default_rng(0))[1]
        assert hidden.dtype == expected
        assert (hidden == fill).any() == bool(probability)
        assert set(np.unique(hidden)) <= {1, fill}


NEEDS_FILL = [
    Resize((9, 30), "fit"),
    RandomCrop((20, 20)),
    Pad((20, 20)),
    Affine(rotation=45, zoom=(0.3, 0.3)),
    Elastic(sd=20),
    Cutout(ignored=True),
]


@pytest.mark.parametrize("transform", NEEDS_FILL, ids=repr)
def test_what_needs_an_id_for_what_lies_outside_says_so_and_is_given_one(transform):
    image, mask = np.zeros((9, 12, 3), np.uint8), np.zeros((9, 12), np.uint8)
    name = type(transform).__name__
    with pytest.raises(ValueError, match=rf"{name}\(.* has no id for what it .*pass mask_fill="):
        transform(image, mask, np.random.default_rng(0))
    filled = Compose([OneOf([transform])]).filled(7)
    assert (filled(image, mask, np.random.default_rng(0))[1] == 7).any()
    zero = from_dict({**transform.to_dict(), "mask_fill": 0})
    assert zero.filled(7) == zero, "a fill of one's own was replaced"


FILLS = {
    Resize: ((4, 4),),
    RandomCrop: ((4, 4),),
    Pad: ((4, 4),),
    Affine: (),
    Elastic: (),
    Cutout: (),
}


@pytest.mark.parametrize("kind", FILLS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("fill", [255.0, "ignore", True, (255,)])
def test_a_fill_is_a_whole_number(kind, fill):
    message = rf"mask_fill of {kind.__name__} must be None or an int, received "
    with pytest.raises(TypeError, match=message):
        kind(*FILLS[kind], mask_fill=fill)


PAIRS = {
    Affine: "zoom",
    Blur: "sd",
    CLAHE: "limit",
    Gamma: "power",
    JPEG: "quality",
    MotionBlur: "length",
}


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("wrong", [(1, 2, 3), (1,), 1, None, ("a", "b"), (True, 2), (2, 1)])
def test_a_pair_is_two_numbers_in_order(kind, wrong):
    message = rf"{PAIRS[kind]} of {kind.__name__} must be \(low, high\) with 0 < low <= high, rec"
    with pytest.raises(ValueError, match=message):
        kind(**{PAIRS[kind]: wrong})


@pytest.mark.parametrize("transform", [Pad((4, 5), mask_fill=9), Rotate90(), Affine(mask_fill=1)])
def test_weights_move_with_the_mask(transform):
    mask = np.arange(12, dtype=np.int32).reshape(3, 4)
    image, weights = np.zeros((3, 4, 1), np.uint8), (mask + 1).astype(np.float32)
    for seed in range(4):
        _, moved, carried = transform(image, mask, np.random.default_rng(seed), weights)
        outside = carried == 0
        np.testing.assert_array_equal(carried[~outside], moved[~outside] + 1)
        assert set(moved[outside]) <= {9}


# -- the harness can fail ------------------------------------------------------------------------


def small_sample(seed=0):
    rng = np.random.default_rng(seed)
    image, mask = rng.integers(0, 200, (20, 20, 3), np.uint8), rng.integers(0, 5, (20, 20))
    return image, mask.astype(np.uint8), (1 + mask).astype(np.float32)


def with_weights(function):
    """A function of a test, in the form in which the contract calls transforms."""

    def transform(image, mask, rng, weights=None):
        image, mask = function(image, mask, rng)
        return (image, mask) if weights is None else (image, mask, np.ones(mask.shape, np.float32))

    return transform


STATE = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda i, m, rng: (i[..., 0], m), "the shape became"),
        (lambda i, m, rng: (i / 255, m), "uint8 became float64"),
        (lambda i, m, rng: (i, m.astype(np.int64)), "uint8 became int64"),
        (lambda i, m, rng: (i, m[:5]), "different sizes"),
        (lambda i, m, rng: (i, m + 100), "new ids"),
        (lambda i, m, rng: (i + STATE.integers(0, 9, dtype=np.uint8), m), "another image"),
        (lambda i, m, rng: (i, np.roll(m, STATE.integers(1, 19))), "another mask"),
    ],
)
def test_the_contract_notices(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_promises(with_weights(broken), *small_sample(), seed=0)


def test_the_contract_notices_what_writes_into_its_inputs():
    with pytest.raises(ValueError, match="read-only"):
        check_promises(with_weights(darken), *small_sample(), seed=0)
    check_promises(Compose([darken]), *small_sample(), seed=0)
    check_promises(Compose([Contrast(), darken]), *small_sample(), seed=0)


def test_the_contract_notices_blended_ids():
    def blends(image, mask, rng):
        return image[:10, :10], cv2.resize(mask * 40, (10, 10), interpolation=cv2.INTER_LINEAR)

    image, mask, weights = small_sample()
    with pytest.raises(AssertionError, match="new ids"):
        check_promises(with_weights(blends), image, mask, weights, seed=0)
