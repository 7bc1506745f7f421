"""Ids, probabilities or logits for pictures of any size, at their own size."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from semseg._checks import check_count, check_image, check_pixel_range, check_size
from semseg.data.reading import read_image
from semseg.inference.forward import Forward
from semseg.inference.resizing import resizable, resize_images, resize_scores
from semseg.inference.views import TestTime, View, check_views, views
from semseg.layers.pixel_scaling import scaling_of, takes_bytes

# Pictures are read ahead to find some of equal size, at most so many pixels of them.
_AHEAD_BATCHES, _AHEAD_PIXELS = 4, 2**23
_LARGEST = 255  # what a model that is made for bytes takes


def predict(
    model: keras.Model,
    images: Any,
    *,
    output: str = "ids",
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
    tta: TestTime = None,
) -> Any:
    """The class of every pixel, or its scores.

    Args:
        model: any Keras model with per-pixel outputs (batch, height, width, classes).
        images: one picture (height, width, channels), an array of them (batch, height, width,
            channels), a file, or a list of pictures and files of any mix of sizes. In the range
            the model was trained on: for models of this library the pixel values as read.
        output: "ids", "probabilities" or "logits".
        size: (height, width) at which the model sees every picture; None: as it is. The scores
            are resized back bilinearly before the class is chosen.
        batch_size: pictures of equal size that the model gets at once.
        tta: test-time augmentation: probabilities averaged over other views of the picture.
            "flip" adds the mirror image, "dihedral" are all 8 turns and mirror images, "rotated"
            7 rotations (Ronneberger et al. 2015, section 4, who give no angles: a seventh of a
            full turn each), a number a scale; ("flip", 0.75, 1.0, 1.25) are both views at three
            scales.

    Returns:
        At the original size: ids (height, width), uint8 up to 256 classes, else uint16; or scores
        (height, width, classes) in float32, one channel where the model has one output. For one
        picture; (batch, ...) for an array of them, a list for a list.

    Raises:
        ValueError: pictures that the model can't take (which one, and what would do), an unknown
            output or view, logits of a model that gives probabilities or with `tta`.

    Example:
        >>> model = semseg.models.UNet(num_classes=3, depth=1, filters=4)
        >>> pictures = [np.zeros((20, 30, 3), "uint8"), np.zeros((17, 9, 3), "uint8")]
        >>> [ids.shape for ids in semseg.inference.predict(model, pictures)]
        [(20, 30), (17, 9)]
        >>> semseg.inference.predict(model, pictures[0], output="logits").shape
        (20, 30, 3)
    """
    options: dict[str, Any] = {
        "output": output, "size": size, "batch_size": batch_size, "tta": tta
    }  # fmt: skip
    if isinstance(images, str | os.PathLike):
        return predict(model, [images], **options)[0]
    if isinstance(images, Sequence):
        return list(predictions(model, images, **options))
    images = np.asarray(images)
    if images.ndim == 4 and not len(images):
        raise ValueError(f"images must hold a picture, received an array of shape {images.shape}")
    if images.ndim == 4:
        return np.stack(predict(model, list(images), **options))
    return predict(model, [images], **options)[0]


def predictions(
    model: keras.Model,
    images: Iterable[Any],
    *,
    output: str = "ids",
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
    tta: TestTime = None,
) -> Iterator[np.ndarray]:
    """What `predict` gives for each picture, in order, as a stream: few are held at a time."""
    forward = Forward(model)
    forward.check_output(output)
    size = None if size is None else check_size(size)
    check_count("batch_size", batch_size, 1)
    check_views(tta, output, forward.size)
    check = InputCheck(forward, size)
    checked = (check(image, f"images[{i}]") for i, image in enumerate(images))
    return stream(forward, checked, output, size, batch_size, tta)


def stream(
    forward: Forward,
    images: Iterator[np.ndarray],
    output: str,
    size: tuple[int, int] | None,
    batch_size: int,
    tta: TestTime,
) -> Iterator[np.ndarray]:
    """The results of checked pictures, in order."""
    seen_as = views(tta)
    for group in _read_ahead(images, _AHEAD_BATCHES * batch_size):
        found: dict[int, np.ndarray] = {}
        for at in _equal_sizes(group, batch_size, all_equal=size is not None):
            results = _predicted(forward, [group[i] for i in at], output, size, seen_as)
            found.update(zip(at, results, strict=True))
        yield from (found[i] for i in range(len(group)))


def _predicted(
    forward: Forward,
    images: Sequence[np.ndarray],
    output: str,
    size: tuple[int, int] | None,
    seen_as: Sequence[View],
) -> Iterable[np.ndarray]:
    """The results of checked pictures that have one size, or get one."""
    if size is None and not seen_as:
        batch = np.stack(images)
        return checked_shape(forward(batch, output), batch)
    images = [resizable(image) for image in images]
    batch = np.stack(images) if size is None else resize_images(images, size)
    if seen_as:
        kind = "probabilities"
        scores = _averaged(forward, batch, seen_as)
    else:
        kind = forward.kind
        scores = checked_shape(forward(batch, kind), batch)
    resized = (resize_scores(s, i.shape[:2]) for s, i in zip(scores, images, strict=True))
    return [forward.finished(scores, kind, output) for scores in resized]


def checked_shape(outputs: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The model's output, which must have something for every pixel that it saw."""
    if outputs.shape[1:3] != seen.shape[1:3]:
        height, width = seen.shape[1:3]
        raise ValueError(
            f"model must give (batch, {height}, {width}, classes) for pictures of {height} x "
            f"{width}, received {(len(seen), *outputs.shape[1:3], '...')}; a model without padding "
            "goes with predict_tiled, which mirrors the border"
        )
    return outputs


