"""Test-time augmentation: other views of a picture, and their scores laid back onto it."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.inference import predict
from semseg.inference.views import views

WEIGHTS = np.random.default_rng(7).normal(size=(3, 4)).astype(np.float32) / 100
sizes = st.tuples(st.integers(1, 14), st.integers(1, 14))


def model_of(layer, size=(None, None)):
    inputs = keras.Input((*size, 3))
    return keras.Model(inputs, layer(inputs))


@pytest.fixture(scope="module")
def pointwise():
    """Scores each pixel by its colour alone: no view changes what it says."""
    model = model_of(keras.layers.Conv2D(4, 1, use_bias=False))
    model.set_weights([WEIGHTS[None, None]])
    return model


@pytest.fixture(scope="module")
def lopsided():
    """Looks to the right and down, so that every view says something else."""
    keras.utils.set_random_seed(0)
    model = model_of(keras.layers.Conv2D(4, 3, padding="same"))
    kernel, bias = model.get_weights()
    kernel[:2] = 0
    kernel[:, :2] = 0
    model.set_weights([kernel / 50, bias])
    return model


def picture(size=(9, 12), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def flat(size=(9, 12)):
    """One colour, which no resizing changes."""
    return np.broadcast_to(np.uint8([40, 90, 200]), (*size, 3)).copy()


def probabilities(model, image, **options):
    return predict(model, image, output="probabilities", **options)


# -- a model that no view deceives ---------------------------------------------------------------


@settings(max_examples=10)
@given(size=sizes, seed=st.integers(0, 99))
@pytest.mark.parametrize("tta", ["flip", "dihedral"])
def test_views_of_pixels_change_nothing_for_a_model_of_pixels(pointwise, tta, size, seed):
    image = picture(size, seed)
    found = probabilities(pointwise, image, tta=tta)
    np.testing.assert_allclose(found, probabilities(pointwise, image), atol=1e-6)


@pytest.mark.parametrize("size", [(9, 12), (1, 5), (1, 1), (30, 7)])
@pytest.mark.parametrize("tta", ["rotated", 0.5, 2, 1.3, ("flip", 0.75, 1, 1.25), ("rotated", 2)])
def test_views_of_one_colour_change_nothing_for_a_model_of_pixels(pointwise, tta, size):
    found = probabilities(pointwise, flat(size), tta=tta)
    np.testing.assert_allclose(found, probabilities(pointwise, flat(size)), atol=1e-5)


def test_a_symmetric_model_is_as_good_without_views():
    model = model_of(keras.layers.AveragePooling2D(3, 1, padding="same"))
    image = picture((8, 11)) // 25
    found = probabilities(model, image, tta="dihedral")
    np.testing.assert_allclose(found, probabilities(model, image), atol=1e-5)


def test_the_views_of_a_lopsided_model_differ(lopsided):
    plain = probabilities(lopsided, picture())
    for tta in ("flip", "dihedral", "rotated", 0.5):
        assert np.abs(probabilities(lopsided, picture(), tta=tta) - plain).max() > 1e-3


# -- there and back ------------------------------------------------------------------------------


@given(size=sizes, tta=st.sampled_from(["flip", "dihedral"]))
def test_turns_and_mirror_images_come_back_exactly(size, tta):
    images = np.stack([picture(size, seed) for seed in range(2)])
    turned = [view.there(images) for view in views(tta)]
    for view, seen in zip(views(tta), turned, strict=True):
        np.testing.assert_array_equal(view.back(seen, size), images)
    if size[0] * size[1] > 20 and min(size) > 1:  # all differ
        assert len({(seen.shape, seen.tobytes()) for seen in turned}) == len(turned)


def test_the_dihedral_group_has_8_members_and_u_nets_rotations_are_7():
    assert [len(views(t)) for t in ("flip", "dihedral", "rotated", 0.5)] == [2, 8, 7, 1]
    assert len(views(("flip", "dihedral", 0.5, 1))) == 20
    assert views(None) == []


def smooth(height=40, width=60):
    y, x = np.mgrid[:height, :width]
    return np.stack([3 * y, 2 * x, y + x], axis=-1).astype(np.float32)[None]


@pytest.mark.parametrize("number", range(7))
def test_rotations_come_back(number):
    """A plane is what bilinear interpolation keeps, but for the border that is mirrored."""
    images, view = smooth(), views("rotated")[number]
    back = view.back(view.there(images), (40, 60))
    assert back.shape == images.shape
    np.testing.assert_allclose(back[:, 2:-2, 2:-2], images[:, 2:-2, 2:-2], atol=0.7)


@pytest.mark.parametrize("number", range(1, 7))
def test_a_rotation_is_by_a_seventh_of_a_turn(number):
    """A bright spot to the right of the middle goes round, counter-clockwise as one looks."""
    images = np.zeros((1, 61, 61, 1), np.float32)
    images[0, 29:32, 39:42] = 1
    seen = views("rotated")[number].there(images)[0, ..., 0]
    y, x = np.mgrid[: seen.shape[0], : seen.shape[1]]
    y, x = y - (seen.shape[0] - 1) / 2, x - (seen.shape[1] - 1) / 2
    weight = seen * (np.hypot(y, x) < 25)  # not its mirror images
    y, x = (y * weight).sum() / weight.sum(), (x * weight).sum() / weight.sum()
    angle = np.arctan2(-y, x) % (2 * np.pi)
    assert angle == pytest.approx(2 * np.pi * number / 7, abs=0.03)
    assert np.hypot(y, x) == pytest.approx(10, abs=0.3)


def test_scales_see_the_picture_smaller_and_larger():
    images = np.stack([picture((9, 12))])
    shapes = [view.there(images).shape for view in views((0.5, 1, 2.0, 0.01))]
    assert shapes == [(1, 4, 6, 3), (1, 9, 12, 3), (1, 18, 24, 3), (1, 1, 1, 3)]


# -- the mean ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tta", ["dihedral", ("flip", 0.5, 1), "rotated"])
def test_probabilities_are_the_mean_over_all_views(lopsided, tta):
    image = picture()
    total = 0
    for view in views(tta):
        seen = probabilities(lopsided, view.there(image[None])[0])
        total = total + view.back(seen[None], image.shape[:2])[0]
    expected = total / len(views(tta))
    found = probabilities(lopsided, image, tta=tta)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(predict(lopsided, image, tta=tta), expected.argmax(-1))
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("tta", ["dihedral", "rotated", 0.6])
def test_mixed_sizes_keep_their_order(lopsided, tta):
    images = [picture(size, seed) for seed, size in enumerate([(5, 7), (9, 4), (5, 7), (3, 3)])]
    for image, ids in zip(images, predict(lopsided, images, tta=tta, batch_size=2), strict=True):
        np.testing.assert_array_equal(ids, predict(lopsided, image, tta=tta))


@pytest.mark.parametrize("dtype", ["uint16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("tta", ["dihedral", "rotated", 0.5])
def test_pictures_of_any_dtype_can_be_turned(pointwise, dtype, tta):
    image = picture().astype(dtype)
    found = probabilities(pointwise, image, tta=tta)
    np.testing.assert_allclose(found, probabilities(pointwise, picture(), tta=tta), atol=0.02)


def test_more_channels_than_opencv_takes_at_once_are_turned():
    images = np.random.default_rng(0).random((1, 8, 9, 11)).astype(np.float32)
    for view in views("rotated"):
        together = view.there(images)
        alone = [view.there(images[..., i : i + 1]) for i in range(11)]
        np.testing.assert_array_equal(together, np.concatenate(alone, axis=-1))


def test_a_resized_picture_is_viewed_at_that_size(lopsided):
    found = probabilities(lopsided, picture((9, 12)), size=(6, 6), tta="flip")
    assert found.shape == (9, 12, 4)


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tta", ["mirror", 0, -1, float("inf"), True, ("flip", "x"), [None]])
def test_an_unknown_view_is_named(pointwise, tta):
    with pytest.raises(
        ValueError, match=r"tta must be one of flip, dihedral, rotated, a scale > 0"
    ):
        predict(pointwise, picture(), tta=tta)


def test_logits_have_no_mean(pointwise):
    with pytest.raises(ValueError, match=r"output must be 'ids' or 'probabilities' with tta"):
        predict(pointwise, picture(), output="logits", tta="flip")


@pytest.mark.parametrize("tta", ["dihedral", "rotated", 0.5, ("flip", 2)])
def test_a_model_of_one_size_takes_views_of_that_size_alone(tta):
    model = model_of(keras.layers.Conv2D(2, 1), size=(9, 12))
    with pytest.raises(ValueError, match=r"changes the size of the pictures, .*takes \(9, 12\)"):
        predict(model, picture(), tta=tta)
    assert predict(model, picture(), tta=("flip", 1)).shape == (9, 12)
    square = model_of(keras.layers.Conv2D(2, 1), size=(9, 9))
    assert predict(square, picture((9, 9)), tta="dihedral").shape == (9, 9)
