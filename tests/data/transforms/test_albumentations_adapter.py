"""albumentations as `augment=`: on a stand-in with its interface, and on itself where installed."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from streams_in_fit import cells, hashed

from semseg.data.transforms import Compose, Flip, assert_in_sync
from semseg.data.transforms.albumentations_adapter import Albumentations, adapted


class Rolling:
    """Rolls image and masks by columns that its own generator draws."""

    def __init__(self):
        self.rng = np.random.default_rng()
        self.targets = {}

    def set_random_seed(self, seed):
        self.rng = np.random.default_rng(seed)

    def add_targets(self, targets):
        self.targets |= targets

    def __call__(self, *, image, mask, **more):
        assert all(self.targets[name] == "mask" for name in more)
        by = int(self.rng.integers(20))
        given = {"image": image, "mask": mask, **more}
        return {name: np.roll(array, by, 1) for name, array in given.items()}


class StandIn(Rolling):
    """The same, which says where it comes from."""

    __module__ = "albumentations.core.composition"


def transforms():
    yield "stand-in", StandIn()
    try:
        import albumentations
    except ImportError:
        return
    moves = [albumentations.RandomCrop(5, 5), albumentations.HorizontalFlip(p=0.5)]
    yield "compose", albumentations.Compose(moves)
    yield "one", albumentations.HorizontalFlip(p=0.5)


TRANSFORMS = dict(transforms())


@pytest.fixture(params=TRANSFORMS.values(), ids=TRANSFORMS)
def transform(request):
    return request.param


@pytest.mark.parametrize("wrapped", [lambda t: t, lambda t: [Flip(), t]], ids=["alone", "in list"])
def test_its_draws_follow_from_the_samples_generator_in_any_thread(transform, wrapped):
    source = cells(9).batch_source(2, augment=wrapped(transform), epochs=4)
    expected = [hashed(batch) for batch in source]
    assert len(set(expected)) > len(expected) / 2
    for threads in (2, 6):
        with ThreadPoolExecutor(threads) as pool:
            assert [hashed(b) for b in pool.map(source.__getitem__, range(len(source)))] == expected
    assert [hashed(b) for b in cells(9).batch_source(2, augment=wrapped(transform), epochs=4)] == (
        expected
    )


def test_a_generator_that_is_not_seeded_would_be_noticed():
    unseeded = StandIn()
    unseeded.set_random_seed = lambda seed: None
    source = cells(9).batch_source(2, augment=unseeded, epochs=4)
    forward = [hashed(source[step]) for step in range(20)]
    assert forward != [hashed(source[step]) for step in reversed(range(20))][::-1]


def test_image_and_mask_stay_together(transform):
    assert_in_sync(adapted(transform))


def test_weights_move_with_the_mask(transform):
    source = cells(9).batch_source(3, augment=transform, sample_weight=lambda mask: mask + 1.0)
    for _, masks, weights in source:
        assert weights.dtype == np.float32
        np.testing.assert_array_equal(weights, masks + 1.0)


def test_the_users_object_is_left_as_it_was():
    transform = StandIn()
    before = transform.rng
    cells(9).batch_source(2, augment=transform)[0]
    assert transform.rng is before and transform.targets == {}


def test_it_can_be_sent_to_another_process():
    here = Albumentations(Rolling())
    image, mask = cells()[0]
    here(image, mask, np.random.default_rng(0))
    there = pickle.loads(pickle.dumps(here))
    found = [move(image, mask, np.random.default_rng(1)) for move in (here, there)]
    assert hashed(found[0]) == hashed(found[1])


def test_other_functions_are_left_alone():
    for other in (Flip(), Compose([Flip()]), test_other_functions_are_left_alone):
        assert adapted(other) is other
    assert isinstance(adapted(StandIn()), Albumentations)


def test_a_class_of_ones_own_derived_from_it_is_one_of_it():
    class Own(StandIn):
        __module__ = "my.augmentation"

    assert isinstance(adapted(Own()), Albumentations)