def _averaged(forward: Forward, batch: np.ndarray, seen_as: Sequence[View]) -> np.ndarray:
    total: Any = 0.0
    for view in seen_as:
        turned = view.there(batch)
        seen = checked_shape(forward(turned, "probabilities"), turned)
        total = total + view.back(seen, batch.shape[1:3])
    return total / np.float32(len(seen_as))


def _read_ahead(images: Iterator[np.ndarray], most: int) -> Iterator[list[np.ndarray]]:
    """Lists of pictures in order, of few enough pixels."""
    group: list[np.ndarray] = []
    pixels = 0
    for image in images:
        group.append(image)
        pixels += image.shape[0] * image.shape[1]
        if len(group) == most or pixels >= _AHEAD_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group


def _equal_sizes(
    group: Sequence[np.ndarray], batch_size: int, all_equal: bool
) -> Iterator[list[int]]:
    """Places in `group` of at most `batch_size` pictures of one shape and type."""
    places: dict[Any, list[int]] = {}
    for i, image in enumerate(group):
        key = image.dtype if all_equal else (image.shape, image.dtype)
        places.setdefault(key, []).append(i)
    for at in places.values():
        yield from (at[i : i + batch_size] for i in range(0, len(at), batch_size))


class InputCheck:
    """Reads and checks one picture after the other against what the model takes."""

    def __init__(self, forward: Forward, size: tuple[int, int] | None) -> None:
        self._taken, self._channels = forward.size, forward.channels
        self._size = size
        self._is_first = True
        self._takes_bytes = takes_bytes(scaling_of(forward.model))

    def __call__(self, image: Any, where: str) -> np.ndarray:
        if isinstance(image, str | os.PathLike):
            where, image = f"{where} ({image})", read_image(image)
        image = check_image(image, where)
        if self._channels is not None and image.shape[-1] != self._channels:
            raise ValueError(
                f"{where} must have {self._channels} channels, as the model was built, received "
                f"{image.shape[-1]}"
            )
        size = self._size or image.shape[:2]
        if any(n not in (None, m) for n, m in zip(self._taken, size, strict=True)):
            raise ValueError(
                f"{where} must have the size {tuple(self._taken)} (height, width), as the model "
                f"was built, received {size}; pass size=(height, width) to have it resized"
            )
        if self._takes_bytes:
            self._check_range(image, where)
        return image

    def _check_range(self, image: np.ndarray, where: str) -> None:
        """Refuses every picture of too large values; warns of [0, 1] for the first alone."""
        if self._is_first or (image.dtype != np.uint8 and image.max() > _LARGEST):
            check_pixel_range(image, where)
        self._is_first = False
