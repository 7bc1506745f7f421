"""Every decoder stands on the pixels that its encoder saw."""

import numpy as np
import pytest
from narrow import narrowed

import semseg
from semseg.models import FCN, SegNetBasic, UNet

SIZES = [(64, 64), (61, 53), (37, 70)]


def averaging_fcn(variant, padding, learned=False):
    """An FCN whose convolutions pass one channel on: pooling and upsampling alone are seen."""
    model = narrowed(FCN, filters=1)(
        num_classes=1, variant=variant, padding=padding, fc_units=1, input_shape=(None, None, 1),
        preprocessing=None, learned_upsampling=learned,
    )  # fmt: skip
    for layer in model.layers:
        if layer.name.endswith("_up") or not layer.weights:
            continue
        kernel, bias = (np.zeros(w.shape) for w in layer.weights)
        middle = kernel.shape[0] // 2
        kernel[middle, middle, 0, 0] = 1
        layer.set_weights([kernel, bias])
    return model


def centre_of_mass(response):
    rows, columns = np.indices(response.shape)
    return np.array([(rows * response).sum(), (columns * response).sum()]) / response.sum()


SCORES = {32: "score_fc7", 16: "score_pool4", 8: "score_pool3"}
VARIANTS = {"32s": [32], "16s": [32, 16], "8s": [32, 16, 8]}


def hear_only(model, strides, stride):
    """Silences the scores of all strides but one."""
    for other in strides:
        if other != stride:
            layer = model.get_layer(SCORES[other])
            layer.set_weights([np.zeros(w.shape) for w in layer.weights])


def cell_centre(pixel, stride, padding):
    """Where the middle of the cell of a stage lies that a pixel falls into."""
    border = 0 if padding == "same" else 99
    return (pixel + border) // stride * stride - border + (stride - 1) / 2


@pytest.mark.parametrize("padding", ["same", "pad100"])
@pytest.mark.parametrize(
    ("variant", "stride", "learned"),
    [(v, stride, False) for v, strides in VARIANTS.items() for stride in strides]
    # The longest way through learned layers; FCN-8s's has those of the others in it.
    + [(v, 32, True) for v in VARIANTS],
)
def test_an_impulse_answers_around_the_middle_of_its_cell(variant, stride, padding, learned):
    model = averaging_fcn(variant, padding, learned)
    hear_only(model, VARIANTS[variant], stride)
    for pixel in [(128, 131), (137, 150)]:
        picture = np.zeros((1, 281, 300, 1), "float32")
        picture[0, pixel[0], pixel[1]] = 1
        response = np.asarray(model(picture))[0, ..., 0]
        expected = [cell_centre(n, stride, padding) for n in pixel]
        np.testing.assert_allclose(centre_of_mass(response), expected, atol=1e-3)


def test_a_crop_that_is_off_by_one_does_not_pass(monkeypatch):
    """Bite: the authors' offsets are the only right ones."""
    from semseg.models import fcn

    monkeypatch.setitem(fcn._FINAL_OFFSETS, 32, 20)
    with pytest.raises(AssertionError):
        test_an_impulse_answers_around_the_middle_of_its_cell("32s", 32, "pad100", False)


@pytest.mark.parametrize("learned", [False, True])
def test_nothing_fades_towards_the_border(learned):
    model = averaging_fcn("8s", "same", learned)
    for name in ("score_pool4", "score_pool3"):
        layer = model.get_layer(name)
        layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    response = np.asarray(model(np.ones((1, 256, 256, 1), "float32")))
    np.testing.assert_allclose(response, 1.0, atol=1e-5)


def test_pad100_has_no_fade_inside_the_picture():
    model = averaging_fcn("32s", "pad100")
    response = np.asarray(model(np.ones((1, 200, 220, 1), "float32")))[0, ..., 0]
    # fc6 sees only its middle here, and the border of the picture pools to 1 where it is 1.
    assert response[64:136, 64:156].min() > 0.99


MODELS = {
    "unet": (lambda: UNet(num_classes=2, depth=3, filters=4), 8, 64),
    "unet bilinear": (
        lambda: UNet(num_classes=2, depth=2, filters=4, upsampling="bilinear"), 4, 40,
    ),
    "segnet_basic": (
        lambda: narrowed(SegNetBasic)(num_classes=2, preprocessing="rescale"), 16, 140,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_shifting_the_picture_by_the_stride_shifts_the_logits(name):
    build, stride, reach = MODELS[name]
    model = build()
    side = 2 * reach + 3 * stride
    picture = np.random.default_rng(0).integers(0, 256, (side + stride, side + stride, 3))
    here = np.asarray(model(picture[None, :side, :side]))[0]
    there = np.asarray(model(picture[None, stride:, stride:]))[0]
    a = here[reach + stride : side - reach, reach + stride : side - reach]
    b = there[reach : side - reach - stride, reach : side - reach - stride]
    assert a.size > 0
    np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_unpooled_maxima_stand_where_they_were(size):
    x = np.random.default_rng(0).normal(size=(1, *size, 2)).astype("float32")
    pooled, indices = semseg.layers.MaxPooling2DWithIndices()(x)
    back = np.asarray(semseg.layers.MaxUnpooling2D()([pooled, indices, x]))
    kept = back != 0
    np.testing.assert_array_equal(back[kept], x[kept])


@pytest.mark.parametrize("factor", [2, 4, 8, 32])
@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_learned_upsampling_starts_as_bilinear(factor, size):
    x = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("float32")
    fixed = semseg.layers.BilinearUpsampling2D(factor)(x)
    for kernel_size in (None, 2 * factor + 2, 4 * factor):
        learned = semseg.layers.LearnedUpsampling2D(factor, kernel_size)(x)
        np.testing.assert_allclose(np.asarray(learned), np.asarray(fixed), atol=1e-5)


@pytest.mark.parametrize("kernel_size", [4, 6, 8])
def test_learned_upsampling_repeats_the_border_as_far_as_its_kernel_reaches(kernel_size):
    layer = semseg.layers.LearnedUpsampling2D(2, kernel_size)
    layer.build((None, None, None, 1))
    layer.set_weights([np.ones((kernel_size, kernel_size, 1, 1))])
    even = np.asarray(layer(np.ones((1, 1, 3, 1), "float32")))
    np.testing.assert_allclose(even, (kernel_size / 2) ** 2)


@pytest.mark.parametrize(
    ("kernel_size", "form"), [(2, "an int >= 4"), (0, "an int >= 4"), (7, "even"), (4.0, "an int")]
)
def test_a_kernel_that_cannot_interpolate_is_refused(kernel_size, form):
    with pytest.raises(ValueError, match=rf"kernel_size must be {form}.*, received {kernel_size}"):
        semseg.layers.LearnedUpsampling2D(2, kernel_size)
