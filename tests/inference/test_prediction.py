"""predict: the class of every pixel, at each picture's own size and in the given order."""

import copy
import warnings
from math import floor

import cv2
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semseg
from semseg.inference import predict
from semseg.inference.prediction import predictions
from semseg.inference.resizing import resize_scores

WEIGHTS = np.random.default_rng(7).normal(size=(3, 4)).astype(np.float32)
WEIGHTS -= WEIGHTS.mean(axis=0)  # scores of both signs


def pixel_model(outputs=4, activation=None, weights=WEIGHTS, size=(None, None)):
    """Someone's own model, which scores each pixel by its colour alone."""
    inputs = keras.Input((*size, 3))
    scores = keras.layers.Conv2D(outputs, 1, use_bias=False, activation=activation)(inputs)
    model = keras.Model(inputs, scores)
    model.layers[-1].set_weights([weights[None, None, :, :outputs]])
    return model


def scored(image):
    return image.astype(np.float32) @ WEIGHTS


@pytest.fixture(scope="module")
def model():
    return pixel_model()


@pytest.fixture(scope="module")
def unet():
    keras.utils.set_random_seed(1)
    return semseg.models.UNet(num_classes=3, depth=1, filters=4)


def picture(size=(5, 7), seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (*size, channels)).astype(np.uint8)


# -- forms of the input --------------------------------------------------------------------------


def test_one_picture_gives_one_array_of_ids(model):
    ids = predict(model, picture())
    assert (ids.shape, ids.dtype) == ((5, 7), np.uint8)
    np.testing.assert_array_equal(ids, scored(picture()).argmax(-1))


@pytest.mark.parametrize("count", [1, 3, 9])
def test_an_array_of_pictures_gives_an_array(model, count):
    images = np.stack([picture(seed=i) for i in range(count)])
    ids = predict(model, images)
    assert isinstance(ids, np.ndarray)
    np.testing.assert_array_equal(ids, scored(images).argmax(-1))


@pytest.mark.parametrize("kind", [list, tuple])
def test_pictures_of_mixed_sizes_give_a_list_in_their_order(model, kind):
    sizes = [(5, 7), (5, 7), (1, 1), (9, 4), (5, 7), (9, 4), (9, 4), (2, 30)]
    images = [picture(size, seed) for seed, size in enumerate(sizes)]
    found = predict(model, kind(images), batch_size=2)
    assert isinstance(found, list)
    for image, ids in zip(images, found, strict=True):
        np.testing.assert_array_equal(ids, scored(image).argmax(-1))


def test_files_are_read(model, tmp_path):
    images = [picture(seed=1), picture((3, 4), seed=2)]
    paths = [tmp_path / "one picture.png", tmp_path / "zwei.png"]
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image[..., ::-1])
    expected = [scored(image).argmax(-1) for image in images]
    np.testing.assert_array_equal(predict(model, paths[0]), expected[0])
    np.testing.assert_array_equal(predict(model, str(paths[1])), expected[1])
    for ids, other in zip(predict(model, [paths[0], images[1]]), expected, strict=True):
        np.testing.assert_array_equal(ids, other)


def test_no_pictures_give_no_predictions(model):
    assert predict(model, []) == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16", "int32"])
def test_other_dtypes_and_plain_lists_will_do(model, dtype):
    image = picture().astype(dtype)
    np.testing.assert_array_equal(predict(model, image), scored(image).argmax(-1))


@given(batch_size=st.integers(1, 6), seed=st.integers(0, 99))
def test_a_batch_gives_what_one_after_the_other_gives(unet, batch_size, seed):
    images = [picture((8, 12), seed + i) for i in range(5)]
    alone = [next(predictions(unet, [image], output="logits")) for image in images]
    together = list(predictions(unet, images, output="logits", batch_size=batch_size))
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("size", [None, (6, 6)])
def test_at_most_four_batches_of_pictures_are_held(model, size):
    read = []

    def images():
        for i in range(20):
            read.append(i)
            yield picture()

    found = predictions(model, images(), size=size, batch_size=3)
    assert read == []
    next(found)
    assert len(read) <= 13


def test_of_large_pictures_fewer_are_held(model, monkeypatch):
    monkeypatch.setattr("semseg.inference.prediction._AHEAD_PIXELS", 60)
    read = []

    def images():
        for i in range(20):
            read.append(i)
            yield picture((5, 7))

    next(predictions(model, images(), batch_size=8))
    assert len(read) == 2


