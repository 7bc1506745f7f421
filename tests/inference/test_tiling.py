"""predict_tiled: what comes out is what the whole picture would give."""

import functools

import keras
import numpy as np
import pytest
from architectures import balanced, fcn, perturbed, segnet, segnet_basic
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from semseg.inference import plan_tiles, predict, predict_tiled
from semseg.inference.axes import axes_of
from semseg.inference.forward import Forward
from semseg.inference.tile_plan import grid
from semseg.layers import CropLike
from semseg.models import UNet

unet = functools.partial(UNet, num_classes=3, filters=4)
FAST = {
    "unet": functools.partial(unet, depth=1),
    "unet valid": functools.partial(unet, depth=1, padding="valid"),
}
SLOW = {
    "unet depth 2": functools.partial(unet, depth=2),
    "segnet_basic": functools.partial(segnet_basic, num_classes=3),
    "unet bilinear": functools.partial(unet, depth=2, upsampling="bilinear"),
    "unet depth 4": functools.partial(unet, depth=4, filters=2),
    "unet valid depth 2": functools.partial(unet, depth=2, padding="valid", norm=None),
    "unet valid depth 3": functools.partial(unet, depth=3, padding="valid"),
    "unet on an encoder": functools.partial(unet, encoder="mobilenetv2"),
    "fcn8s": functools.partial(fcn, num_classes=3),
    "fcn16s learnt": functools.partial(fcn, num_classes=3, variant="16s", learned_upsampling=True),
    "fcn32s pad100": functools.partial(fcn, num_classes=3, variant="32s", padding="pad100"),
    "segnet": functools.partial(segnet, num_classes=3),
}


@functools.cache
def built(name):
    keras.utils.set_random_seed(1)
    return balanced(perturbed({**FAST, **SLOW}[name]()))


@functools.cache
def axes(name):
    return axes_of(Forward(built(name)), (64, 64))


def picture(size, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (*size, channels), np.uint8)


def whole_logits(name, image):
    """Of the picture at once; for a network without padding mirrored to a size that it takes."""
    forward = Forward(built(name))
    if not axes(name)[0].shrinks_by:
        return forward(image[None], "logits")[0]
    width = []
    for length, axis in zip(image.shape, axes(name), strict=False):
        needed = length + axis.shrinks_by
        seen = next(n for n in range(needed, needed + 99) if axis.takes(n) == n)
        width.append((axis.offset, seen - axis.offset - length))
    padded = np.pad(image, [*width, (0, 0)], "reflect")
    return forward(padded[None], "logits")[0][: image.shape[0], : image.shape[1]]


def assert_like_the_whole(tiled, ids, whole):
    bound = 1e-5 * max(1, np.abs(whole).max())
    np.testing.assert_allclose(tiled, whole, atol=bound, rtol=0)
    best = np.sort(whole, axis=-1)
    clear = best[..., -1] - best[..., -2] > bound
    np.testing.assert_array_equal(ids[clear], whole.argmax(-1)[clear])


def law(data, name, most):
    """One side of the picture is up to `most` pixels longer than the least tile."""
    model, least = built(name), axes(name)[0].least_tile
    tile = least + data.draw(st.integers(0, 40))
    long = data.draw(st.integers(1, least + most))
    size = (long, data.draw(st.integers(1, 40)))
    size = size[::-1] if data.draw(st.booleans()) else size
    options = {"tile": tile, "verbose": False, "batch_size": data.draw(st.integers(1, 3))}
    image = picture(size, seed=long)
    tiled = predict_tiled(model, image, output="logits", **options)
    ids = predict_tiled(model, image, **options)
    assert_like_the_whole(tiled, ids, whole_logits(name, image))


# -- the law -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAST)
@settings(max_examples=10)
@given(data=st.data())
def test_tiles_give_what_the_whole_gives(name, data):
    law(data, name, most=60)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FAST, *SLOW])
@given(data=st.data())
def test_tiles_of_every_architecture_give_what_the_whole_gives(name, data):
    law(data, name, most=360)


@pytest.mark.slow
@given(size=st.tuples(st.integers(1, 400), st.integers(1, 400)), more=st.integers(0, 100))
def test_tiles_cut_along_both_sides_give_what_the_whole_gives(size, more):
    name, image = "unet", picture(size)
    model = built(name)
    tiles = {"tile": (24 + more, 124 - more), "verbose": False}
    tiled = predict_tiled(model, image, output="logits", **tiles)
    assert_like_the_whole(tiled, predict_tiled(model, image, **tiles), whole_logits(name, image))


def test_the_law_notices_a_seam():
    image = picture((80, 60))
    seams = predict_tiled(
        built("unet"), image, tile=24, overlap=8, blend="crop", output="logits", verbose=0
    )
    with pytest.raises(AssertionError):
        assert_like_the_whole(seams, seams.argmax(-1), whole_logits("unet", image))


