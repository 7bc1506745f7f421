"""What every transform of batches promises, and what each of them does.

In the traced batch each pixel's value is its own number, so that every pixel of a result tells
where it came from: mask and weights must have come from there too.
"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg
from semseg.data.transforms import (
    ClassMix,
    Compose,
    CopyPaste,
    CutMix,
    MixUp,
    Mosaic,
    OneOf,
    from_dict,
)
from semseg.data.transforms.mixing import BatchTransform
from semseg.data.transforms.stored import BATCH_KINDS

IGNORED = 255
CLASSES = 4
MIXERS = {
    "CutMix": CutMix(),
    "CutMix, half": CutMix(0.3, probability=0.5),
    "ClassMix": ClassMix(ignore_class=IGNORED),
    "CopyPaste": CopyPaste((1, 3)),
    "CopyPaste, all": CopyPaste((0, 1, 2, 3), share=1, shift=1),
    "CopyPaste, in place": CopyPaste((2,), shift=0),
    "Mosaic": Mosaic(),
}
ALL = pytest.mark.parametrize("mixer", MIXERS.values(), ids=MIXERS)
BOTH = pytest.mark.parametrize(
    "mixer", [*MIXERS.values(), MixUp(num_classes=CLASSES, ignore_class=IGNORED)], ids=repr
)

batches = st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(1, 20))
seeds = st.integers(0, 2**32 - 1)


def traced(shape, seed):
    """(images, masks, weights) in which a pixel's value says which pixel of the batch it is."""
    numbers = np.arange(np.prod(shape)).reshape(shape)
    rng = np.random.default_rng(seed)
    blocks = rng.choice([0, 1, 2, 3, IGNORED], (shape[0], -(-shape[1] // 4), -(-shape[2] // 4)))
    masks = blocks.repeat(4, 1).repeat(4, 2)[:, : shape[1], : shape[2]].astype(np.uint8)
    return numbers[..., None].astype(np.float32), masks, np.float32(1) + numbers


def check_promises(mixer, batch, seed):
    """Inputs stay, image, mask and weights come from one place, and the same rng repeats it."""
    images, masks, weights = (part.astype(part.dtype) for part in batch)
    for part in (images, masks, weights):
        part.flags.writeable = False
    mixed = mixer(images, masks, np.random.default_rng(seed), weights)
    again = mixer(images, masks, np.random.default_rng(seed))
    for new, old in zip(mixed, (images, masks, weights), strict=True):
        assert new.shape == old.shape and new.dtype == old.dtype
        assert not np.shares_memory(new, old)
    origin = mixed[0][..., 0].astype(int)
    assert np.array_equal(mixed[1], masks.ravel()[origin]), "the mask comes from elsewhere"
    assert np.array_equal(mixed[2], weights.ravel()[origin]), "the weights come from elsewhere"
    for one, other in zip(again, mixed, strict=False):
        assert np.array_equal(one, other), "the same rng gave another batch"
    return origin


@ALL
@given(shape=batches, seed=seeds)
def test_every_pixel_brings_its_id_and_its_weight_along(mixer, shape, seed):
    origin = check_promises(mixer, traced(shape, seed), seed)
    if shape[0] == 1:
        assert np.array_equal(origin.ravel(), np.arange(origin.size)), "one picture stays"


@BOTH
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float64"])
def test_any_dtype_and_number_of_channels(mixer, dtype):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (4, 12, 16, 5)).astype(dtype)
    masks = rng.integers(0, CLASSES, (4, 12, 16)).astype(np.int32)
    mixed = mixer(images, masks, rng)[0]
    assert mixed.dtype == dtype and mixed.shape == images.shape
    assert not np.array_equal(mixed, images)


@BOTH
def test_never_applied_it_changes_no_picture(mixer):
    images, masks, _ = traced((3, 8, 9), 0)
    never = from_dict({**mixer.to_dict(), "probability": 0.0})
    mixed, targets = never(images, masks, np.random.default_rng(0))[:2]
    np.testing.assert_array_equal(mixed, images)
    if not isinstance(mixer, MixUp):
        np.testing.assert_array_equal(targets, masks)


@BOTH
def test_it_reads_well_and_can_be_stored(mixer):
    assert repr(mixer).startswith(type(mixer).__name__ + "(")
    assert from_dict(json.loads(json.dumps(mixer.to_dict()))) == mixer


def test_every_public_one_is_in_the_list():
    shown = {type(mixer) for mixer in MIXERS.values()} | {MixUp}
    assert shown == set(BATCH_KINDS.values())
    public = map(semseg.data.transforms.__dict__.get, semseg.data.transforms.__all__)
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, BatchTransform)}
    assert kinds == shown


