"""predict_video: every frame, in order, at the source's size and speed, or no film at all."""

from itertools import islice

import cv2
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import ClassMap
from semseg.inference import predict, predict_video
from semseg.inference import video as module

LIGHT = ClassMap(["dark", "light"], colors=[(0, 0, 0), (255, 255, 255)])


def brightness():
    """Class 1 where red, green and blue are together above 3 x 127.5."""
    inputs = keras.Input((None, None, 3))
    scores = keras.layers.Conv2D(2, 1)(inputs)
    model = keras.Model(inputs, scores)
    weights = np.zeros((1, 1, 3, 2), np.float32)
    weights[..., 1] = 1
    model.set_weights([weights, np.array([0, -382.5], np.float32)])
    return model


MODEL = brightness()


def film(path, levels, size=(24, 32), fps=12.5, codec="MJPG"):
    """Frames whose left half is of one grey and whose right half of the opposite one."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size[::-1])
    assert writer.isOpened()
    for level in levels:
        frame = np.full((*size, 3), level, np.uint8)
        frame[:, size[1] // 2 :] = 255 - level
        writer.write(frame)
    writer.release()
    return path


def frames_of(path):
    """RGB frames, frames a second."""
    capture = cv2.VideoCapture(str(path))
    found = []
    while (read := capture.read())[0]:
        found.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return found, fps


@settings(max_examples=8)
@given(
    levels=st.lists(st.sampled_from([0, 40, 215, 255]), min_size=1, max_size=13),
    batch_size=st.integers(1, 3),
    suffix=st.sampled_from([".avi", ".mp4"]),
)
def test_each_frame_is_its_own_prediction_in_order(tmp_path_factory, levels, batch_size, suffix):
    folder = tmp_path_factory.mktemp("films")
    source, out = film(folder / "a.avi", levels), folder / f"b{suffix}"
    report = predict_video(
        MODEL, source, out, class_map=LIGHT, overlay=False, batch_size=batch_size
    )
    found, fps = frames_of(out)
    assert (report.frames, len(found), report.announced) == (len(levels),) * 3
    assert (report.size, report.fps, fps) == ((24, 32), 12.5, 12.5)
    for frame, level in zip(found, levels, strict=True):
        assert (frame[:, :12] > 127).all() == (level > 127)
        assert (frame[:, 20:] > 127).all() == (level < 128)


def test_an_overlay_shows_the_frame_under_the_colours_of_the_classes(tmp_path):
    colors = ClassMap(["dark", "light"], colors=[(0, 0, 255), (255, 0, 0)])
    source = film(tmp_path / "a.avi", [30] * 3)
    report = predict_video(MODEL, source, tmp_path / "b.avi", class_map=colors)
    (frame, *_), _ = frames_of(report.file)
    assert np.abs(frame[12, 8].astype(int) - (15, 15, 142)).max() < 12
    assert np.abs(frame[12, 24].astype(int) - (240, 112, 112)).max() < 12


def test_ids_are_those_of_predict_at_the_size_that_was_asked_for(tmp_path):
    source = film(tmp_path / "a.avi", [0, 255])
    predict_video(MODEL, source, tmp_path / "b.avi", class_map=LIGHT, overlay=False, size=(12, 16))
    for frame, shown in zip(frames_of(source)[0], frames_of(tmp_path / "b.avi")[0], strict=True):
        ids = predict(MODEL, frame, size=(12, 16))
        assert ((shown[..., 0] > 127) == ids).mean() > 0.95  # the codec blurs the border


def test_few_frames_are_held(tmp_path, monkeypatch):
    """Reading is never more than a few batches ahead of writing."""
    source, ahead, most = film(tmp_path / "a.avi", [0, 255] * 40), 0, 0
    real, real_draw = module._frames, module.draw_overlay

    def frames(capture):
        nonlocal ahead, most
        for frame in real(capture):
            ahead += 1
            most = max(most, ahead)
            yield frame

    def draw(*arguments):
        nonlocal ahead
        ahead -= 1
        return real_draw(*arguments)

    monkeypatch.setattr(module, "_frames", frames)
    monkeypatch.setattr(module, "draw_overlay", draw)
    report = predict_video(MODEL, source, tmp_path / "b.avi", class_map=LIGHT, batch_size=2)
    assert report.frames == 80
    assert most <= 4 * 2 + 1


def test_the_report_says_what_was_written_and_where_a_source_broke_off(tmp_path, monkeypatch):
    source, out = film(tmp_path / "a.avi", [0] * 9), tmp_path / "deep" / "b.avi"
    assert str(predict_video(MODEL, source, out)) == (
        f"9 frames of 24 x 32 at 12.5 a second written to {out}"
    )
    real = module._frames
    monkeypatch.setattr(module, "_frames", lambda capture: islice(real(capture), 5))
    report = predict_video(MODEL, source, out)  # written over
    assert (report.frames, report.announced) == (5, 9)
    assert str(report).startswith("5 frames of 9 announced of 24 x 32")
    assert len(frames_of(out)[0]) == 5


@pytest.mark.parametrize("size", [(23, 32), (24, 31)])
def test_odd_sides_are_refused_where_opencv_would_crop(size, tmp_path):
    # The one backend that keeps them, and rounds the rate.
    writer = cv2.VideoWriter(
        str(tmp_path / "a.avi"),
        cv2.CAP_OPENCV_MJPEG,
        cv2.VideoWriter.fourcc(*"MJPG"),
        12,
        size[::-1],
    )
    writer.write(np.zeros((*size, 3), np.uint8))
    writer.release()
    with pytest.raises(
        ValueError, match=rf"even height .* received {size[0]} x {size[1]} of .*pad"
    ):
        predict_video(MODEL, tmp_path / "a.avi", tmp_path / "b.avi")
    assert [p.name for p in tmp_path.iterdir()] == ["a.avi"]


class Forgetful:
    """A writer on a full disk, which OpenCV passes over in silence."""

    def __init__(self, *arguments):
        self.film, self.count = REAL_WRITER(*arguments), 0

    def write(self, frame):
        self.count += 1
        if self.count < 3:
            self.film.write(frame)

    def __getattr__(self, name):
        return getattr(self.film, name)


class Closed(Forgetful):
    def isOpened(self):
        return False


REAL_WRITER = cv2.VideoWriter


@pytest.mark.parametrize(
    ("twin", "message"),
    [
        (Forgetful, r"out could not be written, 2 of 5 frames are in .*b.avi; is the disk full\?"),
        (
            Closed,
            r"a file that OpenCV can write, .* no codec MJPG, .* another ending \(.avi, .mp4\)",
        ),
    ],
)
def test_what_can_not_be_written_leaves_nothing_behind(twin, message, tmp_path, monkeypatch):
    source, out = film(tmp_path / "a.avi", [0] * 5), tmp_path / "b.avi"
    out.write_bytes(b"what was there")
    twin.fourcc = REAL_WRITER.fourcc
    monkeypatch.setattr(module.cv2, "VideoWriter", twin)
    with pytest.raises(OSError, match=message):
        predict_video(MODEL, source, out)
    assert out.read_bytes() == b"what was there"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.avi", "b.avi"]


def test_a_model_that_fails_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    source = film(tmp_path / "a.avi", [0] * 20)
    monkeypatch.setattr(module, "draw_overlay", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        predict_video(MODEL, source, tmp_path / "b.mp4", batch_size=1)
    assert [p.name for p in tmp_path.iterdir()] == ["a.avi"]


def test_errors(tmp_path, capfd):
    source, out = film(tmp_path / "a.avi", [0]), tmp_path / "b.avi"
    (tmp_path / "text.avi").write_text("no film")
    with pytest.raises(FileNotFoundError, match=r"source must be a film, found no file at .*none"):
        predict_video(MODEL, tmp_path / "none.avi", out)
    with pytest.raises(ValueError, match=r"film that OpenCV reads, received .*text.avi; .* ffmpeg"):
        predict_video(MODEL, tmp_path / "text.avi", out)
    with pytest.raises(ValueError, match=r"out must end in .avi or .mp4, received .*b.mov"):
        predict_video(MODEL, source, tmp_path / "b.mov")
    with pytest.raises(ValueError, match=r"another file than source, .* choose another name"):
        predict_video(MODEL, source, tmp_path / "." / "a.avi")
    with pytest.raises(ValueError, match=r"class_map must have 2 classes, .* received 3"):
        predict_video(MODEL, source, out, class_map=ClassMap(["a", "b", "c"]))
    grey = keras.Input((None, None, 1))
    one = keras.Model(grey, keras.layers.Conv2D(2, 1)(grey))
    with pytest.raises(ValueError, match=r"frame 0 of .*a.avi must have 1 channels"):
        predict_video(one, source, out)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"must be a folder that can be written"):
        predict_video(MODEL, source, tmp_path / "file" / "b.avi")
    assert not out.exists() and len(list(tmp_path.iterdir())) == 3


def test_a_film_without_frames_or_without_a_rate_is_refused(tmp_path, monkeypatch):
    source = film(tmp_path / "a.avi", [0])
    monkeypatch.setattr(module, "_frames", lambda _: iter(()))
    with pytest.raises(ValueError, match=r"at least one frame, found none in .*a.avi"):
        predict_video(MODEL, source, tmp_path / "b.avi")

    class Timeless:
        def get(self, _):
            return 0.0

    with pytest.raises(
        ValueError, match=r"frames it shows a second, received 0 of .*a.avi; .*-r 25"
    ):
        module._rate(Timeless(), source)
