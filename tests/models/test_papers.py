"""What the papers and the authors' released networks say, in numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from narrow import narrowed

import semseg
from semseg.models import FCN, SegNet, SegNetBasic, UNet


def trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def dropouts(model):
    return {layer.name: layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)}


def size_after(model, name):
    return tuple(model.get_layer(name).output.shape[1:3])


@pytest.fixture
def shapes_only(monkeypatch):
    """Millions of random numbers are not needed where shapes and names are counted."""
    for layer in (layers.Conv2D, layers.Conv2DTranspose):
        monkeypatch.setattr(layer, "__init__", _with_zeros(layer.__init__))


def _with_zeros(original):
    def init(layer, *args, **kwargs):
        original(layer, *args, **{**kwargs, "kernel_initializer": "zeros"})

    return init


@pytest.fixture(scope="module")
def paper():
    """The U-Net of the paper's figure 1."""
    return UNet(num_classes=2, input_shape=(572, 572, 1), padding="valid", norm=None, dropout=0.5)


class TestUNet:
    @pytest.mark.parametrize(
        ("channels", "classes", "count"),
        [(1, 2, 31_030_658), (3, 11, 31_032_395), (3, 12, 31_032_460), (3, 21, 31_033_045)],
    )
    def test_parameters(self, channels, classes, count, shapes_only):
        model = UNet(num_classes=classes, input_shape=(None, None, channels), norm=None)
        assert model.count_params() == trainable(model) == count

    def test_batch_normalisation_adds_its_scales_and_drops_the_biases_it_cancels(self, shapes_only):
        model = UNet(num_classes=2, input_shape=(None, None, 1))
        # 11,776 each of scales with shifts, and of moving statistics; 5,888 biases are gone.
        assert trainable(model) == 31_030_658 + 11_776 - 5_888
        assert model.count_params() == trainable(model) + 11_776

    def test_572_in_388_out(self, paper):
        assert paper.output_shape == (None, 388, 388, 2)

    def test_sizes_down_and_up(self, paper):
        sizes = [size_after(paper, f"encoder_{i}_relu_2")[0] for i in (1, 2, 3, 4)]
        assert sizes == [568, 280, 136, 64]
        assert size_after(paper, "bottleneck_relu_2") == (28, 28)
        assert [size_after(paper, f"decoder_{i}_up")[0] for i in (4, 3, 2, 1)] == [
            56, 104, 200, 392,
        ]  # fmt: skip
        assert [size_after(paper, f"decoder_{i}_relu_2")[0] for i in (4, 3, 2, 1)] == [
            52, 100, 196, 388,
        ]  # fmt: skip

    def test_skips_are_cropped_alike_on_all_sides(self, paper):
        crops = {i: paper.get_layer(f"decoder_{i}_crop").cropping for i in (4, 3, 2, 1)}
        assert crops == {
            i: ((c, c), (c, c)) for i, c in zip((4, 3, 2, 1), (4, 16, 40, 88), strict=True)
        }

    def test_dropout_stands_at_the_end_of_the_contracting_path(self, paper):
        assert dropouts(paper) == {"encoder_4_dropout": 0.5, "bottleneck_dropout": 0.5}

    def test_23_convolutions_with_he_initialisation(self, paper):
        convolutions = [
            layer
            for layer in paper.layers
            if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose)
        ]
        assert len(convolutions) == 23
        for layer in convolutions[:-1]:
            kernel = layer.get_weights()[0]
            if layer.name.endswith("_up"):
                continue  # Keras counts a transposed kernel's fan-in over its output channels
            fan_in = np.prod(kernel.shape[:3])
            assert kernel.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.1)

    def test_legal_sizes_are_16n_plus_12_from_188_on(self):
        sizes = semseg.models.valid_sizes(depth=4, largest=700)
        assert sizes == [16 * n + 12 for n in range(11, 44)]
        assert [semseg.models.valid_output_size(s) for s in sizes] == [s - 184 for s in sizes]

    @pytest.mark.parametrize("size", [(573, 572), (572, 571)])
    def test_an_illegal_size_names_the_two_nearest_legal_ones(self, size):
        with pytest.raises(ValueError, match=r"the nearest that work are (572 or 588|556 or 572)"):
            UNet(num_classes=2, input_shape=(*size, 1), padding="valid", filters=2)

    def test_an_illegal_size_met_later_is_named_too(self):
        model = UNet(num_classes=2, padding="valid", depth=1, filters=2, norm=None)
        with pytest.raises(ValueError, match="the nearest that work are 20 or 22"):
            model(np.zeros((1, 21, 20, 3)))