@BOTH
@pytest.mark.parametrize(
    ("images", "masks", "weights"),
    [
        ((2, 6, 8, 3), (2, 6, 7), None),
        ((6, 8, 3), (6, 8), None),
        ((2, 6, 8, 3), (2, 6, 8, 1), None),
        ((2, 6, 8, 3), (2, 6, 8), (2, 6)),
    ],
)
def test_what_is_no_batch_is_refused(mixer, images, masks, weights):
    weights = None if weights is None else np.ones(weights, np.float32)
    with pytest.raises(ValueError, match=r"a batch must be images \(batch, height, width, chann"):
        mixer(np.zeros(images), np.zeros(masks, np.uint8), np.random.default_rng(0), weights)


@BOTH
def test_masks_of_fractions_are_refused(mixer):
    with pytest.raises(ValueError, match="integer ids .* masks of float64"):
        mixer(np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4)), np.random.default_rng(0))


@BOTH
@pytest.mark.parametrize("chain", [Compose, OneOf])
def test_in_a_chain_for_single_pictures_it_says_where_it_belongs(mixer, chain):
    with pytest.raises(TypeError, match=r"mixes the pictures of a batch: pass it .* as mix="):
        chain([mixer])


@pytest.mark.parametrize("kind", BATCH_KINDS.values())
def test_a_probability_must_lie_in_0_to_1(kind):
    arguments = {"classes": [1]} if kind is CopyPaste else {}
    for wrong in (-0.1, 1.1, float("nan"), "often"):
        with pytest.raises(ValueError, match=rf"probability of {kind.__name__} must lie in \[0, "):
            kind(**arguments, probability=wrong)


# -- what each of them does ----------------------------------------------------------------------


def partners(origin):
    """Which picture each pixel came from."""
    return origin // np.prod(origin.shape[1:])


@pytest.mark.parametrize("mixer", [CutMix(), Mosaic(), ClassMix(), CopyPaste([1])], ids=repr)
def test_partners_are_all_others_alike_and_never_the_picture_itself(mixer):
    images, masks, _ = traced((4, 16, 16), 5)
    seen = np.zeros((4, 4), int)
    for seed in range(300):
        origin = mixer(images, masks, np.random.default_rng(seed))[0][..., 0].astype(int)
        for place, picture in enumerate(partners(origin)):
            seen[place][np.unique(picture)] += 1
            if not isinstance(mixer, Mosaic):
                assert len(set(np.unique(picture)) - {place}) <= 1
    others = seen[~np.eye(4, dtype=bool)].reshape(4, 3)
    if isinstance(mixer, CutMix | Mosaic):  # in others it depends on the masks
        assert others.min() > 0.6 * others.max()
    assert others.min() > 0


