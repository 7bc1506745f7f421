"""Scores: what a model reached on a set, as a mapping that prints as a table."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from semseg.metrics.functional.confusion import as_confusion
from semseg.metrics.functional.rates import scores

_MEANS = (
    "mean_iou",
    "pixel_accuracy",
    "mean_accuracy",
    "mean_dice",
    "frequency_weighted_iou",
    "kappa",
    "mcc",
)
_COLUMNS = ("class", "IoU", "accuracy", "Dice", "pixels")


class Scores(Mapping[str, float]):
    """The scores of a whole set, all from one confusion matrix.

    Keys: `mean_iou`, `pixel_accuracy`, `mean_accuracy`, `mean_dice`, `frequency_weighted_iou`,
    `kappa`, `mcc`, then `iou/NAME`, `accuracy/NAME`, `dice/NAME` and `precision/NAME` for each
    class. A class that is neither in the truth nor predicted has the score NaN, is left out of
    the means and is listed in `absent`. Printing shows a table. The formulas stand in
    `functional.scores`.

    Args:
        confusion: (C, C) counts, or float weights; rows = truth, columns = prediction.
        names: the C class names; None numbers them.
        invalid_pixels: pixels whose label was no class (their weight, for a matrix of weights).
            They count as errors of every class.

    Example:
        >>> scores = semseg.metrics.Scores(np.array([[6, 2], [0, 2]]), ["background", "cell"])
        >>> print(scores)
        class          IoU  accuracy    Dice  pixels
        background  0.7500    0.7500  0.8571       8
        cell        0.5000    1.0000  0.6667       2
        mean IoU 0.6250, pixel accuracy 0.8000
        >>> scores["iou/cell"]
        0.5
    """

    def __init__(
        self, confusion: Any, names: Sequence[str] | None = None, invalid_pixels: float = 0
    ) -> None:
        confusion = as_confusion(confusion)
        whole = np.array_equal(confusion, np.floor(confusion))
        self.confusion = confusion.astype(np.int64 if whole else np.float64)
        self.names = tuple(str(n) for n in (names or range(len(confusion))))
        self.invalid_pixels = invalid_pixels if invalid_pixels % 1 else int(invalid_pixels)
        if len(self.names) != len(confusion):
            raise ValueError(
                f"names must name {len(confusion)} classes, received {len(self.names)}"
            )
        found = scores(self.confusion, self.invalid_pixels)
        self.iou = found.iou
        #: Share of each class's pixels that were found (recall); NaN for a class not in the truth.
        self.accuracy = found.recall
        self.dice = found.dice
        self.precision = found.precision
        #: Pixels of each class in the truth.
        self.pixels = self.confusion.sum(axis=1)
        self._values: dict[str, float] = {key: getattr(found, key) for key in _MEANS}
        for key in ("iou", "accuracy", "dice", "precision"):
            rows = zip(self.names, getattr(self, key), strict=True)
            self._values |= {f"{key}/{name}": float(value) for name, value in rows}

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the classes without a pixel in truth and prediction."""
        return tuple(n for n, v in zip(self.names, self.iou, strict=True) if np.isnan(v))

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

    def to_markdown(self) -> str:
        """The printed table for a README or an issue.

        Example:
            >>> print(semseg.metrics.Scores([[6, 2], [0, 2]], ["background", "cell"]).to_markdown())
            | class | IoU | accuracy | Dice | pixels |
            |---|--:|--:|--:|--:|
            | background | 0.7500 | 0.7500 | 0.8571 | 8 |
            | cell | 0.5000 | 1.0000 | 0.6667 | 2 |
            <BLANKLINE>
            mean IoU 0.6250, pixel accuracy 0.8000
        """
        rows = [[name.replace("|", r"\|"), *cells] for name, *cells in self._rows()]
        lines = [_COLUMNS, *([cell.strip() for cell in row] for row in rows)]
        head, *body = (f"| {' | '.join(line)} |" for line in lines)
        return "\n".join([head, "|---|--:|--:|--:|--:|", *body, "", self._summary()])

    def to_csv(self) -> str:
        """One line a class with all digits, empty where a class has no score.

        Example:
            >>> print(semseg.metrics.Scores([[6, 2], [0, 2]], ["sky, clouds", "cell"]).to_csv())
            class,iou,accuracy,dice,precision,pixels
            "sky, clouds",0.75,0.75,0.8571428571428571,1.0,8
            cell,0.5,1.0,0.6666666666666666,0.5,2
        """
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["class", "iou", "accuracy", "dice", "precision", "pixels"])
        columns = np.stack([self.iou, self.accuracy, self.dice, self.precision], axis=1).tolist()
        for name, values, pixels in zip(self.names, columns, self.pixels.tolist(), strict=True):
            table.writerow([name, *("" if np.isnan(v) else v for v in values), pixels])
        return text.getvalue().rstrip("\n")

    def __str__(self) -> str:
        rows = self._rows()
        width = max(len(row[0]) for row in (_COLUMNS, *rows))
        digits = max(len(row[-1]) for row in (_COLUMNS, *rows))
        return "\n".join(
            [
                f"{name:<{width}}  {iou:>6}  {accuracy:>8}  {dice:>6}  {pixels:>{digits}}"
                for name, iou, accuracy, dice, pixels in (_COLUMNS, *rows)
            ]
            + [self._summary()]
        )

    def _rows(self) -> list[list[str]]:
        shares = np.stack([self.iou, self.accuracy, self.dice], axis=1)
        rows = zip(self.names, shares, self.pixels.tolist(), strict=True)
        return [
            [name, *("-" if np.isnan(v) else f"{v:.4f}" for v in values), f"{_plain(pixels):,}"]
            for name, values, pixels in rows
        ]

    def _summary(self) -> str:
        summary = f"mean IoU {self['mean_iou']:.4f}, pixel accuracy {self['pixel_accuracy']:.4f}"
        if self.absent:
            summary += f"; absent and left out of the mean: {', '.join(self.absent)}"
        if self.invalid_pixels:
            summary += f"; {self.invalid_pixels:,} pixels with a label that is no class: errors all"
        return summary

    def __repr__(self) -> str:
        return (
            f"Scores(mean_iou={self['mean_iou']:.4f}, "
            f"pixel_accuracy={self['pixel_accuracy']:.4f}, {len(self.names)} classes)"
        )


def _plain(number: float) -> int | float:
    """An int where it is whole, else a float of a few digits."""
    return int(number) if float(number).is_integer() else round(float(number), 3)
