"""Test-time augmentation: other views of a batch of pictures, and the way back for the scores."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from semseg.inference.resizing import resize_images, resize_scores

#: What `tta=` takes: None, the name of a set of views, or names and scales.
TestTime: TypeAlias = str | float | Sequence[str | float] | None

_Size = tuple[int, int]
_ROTATIONS = 7
_CV_CHANNELS = 4  # of cv2.warpAffine


class View(NamedTuple):
    """A view of pictures and how its scores come back onto them."""

    there: Callable[
        [np.ndarray], np.ndarray
    ]  # (batch, h, w, channels) -> (batch, h', w', channels)
    back: Callable[[np.ndarray, _Size], np.ndarray]  # scores of the view, (h, w) -> at that size


def check_views(tta: TestTime, output: str, taken: tuple[int | None, int | None]) -> None:
    """Refuses unknown views, logits of several views, and views that the model can't see."""
    if tta is None:
        return
    if output == "logits":
        raise ValueError(
            "output must be 'ids' or 'probabilities' with tta: probabilities are averaged, "
            "received 'logits'"
        )
    for item in _items(tta):
        if isinstance(item, str):
            known = item in _TURNS
        else:
            known = isinstance(item, int | float) and item is not True and 0 < item < math.inf
        if not known:
            raise ValueError(
                f"tta must be one of {', '.join(_TURNS)}, a scale > 0, or a sequence of these, "
                f"received {item!r}"
            )
        keeps_size = item in ("flip", 1) or (item == "dihedral" and taken[0] == taken[1])
        if taken != (None, None) and not keeps_size:
            raise ValueError(
                f"tta={item!r} changes the size of the pictures, and the model takes {taken} "
                "alone; build it with input_shape=(None, None, channels)"
            )


def views(tta: TestTime) -> list[View]:
    """Every turn at every scale; no view at all for None."""
    if tta is None:
        return []
    items = _items(tta)
    turns = [turn for name in items if isinstance(name, str) for turn in _TURNS[name]()]
    scales = [_scaled(scale) for scale in items if not isinstance(scale, str)]
    if not (turns and scales):
        return turns or scales
    return [_after(turn, scale) for turn in turns for scale in scales]


def _items(tta: str | float | Sequence[str | float]) -> list[str | float]:
    return [tta] if isinstance(tta, str | int | float) else list(tta)


def _after(turn: View, scale: View) -> View:
    """Turned, then scaled."""

    def back(scores: np.ndarray, size: _Size) -> np.ndarray:
        turned = turn.there(np.empty((1, *size, 1), np.uint8)).shape[1:3]
        return turn.back(scale.back(scores, turned), size)

    return View(lambda images: scale.there(turn.there(images)), back)


def _flip() -> list[View]:
    return [_dihedral_view(0, False), _dihedral_view(0, True)]


def _dihedral() -> list[View]:
    return [
        _dihedral_view(quarters, mirrored) for mirrored in (False, True) for quarters in range(4)
    ]


def _dihedral_view(quarters: int, mirrored: bool) -> View:
    def there(images: np.ndarray) -> np.ndarray:
        turned = images[:, :, ::-1] if mirrored else images
        return np.ascontiguousarray(np.rot90(turned, quarters, axes=(1, 2)))

    def back(scores: np.ndarray, _: _Size) -> np.ndarray:
        turned = np.rot90(scores, -quarters, axes=(1, 2))
        return turned[:, :, ::-1] if mirrored else turned

    return View(there, back)


def _scaled(scale: float) -> View:
    def there(images: np.ndarray) -> np.ndarray:
        height, width = (max(1, round(n * scale)) for n in images.shape[1:3])
        return resize_images(list(images), (height, width))

    def back(scores: np.ndarray, size: _Size) -> np.ndarray:
        return np.stack([resize_scores(s, size) for s in scores])

    return View(there, back)


def _rotated() -> list[View]:
    return [_rotation(2 * math.pi * k / _ROTATIONS) for k in range(_ROTATIONS)]


def _rotation(angle: float) -> View:
    """Turned about the centre on a canvas that holds the whole picture, the rest mirrored."""

    def there(images: np.ndarray) -> np.ndarray:
        matrix, canvas = _rotation_matrix(images.shape[1:3], angle)
        warp = partial(_warped, matrix=matrix, size=canvas, border=cv2.BORDER_REFLECT_101)
        return np.stack([warp(image) for image in images])

    def back(scores: np.ndarray, size: _Size) -> np.ndarray:
        matrix, _ = _rotation_matrix(size, angle)
        inverse = cv2.invertAffineTransform(matrix)
        warp = partial(_warped, matrix=inverse, size=size, border=cv2.BORDER_REPLICATE)
        return np.stack([warp(s) for s in scores])

    return View(there, back)


def _rotation_matrix(size: _Size, angle: float) -> tuple[np.ndarray, _Size]:
    """From places in the picture to places on the canvas, and the canvas's size."""
    height, width = size
    cos, sin = math.cos(angle), math.sin(angle)
    canvas = (
        math.ceil(abs(cos) * height + abs(sin) * width - 1e-6),
        math.ceil(abs(sin) * height + abs(cos) * width - 1e-6),
    )
    from_centre = np.array([[cos, sin], [-sin, cos]])
    middle, there = np.array([width - 1, height - 1]) / 2, np.array(canvas[::-1]) / 2 - 0.5
    return np.column_stack([from_centre, there - from_centre @ middle]), canvas


def _warped(image: np.ndarray, matrix: np.ndarray, size: _Size, border: int) -> np.ndarray:
    parts = [
        cv2.warpAffine(
            image[..., i : i + _CV_CHANNELS], matrix, size[::-1], flags=cv2.INTER_LINEAR,
            borderMode=border,
        ).reshape(*size, -1)
        for i in range(0, image.shape[-1], _CV_CHANNELS)
    ]  # fmt: skip
    return np.concatenate(parts, axis=-1)


_TURNS = {"flip": _flip, "dihedral": _dihedral, "rotated": _rotated}
