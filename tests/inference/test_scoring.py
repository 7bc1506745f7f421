"""score: one exact confusion matrix over all pixels, at the masks' own size."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg
from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.inference import predict, score

IGNORED = 255
STREET = ClassMap(["road", "car", "sky"], ignore_class=IGNORED)
WEIGHTS = np.random.default_rng(3).normal(size=(1, 1, 3, 3)).astype(np.float32)


def pixel_model(outputs=3, size=(None, None)):
    inputs = keras.Input((*size, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(outputs, 1, use_bias=False)(inputs))
    model.layers[-1].set_weights([WEIGHTS[..., :outputs]])
    return model


@pytest.fixture(scope="module")
def model():
    return pixel_model()


def pair_of(index):
    """Two sizes in turn, some ignored pixels."""
    rng = np.random.default_rng(index)
    size = (6, 9) if index % 3 else (8, 5)
    mask = rng.choice([0, 1, 2, IGNORED], size, p=[0.4, 0.3, 0.2, 0.1]).astype(np.uint8)
    return rng.integers(0, 256, (*size, 3)).astype(np.uint8), mask


def street(indices=range(5), class_map=STREET, pair=pair_of):
    indices = list(indices)
    return Dataset(lambda i: pair(indices[i]), [str(i) for i in indices], class_map, "street")


def slow_confusion(ds, predictions, ignored=IGNORED, classes=3):
    """Pixel by pixel."""
    confusion = [[0] * classes for _ in range(classes)]
    for (_, mask), ids in zip(ds, predictions, strict=True):
        for truth, guess in zip(mask.ravel().tolist(), ids.ravel().tolist(), strict=True):
            if truth != ignored:
                confusion[truth][guess] += 1
    return confusion


@pytest.mark.parametrize("size", [None, (7, 7)])
@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_it_is_the_matrix_of_all_pixels_at_the_masks_size(model, size, batch_size):
    ds = street()
    predictions = predict(model, [image for image, _ in ds], size=size)
    scores = score(model, ds, size=size, batch_size=batch_size)
    assert scores.confusion.tolist() == slow_confusion(ds, predictions)
    assert scores.confusion.sum() == sum((mask != IGNORED).sum() for _, mask in ds)
    assert scores.names == STREET.names


def test_a_perfect_and_a_wrong_prediction_have_the_scores_1_and_0(model):
    def predicted(index):
        image = pair_of(index)[0]
        return image, predict(model, image)

    def wrong(index):
        image, ids = predicted(index)
        return image, (ids + 1) % 3

    assert score(model, street(pair=predicted))["mean_iou"] == 1
    assert score(model, street(pair=wrong))["mean_iou"] == 0


@given(order=st.permutations(range(5)), batch_size=st.integers(1, 6))
def test_neither_order_nor_batch_size_matter(model, order, batch_size):
    expected = score(model, street())
    scores = score(model, street(order), batch_size=batch_size)
    np.testing.assert_array_equal(scores.confusion, expected.confusion)
    assert scores.to_dict() == expected.to_dict()


@given(split=st.integers(1, 4))
def test_the_matrices_of_two_parts_add_up_to_that_of_the_whole(model, split):
    parts = [score(model, street(part)) for part in (range(split), range(split, 5))]
    total = sum(part.confusion for part in parts)
    np.testing.assert_array_equal(total, score(model, street()).confusion)


@given(seed=st.integers(0, 99))
def test_an_ignored_pixel_is_a_pixel_that_is_not_there(model, seed):
    """Whatever the image shows under ignored pixels, the scores stay."""

    def disturbed(index):
        image, mask = pair_of(index)
        noise = np.random.default_rng(seed).integers(0, 256, image.shape).astype(np.uint8)
        return np.where((mask == IGNORED)[..., None], noise, image), mask

    scores = score(model, street(pair=disturbed))
    np.testing.assert_array_equal(scores.confusion, score(model, street()).confusion)


def test_the_slow_route_notices_ignored_pixels_that_count(model):
    ds = street()
    predictions = predict(model, [image for image, _ in ds])
    zeros = Dataset(
        lambda i: (ds[i][0], np.where(ds[i][1] == IGNORED, 0, ds[i][1])), ds.ids, STREET
    )
    assert score(model, zeros).confusion.tolist() != slow_confusion(ds, predictions)


@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_are_scored_from_one_logit_or_two(outputs):
    cells = ClassMap(["background", "cell"], ignore_class=IGNORED)

    def binary(index):
        image, mask = pair_of(index)
        return image, np.where(mask == 2, 1, mask)

    ds, model = street(class_map=cells, pair=binary), pixel_model(outputs)
    predictions = predict(model, [image for image, _ in ds])
    assert score(model, ds).confusion.tolist() == slow_confusion(ds, predictions, classes=2)


def test_ids_of_masks_may_have_any_integer_dtype(model):
    wide = street(pair=lambda i: (pair_of(i)[0], pair_of(i)[1].astype(np.int64)))
    np.testing.assert_array_equal(score(model, wide).confusion, score(model, street()).confusion)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_model_with_another_number_of_outputs_is_refused(outputs):
    message = rf"must have 3 outputs for the classes of 'street', received {outputs}; .*class_map="
    with pytest.raises(ValueError, match=message):
        score(pixel_model(outputs), street())


def test_a_model_of_several_outputs_is_refused():
    inputs = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match=r"model must give scores for each pixel, .* outputs \["):
        score(keras.Model(inputs, [inputs * 1, inputs * 2]), street())


def test_a_model_of_a_fixed_size_says_how_to_score_it():
    model = pixel_model(size=(6, 9))
    with pytest.raises(ValueError, match=r"must have the size \(6, 9\) .*; pass size="):
        score(model, street())
    assert score(model, street(), size=(6, 9)).confusion.sum() > 0


def test_a_sample_that_can_not_be_read_is_named(model):
    def broken(index):
        if index == 3:
            raise ValueError("the file is empty (0 bytes): masks/3.png")
        return pair_of(index)

    with pytest.raises(ValueError, match=r"0 bytes\): masks/3\.png"):
        score(model, street(pair=broken))


def test_a_saved_model_has_the_same_scores_to_the_last_digit(tmp_path):
    keras.utils.set_random_seed(0)
    unet = semseg.models.UNet(class_map=STREET, depth=1, filters=4)
    unet.save(tmp_path / "model.keras")
    loaded = semseg.models.load(tmp_path / "model.keras")
    assert score(loaded, street()).to_dict() == score(unet, street()).to_dict()
