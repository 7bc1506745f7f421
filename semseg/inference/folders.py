"""A folder of pictures predicted into a folder of masks: goes on where it stopped, in shards."""

import json
import os
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from semseg._checks import check_count, check_size
from semseg._writing import writable_folder, write_text
from semseg.classes import ClassMap
from semseg.data.passes import in_order
from semseg.data.reading import read_image
from semseg.inference.folder_jobs import Job, Source, folder_jobs
from semseg.inference.forward import Forward, weights_digest
from semseg.inference.mask_files import MaskWriter, is_done
from semseg.inference.prediction import InputCheck, stream
from semseg.inference.views import TestTime, check_views
from semseg.models.saved import class_map as class_map_of


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
    source: Source,
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
    classes = classes_of(forward, class_map)
    jobs = folder_jobs(source, Path(out), shard)
    folder = writable_folder(out)
    _claim(folder, jobs, shard, _identity(forward.model, classes, size, tta))
    todo = [job for job in jobs if not is_done(folder / job.name, overlay)]
    check = InputCheck(forward, size)
    failed: dict[str, str] = {}
    held: deque[tuple[Job, np.ndarray]] = deque()  # read, not predicted: as many as are batched

    def images() -> Iterator[np.ndarray]:
        for job, image in in_order(_reader(check), todo, len(todo), "predicting", workers):
            if isinstance(image, Exception):
                failed[str(job.source)] = str(image)
            else:
                held.append((job, image))
                yield image

    masks = stream(forward, images(), "ids", size, batch_size, tta)
    written = []
    with MaskWriter(folder, classes, overlay, workers) as writer:
        for ids in masks:
            job, image = held.popleft()
            writer.put(job.name, ids, image)
            written.append(job.name)
    report = FolderReport(folder, tuple(written), len(jobs) - len(todo), failed)
    _tell(report)
    return report


def _reader(check: InputCheck) -> Any:
    """Reads and checks a job's picture; what can't be predicted comes back as its error."""

    def read(job: Job) -> tuple[Job, Any]:
        try:
            return job, check(read_image(job.source), str(job.source))
        except (OSError, ValueError, TypeError) as error:
            return job, error

    return read


def classes_of(forward: Forward, class_map: ClassMap | None) -> ClassMap:
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


def _identity(model: keras.Model, classes: ClassMap, size: Any, tta: Any) -> dict[str, Any]:
    """What all masks of a folder have in common, as JSON gives it back."""
    made = {
        "weights": weights_digest(model),
        "size": size,
        "tta": tta,
        "classes": classes.to_dict(),
    }
    return dict(json.loads(json.dumps(made)))


def _claim(folder: Path, jobs: list[Job], shard: tuple[int, int], identity: dict[str, Any]) -> None:
    """Refuses a folder with masks of something else; writes what these masks are."""
    record = folder / "predictions.json"
    if record.is_file():
        there = _read_record(record)
        others = [key for key in identity if there.get(key) != identity[key]]
        if others:
            raise ValueError(
                f"out holds masks of other {', '.join(others)} ({record}); choose another folder "
                "or remove that one"
            )
        return
    for job in jobs:
        if (folder / job.name).exists():
            raise ValueError(
                f"out must not hold files that no earlier call wrote, found {folder / job.name} "
                f"and no {record.name}; choose another folder"
            )
    text = json.dumps(identity["classes"], indent=1) + "\n"
    write_text(folder / "classes.json", text, writer=str(shard[0]))
    write_text(record, json.dumps(identity, indent=1) + "\n", writer=str(shard[0]))


def _read_record(record: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(record.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{record} does not say what the masks beside it are ({error}); choose another folder "
            "or remove that one"
        ) from error


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
