"""predict_folder: a folder of masks that is right however often the work was stopped."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings

import cv2
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import saved
from PIL import Image

from semseg.classes import ClassMap
from semseg.data.reading import read_mask
from semseg.inference import predict, predict_folder
from semseg.inference.folder_jobs import folder_jobs

ROAD = ClassMap(["sky", "road", "car"], colors=[(0, 0, 200), (9, 9, 9), (200, 0, 0)])
SIZES = {"a.png": (9, 12), "b.jpg": (6, 7), "deep/c.png": (9, 12), "deep/er/a.bmp": (3, 40)}
MASKS = ("a.png", "b.png", "deep/c.png", "deep/er/a.png")


def pixel_model(outputs=3, channels=3):
    inputs = keras.Input((None, None, channels))
    model = keras.Model(inputs, keras.layers.Conv2D(outputs, 1, use_bias=False)(inputs))
    weights = np.random.default_rng(7).normal(size=(1, 1, channels, outputs))
    model.set_weights([weights - weights.mean(axis=2, keepdims=True)])
    return model


@pytest.fixture(scope="module")
def model():
    return pixel_model()


def picture(size=(9, 12), seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (*size, channels)).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    for seed, (name, size) in enumerate(SIZES.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        saved(folder / name, picture(size, seed))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "masks"


def files_in(folder):
    """Every file's bytes."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def times_of(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


# -- what is written -----------------------------------------------------------------------------


def test_each_picture_of_nested_folders_gets_its_mask(model, pictures, out):
    report = predict_folder(model, pictures, out, class_map=ROAD, batch_size=2)
    assert report.written == MASKS
    assert (report.folder, report.done_before, report.failed) == (out, 0, {})
    assert str(report) == f"4 written to {out}, 0 done before"
    assert set(files_in(out)) == {*MASKS, "classes.json", "predictions.json"}
    for name, mask in zip(SIZES, MASKS, strict=True):
        expected = predict(model, pictures / name)
        np.testing.assert_array_equal(read_mask(out / mask), expected)
        assert len(np.unique(expected)) > 1


def test_a_mask_is_a_palette_png_of_ids_in_the_classes_colours(model, pictures, out):
    predict_folder(model, pictures, out, class_map=ROAD)
    with Image.open(out / "a.png") as mask:
        assert mask.mode == "P"
        ids = np.asarray(mask)
        np.testing.assert_array_equal(np.asarray(mask.convert("RGB")), ROAD.colorize(ids))
    found = ClassMap.from_dict(json.loads((out / "classes.json").read_text()))
    assert found.to_dict() == ROAD.to_dict()


@pytest.mark.parametrize(("outputs", "mode"), [(1, "P"), (2, "P"), (256, "P"), (300, "I")])
def test_any_number_of_classes_survives_the_file(outputs, mode, out, tmp_path):
    model, path = pixel_model(outputs), saved(tmp_path / "a.png", picture((40, 50)))
    assert predict_folder(model, path, out).written == ("a.png",)
    with Image.open(out / "a.png") as mask:
        assert mask.mode.removesuffix(";16") == mode  # Pillow 10 says "I"
    expected = predict(model, path)
    assert expected.max() > (256 if outputs == 300 else 0)
    np.testing.assert_array_equal(read_mask(out / "a.png"), expected)
    assert len(json.loads((out / "classes.json").read_text())["names"]) == max(2, outputs)