@given(seed=seeds)
def test_cutmix_exchanges_one_box_of_the_same_place(seed):
    images, masks, _ = traced((2, 30, 40), 0)
    origin = CutMix()(images, masks, np.random.default_rng(seed))[0][..., 0].astype(int)
    inside = partners(origin)[0] == 1
    assert np.array_equal(origin[0] % 1200, np.arange(1200).reshape(30, 40)), "it was moved"
    if inside.any():
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_cutmix_draws_areas_as_the_paper_does():
    """With alpha 1 the share is uniform before the box is cut at the edges."""
    rng = np.random.default_rng(0)
    masks = np.zeros((2, 100, 200), np.uint8)
    sides = []
    for _ in range(2000):
        (paste,) = CutMix().pastes(masks, 0, rng)
        rows, columns = paste.target
        if rows.start > 0 and rows.stop < 100 and columns.start > 0 and columns.stop < 200:
            sides.append((rows.stop - rows.start, (columns.stop - columns.start) / 2))
    heights, widths = np.array(sides).T
    assert np.abs(heights - widths).max() <= 1, "the box has the picture's aspect"
    # Of boxes with a share a = (h / 100)**2, (1 - h / 100)**2 lie inside: their mean height.
    density = np.linspace(0, 1, 10001)
    weights = 2 * density * (1 - density) ** 2
    assert heights.mean() == pytest.approx(100 * (density * weights).sum() / weights.sum(), rel=0.1)


@given(seed=seeds)
def test_classmix_pastes_whole_classes_half_of_them_and_no_ignored_pixel(seed):
    images, masks, _ = traced((2, 24, 24), seed)
    origin = ClassMix(ignore_class=IGNORED)(images, masks, np.random.default_rng(seed))[0][
        ..., 0
    ].astype(int)
    pasted = partners(origin)[0] == 1
    ids = set(np.unique(masks[1])) - {IGNORED}
    taken = set(np.unique(masks[1][pasted]))
    assert taken <= ids and len(taken) == len(ids) // 2
    assert np.array_equal(pasted, np.isin(masks[1], list(taken)))


def test_classmix_chooses_every_class_as_often():
    masks = np.array([[[0, 0, 0, 0]], [[1, 2, 3, 4]]])
    rng = np.random.default_rng(0)
    counts = np.zeros(5)
    for _ in range(400):
        counts += np.bincount(ClassMix()(masks[..., None] * 1.0, masks, rng)[1][0, 0], minlength=5)
    assert counts[1:].min() > 160 and counts[1:].max() < 240


def test_copypaste_moves_objects_as_they_are():
    masks = np.zeros((2, 20, 30), np.uint8)
    masks[1, 3:6, 4:9] = 1
    masks[1, 12:14, 20:22] = 1
    masks[1, 8:10, 0:3] = 2
    images = np.where(masks > 0, np.arange(600).reshape(20, 30), 0)[..., None].astype(np.float32)
    shifts = set()
    for seed in range(60):
        mixed, moved = CopyPaste([1], share=0.5, shift=0.1)(
            images, masks, np.random.default_rng(seed)
        )
        assert set(np.unique(moved[0])) <= {0, 1}, "a class that was not chosen came along"
        count = (moved[0] == 1).sum()
        assert count in (0, 4, 15, 19)
        for row, column in np.argwhere(moved[0] == 1):
            at = divmod(int(mixed[0, row, column, 0]), 30)
            shifts.add((row - at[0], column - at[1]))
    assert {s[0] for s in shifts} == {-2, -1, 0, 1, 2}
    assert {s[1] for s in shifts} == {-3, -2, -1, 0, 1, 2, 3}


def test_copypaste_cuts_off_what_leaves_the_picture():
    masks = np.zeros((2, 10, 10), np.uint8)
    masks[1, :4, :4] = 1
    counts = set()
    for seed in range(80):
        moved = CopyPaste([1], share=1, shift=0.3)(
            masks[..., None], masks, np.random.default_rng(seed)
        )[1]
        rows, columns = np.nonzero(moved[0])
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        counts.add(len(rows))
    assert min(counts) < 16 and max(counts) == 16


@given(seed=seeds, count=st.integers(2, 6))
def test_mosaic_has_four_quarters_one_of_them_its_own(seed, count):
    images, masks, _ = traced((count, 24, 32), 0)
    origin = Mosaic()(images, masks, np.random.default_rng(seed))[0][..., 0].astype(int)
    for place, (numbers, picture) in enumerate(zip(origin, partners(origin), strict=True)):
        corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners == place).sum() == 1
        assert len(set(corners)) == min(4, count)
        # Neighbours in the result are neighbours in the source, but across two lines.
        across = np.flatnonzero((np.diff(numbers, axis=1) != 1).any(0))
        down = np.flatnonzero((np.diff(numbers, axis=0) != 32).any(1))
        assert len(across) <= 1 and len(down) <= 1
        assert set(across) <= set(range(7, 24)) and set(down) <= set(range(5, 18))
        own = numbers[picture == place]
        assert np.array_equal(
            own, np.arange(numbers.size).reshape(24, 32)[picture == place] + place * 768
        )


