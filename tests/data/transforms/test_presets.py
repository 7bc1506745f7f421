"""The presets suit the pictures they are named after."""

import numpy as np
import pytest

import semseg
from semseg.data.feeding.batches import BatchSource
from semseg.data.transforms import aerial, light, medical, street


def sample(size=(96, 128)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (*size, 3)).astype(np.uint8), rng.integers(0, 3, size).astype(
        np.uint8
    )


@pytest.mark.parametrize(
    ("preset", "size"),
    [(light(), (96, 128)), (medical(), (96, 128)), (medical((48, 64)), (48, 64))],
)
def test_some_need_no_ignore_class(preset, size):
    for seed in range(10):
        image, mask = preset(*sample(), np.random.default_rng(seed))
        assert image.shape == (*size, 3)
        assert set(np.unique(mask)) <= {0, 1, 2}


def test_medical_takes_pictures_smaller_than_its_crop():
    for seed in range(5):
        _, mask = medical((110, 140))(*sample(), np.random.default_rng(seed))
        assert mask.shape == (110, 140)
        assert set(np.unique(mask)) <= {0, 1, 2}


@pytest.mark.parametrize("preset", [street, medical, aerial])
def test_a_size_is_height_and_width(preset):
    with pytest.raises(TypeError, match=r"size must be \(height, width\), received 256"):
        preset(256)


@pytest.mark.parametrize("preset", [street((64, 64)), aerial((64, 64))])
def test_the_others_get_it_in_a_pipeline(preset):
    images, masks = BatchSource(semseg.data.digits("val", count=6), 6, augment=preset)[0]
    assert images.shape == (6, 64, 64, 3)
    assert set(np.unique(masks)) <= {*range(11), 255}


def test_medical_takes_one_channel_and_16_bit():
    image, mask = sample()
    image = image[..., :1].astype(np.uint16) * 257
    assert medical()(image, mask, np.random.default_rng(0))[0].dtype == np.uint16


def test_what_is_up_stays_up_in_the_street():
    image = np.zeros((96, 128, 3), np.uint8)
    image[:48] = 200  # the sky
    for seed in range(20):
        shown = street((64, 64)).filled(255)(image, image[..., 0], np.random.default_rng(seed))[0]
        assert shown[:8].mean() >= shown[-8:].mean()


def test_aerial_needs_a_square():
    with pytest.raises(ValueError, match=r"size must be a square for quarter turns, .*\(64, 96\)"):
        aerial((64, 96))
