"""What comes out of the model: run once in training mode, its shape against the masks."""

import time
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from semseg.data.doctor.report import Level
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject
from semseg.preflight.watching import watched
from semseg.preflight.words import told

_MULTIPLES = (2, 4, 8, 16, 32, 64)
_LEAST = 64  # pixels, and a step of sizes
_PROBE = 64  # side of the part of a picture by which the time of whole ones is foretold
_SHARE = 1 / 40  # of the time that is left, what one pass may take: training needs many


def run(subject: Subject) -> Iterator[Finding]:
    """One eager pass in training mode, watched layer by layer."""
    _cut_to_time(subject)
    start = time.perf_counter()
    try:
        with watched(subject.model) as seen:
            outputs = _called(subject.model, subject.images)
    except Exception as error:  # someone's own model may raise anything
        yield _failure(subject, error)
        return
    subject.forward_seconds = time.perf_counter() - start
    subject.outputs = keras.tree.map_structure(_as_array, outputs)
    subject.seen = seen
    scores = _main(subject.outputs)
    if scores.ndim != 4:
        yield finding("output_shape", f"the output has shape {scores.shape}")
        return
    subject.scores = scores.astype(np.float32)
    yield from _against_masks(subject)


def _cut_to_time(subject: Subject) -> None:
    """Leaves as much of large pictures as the time allows."""
    height, width = subject.images.shape[1:3]
    if height * width <= _PROBE**2:
        return
    part = subject.images[:1, :_PROBE, :_PROBE]
    try:
        _called(subject.model, part)  # the first call is slower
        start = time.perf_counter()
        _called(subject.model, part)
    except Exception:  # a model of fixed size, or one that fails on whole pictures too
        return
    foretold = (time.perf_counter() - start) * subject.images.size / part.size
    allowed = subject.clock.left() * _SHARE
    if foretold <= allowed:
        return
    scale = (allowed / foretold) ** 0.5
    rows, columns = (max(_LEAST, int(n * scale) // _LEAST * _LEAST) for n in (height, width))
    subject.images = subject.images[:, :rows, :columns]
    subject.masks = subject.masks[:, :rows, :columns]
    rest = foretold * subject.images[0].size / (height * width * subject.images.shape[-1])
    count = max(1, min(len(subject.images), int(len(subject.images) * allowed / rest)))
    subject.images, subject.masks = subject.images[:count], subject.masks[:count]
    rows, columns = subject.images.shape[1:3]
    subject.skipped.append(
        f"whole batches: a pass would take about {foretold:.2g} s, so that {count} parts of "
        f"{rows}x{columns} were tried; more seconds= take larger ones"
    )


def _against_masks(subject: Subject) -> Iterator[Finding]:
    size, wanted = subject.scores.shape[1:3], subject.masks.shape[1:]
    if size != wanted:
        evidence = f"outputs are {size[0]}x{size[1]}, masks {wanted[0]}x{wanted[1]}"
        yield finding("output_size", evidence)
    outputs, classes = subject.scores.shape[-1], subject.classes
    if outputs != classes and not (outputs == 1 and classes == 2):
        # More outputs than classes can be trained; the others never win.
        level: Level = "certain" if outputs < classes else "likely"
        evidence = f"{outputs} outputs, {classes} classes"
        yield finding("wrong_number_of_outputs", evidence, level=level)


def _called(model: keras.Model, images: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of [0, 1]: a finding says it
        return model(keras.ops.convert_to_tensor(images), training=True)


def _failure(subject: Subject, error: Exception) -> Finding:
    height, width = subject.images.shape[1:3]
    for n in _MULTIPLES:
        size = tuple(-(-length // n) * n for length in (height, width))
        if size == (height, width):
            continue
        images = np.zeros((len(subject.images), *size, subject.images.shape[-1]), np.float32)
        try:
            _called(subject.model, images)
        except Exception:  # not this size either
            continue
        fix = f"size=({size[0]}, {size[1]}) in ds.pipeline, or a crop whose sides {n} divides"
        return finding("size_rule", f"{height}x{width} fails, {size[0]}x{size[1]} works", fix)
    shape = getattr(subject.model, "input_shape", None)
    fixed = shape[1:3] if isinstance(shape, tuple) and len(shape) == 4 else (None, None)
    if None not in fixed and fixed != (height, width):
        fix = f"size={fixed} in ds.pipeline, or build with input_shape=(None, None, ...)"
        return finding("size_rule", f"pictures are {height}x{width}, not {fixed}", fix)
    return finding("model_fails", told(error))


def _as_array(tensor: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(tensor))


def _main(outputs: Any) -> np.ndarray:
    """The output that the prediction is made of."""
    if isinstance(outputs, dict):
        return np.asarray(outputs.get("logits", next(iter(outputs.values()))))
    return np.asarray(keras.tree.flatten(outputs)[0])
