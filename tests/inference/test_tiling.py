"""predict_tiled: what comes out is what the whole picture would give."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from architectures import fcn, perturbed, segnet, segnet_basic
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


def balanced(model):
    """The model with a last bias that lets every class win somewhere."""
    bias = model.weights[-1]
    if bias.shape == (model.output.shape[-1],):
        logits = Forward(model)(picture((60, 60))[None], "logits")
        bias.assign(bias - np.median(logits, axis=(0, 1, 2)))
    return model


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


# -- sources and outputs -------------------------------------------------------------------------

TILES = {"tile": 32, "verbose": False}


class Sliced:
    """What a window reader of a few lines has: a shape, and slicing."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype
        self.reads = self.writes = 0

    def __getitem__(self, key):
        self.reads += 1
        assert all(isinstance(part, slice) and part.step is None for part in key)
        return self._array[key]

    def __setitem__(self, key, value):
        self.writes += 1
        self._array[key] = value


@pytest.fixture(scope="module")
def image():
    return picture((60, 50))


@pytest.fixture(scope="module")
def expected(image):
    return predict(built("unet"), image)


@pytest.mark.parametrize("form", ["sliced", "memmap", "copy on write", "h5py", "tifffile", "zarr"])
def test_a_source_is_anything_with_a_shape_and_slices(form, image, expected, tmp_path):
    if form == "sliced":
        source = Sliced(image)
    elif form in ("memmap", "copy on write"):
        np.save(tmp_path / "image.npy", image * np.uint8(form == "memmap"))
        source = np.load(tmp_path / "image.npy", "r" if form == "memmap" else "c")
        if form == "copy on write":
            source[...] = image  # in memory alone: letting go of its pages would lose it
    elif form == "h5py":
        file = pytest.importorskip("h5py").File(tmp_path / "image.h5", "w")
        source = file.create_dataset("image", data=image, chunks=(32, 32, 3), compression="gzip")
    elif form == "tifffile":
        tifffile = pytest.importorskip("tifffile")
        tifffile.imwrite(tmp_path / "image.tif", image, photometric="rgb")
        source = tifffile.memmap(tmp_path / "image.tif", mode="r")
    else:
        zarr = pytest.importorskip("zarr")
        source = zarr.array(image, chunks=(32, 32, 3))
    np.testing.assert_array_equal(predict_tiled(built("unet"), source, **TILES), expected)


def test_a_grey_picture_may_have_two_axes():
    model = perturbed(UNet(num_classes=2, depth=1, filters=4, input_shape=(None, None, 1)))
    grey = picture((50, 40), channels=1)
    found = predict_tiled(model, grey[..., 0], tile=24, verbose=False)
    np.testing.assert_array_equal(found, predict(model, grey))


@pytest.mark.parametrize("form", ["array", "sliced", "memmap", "wider", "h5py", "tifffile", "zarr"])
def test_an_output_is_anything_that_takes_slices(form, image, expected, tmp_path):
    shape = image.shape[:2]
    if form in ("array", "sliced"):
        out = np.zeros(shape, np.uint8)
        out = Sliced(out) if form == "sliced" else out
    elif form == "wider":
        out = np.zeros(shape, np.int64)
    elif form == "memmap":
        out = np.memmap(tmp_path / "ids", np.uint8, "w+", shape=shape)
    elif form == "h5py":
        file = pytest.importorskip("h5py").File(tmp_path / "ids.h5", "w")
        out = file.create_dataset("ids", shape, np.uint8, chunks=(32, 32), compression="gzip")
    elif form == "tifffile":
        tifffile = pytest.importorskip("tifffile")
        out = tifffile.memmap(tmp_path / "ids.tif", shape=shape, dtype=np.uint8)
    else:
        out = pytest.importorskip("zarr").zeros(shape, chunks=(32, 32), dtype="uint8")
    assert predict_tiled(built("unet"), image, out=out, **TILES) is out
    np.testing.assert_array_equal(out[0:60, 0:50], expected)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (
            "slide.tif",
            TypeError,
            r"source must be an array-like .*received a file; open it: .*mmap",
        ),
        (3, ValueError, r"source must have shape \(height, width, channels\) .*received None"),
        (np.zeros((0, 5, 3)), ValueError, r"source must have shape .*received \(0, 5, 3\)"),
        (np.zeros((9, 5, 4)), ValueError, r"source must have 3 channels, .*received 4"),
        (np.full((9, 5, 3), 999), ValueError, r"source must lie in \[0, 255\] .*up to 999"),
        (np.full((9, 5, 3), "a"), TypeError, r"source must be an array of numbers"),
    ],
)
def test_what_is_no_picture_is_refused(source, error, message):
    with pytest.raises(error, match=message):
        predict_tiled(built("unet"), source, verbose=False)