class TestFCN:
    COUNTS = [
        ("32s", 11, 134_305_611, None),
        ("16s", 11, 134_311_254, None),
        ("8s", 11, 134_314_081, None),
        pytest.param("32s", 21, 134_346_581, 136_152_917, marks=pytest.mark.slow),
        pytest.param("16s", 21, 134_357_354, 134_815_994, marks=pytest.mark.slow),
        ("8s", 21, 134_362_751, 134_489_759),
    ]

    @pytest.mark.parametrize(("variant", "classes", "learnt", "dense"), COUNTS)
    def test_parameters(self, variant, classes, learnt, dense, shapes_only):
        model = FCN(num_classes=classes, variant=variant)
        assert trainable(model) == model.count_params() == learnt
        if dense:
            fixed = FCN(num_classes=classes, variant=variant, padding="pad100")
            assert (trainable(fixed), fixed.count_params()) == (learnt, dense)
            free = FCN(num_classes=classes, variant=variant, learned_upsampling=True)
            assert trainable(free) == dense

    @pytest.mark.parametrize(
        ("variant", "offsets", "raw"),
        [
            ("32s", {"crop": 19}, (416, 544)),
            ("16s", {"score_pool4_crop": 5, "crop": 27}, (432, 560)),
            ("8s", {"score_pool4_crop": 5, "score_pool3_crop": 9, "crop": 31}, (440, 568)),
        ],
    )
    def test_pad100_has_the_authors_sizes_and_crops(self, variant, offsets, raw, shapes_only):
        model = FCN(
            num_classes=3, variant=variant, padding="pad100", fc_units=2,
            input_shape=(360, 480, 3),
        )  # fmt: skip
        pools = [size_after(model, f"block{i}_pool") for i in range(1, 6)]
        assert pools == [(279, 339), (140, 170), (70, 85), (35, 43), (18, 22)]
        assert size_after(model, "fc6") == (12, 16)
        assert size_after(model, "score_up") == raw
        found = {
            layer.name: layer.offset
            for layer in model.layers
            if isinstance(layer, semseg.layers.CropLike)
        }
        assert found == offsets

    def test_dropout_follows_fc6_and_fc7(self, shapes_only):
        model = FCN(num_classes=3, fc_units=2)
        assert dropouts(model) == {"fc6_dropout": 0.5, "fc7_dropout": 0.5}

    @pytest.mark.parametrize("padding", ["same", "pad100"])
    def test_score_layers_start_at_zero(self, padding):
        model = narrowed(FCN)(num_classes=3, fc_units=2, padding=padding)
        for name in ("score_fc7", "score_pool4", "score_pool3"):
            assert not any(w.any() for w in model.get_layer(name).get_weights())

    def test_at_once_scales_the_skips(self, shapes_only):
        model = FCN(num_classes=3, fc_units=2, at_once=True)
        assert model.get_layer("pool4_scale").scale == 0.01
        assert model.get_layer("pool3_scale").scale == 0.0001


@pytest.mark.usefixtures("shapes_only")
class TestSegNet:
    @pytest.mark.parametrize(
        ("classes", "use_bias", "count"),
        [
            (11, True, 29_449_355),
            (21, True, 29_455_125),
            (11, False, 29_441_419),
            (21, False, 29_447_189),
        ],
    )
    def test_parameters(self, classes, use_bias, count):
        model = SegNet(num_classes=classes, use_bias=use_bias)
        assert trainable(model) == count
        assert model.count_params() == count + (29_465_227 - 29_449_355)

    def test_sizes_of_360x480_down_to_12x15_and_back_through_odd_heights(self):
        model = SegNet(num_classes=3, input_shape=(360, 480, 3))
        down = [size_after(model, f"encoder_{i}_norm_1") for i in range(1, 6)]
        assert down == [(360, 480), (180, 240), (90, 120), (45, 60), (23, 30)]
        assert tuple(model.get_layer("encoder_5_pool").output[0].shape[1:3]) == (12, 15)
        up = [size_after(model, f"decoder_{i}_unpool") for i in range(5, 0, -1)]
        assert up == [(23, 30), (45, 60), (90, 120), (180, 240), (360, 480)]

    def test_decoder_widths(self):
        model = SegNet(num_classes=7)
        widths = {
            stage: [
                layer.filters
                for layer in model.layers
                if layer.name.startswith(f"decoder_{stage}_conv")
            ]
            for stage in range(1, 6)
        }
        assert widths == {
            5: [512, 512, 512], 4: [512, 512, 256], 3: [256, 256, 128], 2: [128, 64], 1: [64],
        }  # fmt: skip
        classifier = model.get_layer("classifier")
        assert classifier.kernel_size == (3, 3) and classifier.filters == 7

    def test_bayesian_dropout_stands_where_the_authors_have_it(self):
        assert dropouts(SegNet(num_classes=3)) == {}
        assert dropouts(SegNet(num_classes=3, bayesian=True)) == dict.fromkeys(
            ["encoder_3_dropout", "encoder_4_dropout", "encoder_5_dropout",
             "decoder_5_dropout", "decoder_4_dropout", "decoder_3_dropout"], 0.5,
        )  # fmt: skip

    def test_dropout_follows_the_pooling(self):
        model = SegNet(num_classes=3, bayesian=True)
        pooled = model.get_layer("encoder_3_pool").output[0]
        assert model.get_layer("encoder_3_dropout").input is pooled


