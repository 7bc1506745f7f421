"""Pictures to the size that a model sees, scores back to the size of the picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from semseg.data.transforms import Resize

_RESIZABLE = ("uint8", "uint16", "int16", "float32", "float64")  # by OpenCV
_CV_CHANNELS = 64  # cv2.resize takes at most 128 channels at once


def resizable(image: np.ndarray) -> np.ndarray:
    """The picture in a dtype that OpenCV resizes and turns."""
    return image if image.dtype in _RESIZABLE else image.astype(np.float32)


def resize_images(images: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """As the pipeline resizes them for training: averaged by whole factors, then bilinear."""
    resize, rng = Resize(size), np.random.default_rng(0)  # draws nothing
    return np.stack([resize(i, np.zeros(i.shape[:2], np.uint8), rng)[0] for i in images])


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
