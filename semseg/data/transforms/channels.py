"""Pictures of more channels than OpenCV takes."""

from collections.abc import Callable

import numpy as np

#: What OpenCV 5 takes at a time; OpenCV 4 takes 512.
MOST = 128


def in_groups(work: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """`work` on all channels of a picture (height, width, channels), as many at a time as go.

    Args:
        work: a function of OpenCV's that treats each channel alike; it may drop a last axis of one.
        image: the picture, any number of channels.
    """
    parts = [work(image[..., first : first + MOST]) for first in range(0, image.shape[2], MOST)]
    parts = [part.reshape(*part.shape[:2], -1) for part in parts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
