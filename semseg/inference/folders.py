"""A folder of pictures predicted into a folder of masks: goes on where it stopped, in shards."""

import json
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from PIL import Image

from semseg._checks import check_count, check_size
from semseg._writing import whole_file, writable_folder, write_text
from semseg.classes import ClassMap
from semseg.data.passes import in_order
from semseg.data.reading import IMAGE_SUFFIXES, read_image
from semseg.inference.forward import Forward, weights_digest
from semseg.inference.prediction import InputCheck, stream
from semseg.inference.views import TestTime, check_views
from semseg.models.saved import class_map as class_map_of
from semseg.viz.overlay import draw_overlay

_PALETTE_IDS = 256


class _Job(NamedTuple):
    """A picture and where its mask goes."""

    source: Path
    name: str  # of the target below the output folder


@dataclass(frozen=True)
class FolderReport:
    """What `predict_folder` did.

    Attributes:
        folder: of the masks.
        written: files written in this call, below the folder.
        done_before: how many an earlier call had written.
        failed: the error of each picture that could not be predicted, by its file.
    """

    folder: Path
    written: tuple[str, ...]
    done_before: int
    failed: dict[str, str]

    def __str__(self) -> str:
        lines = [f"{len(self.written)} written to {self.folder}, {self.done_before} done before"]
        if self.failed:
            lines.append(f"{len(self.failed)} skipped:")
        return "\n".join([*lines, *(f"  {name}: {error}" for name, error in self.failed.items())])


def predict_folder(
    model: keras.Model,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    class_map: ClassMap | None = None,
    overlay: bool = False,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
    tta: TestTime = None,
    workers: int = 2,
    shard: tuple[int, int] = (0, 1),
) -> FolderReport:
    """Writes a mask for each picture, as a PNG of class ids in the classes' colours.

    Called again it goes on where it stopped, however that was: a mask that is there is whole. A
    picture that can't be predicted is skipped and named at the end. Pictures are read and masks
    written while the model works. `classes.json` beside the masks says what the ids mean.

    Args:
        model: any Keras model with per-pixel outputs.
        source: a folder, read with all folders in it, or files.
        out: the folder of the masks, made where it is missing; a mask keeps its picture's place
            and name, ending in ".png".
        class_map: names and colours of the ids; None takes those inside the model, else numbers.
        overlay: writes `NAME.overlay.jpg`, the mask over the picture, beside each mask.
        size, batch_size, tta: as in `predict`.
        workers: threads that read, and as many that write.
        shard: (i, n) does every nth picture from the ith on, on n machines together all.

    Returns:
        What was written, what was there, and what failed; `print` it.

    Raises:
        FileNotFoundError: no such source, no picture in it.
        OSError: `out` can't be written, or the disk is full; what is written stays.
        ValueError: two pictures of one name, none that can be predicted, a folder with masks of
            another model or of other settings.

    Example:
        >>> import tempfile
        >>> from semseg.viz import save
        >>> pictures, masks = tempfile.mkdtemp(), tempfile.mkdtemp()
        >>> _ = save(f"{pictures}/a.png", np.zeros((16, 24, 3), "uint8"))
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> semseg.inference.predict_folder(model, pictures, masks).written
        ('a.png',)
    """
    forward = Forward(model)
    size = None if size is None else check_size(size)
    check_count("batch_size", batch_size, 1)
    check_count("workers", workers, 1)
    check_views(tta, "ids", forward.size)
    classes = _classes(forward, class_map)
    jobs = _jobs(source, Path(out))[_shard(shard)]
    folder = writable_folder(out)
    _claim(folder, forward.model, classes, {"size": size, "tta": tta})
    todo = [job for job in jobs if not (folder / job.name).is_file()]
    check = InputCheck(forward, size)
    failed: dict[str, str] = {}
    held: deque[tuple[_Job, np.ndarray]] = deque()  # read, not predicted: as many as are batched

    def images() -> Iterator[np.ndarray]:
        for job, image in in_order(_reader(check), todo, len(todo), "predicting", workers):
            if isinstance(image, Exception):
                failed[str(job.source)] = str(image)
            else:
                held.append((job, image))
                yield image

    masks = stream(forward, images(), "ids", size, batch_size, tta)
    written = []
    with _Writer(folder, classes, overlay, workers) as writer:
        for ids in masks:
            job, image = held.popleft()
            writer.put(job.name, ids, image)
            written.append(job.name)
    report = FolderReport(folder, tuple(written), len(jobs) - len(todo), failed)
    _tell(report)
    return report


def _reader(check: InputCheck) -> Any:
    """Reads and checks a job's picture; what can't be predicted comes back as its error."""

    def read(job: _Job) -> tuple[_Job, Any]:
        try:
            return job, check(read_image(job.source), str(job.source))
        except (OSError, ValueError, TypeError) as error:
            return job, error

    return read


