"""Masks and overlays as files, written by threads."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from semseg._writing import whole_file
from semseg.classes import ClassMap
from semseg.viz.overlay import draw_overlay

_PALETTE_IDS = 256


class MaskWriter:
    """Masks, and overlays where they are wanted, written by threads; few wait at a time."""

    def __init__(self, folder: Path, classes: ClassMap, overlay: bool, workers: int) -> None:
        self._folder, self._classes, self._overlay = folder, classes, overlay
        self._pool = ThreadPoolExecutor(workers)
        self._most = 4 * workers
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> "MaskWriter":
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=failure is not None)
        if failure is None:
            for future in self._waiting:
                future.result()

    def put(self, name: str, ids: np.ndarray, image: np.ndarray) -> None:
        """Hands a mask over; an error of an earlier one is raised here."""
        self._waiting.append(self._pool.submit(self._write, name, ids, image))
        while len(self._waiting) > self._most:
            self._waiting.popleft().result()

    def _write(self, name: str, ids: np.ndarray, image: np.ndarray) -> None:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._overlay:
            with whole_file(_overlay_of(target)) as half:
                Image.fromarray(draw_overlay(image, ids, self._classes)).save(half, "jpeg")
        with whole_file(target) as half:  # last: a mask that is there says that all is there
            _as_png(ids, self._classes).save(half, "png")


def is_done(mask: Path, overlay: bool) -> bool:
    """Whether an earlier call wrote a mask, and the overlay where it is wanted."""
    return mask.is_file() and (not overlay or _overlay_of(mask).is_file())


def _overlay_of(mask: Path) -> Path:
    return mask.with_suffix(".overlay.jpg")


def _as_png(ids: np.ndarray, classes: ClassMap) -> Image.Image:
    """Ids with the classes' colours as palette; 16-bit grey where there are more than 256."""
    picture = Image.fromarray(ids)
    if classes.num_classes <= _PALETTE_IDS:
        picture.putpalette(np.asarray(classes.colors, np.uint8).tobytes())
    return picture
