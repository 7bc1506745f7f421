"""save_animation: what is read back are the frames, in their order, without flicker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from semseg.viz import save, save_animation


def read(path):
    """The frames as a viewer shows them, and their times in milliseconds."""
    frames, times = [], []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(np.array(frame.convert("RGB")))
            times.append(frame.info["duration"])
    return frames, times


def numbered(count, colors=256, seed=0):
    """Frames of few colours, each unlike the one before."""
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (colors, 3)).astype(np.uint8)
    frames = [table[rng.integers(0, colors, (12, 17))] for _ in range(count)]
    for i, frame in enumerate(frames):
        frame[0, 0] = table[i % 2]
    return frames


@given(seed=st.integers(0, 999), count=st.integers(1, 5), colors=st.integers(2, 256))
def test_frames_of_up_to_256_colours_are_read_back_exactly(tmp_path_factory, seed, count, colors):
    frames = numbered(count, colors, seed)
    path = save_animation(tmp_path_factory.mktemp("gif") / "a.gif", frames, seconds=0.25)
    found, times = read(path)
    assert len(found) == count and times[0] == 250 and len(set(times)) == 1
    for one, other in zip(found, frames, strict=True):
        np.testing.assert_array_equal(one, other)


def photographs(count):
    """Frames of very many colours around paper and a legend that stay."""
    rng = np.random.default_rng(0)
    frames = []
    for i in range(count):
        frame = np.full((60, 80, 3), 255, np.uint8)
        rows, columns = np.indices((40, 80))
        waves = np.stack([rows * 6, columns * 3, rows + columns + 40 * i], -1) % 256
        frame[:40] = np.clip(waves + rng.integers(-8, 9, waves.shape), 0, 255)
        frame[50:55, :20] = 230, 159, 0
        frame[20:30, 30:50] = frames[0][20:30, 30:50] if frames else frame[20:30, 30:50]
        frames.append(frame)
    return frames


def test_of_more_colours_what_stays_does_not_flicker_and_the_most_frequent_are_exact(tmp_path):
    frames = photographs(4)
    found, _ = read(save_animation(tmp_path / "a.gif", frames))
    assert len(found) == 4
    for one, other in zip(found, frames, strict=True):
        np.testing.assert_array_equal(one[40:], other[40:])
        assert np.abs(one.astype(int) - other).mean() < 10
        np.testing.assert_array_equal(one[20:30, 30:50], found[0][20:30, 30:50])
        same = frames[0] == other
        assert same[:40].any() and len(np.unique(one.reshape(-1, 3), axis=0)) <= 256
    assert len(np.unique(np.concatenate(found).reshape(-1, 3), axis=0)) <= 256


def test_equal_frames_in_a_row_are_one_that_is_shown_as_long(tmp_path):
    first, second = numbered(2)
    found, times = read(save_animation(tmp_path / "a.gif", [first, first, second], 0.3))
    assert times == [600, 300]
    np.testing.assert_array_equal(found[1], second)


def test_a_folder_is_taken_in_the_order_of_its_numbers(tmp_path):
    frames = numbered(3)
    folder = tmp_path / "grids"
    for epoch, frame in zip((99, 101, 1000), frames, strict=True):
        save(folder / f"epoch_{epoch:03d}.png", frame)
    (folder / "notes.txt").write_text("no picture")
    found, _ = read(save_animation(tmp_path / "new" / "a.GIF", folder))
    np.testing.assert_array_equal(found, frames)
    files = [folder / "epoch_1000.png", str(folder / "epoch_099.png")]
    found, _ = read(save_animation(tmp_path / "b.gif", files))
    np.testing.assert_array_equal(found, [frames[2], frames[0]])
    found, _ = read(save_animation(tmp_path / "c.gif", np.stack(frames)))
    np.testing.assert_array_equal(found, frames)


def test_it_begins_anew_at_its_end(tmp_path):
    with Image.open(save_animation(tmp_path / "a.gif", numbered(2))) as image:
        assert image.info["loop"] == 0


GOOD = numbered(2)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        ([], ValueError, "frames must hold at least one picture, received none"),
        ([GOOD[0], GOOD[1][:5]], ValueError, r"received 5x17 for frames\[1\]"),
        ([GOOD[0] / 255], TypeError, r"frames\[0\] must be uint8"),
        ([GOOD[0], 3], TypeError, r"frames\[1\] must be a uint8 array .* received int"),
        (GOOD[0], ValueError, r"frames\[0\] must have shape \(height, width, 3\), received \(17,"),
        (["nowhere.png"], OSError, r"frames\[0\] must be a picture that can be read, .*nowhere"),
        ("nowhere", ValueError, "frames must be pictures, or a folder .* 'nowhere', no folder"),
    ],
)
def test_bad_frames_are_named_and_nothing_is_written(tmp_path, frames, error, message):
    with pytest.raises(error, match=message):
        save_animation(tmp_path / "a.gif", frames)
    assert not list(tmp_path.iterdir())


def test_bad_files_folders_and_times_are_named(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(OSError, match=r"frames\[0\] must be a picture that can be read"):
        save_animation(tmp_path / "a.gif", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="a folder without any"):
        save_animation(tmp_path / "a.gif", tmp_path / "empty")
    with pytest.raises(ValueError, match=r"path must end in .gif, received .*a.png"):
        save_animation(tmp_path / "a.png", GOOD)
    for seconds in (0, 0.01, float("nan")):
        with pytest.raises(ValueError, match="seconds must be at least 0.02, received"):
            save_animation(tmp_path / "a.gif", GOOD, seconds)
    with pytest.raises(OSError, match="path must be a file that can be written"):
        save_animation(tmp_path / "a.png" / "b.gif", GOOD)