# -- interrupted ---------------------------------------------------------------------------------


class Failing(Sliced):
    """A source whose n-th read fails."""

    def __init__(self, array, last):
        super().__init__(array)
        self._last = last

    def __getitem__(self, key):
        if self.reads == self._last:
            raise OSError("the network share is gone")
        return super().__getitem__(key)


DIGEST = 3  # windows that say which picture it is
CUT = {
    "exact": {"tile": 32},
    "crop": {"tile": 20, "overlap": 6, "blend": "crop"},
    "gaussian": {"tile": 20, "overlap": 6},
}


@pytest.mark.parametrize("blend", CUT)
def test_a_call_after_an_interruption_computes_what_is_missing(blend, image, tmp_path):
    model = built("unet")
    options = {**CUT[blend], "verbose": False, "output": "logits"}
    whole = predict_tiled(model, image, **options)
    count = len(plan_tiles(model, image.shape[:2], **CUT[blend]))
    assert count > 4
    for last in (0, count // 2, count - 1):
        out = tmp_path / f"{last}.npy"
        with pytest.raises(OSError, match="the network share is gone"):
            predict_tiled(model, Failing(image, DIGEST + last), out=out, **options)
        source = Sliced(image)
        found = predict_tiled(model, source, out=out, **options)
        np.testing.assert_array_equal(found, whole)
        if blend == "gaussian":
            assert source.reads - DIGEST <= count
        else:
            assert source.reads - DIGEST == count - last
    source = Sliced(image)
    found = predict_tiled(model, source, out=out, **options)
    assert source.reads == DIGEST
    np.testing.assert_array_equal(found, whole)


def test_an_array_goes_on_with_a_record_of_its_own(image, expected, tmp_path):
    out = np.zeros(image.shape[:2], np.uint8)
    options = {"out": out, "done": tmp_path / "done", **TILES}
    with pytest.raises(OSError, match="share"):
        predict_tiled(built("unet"), Failing(image, DIGEST + 3), **options)
    first = out.copy()
    assert 0 < (first == expected).mean() < 1
    predict_tiled(built("unet"), image, **options)
    np.testing.assert_array_equal(out, expected)


@pytest.fixture
def begun(image, tmp_path):
    """An .npy file with a part of its tiles."""
    out = tmp_path / "ids.npy"
    with pytest.raises(OSError, match="share"):
        predict_tiled(built("unet"), Failing(image, DIGEST + 3), out=out, **TILES)
    assert (tmp_path / "ids.done.json").is_file()
    return out


def test_a_record_of_another_prediction_is_refused(begun, image):
    other = perturbed(UNet(num_classes=3, depth=1, filters=4))
    message = r"ids\.done\.json belongs to another picture, tiling, output or model; name another"
    for model, source, options in (
        (other, image, TILES),
        (built("unet"), picture((60, 50), seed=5), TILES),
        (built("unet"), image, {**TILES, "tile": 36}),
    ):
        with pytest.raises(ValueError, match=message):
            predict_tiled(model, source, out=begun, **options)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"identity": 3, "done": "xy"}', "\0"])