def test_the_models_own_classes_are_the_default(out, tmp_path):
    from semseg.models import UNet

    unet = UNet(class_map=ROAD, depth=1, filters=4)
    predict_folder(unet, saved(tmp_path / "a.png", picture()), out)
    assert json.loads((out / "classes.json").read_text()) == ROAD.to_dict()
    with pytest.raises(ValueError, match=r"class_map must have 3 classes, .* received 2"):
        predict_folder(unet, tmp_path / "a.png", out, class_map=ClassMap(["a", "b"]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_overlay_lies_beside_each_mask(channels, dtype, out, tmp_path):
    model = pixel_model(channels=channels)
    image = picture(channels=channels).astype(dtype) * dtype(1 if dtype is np.uint8 else 257)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    report = predict_folder(model, tmp_path / "a.png", out, overlay=True)
    assert report.written == ("a.png",)
    with Image.open(out / "a.overlay.jpg") as overlay:
        assert overlay.size == (12, 9) and overlay.mode == "RGB"


def test_pictures_are_read_as_for_training(model, out, tmp_path):
    """Turned by their EXIF tag; of 16 bits."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture((6, 9))).save(tmp_path / "turned.png", exif=exif)
    cv2.imwrite(str(tmp_path / "deep.png"), picture().astype(np.uint16) * 257)
    predict_folder(model, [tmp_path / "turned.png", tmp_path / "deep.png"], out)
    assert read_mask(out / "turned.png").shape == (9, 6)
    expected = predict(model, picture()[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_mask(out / "deep.png"), expected)


def test_files_of_a_list_keep_their_names_and_order(model, pictures, out):
    files = [pictures / "deep/c.png", str(pictures / "a.png")]
    assert predict_folder(model, files, out).written == ("c.png", "a.png")


def test_size_and_views_are_those_of_predict(model, pictures, out):
    predict_folder(model, pictures, out, size=(5, 5), tta="flip")
    expected = predict(model, pictures / "a.png", size=(5, 5), tta="flip")
    np.testing.assert_array_equal(read_mask(out / "a.png"), expected)


@settings(max_examples=8)
@given(batch_size=st.integers(1, 5), workers=st.integers(1, 3))
def test_neither_batches_nor_workers_change_a_byte(model, batch_size, workers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    files = [tmp_path_factory.getbasetemp() / f"{i}.png" for i in range(5)]
    for i, file in enumerate(files):
        if not file.exists():
            saved(file, picture((5 + i % 2, 8), i))
    report = predict_folder(model, files, folder, batch_size=batch_size, workers=workers)
    assert report.written == tuple(file.name for file in files)
    for file in files:
        np.testing.assert_array_equal(read_mask(folder / file.name), predict(model, file))


def test_shards_together_are_one_run(model, pictures, out, tmp_path):
    predict_folder(model, pictures, out)
    written = [
        predict_folder(model, pictures, tmp_path / "shards", shard=(i, 3)).written for i in range(3)
    ]
    assert sorted(sum(written, ())) == sorted(MASKS)
    assert [len(names) for names in written] == [2, 1, 1]
    assert files_in(tmp_path / "shards") == files_in(out)


# -- stopped and started again -------------------------------------------------------------------


def test_what_is_there_is_not_written_again(model, pictures, out):
    predict_folder(model, pictures, out)
    whole, times = files_in(out), times_of(out)
    (out / "b.png").unlink()
    report = predict_folder(model, pictures, out)
    assert (report.written, report.done_before) == (("b.png",), 3)
    assert files_in(out) == whole
    again = times_of(out)
    assert {p for p in times if again[p] != times[p]} == {out / "b.png"}


def test_overlays_are_added_to_masks_that_are_there(model, pictures, out):
    predict_folder(model, pictures, out)
    assert predict_folder(model, pictures, out, overlay=True).written == MASKS
    assert predict_folder(model, pictures, out, overlay=True).done_before == 4
    assert len(list(out.rglob("*.overlay.jpg"))) == 4


CHILD = """
import os, sys, time, keras, numpy as np
from semseg.inference import mask_files, predict_folder

def slow(path, *writer, whole_file=mask_files.whole_file):
    context = whole_file(path, *writer)
    class Slow:
        def __enter__(self):
            half = context.__enter__()
            half.write_bytes(b"half")
            time.sleep(0.02)
            return half
        __exit__ = lambda self, *failure: context.__exit__(*failure)
    return Slow()

mask_files.whole_file = slow
keras.utils.set_random_seed(1)
inputs = keras.Input((None, None, 3))
model = keras.Model(inputs, keras.layers.Conv2D(3, 3, padding="same")(inputs))
print("ready", flush=True)
print(predict_folder(model, sys.argv[1], sys.argv[2], overlay=True, batch_size=2))
"""


@pytest.mark.slow
def test_kills_at_any_moment_leave_what_an_uninterrupted_run_leaves(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i in range(40):
        saved(tmp_path / f"pictures/{i}.png", picture((20, 30), i))
    call = [sys.executable, "-c", CHILD, str(tmp_path / "pictures")]
    subprocess.run([*call, str(tmp_path / "whole")], check=True, capture_output=True)
    draw, done = random.Random(3), []
    for _ in range(5):
        with subprocess.Popen(
            [*call, str(tmp_path / "killed")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            process.stdout.readline()
            time.sleep(draw.uniform(0.3, 0.8))
            process.send_signal(signal.SIGKILL)
        done.append(len(list((tmp_path / "killed").glob("*.png"))))
        for mask in (tmp_path / "killed").glob("*.png"):
            assert mask.read_bytes() == (tmp_path / "whole" / mask.name).read_bytes()
    assert done[0] < 40 and done[-1] > 0
    subprocess.run([*call, str(tmp_path / "killed")], check=True, capture_output=True)
    assert files_in(tmp_path / "killed") == files_in(tmp_path / "whole")


@pytest.mark.parametrize(
    ("options", "others"),
    [
        ({"size": (4, 4)}, "size"),
        ({"tta": "flip"}, "tta"),
        ({"class_map": ClassMap(["a", "b", "c"])}, "classes"),
    ],
)
def test_a_folder_of_other_masks_is_refused(options, others, model, pictures, out):
    predict_folder(model, pictures, out)
    with pytest.raises(
        ValueError, match=rf"out holds masks of other {others} \(.*predictions\.json"
    ):
        predict_folder(model, pictures, out, **options)


def test_a_folder_of_another_models_masks_is_refused(model, pictures, out):
    predict_folder(model, pictures, out)
    other = keras.models.clone_model(model)
    with pytest.raises(ValueError, match=r"out holds masks of other weights"):
        predict_folder(other, pictures, out)


@pytest.mark.parametrize("text", ["", "[3]", "3"])
def test_a_damaged_record_is_named(text, model, pictures, out):
    predict_folder(model, pictures, out)
    (out / "predictions.json").write_text(text)
    with pytest.raises(ValueError, match=r"predictions\.json does not say what the masks beside"):
        predict_folder(model, pictures, out)


def test_files_that_no_call_wrote_are_no_masks(model, pictures, out):
    (out / "deep").mkdir(parents=True)
    saved(out / "deep/c.png", picture())
    with pytest.raises(ValueError, match=r"no earlier call wrote, found .*deep/c\.png and no pred"):
        predict_folder(model, pictures, out)


# -- failures ------------------------------------------------------------------------------------


def test_pictures_that_can_not_be_predicted_are_named_and_skipped(model, pictures, out):
    (pictures / "empty.png").touch()
    (pictures / "half.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    saved(pictures / "grey.png", picture(channels=3)[..., 0])
    with pytest.warns(
        UserWarning, match=r"3 pictures can't be predicted and are skipped \(report\."
    ):
        report = predict_folder(model, pictures, out, batch_size=2)
    assert report.written == MASKS
    assert set(report.failed) == {str(pictures / n) for n in ("empty.png", "half.png", "grey.png")}
    assert "must have 3 channels" in report.failed[str(pictures / "grey.png")]
    assert "empty" in report.failed[str(pictures / "empty.png")]
    assert "3 skipped:" in str(report) and "grey.png" in str(report)
    with pytest.warns(UserWarning, match="3 pictures"):
        assert predict_folder(model, pictures, out).done_before == 4


def test_no_picture_that_can_be_predicted_is_an_error(model, out, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").touch()
    with pytest.raises(
        ValueError, match=r"no picture of source can be predicted; the first: .*a\.png"
    ):
        predict_folder(model, tmp_path / "pictures", out)


def test_nothing_is_computed_before_out_is_known_to_take_files(
    model, pictures, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(
        "semseg.inference.forward.Forward.__call__", lambda *_: pytest.fail("called")
    )
    with pytest.raises(
        OSError, match=r"out must be a folder that can be written, received '.*file/m"
    ):
        predict_folder(model, pictures, tmp_path / "file" / "masks")


def test_a_full_disk_is_an_error_and_what_is_written_stays(model, pictures, out, monkeypatch):
    save, calls = Image.Image.save, []

    def full(self, path, *args):
        calls.append(path)
        if len(calls) > 2:
            path.write_bytes(b"ha")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(self, path, *args)

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space left on device"):
        predict_folder(model, pictures, out, workers=1)
    assert set(files_in(out)) == {"a.png", "b.png", "classes.json", "predictions.json"}
    monkeypatch.undo()
    assert predict_folder(model, pictures, out).done_before == 2


def test_an_error_of_the_model_ends_the_call(pictures, out):
    inputs = keras.Input((None, None, 3))
    halved = keras.Model(inputs, keras.layers.MaxPooling2D(2)(inputs))
    with pytest.raises(ValueError, match=r"model must give \(batch, "):
        predict_folder(halved, pictures, out)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("nowhere", FileNotFoundError, r"source must be a folder or a file, found none at nowhere"),
        ([], ValueError, r"source must name at least one picture, received an empty list"),
    ],
)
def test_a_missing_source_is_named(source, error, message, model, out):
    with pytest.raises(error, match=message):
        predict_folder(model, source, out)
    assert not out.exists()


def test_a_folder_without_pictures_is_named(model, out, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"source must hold pictures \(.*\.png.*found none in"
    ):
        predict_folder(model, tmp_path, out)


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), 3, (0, 0), (0.5, 2)])
def test_a_shard_is_a_number_and_a_count(shard, model, pictures, out):
    with pytest.raises(ValueError, match=r"shard must be \(i, n\) with 0 <= i < n, received"):
        predict_folder(model, pictures, out, shard=shard)


def test_two_pictures_of_one_mask_are_refused(model, pictures, out):
    saved(pictures / "a.jpg", picture())
    with pytest.raises(
        ValueError, match=r"two pictures for one mask, received .*a\.jpg and .*a\.png"
    ):
        predict_folder(model, pictures, out)


def test_out_may_lie_inside_source_or_around_it(model, pictures):
    inside = pictures / "deep" / ".." / "masks"
    assert predict_folder(model, pictures, inside).written == MASKS
    assert predict_folder(model, pictures, inside).done_before == 4
    assert predict_folder(model, pictures / "deep/er", pictures / "deep").written == ("a.png",)


def test_masks_are_not_written_over_pictures(model, pictures, out):
    with pytest.raises(ValueError, match=r"out must be another folder than source, received"):
        predict_folder(model, pictures, pictures / "deep" / "..")
    with pytest.raises(ValueError, match=r"the mask a\.png would be written over its picture"):
        predict_folder(model, [pictures / "a.png"], pictures)


def test_jobs_are_sorted_and_shards_take_turns(pictures, out):
    names = [job.name for job in folder_jobs(pictures, out, (0, 1))]
    assert names == list(MASKS)
    assert [job.name for job in folder_jobs(pictures, out, (1, 3))] == names[1::3]


def test_one_warning_is_enough_for_pictures_that_work(model, pictures, out):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predict_folder(model, pictures, out)