class TestSegNetBasic:
    @pytest.mark.parametrize(
        ("classes", "use_bias", "count"),
        [
            (11, True, 1_416_587),
            (21, True, 1_417_237),
            (11, False, 1_416_075),
            (21, False, 1_416_725),
        ],
    )
    def test_parameters(self, classes, use_bias, count):
        model = SegNetBasic(num_classes=classes, use_bias=use_bias)
        assert trainable(model) == count
        assert model.count_params() == count + 1_024

    def test_the_decoder_has_no_relu_and_the_classifier_is_1x1(self):
        model = SegNetBasic(num_classes=3)
        activations = [layer.name for layer in model.layers if isinstance(layer, layers.Activation)]
        assert activations == [f"encoder_{i}_relu_1" for i in range(1, 5)]
        assert model.get_layer("classifier").kernel_size == (1, 1)
        assert all(
            layer.kernel_size == (7, 7) and layer.filters == 64
            for layer in model.layers
            if "_conv_" in layer.name
        )

    # Paper's section 3.1, Table 1: decoder, parameters in millions, those of ours for 11 classes
    # without biases before a normalisation (the paper has none), scales and shifts counted.
    TABLE_1 = [
        ("bilinear", 0.625, 612_747),
        ("unpool", 1.425, 1_416_075),
        ("encoder_addition", 1.425, 1_416_075),
        ("single_channel", 0.625, 625_803),
        ("fcn", 0.65, 645_868),
        ("fcn_no_addition", 0.65, 643_723),
    ]

    @pytest.mark.parametrize(("decoder", "millions", "count"), TABLE_1)
    def test_decoders_have_the_parameters_of_table_1(self, decoder, millions, count):
        size = (360, 480)
        model = SegNetBasic(num_classes=11, decoder=decoder, use_bias=False, input_shape=(*size, 3))
        assert trainable(model) == count
        # All numbers of the table are multiples of 0.025, and so is what ours are nearest to.
        assert 0.025 * round(count / 25_000) == pytest.approx(millions)
        assert model.output_shape == (None, *size, 11)

    @pytest.mark.parametrize("decoder", ["fcn_no_reduction", "fcn_no_addition_no_reduction"])
    def test_without_reduction_the_kernels_alone_exceed_the_1625_of_table_1(self, decoder):
        encoder, upsampling = 49 * 64 * (3 + 3 * 64), 4 * 8 * 8 * 64 * 64
        assert encoder + upsampling == 1_660_096
        model = SegNetBasic(num_classes=11, decoder=decoder, use_bias=False)
        normalisations, classifier = 8 * 2 * 64, 64 * 11 + 11
        assert trainable(model) == 1_660_096 + normalisations + classifier == 1_661_835
        # What the text says of it holds: a little larger than SegNet-Basic's 1.416 (section 3.3).
        assert 1_661_835 / 1_625_000 == pytest.approx(1.0227, abs=1e-4)

    def test_360x480_ends_at_23x30(self):
        model = SegNetBasic(num_classes=3, input_shape=(360, 480, 3))
        assert tuple(model.get_layer("encoder_4_pool").output[0].shape[1:3]) == (23, 30)

    def test_bayesian_dropout_stands_where_the_authors_have_it(self):
        assert dropouts(SegNetBasic(num_classes=3, bayesian=True)) == dict.fromkeys(
            ["encoder_3_dropout", "encoder_4_dropout", "decoder_4_dropout", "decoder_3_dropout"],
            0.5,
        )

    def test_response_normalisation_nearly_removes_brightness(self):
        lrn = SegNetBasic(num_classes=3).get_layer("preprocessing")
        grey = np.array([128.0, 255.0]).reshape(2, 1, 1, 1) * np.ones((1, 1, 1, 3))
        np.testing.assert_allclose(np.asarray(lrn(grey))[:, 0, 0, 0], [76.6, 77.4], atol=0.05)


# -- what a unit sees --------------------------------------------------------------------------


def receptive_field(model, layer, size, pictures=3):
    """Height and width of the part of the picture that the middle unit of a layer hears."""
    output = model.get_layer(layer).output
    part = keras.Model(model.input, output[0] if isinstance(output, list | tuple) else output)
    rng = np.random.default_rng(0)
    for weight in part.trainable_weights:
        if weight.name == "kernel":  # positive: no ReLU cuts a path, no two paths cancel
            weight.assign(rng.random(weight.shape) / np.prod(weight.shape[:3]))
    seen = np.zeros(size, bool)
    for _ in range(pictures):
        image = tf.constant(rng.uniform(0, 255, (1, *size, 3)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            features = part(image, training=False)
            middle = features[:, features.shape[1] // 2, features.shape[2] // 2]
        seen |= np.any(np.asarray(tape.gradient(middle, image))[0] != 0, axis=-1)
    return tuple(int(np.ptp(np.flatnonzero(seen.any(axis))) + 1) for axis in (1, 0))


@pytest.mark.slow
def test_fc7_of_fcn_sees_404_pixels():
    model = FCN(num_classes=2, fc_units=8, preprocessing=None)
    assert receptive_field(model, "fc7", (480, 448)) == (404, 404)


def test_the_deepest_features_of_segnet_basic_see_106_pixels():
    model = SegNetBasic(num_classes=2)
    assert receptive_field(model, "encoder_4_pool", (160, 144)) == (106, 106)