class _Writer:
    """Masks, and overlays where they are wanted, written by threads; few wait at a time."""

    def __init__(self, folder: Path, classes: ClassMap, overlay: bool, workers: int) -> None:
        self._folder, self._classes, self._overlay = folder, classes, overlay
        self._pool = ThreadPoolExecutor(workers)
        self._most = 4 * workers
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> "_Writer":
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
            with whole_file(target.with_suffix(".overlay.jpg")) as half:
                Image.fromarray(draw_overlay(image, ids, self._classes)).save(half, "jpeg")
        with whole_file(target) as half:  # last: a mask that is there says that all is there
            _as_png(ids, self._classes).save(half, "png")


def _as_png(ids: np.ndarray, classes: ClassMap) -> Image.Image:
    """Ids with the classes' colours as palette; 16-bit grey where there are more than 256."""
    picture = Image.fromarray(ids)
    if classes.num_classes <= _PALETTE_IDS:
        picture.putpalette(np.asarray(classes.colors, np.uint8).tobytes())
    return picture


def _classes(forward: Forward, class_map: ClassMap | None) -> ClassMap:
    """The given map, the model's own, or numbers."""
    count = max(2, forward.num_outputs)
    found = class_map or class_map_of(forward.model)
    if found is None:
        return ClassMap([f"class {i}" for i in range(count)])
    if found.num_classes != count:
        raise ValueError(
            f"class_map must have {count} classes, as the model predicts, received "
            f"{found.num_classes}"
        )
    return found


def _jobs(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], out: Path
) -> list[_Job]:
    """All pictures, sorted, with the names of their masks."""
    if isinstance(source, str | os.PathLike):
        root = Path(source)
        if root.is_file():
            return _named([root], root.parent)
        if not root.is_dir():
            raise FileNotFoundError(f"source must be a folder or a file, found none at {root}")
        files = _pictures_in(root, out)
        if not files:
            raise FileNotFoundError(
                f"source must hold pictures ({', '.join(IMAGE_SUFFIXES)}), found none in {root}"
            )
        return _named(files, root)
    files = [Path(file) for file in source]
    if not files:
        raise ValueError("source must name at least one picture, received an empty list")
    return _named(files, None)


def _pictures_in(root: Path, out: Path) -> list[Path]:
    """Files that look like pictures; not those in `out`, which an earlier call may have written."""
    own = out.absolute()
    found = []
    for folder, inside, names in os.walk(root):
        inside[:] = [i for i in inside if Path(folder, i).absolute() != own and i[0] != "."]
        found += [
            Path(folder, name)
            for name in names
            if name.lower().endswith(IMAGE_SUFFIXES) and name[0] != "."
        ]
    return sorted(found)


def _named(files: Sequence[Path], root: Path | None) -> list[_Job]:
    taken: dict[str, Path] = {}
    for file in files:
        place = Path(file.name) if root is None else file.relative_to(root)
        name = place.with_suffix(".png").as_posix()
        if name in taken:
            raise ValueError(
                f"source must not have two pictures for one mask, received {taken[name]} and "
                f"{file} for {name}; predict them into two folders"
            )
        taken[name] = file
    return [_Job(file, name) for name, file in taken.items()]


def _shard(shard: Any) -> slice:
    number, count = shard if isinstance(shard, tuple) and len(shard) == 2 else (None, None)
    if not (isinstance(count, int) and isinstance(number, int) and 0 <= number < count):
        raise ValueError(f"shard must be (i, n) with 0 <= i < n, received {shard!r}")
    return slice(number, None, count)


def _claim(folder: Path, model: keras.Model, classes: ClassMap, settings: dict[str, Any]) -> None:
    """Refuses a folder with masks of something else; writes what these masks are."""
    record = folder / "predictions.json"
    identity = json.loads(json.dumps({"weights": weights_digest(model), **settings}))
    if record.is_file():
        there = json.loads(record.read_text())
        others = [key for key in identity if there.get(key) != identity[key]]
        if others:
            raise ValueError(
                f"out holds masks of other {', '.join(others)} ({record}); choose another folder "
                "or remove that one"
            )
    write_text(folder / "classes.json", json.dumps(classes.to_dict(), indent=1) + "\n")
    write_text(record, json.dumps(identity, indent=1) + "\n")


def _tell(report: FolderReport) -> None:
    if not report.failed:
        return
    first = next(iter(report.failed.values()))
    if not report.written and not report.done_before:
        raise ValueError(f"no picture of source can be predicted; the first: {first}")
    warnings.warn(
        f"{len(report.failed)} pictures can't be predicted and are skipped (report.failed names "
        f"them); the first: {first}",
        stacklevel=3,
    )
