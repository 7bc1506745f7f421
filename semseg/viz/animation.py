"""Pictures one after another in a GIF file: how the predictions of a training change."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from semseg._writing import whole_file
from semseg.viz.writing import check_picture, making

_COLORS = 256  # what GIF can hold
_EXACT = 128  # of them: the most frequent, so that paper, text and class colours stay true
_SAMPLED = 2**17  # pixels that the others are chosen for
_AT_ONCE = 2**16  # colours compared with the palette
_SHORTEST = 0.02  # seconds: browsers show shorter frames for longer


def save_animation(
    path: str | os.PathLike[str],
    frames: str | os.PathLike[str] | Iterable[Any],
    seconds: float = 0.5,
) -> Path:
    """Writes pictures of one size as an animated GIF that begins anew at its end.

    All frames share one palette, without dithering: what does not change does not flicker. Up to
    256 colours are kept exactly; of more, the most frequent are, and the others become their
    nearest. Equal frames in a row become one that is shown as long.

    Args:
        path: a .gif file. Missing folders are created; it is there whole or not at all.
        frames: pictures (height, width, 3) uint8 as `draw_*` gives them, or files; or a folder,
            such as that of `training.PredictionGrid`, whose PNG files are taken in the order of
            the numbers in their names.
        seconds: for each frame, at least 0.02, in hundredths.

    Returns:
        The path.

    Raises:
        ValueError: no frame, sizes that differ, another ending, too short a time.
        TypeError: a frame that is neither a uint8 array nor a file.
        OSError: a file that can't be read or written.

    Example:
        >>> import tempfile
        >>> frames = [np.full((8, 8, 3), grey, "uint8") for grey in (0, 128, 255)]
        >>> save_animation(tempfile.mkdtemp() + "/training.gif", frames).name
        'training.gif'
    """
    path, listed = Path(path), _listed(frames)
    if path.suffix.lower() != ".gif":
        raise ValueError(f"path must end in .gif, received {str(path)!r}")
    if not _SHORTEST <= seconds < np.inf:
        raise ValueError(f"seconds must be at least {_SHORTEST}, received {seconds!r}")
    palette = _palette(_read_all(listed))
    pictures = (_with_palette(picture, palette) for picture in _read_all(listed))
    with making(path), whole_file(path) as half:
        next(pictures).save(
            half, "GIF", save_all=True, append_images=pictures, loop=0, optimize=False,
            duration=10 * round(100 * seconds),
        )  # fmt: skip
    return path


def _listed(frames: Any) -> Sequence[Any]:
    if isinstance(frames, str | os.PathLike):
        folder = Path(frames)
        found = sorted(folder.glob("*.png"), key=lambda file: _numbers_last(file.name))
        if not found:
            what = "a folder without any" if folder.is_dir() else "no folder"
            raise ValueError(
                f"frames must be pictures, or a folder with .png files, received {str(folder)!r}, "
                f"{what}"
            )
        return found
    listed = list(frames)
    if not listed:
        raise ValueError("frames must hold at least one picture, received none")
    return listed


def _numbers_last(name: str) -> list[Any]:
    """A key by which epoch_1000 comes after epoch_101."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), part) if i % 2 else part for i, part in enumerate(parts)]


def _read_all(frames: Sequence[Any]) -> Iterator[np.ndarray]:
    """The pictures one at a time: those of a long training need not fit into memory."""
    first: tuple[int, ...] | None = None
    for i, frame in enumerate(frames):
        picture = _read(frame, f"frames[{i}]")
        first = first or picture.shape
        if picture.shape != first:
            raise ValueError(
                f"frames must have the size of the first, {first[0]}x{first[1]}, received "
                f"{picture.shape[0]}x{picture.shape[1]} for frames[{i}]"
            )
        yield picture


def _read(frame: Any, where: str) -> np.ndarray:
    if isinstance(frame, np.ndarray):
        check_picture(frame, where)
        return frame
    if not isinstance(frame, str | os.PathLike):
        raise TypeError(
            f"{where} must be a uint8 array as draw_* gives it, or a file, received "
            f"{type(frame).__name__}"
        )
    try:
        with Image.open(frame) as image:
            return np.array(image.convert("RGB"))
    except OSError as error:
        raise OSError(
            f"{where} must be a picture that can be read, received {str(frame)!r} "
            f"({error.strerror or error})"
        ) from error


def _palette(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """(colours, 3) uint8: all that occur; of more than fit, the most frequent and a choice."""
    found = [np.unique(_packed(picture), return_counts=True) for picture in pictures]
    numbers, where = np.unique(np.concatenate([n for n, _ in found]), return_inverse=True)
    counts = np.bincount(where, np.concatenate([count for _, count in found]))
    colors = _unpacked(numbers[np.argsort(-counts, kind="stable")])
    if len(colors) <= _COLORS:
        return colors
    counts = np.sort(counts)[::-1][_EXACT:]
    sampled = np.repeat(colors[_EXACT:], np.ceil(counts * (_SAMPLED / counts.sum())).astype(int), 0)
    image = Image.fromarray(sampled[None]).quantize(_COLORS - _EXACT, kmeans=1)
    chosen = _unpacked(np.unique(_packed(np.asarray(image.convert("RGB")))))
    return np.concatenate([colors[:_EXACT], chosen])


def _with_palette(picture: np.ndarray, palette: np.ndarray) -> Image.Image:
    numbers, where = np.unique(_packed(picture), return_inverse=True)
    colors, entries = _unpacked(numbers).astype(np.float32), palette.astype(np.float32)
    squares = (entries**2).sum(axis=1)  # whole numbers that float32 holds
    nearest = np.concatenate(
        [
            np.argmin(squares - 2 * colors[i : i + _AT_ONCE] @ entries.T, axis=1)
            for i in range(0, len(colors), _AT_ONCE)
        ]
    )
    image = Image.fromarray(nearest[where].reshape(picture.shape[:2]).astype(np.uint8))
    image.putpalette(palette.tobytes())
    return image


def _packed(picture: np.ndarray) -> np.ndarray:
    """Colours as one number each, flat."""
    return (picture.reshape(-1, 3).astype(np.uint32) * [65536, 256, 1]).sum(axis=1, dtype=np.uint32)


def _unpacked(numbers: np.ndarray) -> np.ndarray:
    return (numbers[:, None] >> np.array([16, 8, 0]) & 255).astype(np.uint8)
