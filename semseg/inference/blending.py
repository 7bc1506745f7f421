"""Overlapping windows averaged with weights, a strip at a time."""

from functools import lru_cache

import numpy as np

from semseg.inference.tile_plan import TilePlan
from semseg.inference.windows import Window

# Standard deviation over side, as in nnU-Net and MONAI.
_SIGMA = 0.125


class Blend:
    """Sums of weighted scores of the windows of a plan, given row by row, from left to right.

    Held are a window, the strip that it shares with the next one of its row, and the strip that
    its row of windows shares with the next: as many columns as the picture has, but no more rows
    than the overlap.
    """

    def __init__(self, plan: TilePlan, channels: int) -> None:
        self._rows, self._columns = plan.rows, plan.columns
        self._width = plan.size[1]
        self._channels = channels + 1  # scores, then the sum of the weights
        self._left = np.zeros((0, 0, self._channels), np.float32)
        self._top = self._no_strip(0)
        self._next_top = self._no_strip(0)

    def add(self, scores: np.ndarray, row: Window, column: Window) -> np.ndarray:
        """Adds a window's scores; returns the mean for the pixels that have all their windows.

        Args:
            scores: (height, width, channels) of the window.
            row, column: the window; what it keeps is finished.
        """
        if column.start == 0:
            self._begin_row(row)
        sums = self._weighted(scores)
        sums[:, : self._left.shape[1]] += self._left
        done_rows, done_columns = row.kept_to - row.start, column.kept_to - column.start
        self._left = sums[:, done_columns:].copy()
        sums = sums[:, :done_columns]
        above = self._top[:, column.start : column.kept_to]
        sums[: len(above)] += above
        self._next_top[:, column.start : column.kept_to] = sums[done_rows:]
        finished = sums[:done_rows]
        return finished[..., :-1] / finished[..., -1:]

    def _begin_row(self, row: Window) -> None:
        self._left = np.zeros((row.stop - row.start, 0, self._channels), np.float32)
        self._top, self._next_top = self._next_top, self._no_strip(row.stop - row.kept_to)

    def _no_strip(self, rows: int) -> np.ndarray:
        return np.zeros((rows, self._width, self._channels), np.float32)

    def _weighted(self, scores: np.ndarray) -> np.ndarray:
        weights = _weights(*scores.shape[:2])
        sums = np.empty((*scores.shape[:2], self._channels), np.float32)
        np.multiply(scores, weights, out=sums[..., :-1])
        sums[..., -1:] = weights
        return sums


@lru_cache(maxsize=4)
def _weights(height: int, width: int) -> np.ndarray:
    return (_bell(height)[:, None] * _bell(width))[..., None]


def _bell(length: int) -> np.ndarray:
    places = (np.arange(length) - (length - 1) / 2) / (_SIGMA * length)
    return np.exp(-0.5 * places**2).astype(np.float32)