@pytest.mark.parametrize("name", ["unet", "unet valid"])
def test_the_least_tile_works_and_one_less_is_refused_by_its_number(name):
    model = built(name)
    least = axes(name)[0].least_tile
    assert len(plan_tiles(model, (90, 90), tile=least)) > 4
    message = (
        rf"tile must have a width >= {least} for .* output pixels see .*, received {least - 1}"
    )
    with pytest.raises(ValueError, match=message):
        plan_tiles(model, (90, 90), tile=(least, least - 1))


def test_a_picture_that_fits_into_the_tile_needs_no_margin():
    assert len(plan_tiles(built("unet"), (20, 30), tile=30)) == 1


@pytest.mark.parametrize("output", ["probabilities", "ids"])
def test_all_outputs_are_those_of_predict(output):
    model, image = built("unet"), picture((70, 30))
    tiled = predict_tiled(model, image, tile=32, output=output, verbose=False)
    whole = predict(model, image, output=output)
    assert tiled.dtype == whole.dtype and tiled.shape == whole.shape
    assert np.abs(tiled.astype(float) - whole).mean() < 1e-3


def test_binary_ids_are_those_of_predict():
    model = balanced(perturbed(UNet(num_classes=1, depth=1, filters=4)))
    image = picture((50, 40))
    ids = predict_tiled(model, image, tile=24, verbose=False)
    np.testing.assert_array_equal(ids, predict(model, image))
    assert 0 < ids.mean() < 1, ids.mean()


def test_a_plan_says_what_is_computed_again():
    plan = plan_tiles(built("unet"), (100, 60), tile=40)
    computed = sum(
        (row.stop - row.start) * (column.stop - column.start) for _, row, column in grid(plan)
    )
    assert plan.duplication == pytest.approx(computed / 6000)
    share = round(100 * (plan.duplication - 1))
    assert str(plan) == f"8 tiles of up to 40 x 40, {share}% of the pixels computed again"
    assert plan.tile == (40, 40)


def test_the_tile_grows_with_the_memory_and_is_never_too_small():
    model, size = built("unet"), (9000, 9000)
    sides = [plan_tiles(model, size, memory=memory).tile[0] for memory in (1e-9, 0.01, 0.04, 1)]
    assert sides[0] == 64 < sides[1]
    assert sides[2] == pytest.approx(2 * sides[1], abs=128)
    assert sides[3] == pytest.approx(5 * sides[2], abs=640)
    far = model_of(layers.Conv2D(2, 81, padding="same"))
    assert plan_tiles(far, size, memory=1e-9).tile == (81, 81)
    with pytest.raises(ValueError, match=r"memory must be a finite number > 0, received 0"):
        plan_tiles(model, size, memory=0)


# -- networks that can't -------------------------------------------------------------------------


def model_of(*stack, size=(None, None)):
    inputs = keras.Input((*size, 3))
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x, name="mine")


def test_a_network_that_sees_the_whole_picture_is_refused_with_its_layer():
    inputs = keras.Input((None, None, 3))
    context = layers.GlobalAveragePooling2D(keepdims=True, name="context")(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 1)(inputs * context))
    message = r"overlap='exact' can't hold .*'context' \(GlobalAveragePooling2D\).*overlap=pixels"
    with pytest.raises(ValueError, match=message):
        predict_tiled(model, picture((50, 50)), tile=32)
    assert predict_tiled(model, picture((50, 50)), tile=32, overlap=8, verbose=0).shape == (50, 50)


def test_a_model_of_one_size_takes_windows_of_that_size_alone():
    model = model_of(layers.Conv2D(2, 3, padding="same"), size=(16, 24))
    with pytest.raises(
        ValueError, match=r"overlap='exact' needs a model for any size, .*\(16, 24\)"
    ):
        predict_tiled(model, picture((50, 50)))
    assert plan_tiles(model, (50, 50), overlap=4).tile == (16, 24)
    assert predict_tiled(model, picture((50, 50)), overlap=4, verbose=False).shape == (50, 50)
    with pytest.raises(ValueError, match=r"tile must be \(16, 24\), as the model was built"):
        predict_tiled(model, picture((50, 50)), overlap=4, tile=16)
    with pytest.raises(ValueError, match=r"source must be at least as large as .*\(16, 24\)"):
        predict_tiled(model, picture((15, 50)), overlap=4)


def test_what_pads_here_and_not_there_is_refused_with_its_layer():
    model = model_of(layers.Conv2D(2, 3, padding="same", name="padded"), layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match=r"pads everywhere or nowhere: 'mine' .*'padded' pads"):
        plan_tiles(model, (50, 50), tile=32)


def strided():
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, 2, padding="same", name="strided")(inputs)
    x = layers.UpSampling2D(2)(x)
    return keras.Model(inputs, layers.Conv2D(2, 1)(CropLike()([x, inputs])))


def test_strided_layers_are_exact_where_their_stride_divides_the_picture():
    """Elsewhere Keras pads them by one pixel more at the top, in the whole but not in windows."""
    model, image = strided(), picture((60, 44))
    tiled = predict_tiled(model, image, tile=24, output="logits", verbose=False)
    np.testing.assert_allclose(tiled, predict(model, image, output="logits"), atol=1e-4)
    message = r"can't hold for a picture of \(61, 44\): layer 'strided' .* multiple of \(2, 2\)"
    with pytest.raises(ValueError, match=message):
        plan_tiles(model, (61, 44), tile=24)