def test_pictures_of_equal_size_share_a_batch_though_others_lie_between(model, monkeypatch):
    batches = []
    run = semseg.inference.forward.Forward.__call__

    def counted(self, images, output):
        batches.append(images.shape)
        return run(self, images, output)

    monkeypatch.setattr(semseg.inference.forward.Forward, "__call__", counted)
    images = [picture(((5, 7), (4, 3))[i % 2], i) for i in range(6)]
    found = predict(model, images)
    assert batches == [(3, 5, 7, 3), (3, 4, 3, 3)]
    for image, ids in zip(images, found, strict=True):
        np.testing.assert_array_equal(ids, scored(image).argmax(-1))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one graph is TensorFlow's")
def test_one_graph_serves_all_sizes_and_calls(unet):
    predict(unet, [picture(size) for size in [(8, 8), (9, 4), (30, 2)]])
    (graph,) = [g for (out, _), g in vars(unet)["_semseg_kept"][1].items() if out == "ids"]
    predict(unet, picture((40, 21)))
    assert graph.experimental_get_tracing_count() == 1


def test_new_weights_and_new_variables_are_seen(model):
    own = pixel_model()
    predict(own, picture())
    own.layers[-1].set_weights([-WEIGHTS[None, None]])
    np.testing.assert_array_equal(predict(own, picture()), scored(picture()).argmin(-1))


def test_a_model_that_predicted_is_saved_and_copied_as_before(model, tmp_path):
    expected = predict(model, picture())
    model.save(tmp_path / "model.keras")
    for again in (keras.saving.load_model(tmp_path / "model.keras"), copy.deepcopy(model)):
        np.testing.assert_array_equal(predict(again, picture()), expected)


def test_a_model_of_this_library_takes_every_size(unet):
    sizes = [(1, 1), (3, 2), (17, 9), (8, 8)]
    found = predict(unet, [picture(size) for size in sizes])
    assert [ids.shape for ids in found] == sizes
    assert max(ids.max() for ids in found) < 3


# -- size ----------------------------------------------------------------------------------------


def slow_resize(scores, size):
    """Bilinear with half-pixel centres, pixel by pixel."""
    height, width, classes = scores.shape
    out = np.zeros((*size, classes))
    for i in range(size[0]):
        for j in range(size[1]):
            y, x = (i + 0.5) * height / size[0] - 0.5, (j + 0.5) * width / size[1] - 0.5
            for r in (floor(y), floor(y) + 1):
                for c in (floor(x), floor(x) + 1):
                    weight = (1 - abs(y - r)) * (1 - abs(x - c))
                    inside = min(max(r, 0), height - 1), min(max(c, 0), width - 1)
                    out[i, j] += weight * scores[inside]
    return out


@given(
    source=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    classes=st.sampled_from([1, 3, 64, 65, 200]),
)
def test_scores_are_resized_bilinearly_for_any_number_of_classes(source, size, classes):
    scores = np.random.default_rng(0).normal(size=(*source, classes)).astype(np.float32)
    resized = resize_scores(scores, size)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, slow_resize(scores, size), atol=1e-4)


@pytest.mark.parametrize("size", [(8, 12), (5, 7), (3, 9)])
def test_size_resizes_the_picture_and_then_the_scores_back(model, size):
    image = picture((5, 7))
    seen = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    expected = slow_resize(scored(seen), (5, 7))
    top = np.sort(expected, axis=-1)
    certain = top[..., -1] - top[..., -2] > 0.05
    ids = predict(model, image, size=size)
    np.testing.assert_array_equal(ids[certain], expected.argmax(-1)[certain])
    assert certain.mean() > 0.9
    np.testing.assert_allclose(
        predict(model, image, size=size, output="logits"), expected, rtol=1e-3, atol=0.05
    )


def test_ids_are_chosen_after_the_resize_not_before(model):
    image = picture((4, 4))
    early = cv2.resize(
        predict(model, image).astype(np.uint8), (16, 16), interpolation=cv2.INTER_NEAREST_EXACT
    )
    enlarged = cv2.resize(image, (16, 16), interpolation=cv2.INTER_NEAREST_EXACT)
    late = predict(model, enlarged, size=(4, 4))
    assert not np.array_equal(early, late)


def test_with_size_pictures_of_mixed_sizes_share_a_batch_and_come_back_at_their_own(model):
    sizes = [(5, 7), (9, 4), (3, 3), (12, 2)]
    images = [picture(size, seed) for seed, size in enumerate(sizes)]
    together = predict(model, images, size=(6, 6), batch_size=3)
    for image, ids in zip(images, together, strict=True):
        assert ids.shape == image.shape[:2]
        np.testing.assert_array_equal(ids, predict(model, image, size=(6, 6)))


