"""A film predicted into a film: frame by frame, with few of them in memory."""

import math
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

from semseg._checks import check_count, check_size
from semseg._writing import whole_file, writable_folder
from semseg.classes import ClassMap
from semseg.inference.folders import classes_of
from semseg.inference.forward import Forward
from semseg.inference.prediction import InputCheck, stream
from semseg.viz.overlay import draw_overlay

# By the ending of the file; OpenCV's wheels bring both.
_CODECS = {".avi": "MJPG", ".mp4": "mp4v"}


@dataclass(frozen=True)
class VideoReport:
    """What `predict_video` did.

    Attributes:
        file: the film.
        frames: how many were read, predicted and written.
        announced: how many the source says it has; some containers guess, 0 says nothing.
        fps: frames a second.
        size: (height, width).
    """

    file: Path
    frames: int
    announced: int
    fps: float
    size: tuple[int, int]

    def __str__(self) -> str:
        height, width = self.size
        told = "" if self.announced in (0, self.frames) else f" of {self.announced} announced"
        return (
            f"{self.frames} frames{told} of {height} x {width} at {self.fps:g} a second written "
            f"to {self.file}"
        )


def predict_video(
    model: keras.Model,
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    class_map: ClassMap | None = None,
    overlay: bool = True,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
) -> VideoReport:
    """Writes a film with the classes of every frame, as large and as fast as the source.

    Only the frames of a few batches are in memory. Sound is left out. The film gets its name when
    it is whole; a source that breaks off gives the frames up to there, and `report.announced` says
    how many there should have been. Colours go through a lossy codec: ids are not read back from
    a film, `predict_folder` writes those.

    Args:
        model: any Keras model with per-pixel outputs that takes RGB frames of 0..255.
        source: a film that OpenCV reads.
        out: ".avi" (Motion JPEG, large) or ".mp4" (MPEG-4); what is there is written over.
        class_map: names and colours of the ids; None takes those inside the model, else numbers.
        overlay: lays the colours over the frame; False shows the colours alone.
        size, batch_size: as in `predict`.

    Returns:
        How many frames were written, and how; `print` it.

    Raises:
        FileNotFoundError: no such source.
        ValueError: a source that is no film, without a frame or a frame rate, of an odd height or
            width; an `out` that ends otherwise or is the source; frames that the model can't take.
        OSError: `out` can't be written, the disk is full, or OpenCV lacks the codec.

    Example:
        >>> import cv2, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> film = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 5, (32, 16))
        >>> for grey in (0, 100, 200):
        ...     _ = film.write(np.full((16, 32, 3), grey, "uint8"))
        >>> film.release()
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> report = semseg.inference.predict_video(model, f"{folder}/a.avi", f"{folder}/b.avi")
        >>> report.frames, report.fps, report.size
        (3, 5.0, (16, 32))
    """
    forward = Forward(model)
    size = None if size is None else check_size(size)
    check_count("batch_size", batch_size, 1)
    classes = classes_of(forward, class_map)
    source, out = Path(source), Path(out)
    _check_places(source, out)
    check, held = InputCheck(forward, size), deque[np.ndarray]()
    with _opened(source) as film:
        fps = _rate(film, source)
        announced = max(0, int(film.get(cv2.CAP_PROP_FRAME_COUNT)))
        frames = _frames(film)
        first = next(frames, None)
        if first is None:
            raise ValueError(f"source must hold at least one frame, found none in {source}")
        shape = (first.shape[0], first.shape[1])
        _check_even(shape, source)

        def checked() -> Iterator[np.ndarray]:
            for i, frame in enumerate(_with_first(first, frames)):
                held.append(frame)
                yield check(frame, f"frame {i} of {source}")

        count = 0
        with _writer(out, fps, shape) as write:
            for ids in stream(forward, checked(), "ids", size, batch_size, None):
                frame = held.popleft()
                write(draw_overlay(frame, ids, classes) if overlay else classes.colorize(ids))
                count += 1
    return VideoReport(out, count, announced, fps, shape)


def _check_places(source: Path, out: Path) -> None:
    if not source.is_file():
        raise FileNotFoundError(f"source must be a film, found no file at {source}")
    if out.suffix.lower() not in _CODECS:
        raise ValueError(f"out must end in {' or '.join(_CODECS)}, received {str(out)!r}")
    if out.resolve() == source.resolve():
        raise ValueError(
            f"out must be another file than source, received {str(out)!r} for both; choose "
            "another name"
        )


@contextmanager
def _opened(source: Path) -> Iterator[Any]:
    film = cv2.VideoCapture(str(source))
    try:
        if not film.isOpened():
            raise ValueError(
                f"source must be a film that OpenCV reads, received {source}; if a player shows "
                f"it, convert it: ffmpeg -i {source.name} {source.stem}.mp4"
            )
        yield film
    finally:
        film.release()


def _rate(film: Any, source: Path) -> float:
    fps = float(film.get(cv2.CAP_PROP_FPS))
    if not 0 < fps < math.inf:
        raise ValueError(
            f"source must say how many frames it shows a second, received {fps:g} of {source}; "
            f"write it again with a rate: ffmpeg -r 25 -i {source.name} {source.stem}.mp4"
        )
    return fps


def _check_even(size: tuple[int, int], source: Path) -> None:
    """OpenCV would leave out the last row or column of each frame, and say nothing."""
    if size[0] % 2 or size[1] % 2:
        raise ValueError(
            f"source must have an even height and width, received {size[0]} x {size[1]} of "
            f"{source}; pad it: ffmpeg -i {source.name} -vf "
            f"'pad=ceil(iw/2)*2:ceil(ih/2)*2' {source.stem}_even.mp4"
        )


def _frames(film: Any) -> Iterator[np.ndarray]:
    """RGB frames (height, width, 3)."""
    while True:
        found, frame = film.read()
        if not found:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def _with_first(first: np.ndarray, others: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from others


@contextmanager
def _writer(out: Path, fps: float, size: tuple[int, int]) -> Iterator[Any]:
    """A function that takes RGB frames of one size; the file is there when all are in it."""
    writable_folder(out.parent)
    count = 0
    with whole_file(out) as half:
        # OpenCV chooses the container by the ending.
        begun = half.with_name(half.name + out.suffix)
        codec = _CODECS[out.suffix.lower()]
        film = cv2.VideoWriter(str(begun), cv2.VideoWriter.fourcc(*codec), fps, size[::-1])

        def write(frame: np.ndarray) -> None:
            nonlocal count
            film.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            count += 1

        try:
            if not film.isOpened():
                raise OSError(
                    f"out must be a file that OpenCV can write, received {out}: it has no codec "
                    f"{codec}, or not the right to write there; try another ending "
                    f"({', '.join(_CODECS)})"
                )
            yield write
            film.release()
            _check_whole(begun, out, count)
            os.replace(begun, half)
        finally:
            film.release()
            begun.unlink(missing_ok=True)


def _check_whole(begun: Path, out: Path, count: int) -> None:
    """OpenCV says nothing of frames that could not be written."""
    film = cv2.VideoCapture(str(begun))
    frames = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    film.release()
    if frames != count:
        raise OSError(
            f"out could not be written, {frames} of {count} frames are in {out}; is the disk full?"
        )