def test_unpadded_along_one_side_is_mirrored_along_that_side():
    model, image = model_of(layers.Conv2D(2, (3, 1), padding="same"), layers.Conv2D(2, (1, 5))), 0
    with pytest.raises(ValueError, match="pads everywhere or nowhere"):
        plan_tiles(model, (50, 50), tile=32)
    model, image = model_of(layers.Conv2D(2, (1, 5))), picture((20, 50))
    tiled = predict_tiled(model, image, tile=16, output="logits", verbose=False)
    whole = Forward(model)(np.pad(image, [(0, 0), (2, 2), (0, 0)], "reflect")[None], "logits")[0]
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


def test_a_model_without_an_output_for_each_pixel_is_refused():
    with pytest.raises(
        ValueError, match=r"an output for each pixel, received one of stride \(2, 2\)"
    ):
        plan_tiles(model_of(layers.MaxPooling2D(2)), (50, 50), tile=32)
    with pytest.raises(ValueError, match=r"must give \(32, 32\) pixels .*, received \(16, 16\)"):
        plan_tiles(model_of(layers.MaxPooling2D(2)), (50, 50), tile=32, overlap=2)
    with pytest.raises(ValueError, match=r"received \(44, 44\) .*without padding needs 'exact'"):
        plan_tiles(built("unet valid"), (90, 90), tile=60, overlap=2)


# -- overlap in pixels ---------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["gaussian", "crop"])
@pytest.mark.parametrize("overlap", [0, 5, 13])
def test_a_constant_model_gives_the_constant(blend, overlap):
    constant = layers.Conv2D(2, 1, kernel_initializer="zeros")
    model = model_of(constant)
    constant.bias.assign([1.5, -2])
    found = predict_tiled(
        model, picture((40, 33)), tile=16, overlap=overlap, blend=blend, output="logits", verbose=0
    )
    np.testing.assert_allclose(found, np.broadcast_to([1.5, -2], (40, 33, 2)), rtol=1e-6)


def slow_gaussian(model, image, plan):
    """Sums over the whole picture, in 64 bits."""
    forward = Forward(model)
    total = np.zeros((*image.shape[:2], forward.num_outputs))
    weights = np.zeros((*image.shape[:2], 1))
    for row in plan.rows:
        for column in plan.columns:
            part = np.s_[row.start : row.stop, column.start : column.stop]
            height, width = image[part].shape[:2]
            y, x = np.mgrid[:height, :width]
            distance = ((y - (height - 1) / 2) / height) ** 2 + ((x - (width - 1) / 2) / width) ** 2
            weight = np.exp(-0.5 * distance / 0.125**2)[..., None]
            total[part] += weight * forward(image[part][None], "logits")[0]
            weights[part] += weight
    return total / weights


@settings(max_examples=10)
@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    overlap=st.integers(0, 15),
    batch_size=st.integers(1, 3),
)
def test_gaussian_is_the_weighted_mean_over_the_whole_picture(size, overlap, batch_size):
    model, image = built("unet"), picture(size)
    plan = plan_tiles(model, size, tile=16, overlap=overlap)
    found = predict_tiled(
        model, image, tile=16, overlap=overlap, output="logits", batch_size=batch_size, verbose=0
    )
    np.testing.assert_allclose(found, slow_gaussian(model, image, plan), atol=2e-5)


def test_gaussian_at_seams_of_rows_and_columns():
    image = picture((40, 30))
    found = predict_tiled(built("unet"), image, tile=16, overlap=6, output="logits", verbose=False)
    plan = plan_tiles(built("unet"), (40, 30), tile=16, overlap=6)
    np.testing.assert_allclose(found, slow_gaussian(built("unet"), image, plan), atol=2e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap": "all"}, r"overlap must be 'exact' or pixels >= 0, received 'all'"),
        ({"overlap": -1}, r"overlap must be an int >= 0, received -1"),
        ({"overlap": 32}, r"overlap must be < tile = \(32, 32\), received 32"),
        ({"overlap": 4, "blend": "mean"}, r"blend must be one of .*, received 'mean'"),
        ({"blend": "crop"}, r"blend goes with overlap=pixels, received 'crop' with 'exact'"),
        ({"tile": 0}, r"tile must be \(height, width\), whole numbers >= 1"),
        ({"batch_size": 0}, r"batch_size must be an int >= 1, received 0"),
        ({"output": "mask"}, r"output must be one of"),
        ({"out": np.zeros((8, 9))}, r"out must have shape \(80, 90\), received \(8, 9\)"),
        ({"out": np.zeros((80, 90), bool)}, r"out must hold uint8, received bool"),
        ({"out": "mask.tif"}, r"out must be an array or the name of an \.npy file, .*tifffile"),
        ({"done": "done.json"}, r"done goes with an out that is there after an interruption"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        predict_tiled(built("unet"), picture((80, 90)), **{"tile": 32, **options})
