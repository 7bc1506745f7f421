"""Crops, also such that show rare classes, and padding."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from semseg._checks import check_size
from semseg.data.transforms.frame import Border, Frame, Size
from semseg.data.transforms.geometric import Geometric, check_border
from semseg.data.transforms.operation import check_range
from semseg.data.transforms.warp import Warp
from semseg.data.transforms.window import Window, on_pixels

_TRIES = 10
_LOOK = 32  # points a side: the share of ignored pixels is known to about a thousandth


@dataclass(frozen=True, repr=False)
class RandomCrop(Geometric):
    """Cuts out `size` = (height, width) at a random place.

    A picture smaller than that is placed at random inside the crop; the rest of the image is 0,
    the rest of the mask `mask_fill`.

    Args:
        size: (height, width) of the crop.
        mask_fill: the id beyond the picture; in a pipeline by default the data set's
            `ignore_class`.
        balanced: whether a class of the picture is drawn first, each as likely, and then the crop
            among those that show a random pixel of it: rare classes come as often as frequent ones.
        max_ignored: the largest share of ignored pixels in a crop. Of ten places the first that
            keeps to it is taken, or the one with the least.

    Ignored, and no class that `balanced` may draw, is the data set's `ignore_class` in a pipeline;
    where nobody has said one (with `filled`), `mask_fill`.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> mask[5, 7] = 1
        >>> crop = RandomCrop((3, 3), balanced=True)
        >>> rng = np.random.default_rng(0)
        >>> shown = [crop(image, mask, rng)[1].max() == 1 for _ in range(100)]
        >>> bool(sum(shown) > 40)  # without balanced=True about 4
        True
    """

    size: Size
    mask_fill: int | None = None
    balanced: bool = False
    max_ignored: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size", check_size(self.size))
        check_range(self, "max_ignored", 0, 1)

    def filled(self, ignore_class: int | None) -> Self:
        made = replace(super().filled(ignore_class))
        object.__setattr__(made, "_ignore_class", ignore_class)  # no argument, and never stored
        return made

    @property
    def _ignored(self) -> int | None:
        ignored: int | None = self.__dict__.get("_ignore_class", self.mask_fill)
        return ignored

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        pixels = self._pixels_of_a_class(frame.source, rng) if self.balanced else None
        best, least = None, 2.0
        for _ in range(_TRIES):
            crop = self._crop(frame, pixels, rng)
            if self.max_ignored == 1:
                return crop
            ignored = self._share_ignored(crop)
            if ignored <= self.max_ignored:
                return crop
            if ignored < least:
                best, least = crop, ignored
        assert best is not None
        return best

    def _crop(self, frame: Frame, pixels: np.ndarray | None, rng: np.random.Generator) -> Frame:
        draws = rng.random(2)
        starts = [
            _between(0, have - want, d)
            for have, want, d in zip(frame.size, self.size, draws, strict=True)
        ]
        if pixels is not None:
            row, column = divmod(
                int(pixels[int(rng.random() * len(pixels))]), frame.source.shape[1]
            )
            x, y = frame.locate(column + 0.5, row + 0.5)
            for axis, at in enumerate((y, x)):
                spare, want = frame.size[axis] - self.size[axis], self.size[axis]
                if 0 <= at < frame.size[axis] and spare > 0:  # an earlier crop may have cut it off
                    first = max(0, int(at) - want + 1)
                    starts[axis] = _between(first, min(spare, int(at)), draws[axis])
        crop = frame.cropped(starts[0], starts[1], self.size, self.outside(self.mask_fill))
        return on_pixels(crop)

    def _pixels_of_a_class(self, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        ids = np.unique(mask)
        ids = ids[ids != self._ignored] if self._ignored is not None else ids
        if not len(ids):
            return None
        return np.flatnonzero(mask == ids[int(rng.random() * len(ids))])

    def _share_ignored(self, crop: Frame) -> float:
        """Estimated on a grid of points: a whole crop would be read ten times."""
        look = crop.resized((min(crop.size[0], _LOOK), min(crop.size[1], _LOOK)))
        view = Window.of(look) or Warp.of(look)
        if self._ignored is None:
            return 0.0
        seen = view.nearest(crop.source) == self._ignored
        for where, outside in view.beyond(crop.source.shape):
            seen[where] = outside.mask_fill == self._ignored
        return float(seen.mean())


@dataclass(frozen=True, repr=False)
class Pad(Geometric):
    """Adds rows and columns around smaller pictures; larger ones stay as they are.

    Args:
        size: (height, width) to reach at least; the picture is in the middle.
        mask_fill: the id of what is added; in a pipeline the data set's `ignore_class` by default.
        border: "fill" adds zeros to the image and `mask_fill` to the mask; "reflect" continues both
            by their mirror images, as U-Net does.

    Example:
        >>> image, mask = np.zeros((1, 2, 3), "uint8"), np.array([[0, 1]])
        >>> Pad((1, 6), border="reflect")(image, mask, np.random.default_rng(0))[1]
        array([[1, 0, 0, 1, 1, 0]])
        >>> Pad((1, 4), mask_fill=255)(image, mask, np.random.default_rng(0))[1]
        array([[255,   0,   1, 255]])
    """

    size: Size
    mask_fill: int | None = None
    border: Border = "fill"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size", check_size(self.size))
        check_border(self.border)

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        size = (max(self.size[0], frame.size[0]), max(self.size[1], frame.size[1]))
        row, column = ((have - want) // 2 for have, want in zip(frame.size, size, strict=True))
        return frame.cropped(row, column, size, self.outside(self.mask_fill, self.border))


def _between(first: int, last: int, draw: float) -> int:
    """A whole number from `first` to `last`, both included, whichever is the larger."""
    first, last = min(first, last), max(first, last)
    return first + int(draw * (last - first + 1))
