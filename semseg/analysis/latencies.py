"""How long a model takes for one picture, on the machine at hand."""

import statistics
import time
from typing import Any

import numpy as np

from semseg._checks import check_count, check_size


def latency(model: Any, size: tuple[int, int], rounds: int = 15) -> float:
    """The median time of a prediction of one picture, in seconds, after two that don't count.

    Neither parameters nor multiply-accumulates predict it: measure on the machine that the model
    will run on, at the size that it will see, with nothing else running.

    Args:
        model: with pictures as its only input.
        size: (height, width) of the picture.
        rounds: predictions to time.

    Raises:
        ValueError, TypeError: a size or a number of rounds that can't be.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=2)
        >>> 0 < semseg.analysis.latency(model, (32, 48), rounds=2) < 60
        True
    """
    height, width = check_size(size)
    rounds = check_count("rounds", rounds, least=1)
    picture = np.zeros((1, height, width, model.input_shape[-1]), np.uint8)
    times = []
    for _ in range(2 + rounds):
        start = time.perf_counter()
        model.predict_on_batch(picture)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])