# -- from scores to ids --------------------------------------------------------------------------


def test_one_logit_is_cut_at_0(model):
    binary = pixel_model(1)
    expected = scored(picture())[..., 0] > 0
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(predict(binary, picture()), expected)


def test_one_probability_is_cut_at_a_half():
    expected = scored(picture())[..., 0] > 0
    binary = pixel_model(1, "sigmoid", WEIGHTS / 100)
    np.testing.assert_array_equal(predict(binary, picture()), expected)
    separate = keras.Sequential(
        [keras.Input((None, None, 3)), pixel_model(1, None, WEIGHTS / 100)]
        + [keras.layers.Activation("sigmoid")]
    )
    np.testing.assert_array_equal(predict(separate, picture()), expected)


def test_one_output_of_this_library_is_cut_where_its_activation_says():
    keras.utils.set_random_seed(0)
    logits = semseg.models.UNet(num_classes=1, depth=1, filters=4)
    shares = semseg.models.UNet(num_classes=1, depth=1, filters=4, activation="sigmoid")
    shares.set_weights(logits.get_weights())
    images = picture((12, 16))
    ids = predict(logits, images)
    assert 0 < ids.mean() < 1
    np.testing.assert_array_equal(predict(shares, images), ids)


@pytest.mark.parametrize(("classes", "dtype"), [(2, "uint8"), (256, "uint8"), (257, "uint16")])
@pytest.mark.parametrize("size", [None, (3, 3)])
def test_the_dtype_of_the_ids_holds_every_class(classes, dtype, size):
    weights = np.zeros((3, classes), np.float32)
    weights[0, -1] = 1
    ids = predict(pixel_model(classes, None, weights), picture() + np.uint8(1), size=size)
    assert ids.dtype == dtype
    assert (ids == classes - 1).all()


# -- scores --------------------------------------------------------------------------------------


def softmax(logits):
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("size", [None, (5, 7)])
def test_probabilities_are_the_softmax_of_the_logits(activation, size):
    model = pixel_model(4, activation, WEIGHTS / 100)
    found = predict(model, picture(), output="probabilities", size=size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, softmax(scored(picture()) / 100), rtol=1e-4)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_the_probability_of_one_output_is_that_of_class_1(activation):
    model = pixel_model(1, activation, WEIGHTS / 100)
    found = predict(model, picture(), output="probabilities")
    expected = 1 / (1 + np.exp(-scored(picture())[..., :1] / 100))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_logits_of_a_model_that_gives_probabilities_are_refused():
    message = r"output='logits' needs a model that gives logits; .* ends in a softmax: ask for"
    with pytest.raises(ValueError, match=message):
        predict(pixel_model(4, "softmax"), picture(), output="logits")


def test_an_unknown_output_is_refused(model):
    with pytest.raises(ValueError, match=r"output must be one of .*'ids'.* received 'mask'"):
        predict(model, picture(), output="mask")


# -- errors --------------------------------------------------------------------------------------


def test_the_wrong_number_of_channels_names_the_picture(model):
    images = [picture(), picture(channels=1)]
    with pytest.raises(ValueError, match=r"images\[1\] must have 3 channels, .* received 1"):
        predict(model, images)


@pytest.mark.parametrize("shape", [(5, 7), (5,), (1, 1, 5, 7, 3), (0, 7, 3)])
def test_what_is_no_picture_is_named(model, shape):
    with pytest.raises(ValueError, match=r"images\[0\] must .*received .*\(\d"):
        predict(model, np.zeros(shape, np.uint8))


def test_a_batch_in_a_list_is_named(model):
    with pytest.raises(ValueError, match=r"images\[1\] must have shape \(height, width, channels"):
        predict(model, [picture(), picture()[None]])


def test_what_holds_no_numbers_is_named(model):
    with pytest.raises(TypeError, match=r"images\[0\] must be an array of numbers"):
        predict(model, [None])


def test_a_missing_and_a_damaged_file_are_named(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nowhere\.png"):
        predict(model, tmp_path / "nowhere.png")
    (tmp_path / "half.png").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match=r"half\.png"):
        predict(model, [picture(), str(tmp_path / "half.png")])


def test_a_file_with_the_wrong_number_of_channels_is_named(model, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), picture(channels=1))
    with pytest.raises(ValueError, match=r"images\[0\] \(.*grey\.png\) must have 3 channels"):
        predict(model, [tmp_path / "grey.png"])


