"""Mirror images and quarter turns."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from semseg.data.transforms.frame import Frame
from semseg.data.transforms.geometric import Geometric

Direction = Literal["horizontal", "vertical"]


@dataclass(frozen=True, repr=False)
class Flip(Geometric):
    """Exchanges left and right ("horizontal") or top and bottom ("vertical"), half of the time.

    Example:
        >>> image, mask = np.zeros((1, 2, 3), "uint8"), np.array([[0, 1]])
        >>> Flip(1.0)(image, mask, np.random.default_rng(0))[1]
        array([[1, 0]])
    """

    probability: float = 0.5
    direction: Direction = "horizontal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction not in get_args(Direction):
            raise ValueError(
                f"direction must be 'horizontal' or 'vertical', received {self.direction!r}"
            )

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        height, width = frame.size
        if self.direction == "horizontal":
            return frame.seen(np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]]), frame.size)
        return frame.seen(np.array([[1.0, 0, 0], [0, -1, height], [0, 0, 1]]), frame.size)


@dataclass(frozen=True, repr=False)
class Rotate90(Geometric):
    """Turns by 0, 1, 2 or 3 quarters, each as likely; height and width change places.

    Batches then need square pictures: crop first.

    Args:
        turns: the numbers of counter-clockwise quarter turns to draw from; (0, 2) keeps the size.

    Example:
        >>> image, mask = np.zeros((1, 2, 3), "uint8"), np.array([[0, 1]])
        >>> Rotate90(turns=(1,))(image, mask, np.random.default_rng(0))[1]
        array([[1],
               [0]])
    """

    turns: tuple[int, ...] = (0, 1, 2, 3)

    def __post_init__(self) -> None:
        super().__post_init__()
        turns = tuple(self.turns) if np.iterable(self.turns) else ()
        if not turns or not set(turns) <= {0, 1, 2, 3}:
            raise ValueError(
                f"turns must be some of 0, 1, 2, 3, received {self.turns!r}; pass a tuple, (0, 2)"
            )
        object.__setattr__(self, "turns", turns)

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        for _ in range(self.turns[int(rng.random() * len(self.turns))]):
            height, width = frame.size
            # The new top row is the old right column, read downwards.
            quarter = np.array([[0.0, -1, width], [1, 0, 0], [0, 0, 1]])
            frame = frame.seen(quarter, (width, height))
        return frame
