"""Scores: what a model reached on a set, as a mapping that prints as a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from semseg.metrics.functional import class_iou, pixel_accuracy


class Scores(Mapping[str, float]):
    """The scores of a whole set, all from one confusion matrix.

    Keys: `mean_iou`, `pixel_accuracy`, `mean_accuracy`, then `iou/NAME` and `accuracy/NAME` for
    each class. A class that is neither in the truth nor predicted has the score NaN, is left out
    of the means and is listed in `absent`. Printing shows a table.

    Args:
        confusion: (C, C) int64 counts, rows = truth, columns = prediction.
        names: the C class names; None numbers them.
        invalid_pixels: pixels whose label was no class. They count as errors of every class.

    Example:
        >>> scores = semseg.metrics.Scores(np.array([[6, 2], [0, 2]]), ["background", "cell"])
        >>> print(scores)
        class          IoU  accuracy  pixels
        background  0.7500    0.7500       8
        cell        0.5000    1.0000       2
        mean IoU 0.6250, pixel accuracy 0.8000
        >>> scores["iou/cell"]
        0.5
    """

    def __init__(
        self, confusion: Any, names: Sequence[str] | None = None, invalid_pixels: int = 0
    ) -> None:
        self.confusion = np.asarray(confusion, np.int64)
        self.names = tuple(str(n) for n in (names or range(len(self.confusion))))
        self.invalid_pixels = int(invalid_pixels)
        if len(self.names) != len(self.confusion):
            raise ValueError(
                f"names must name {len(self.confusion)} classes, received {len(self.names)}"
            )
        self.iou = class_iou(self.confusion, self.invalid_pixels)
        #: Pixels of each class in the truth.
        self.pixels = self.confusion.sum(axis=1)
        #: Share of each class's pixels that were found (recall); NaN for a class not in the truth.
        self.accuracy = np.divide(
            np.diag(self.confusion),
            self.pixels + self.invalid_pixels,
            out=np.full(len(self.names), np.nan),
            where=self.pixels + self.invalid_pixels > 0,
        )
        self._values = self._collect()

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the classes without a pixel in truth and prediction."""
        return tuple(n for n, v in zip(self.names, self.iou, strict=True) if np.isnan(v))

    def _collect(self) -> dict[str, float]:
        values = {
            "mean_iou": _mean(self.iou),
            "pixel_accuracy": pixel_accuracy(self.confusion, self.invalid_pixels),
            "mean_accuracy": _mean(self.accuracy),
        }
        values |= {f"iou/{n}": float(v) for n, v in zip(self.names, self.iou, strict=True)}
        rows = zip(self.names, self.accuracy, strict=True)
        return values | {f"accuracy/{n}": float(v) for n, v in rows}

    def __getitem__(self, key: str) -> float:
        if key not in self._values:
            raise KeyError(f"{key!r}; the scores are {', '.join(self._values)}")
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able description: scores (NaN as None), names, confusion matrix, counts."""
        values = {k: None if np.isnan(v) else v for k, v in self._values.items()}
        return {
            **values,
            "names": list(self.names),
            "confusion": self.confusion.tolist(),
            "invalid_pixels": self.invalid_pixels,
            "absent": list(self.absent),
        }

    def __str__(self) -> str:
        width = max(len("class"), *(len(n) for n in self.names))
        digits = max(len("pixels"), len(f"{max(self.pixels.tolist()):,}"))
        lines = [f"{'class':<{width}}     IoU  accuracy  {'pixels':>{digits}}"]
        for name, iou, accuracy, pixels in zip(
            self.names, self.iou, self.accuracy, self.pixels.tolist(), strict=True
        ):
            lines.append(f"{name:<{width}}  {_cell(iou)}    {_cell(accuracy)}  {pixels:>{digits},}")
        summary = f"mean IoU {self['mean_iou']:.4f}, pixel accuracy {self['pixel_accuracy']:.4f}"
        if self.absent:
            summary += f"; absent and left out of the mean: {', '.join(self.absent)}"
        if self.invalid_pixels:
            summary += f"; {self.invalid_pixels:,} pixels with a label that is no class: errors all"
        return "\n".join([*lines, summary])

    def __repr__(self) -> str:
        return (
            f"Scores(mean_iou={self['mean_iou']:.4f}, "
            f"pixel_accuracy={self['pixel_accuracy']:.4f}, {len(self.names)} classes)"
        )


def _mean(values: np.ndarray) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")


def _cell(value: float) -> str:
    return "     -" if np.isnan(value) else f"{value:.4f}"
