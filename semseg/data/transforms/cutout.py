"""Hides rectangles of a picture."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from semseg._checks import check_count
from semseg.data.transforms.operation import check_range
from semseg.data.transforms.transform import Sample, Transform, fitting


@dataclass(frozen=True, repr=False)
class Cutout(Transform):
    """Sets squares of the image to 0; the mask stays, or has them ignored (DeVries, Taylor, 2017).

    Args:
        count: how many squares, at random places; they may overlap and reach beyond the edges.
        share: side of a square as a share of the picture's shorter side.
        ignored: whether the mask gets `mask_fill` there, so that nobody asks for what can't be
            seen; otherwise the model has to guess it from what is around.
        mask_fill: the id for that; in a pipeline the data set's `ignore_class` by default.

    Example:
        >>> image, mask = np.full((8, 8, 3), 9, "uint8"), np.zeros((8, 8), "uint8")
        >>> image, mask = Cutout(share=0.5)(image, mask, np.random.default_rng(0))
        >>> int((image == 0).sum()) > 0, int(mask.max())
        (True, 0)
    """

    count: int = 1
    share: float = 0.25
    ignored: bool = False
    mask_fill: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("count of Cutout", self.count, 1)
        check_range(self, "share", 0, 1)

    def fills(self) -> set[int]:
        return super().fills() if self.ignored else set()

    @staticmethod
    def run_all(steps: "Iterable[Cutout]", sample: Sample, rng: np.random.Generator) -> Sample:
        image, mask, weights = sample.image.copy(), sample.mask, sample.weights
        for step in steps:
            fill = step.mask_fill if step.ignored else None
            if step.ignored and fill is None:
                raise ValueError(
                    f"{step!r} has no id for what it hides; pass mask_fill= (the ClassMap's "
                    "ignore_class), or ignored=False"
                )
            for place in step.squares(mask.shape, rng):
                image[place] = 0
                if fill is not None:
                    mask = fitting(mask, {fill})
                    if mask is sample.mask:
                        mask = mask.copy()
                    mask[place] = fill
        return Sample(image, mask, weights)

    def squares(self, size: tuple[int, ...], rng: np.random.Generator) -> list[tuple[slice, slice]]:
        """The rows and columns of each square."""
        side = round(self.share * min(size))
        places = []
        for _ in range(self.count):
            top, left = (round(m - side / 2) for m in rng.random(2) * size)
            rows = slice(max(0, top), max(0, top + side))
            places.append((rows, slice(max(0, left), max(0, left + side))))
        return places
