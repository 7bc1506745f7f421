"""predict_tiled from and into anything with slices, interrupted, and in the memory of a tile."""

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
from architectures import balanced, perturbed

from semseg.inference import plan_tiles, predict, predict_tiled
from semseg.models import UNet


@functools.cache
def unet():
    keras.utils.set_random_seed(1)
    return balanced(perturbed(UNet(num_classes=3, depth=1, filters=4)))


def picture(size, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (*size, channels), np.uint8)


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
    return predict(unet(), image)


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
    np.testing.assert_array_equal(predict_tiled(unet(), source, **TILES), expected)


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
    assert predict_tiled(unet(), image, out=out, **TILES) is out
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
        predict_tiled(unet(), source, verbose=False)


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
    model = unet()
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
        predict_tiled(unet(), Failing(image, DIGEST + 3), **options)
    first = out.copy()
    assert 0 < (first == expected).mean() < 1
    predict_tiled(unet(), image, **options)
    np.testing.assert_array_equal(out, expected)


@pytest.fixture
def begun(image, tmp_path):
    """An .npy file with a part of its tiles."""
    out = tmp_path / "ids.npy"
    with pytest.raises(OSError, match="share"):
        predict_tiled(unet(), Failing(image, DIGEST + 3), out=out, **TILES)
    assert (tmp_path / "ids.done.json").is_file()
    return out


def test_a_record_of_another_prediction_is_refused(begun, image):
    other = perturbed(UNet(num_classes=3, depth=1, filters=4))
    message = r"ids\.done\.json belongs to another picture, tiling, output or model; name another"
    for model, source, options in (
        (other, image, TILES),
        (unet(), picture((60, 50), seed=5), TILES),
        (unet(), image, {**TILES, "tile": 36}),
    ):
        with pytest.raises(ValueError, match=message):
            predict_tiled(model, source, out=begun, **options)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"identity": 3, "done": "xy"}', "\0"])
def test_a_damaged_record_is_refused(text, begun, image):
    begun.with_suffix(".done.json").write_text(text)
    with pytest.raises(ValueError, match=r"ids\.done\.json is no record of finished tiles, or dam"):
        predict_tiled(unet(), image, out=begun, **TILES)


def test_a_record_whose_file_is_gone_begins_anew(begun, image, expected):
    begun.unlink()
    np.testing.assert_array_equal(predict_tiled(unet(), image, out=begun, **TILES), expected)


def test_a_file_that_no_call_began_is_not_written_over(image, tmp_path):
    np.save(tmp_path / "image.npy", image)
    source = np.load(tmp_path / "image.npy", mmap_mode="r")
    with pytest.raises(ValueError, match=r"out must be a new file or one that an earlier call beg"):
        predict_tiled(unet(), source, out=tmp_path / "image.npy", **TILES)
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
