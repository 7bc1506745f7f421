"""Ids for pictures of any size, at their own size."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import cv2
import keras
import numpy as np

from semseg._checks import check_image, check_pixel_range, check_size
from semseg.data.reading import read_image
from semseg.data.transforms import Resize
from semseg.layers import PixelRescaling

_CV_CHANNELS = 64  # cv2.resize takes at most 128 channels at once


def predict(
    model: keras.Model,
    images: Any,
    *,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
) -> Any:
    """The class of every pixel.

    Args:
        model: any Keras model with per-pixel outputs (batch, height, width, classes).
        images: one picture (height, width, channels), an array of them (batch, height, width,
            channels), a file, or a list of pictures and files of any mix of sizes. In the range
            the model was trained on: for models of this library the pixel values as read.
        size: (height, width) at which the model sees every picture; None: as it is. The scores
            are resized back bilinearly before the class is chosen.
        batch_size: pictures of equal size that the model gets at once.

    Returns:
        Ids at the original size: (height, width) for one picture, (batch, height, width) for
        an array of them, a list for a list; uint8 up to 256 classes, else uint16.

    Raises:
        ValueError: pictures that the model can't take (which one, and what would do).

    Example:
        >>> model = semseg.models.UNet(num_classes=3, depth=1, filters=4)
        >>> pictures = [np.zeros((20, 30, 3), "uint8"), np.zeros((17, 9, 3), "uint8")]
        >>> [ids.shape for ids in semseg.inference.predict(model, pictures)]
        [(20, 30), (17, 9)]
    """
    if isinstance(images, str | os.PathLike):
        return predict(model, [images], size=size, batch_size=batch_size)[0]
    if isinstance(images, Sequence):
        logits = pixel_scores(model, images, size=size, batch_size=batch_size)
        return [scores_to_ids(scores, model) for scores in logits]
    images = np.asarray(images)
    if images.ndim == 4:
        return np.stack(predict(model, list(images), size=size, batch_size=batch_size))
    return predict(model, [images], size=size, batch_size=batch_size)[0]


def pixel_scores(
    model: keras.Model,
    images: Iterable[Any],
    *,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
) -> Iterator[np.ndarray]:
    """The model's outputs (height, width, classes) at each picture's own size, in order.

    Streams: at most `batch_size` pictures are held at a time.
    """
    size = None if size is None else check_size(size)
    resize = None if size is None else Resize(size)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be an int >= 1, received {batch_size!r}")
    check = _InputCheck(model, size)
    pictures = ((check(image, i), i) for i, image in enumerate(images))
    for _, group in groupby(pictures, key=lambda pair: pair[0].shape if resize is None else ()):
        for batch in _chunks((image for image, _ in group), batch_size):
            seen = batch if resize is None else [_resized(image, resize) for image in batch]
            outputs = check.outputs(model.predict_on_batch(np.stack(seen)), seen[0].shape)
            for image, scores in zip(batch, outputs, strict=True):
                yield resize_scores(scores, image.shape[:2])


def scores_to_ids(scores: np.ndarray, model: keras.Model) -> np.ndarray:
    """(height, width, classes) -> ids; one channel by its threshold (0, or 0.5 for a sigmoid)."""
    if scores.shape[-1] == 1:
        return (scores[..., 0] > (0.5 if _ends_in_sigmoid(model) else 0.0)).astype(np.uint8)
    return scores.argmax(axis=-1).astype(np.uint8 if scores.shape[-1] <= 256 else np.uint16)


def resize_scores(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, half-pixel centres: (h, w, classes) float32 -> (*size, classes)."""
    if scores.shape[:2] == size:
        return scores
    scores = np.asarray(scores, np.float32)
    parts = [
        cv2.resize(scores[..., i : i + _CV_CHANNELS], size[::-1], interpolation=cv2.INTER_LINEAR)
        for i in range(0, scores.shape[-1], _CV_CHANNELS)
    ]
    return np.concatenate([part.reshape(*size, -1) for part in parts], axis=-1)


class _InputCheck:
    """Reads and checks one picture after the other against what the model takes."""

    def __init__(self, model: keras.Model, size: tuple[int, int] | None) -> None:
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4:
            raise ValueError(
                "model must take one input (batch, height, width, channels), received a model "
                f"with input shape {shape}"
            )
        *self._taken, self._channels = shape[1:]
        self._size = size
        self._rescales = any(isinstance(layer, PixelRescaling) for layer in model.layers)

    def __call__(self, image: Any, index: int) -> np.ndarray:
        where = f"images[{index}]"
        if isinstance(image, str | os.PathLike):
            where, image = f"images[{index}] ({image})", read_image(image)
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
        if self._rescales and index == 0:
            check_pixel_range(image, where)
        return image

    def outputs(self, outputs: Any, seen: tuple[int, ...]) -> np.ndarray:
        """The model's output, which must have scores for every pixel that it saw."""
        if isinstance(outputs, dict) and "logits" in outputs:
            outputs = outputs["logits"]  # the others are for training: deep supervision
        shape = getattr(outputs, "shape", None)
        if shape is None or len(shape) != 4 or tuple(shape[1:3]) != seen[:2]:
            received = shape if shape is not None else f"{len(outputs)} outputs"
            raise ValueError(
                f"model must give (batch, {seen[0]}, {seen[1]}, classes) for pictures of "
                f"{seen[0]} x {seen[1]}, received {received}"
            )
        return np.asarray(outputs, np.float32)


def _resized(image: np.ndarray, resize: Resize) -> np.ndarray:
    no_mask = np.zeros(image.shape[:2], np.uint8)
    return resize(image, no_mask, np.random.default_rng(0))[0]


def _chunks(items: Iterator[Any], count: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == count:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _ends_in_sigmoid(model: keras.Model) -> bool:
    """Whether the last layer says that its outputs are probabilities."""
    activation = getattr(model.layers[-1], "activation", None)
    return activation in ("sigmoid", keras.activations.sigmoid)