def test_a_damaged_record_is_refused(text, begun, image):
    begun.with_suffix(".done.json").write_text(text)
    with pytest.raises(ValueError, match=r"ids\.done\.json is no record of finished tiles, or dam"):
        predict_tiled(built("unet"), image, out=begun, **TILES)


def test_a_record_whose_file_is_gone_begins_anew(begun, image, expected):
    begun.unlink()
    np.testing.assert_array_equal(predict_tiled(built("unet"), image, out=begun, **TILES), expected)


def test_a_file_that_no_call_began_is_not_written_over(image, tmp_path):
    np.save(tmp_path / "image.npy", image)
    source = np.load(tmp_path / "image.npy", mmap_mode="r")
    with pytest.raises(ValueError, match=r"out must be a new file or one that an earlier call beg"):
        predict_tiled(built("unet"), source, out=tmp_path / "image.npy", **TILES)
    np.testing.assert_array_equal(np.load(tmp_path / "image.npy"), image)


CHILD = """
import sys, time, keras, numpy as np
from semseg.inference import predict_tiled
from semseg.models import UNet

class Slow:
    def __init__(self, array): self.array, self.shape = array, array.shape
    def __getitem__(self, key):
        time.sleep(0.05)
        return self.array[key]

keras.utils.set_random_seed(1)
model = UNet(num_classes=3, depth=1, filters=4)
image = np.random.default_rng(0).integers(0, 256, (300, 200, 3), "uint8")
predict_tiled(model, Slow(image), tile=32, out=sys.argv[1], verbose=False)
"""


@pytest.mark.slow
def test_a_killed_call_goes_on(tmp_path):
    whole, out = tmp_path / "whole.npy", tmp_path / "out.npy"
    subprocess.run([sys.executable, "-c", CHILD, str(whole)], check=True)
    kills = 0
    for enough in (1, 10, 20):
        process = subprocess.Popen([sys.executable, "-c", CHILD, str(out)])
        while process.poll() is None and _finished(out) < enough:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills == 3
    subprocess.run([sys.executable, "-c", CHILD, str(out)], check=True)
    np.testing.assert_array_equal(np.load(out), np.load(whole))
    assert {p.name for p in tmp_path.iterdir()} == {
        "whole.npy", "whole.done.json", "out.npy", "out.done.json"
    }  # fmt: skip


def _finished(out):
    record = out.with_suffix(".done.json")
    if not record.is_file():
        return 0
    return bytes.fromhex(json.loads(record.read_text())["done"]).hex().translate(BITS).count("1")


BITS = {ord(f"{i:x}"): f"{i:04b}" for i in range(16)}

# -- memory --------------------------------------------------------------------------------------


class Peak:
    """The most that lay in memory in a block, of files as well, in MiB."""

    def __enter__(self):
        self.most, self._ends = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _watch(self):
        while not self._ends.wait(0.002):
            lines = Path("/proc/self/status").read_text().splitlines()
            sizes = [int(n.split()[1]) for n in lines if n.startswith(("RssAnon", "RssFile"))]
            self.most = max(self.most, sum(sizes) / 1024)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_memory_is_that_of_the_tile_not_of_the_picture(tmp_path):
    side = 6000
    source = np.lib.format.open_memmap(tmp_path / "image.npy", "w+", np.uint8, (side, side, 3))
    for i in range(0, side, 500):
        source[i : i + 500] = picture((500, side), seed=i)
    del source
    source = np.load(tmp_path / "image.npy", mmap_mode="r")
    assert source.nbytes / 2**20 > 100
    model, options = UNet(num_classes=3, depth=1, filters=2), {"tile": 512, "verbose": False}
    with Peak() as small:
        predict_tiled(model, np.array(source[:900, :900]), **options)
    with Peak() as large:
        predict_tiled(model, source, out=tmp_path / "ids.npy", **options)
    assert large.most - small.most < 40
