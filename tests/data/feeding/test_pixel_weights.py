"""`sample_weight=`: a map of weights that stays with its mask."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg
from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.feeding.batches import BatchSource
from semseg.data.transforms import Brightness, Flip, RandomCrop
from semseg.regions import border_weights

CELLS = ClassMap(["background", "cell"], ignore_class=255)
AUGMENT = [RandomCrop((8, 10)), Flip(), Brightness()]


def pair_of(index, size=(6, 8)):
    rng = np.random.default_rng(index)
    mask = rng.choice(np.array([0, 1, 255], np.uint8), size)
    return rng.integers(0, 200, (*size, 3), dtype=np.uint8), mask


def cells(read=pair_of):
    return Dataset(read, [f"cell {i}" for i in range(4)], CELLS, "cells")


@given(st.lists(st.floats(0, 9, width=32), min_size=2, max_size=2))
def test_class_weights_are_those_of_the_mask_and_0_where_it_is_ignored(weights):
    images, masks, maps = BatchSource(cells(), 4, augment=AUGMENT, sample_weight=weights)[0]
    assert maps.dtype == np.float32 and maps.shape == masks.shape
    for mask, found in zip(masks.ravel().tolist(), maps.ravel().tolist(), strict=True):
        assert found == (0 if mask == 255 else weights[mask])
    plain = BatchSource(cells(), 4, augment=AUGMENT)[0]
    assert np.array_equal(images, plain[0]) and np.array_equal(masks, plain[1])


def test_a_function_sees_the_mask_before_augmentation_and_its_map_moves_along():
    """The map tells each pixel's place, so that a picture which tells it too must agree."""
    places = np.arange(1, 49, dtype=np.uint8).reshape(6, 8)
    ds = cells(lambda i: (np.repeat(places[..., None], 3, 2), np.ones((6, 8), np.uint8)))
    source = BatchSource(
        ds, 4, augment=[RandomCrop((8, 10)), Flip()], sample_weight=lambda mask: places
    )
    for step in range(3):
        images, masks, maps = source[step]
        np.testing.assert_array_equal(images[..., 0], maps)
        assert (maps[masks == 255] == 0).all() and (masks == 255).any()


@pytest.mark.parametrize("cache", [None, "ram"])
def test_border_weights_take_ignored_pixels_for_background_and_give_them_0(cache):
    mask = np.zeros((9, 9), np.uint8)
    mask[2:4, 2:4] = mask[5:7, 2:4] = 1
    mask[0] = 255
    ds = cells(lambda i: (np.zeros((9, 9, 3), np.uint8), mask))
    maps = BatchSource(ds, 4, sample_weight=border_weights, cache=cache)[0][2]
    expected = border_weights(np.where(mask == 255, 0, mask))
    np.testing.assert_array_equal(maps[0], np.where(mask == 255, 0, expected))
    assert maps[0][4, 2] > 5


def test_the_cache_keeps_the_maps_and_no_augmentation_spoils_them():
    calls = []

    def weights_of(mask):
        calls.append(1)
        return mask + 1.0

    kept = BatchSource(cells(), 4, augment=AUGMENT, sample_weight=weights_of, cache="ram")
    plain = BatchSource(cells(), 4, augment=AUGMENT, sample_weight=lambda mask: mask + 1.0)
    for step in (0, 1, 0):
        for a, b in zip(kept[step], plain[step], strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(calls) == 4


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_a_negative_ignored_id_has_the_weight_0_too(dtype):
    classes = ClassMap(["background", "cell"], ignore_class=-1)
    mask = np.array([[-1, 0], [1, 1]], dtype)
    ds = Dataset(lambda i: (np.zeros((2, 2, 3), np.uint8), mask), ["a"], classes)
    maps = BatchSource(ds, 1, sample_weight=[2.0, 3.0])[0][2]
    assert maps[0].tolist() == [[0, 2], [3, 3]]


def test_fit_weighs_the_loss_by_the_map():
    """Two batches of one class weight each: the loss is the weighted mean over all pixels."""
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, kernel_initializer="zeros")(inputs))
    metrics = [semseg.metrics.MeanIoU(2, 255), semseg.metrics.PixelAccuracy(2, 255)]
    model.compile("sgd", semseg.losses.Crossentropy(ignore_class=255), metrics=metrics)
    streams = {}
    for weights in ([1.0, 1.0], [3.0, 3.0]):
        ds = cells().pipeline(4, shuffle=False, sample_weight=weights)
        streams[weights[0]] = model.evaluate(ds, verbose=0, return_dict=True)
    assert streams[3.0]["loss"] == pytest.approx(3 * streams[1.0]["loss"], rel=1e-6)
    assert streams[3.0]["mean_iou"] == streams[1.0]["mean_iou"]
    model.fit(cells().pipeline(2, sample_weight=border_weights), verbose=0, shuffle=False)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([1.0], ValueError, r"one finite weight >= 0 a class, 2 of them, received \[1.0\]"),
        ([1.0, -1.0], ValueError, "one finite weight >= 0 a class"),
        ([1.0, np.inf], ValueError, "one finite weight >= 0 a class"),
        ({"cell": 2}, TypeError, "one weight a class or a function of a mask, received {'cell'"),
    ],
)
def test_class_weights_that_are_none_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        BatchSource(cells(), 2, sample_weight=given)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda mask: mask[1:], r"a map of the mask's shape \(6, 8\), received uint8 of shape \(5"),
        (lambda mask: mask.astype(str), r"a map of the mask's shape"),
        (lambda mask: mask - 1.0, r"finite weights >= 0"),
        (lambda mask: mask / 0.0, r"finite weights >= 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered in divide")
def test_a_function_that_gives_no_map_names_the_sample(function, message):
    with pytest.raises(ValueError, match=rf"sample 'cell 0' of 'cells': sample_weight .*{message}"):
        BatchSource(cells(), 2, sample_weight=function, shuffle=False)