# -- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CutMix, MixUp])
@pytest.mark.parametrize("alpha", [0, -1, "a", float("nan"), float("inf"), True])
def test_alpha_is_a_positive_number(kind, alpha):
    with pytest.raises(ValueError, match=f"alpha of {kind.__name__} must be a finite number > 0"):
        kind(alpha)


@pytest.mark.parametrize("classes", ["Car", 3, [], [1.5], [-1], [True], None, {1}, [float("nan")]])
def test_classes_are_ids_or_names(classes):
    with pytest.raises(ValueError, match="classes of CopyPaste must be a list of ids or names"):
        CopyPaste(classes)


def test_names_of_classes_are_looked_up_in_the_data_set():
    class_map = semseg.ClassMap(["Road", "Car", "Sky"], ignore_class=255)
    assert CopyPaste(["Sky", 1]).suited(class_map) == CopyPaste([2, 1])
    assert CopyPaste(["Car", 1, "Sky"]).suited(class_map) == CopyPaste([1, 2])
    assert ClassMix().suited(class_map) == ClassMix(ignore_class=255)
    assert ClassMix(ignore_class=255).suited(class_map) == ClassMix(ignore_class=255)
    with pytest.raises(ValueError, match="of ClassMix must be the data set's, 255, received 9; l"):
        ClassMix(ignore_class=9).suited(class_map)
    for wrong in ("Cra", 3):
        with pytest.raises(ValueError, match=rf"of Road, Car, Sky or .* 0..2, received {wrong!r}"):
            CopyPaste([wrong]).suited(class_map)
    masks = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(ValueError, match=r"knows names in a pipeline only; pass ids, such as"):
        CopyPaste(["Car"])(masks[..., None], masks, np.random.default_rng(0))


@pytest.mark.parametrize("kind", [ClassMix, MixUp])
@pytest.mark.parametrize("wrong", [0.5, "sky", True, [1, 2]])
def test_an_ignored_id_is_a_whole_number(kind, wrong):
    message = rf"ignore_class of {kind.__name__} must be None or an int, received"
    with pytest.raises(TypeError, match=message):
        kind(ignore_class=wrong)


@BOTH
def test_what_is_no_array_is_said(mixer):
    with pytest.raises(TypeError, match="a batch must be NumPy arrays, received list, ndarray"):
        mixer([1, 2], np.zeros((2, 4, 4), np.uint8), np.random.default_rng(0))


# -- the harness can fail ------------------------------------------------------------------------


class Torn(CutMix):
    """Takes the mask from the picture itself."""

    def __call__(self, images, masks, rng, weights=None):
        mixed = super().__call__(images, masks, rng, weights)
        return (mixed[0], masks.copy(), *mixed[2:])


class Careless(CutMix):
    """Forgets to move the weights."""

    def __call__(self, images, masks, rng, weights=None):
        mixed = super().__call__(images, masks, rng, weights)
        return mixed if weights is None else (*mixed[:2], weights.copy())


class Moody(CutMix):
    """Draws from elsewhere."""

    calls = 0

    def pastes(self, masks, place, rng):
        Moody.calls += 1
        return super().pastes(masks, place, np.random.default_rng(Moody.calls))


@pytest.mark.parametrize(
    ("broken", "message"),
    [(Torn, "the mask"), (Careless, "the weights"), (Moody, "another batch")],
)
def test_the_contract_notices(broken, message):
    batch = traced((3, 16, 16), 0)
    with pytest.raises(AssertionError, match=message):
        [check_promises(broken(), batch, seed) for seed in range(9)]