@pytest.mark.parametrize("batch_size", [0, -2, 1.5])
def test_batch_size_must_be_a_whole_number(model, batch_size):
    with pytest.raises(ValueError, match=rf"batch_size must be an int >= 1, received {batch_size}"):
        predict(model, [picture()], batch_size=batch_size)


def test_size_must_be_height_and_width(model):
    with pytest.raises(TypeError, match=r"size must be \(height, width\), received 5"):
        predict(model, [picture()], size=5)


@pytest.mark.parametrize("form", ["pooled", "halved"])
def test_a_model_without_an_output_for_every_pixel_is_refused(form):
    inputs = keras.Input((None, None, 3))
    pool = keras.layers.GlobalAveragePooling2D() if form == "pooled" else keras.layers.MaxPool2D()
    model = keras.Model(inputs, pool(inputs))
    message = {
        "pooled": r"model must give scores for each pixel, .* an output of shape \(None, 3\)",
        "halved": r"model must give \(batch, 5, 7, classes\) for .*, received \(1, 2, 3, '...'\)",
    }[form]
    with pytest.raises(ValueError, match=message):
        predict(model, picture())


def test_a_model_of_several_outputs_or_inputs_is_refused():
    inputs = keras.Input((None, None, 3))
    with pytest.raises(
        ValueError, match=r"model must give scores for each pixel, .* with outputs \["
    ):
        predict(keras.Model(inputs, [inputs * 1, inputs * 2]), picture())
    other = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match=r"model must take one input \(batch, height, width, ch"):
        predict(keras.Model([inputs, other], inputs + other), picture())


def test_a_model_of_a_fixed_size_names_it_and_the_way_out():
    model = pixel_model(size=(4, 6))
    message = r"images\[1\] must have the size \(4, 6\) .* received \(5, 7\); pass size="
    with pytest.raises(ValueError, match=message):
        predict(model, [picture((4, 6)), picture((5, 7))], batch_size=1)
    with pytest.raises(ValueError, match=r"must have the size \(4, 6\) .* received \(5, 7\)"):
        predict(model, picture(), size=(5, 7))
    assert predict(model, picture(), size=(4, 6)).shape == (5, 7)


def test_a_model_with_one_fixed_side_takes_any_other_side():
    model = pixel_model(size=(5, None))
    assert predict(model, picture((5, 9))).shape == (5, 9)
    with pytest.raises(ValueError, match=r"the size \(5, None\) .* received \(4, 9\)"):
        predict(model, picture((4, 9)))


def test_pictures_in_0_to_1_warn_once_where_the_model_rescales(unet):
    images = [picture(seed=i) / np.float32(255) for i in range(4)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predict(unet, images, batch_size=1)
    texts = [str(w.message) for w in caught if "images lie in [0, 1]" in str(w.message)]
    assert len(texts) == 1
    assert "expects [0, 255]" in texts[0]


def test_pictures_in_0_to_1_are_right_for_a_model_that_does_not_rescale(model):
    predict(model, picture() / 255)  # a warning would be an error


def test_16_bit_pictures_for_a_model_of_8_bits_are_refused(unet):
    with pytest.raises(ValueError, match=r"images\[0\] must lie in \[0, 255\] .*received uint16"):
        predict(unet, picture().astype(np.uint16) * 257)


def encoded():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(2, 3, 2, "same")(semseg.layers.ImageNetScaling("caffe")(image))
    return semseg.models.UNet(num_classes=2, filters=2, encoder=keras.Model(image, {"P1": x}))


def basic():
    return semseg.models.SegNetBasic(num_classes=2, filters=2)


@pytest.mark.parametrize("make", [encoded, basic])
def test_every_layer_that_is_made_for_bytes_is_guarded(make):
    made = make()
    with pytest.raises(ValueError, match=r"images\[0\] must lie in \[0, 255\] .*received uint16"):
        predict(made, picture().astype(np.uint16) * 257)
    with pytest.warns(UserWarning, match=r"images lie in \[0, 1\]"):
        predict(made, picture() / np.float32(255))


@pytest.mark.parametrize(
    ("scale", "images"),
    [
        (1 / 65535, picture().astype(np.uint16) * 257),
        (1.0, picture() / np.float32(255)),
    ],
)
def test_a_layer_for_other_pixels_gets_them(scale, images):
    scaling = semseg.layers.PixelRescaling(scale, 0.0)
    made = semseg.models.UNet(num_classes=2, depth=1, filters=2, preprocessing=scaling)
    assert predict(made, images).shape == (5, 7)
