"""Smooth deformations: U-Net's elastic one and a grid whose lines are moved."""

from dataclasses import dataclass

import cv2
import numpy as np

from semseg._checks import check_size
from semseg.data.transforms.frame import Border, Frame, Size
from semseg.data.transforms.geometric import Geometric, check_border
from semseg.data.transforms.operation import check_range

_LATTICE = 256
_CELL = 4  # pixels
_SLOW = 96  # pixels between nodes, from which on displacements are almost straight within a cell


@dataclass(frozen=True, repr=False)
class Elastic(Geometric):
    """U-Net's elastic deformation (Ronneberger, Fischer and Brox, 2015, section 3.1).

    Displacements are drawn at the nodes of a coarse grid, normally distributed, and interpolated
    bicubically between them.

    Args:
        sd: standard deviation of the displacements, in pixels; the paper's is 10, at 512 pixels.
        grid: (rows, columns) of nodes, from edge to edge, at least 2 each; the paper's is 3 by 3.
        mask_fill: the id beyond the picture, where the image is 0; in a pipeline the data set's
            `ignore_class` by default.
        border: "fill", or "reflect" to continue image and mask by their mirror images.

    Example:
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> transform = Elastic(sd=4, border="reflect")
        >>> image, mask = transform(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((60, 80, 3), (60, 80))
    """

    sd: float = 10.0
    grid: Size = (3, 3)
    mask_fill: int | None = None
    border: Border = "fill"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "sd", 0, np.inf)
        object.__setattr__(self, "grid", check_size(self.grid, "grid"))
        if min(self.grid) < 2:
            raise ValueError(f"grid must have at least 2 rows and columns, received {self.grid}")
        check_border(self.border)

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        moves = self.sd * rng.standard_normal((2, *self.grid))
        bend = CubicBend(frame.size, moves.astype(np.float32))
        return frame.bent(bend, self.outside(self.mask_fill, self.border))


@dataclass(frozen=True, repr=False)
class GridDistortion(Geometric):
    """Moves the lines of a grid and stretches what lies between them; the edges stay.

    Args:
        limit: how far a line may move, as a share of the distance between lines; below 1/2, so that
            they can't cross.
        cells: how many cells the grid has along each side.

    Example:
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> image, mask = GridDistortion(0.3)(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((60, 80, 3), (60, 80))
    """

    limit: float = 0.3
    cells: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "limit", 0, 0.49)
        if not isinstance(self.cells, int) or self.cells < 2:
            raise ValueError(f"cells must be an int >= 2, received {self.cells!r}")

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        lines = np.arange(self.cells + 1) / self.cells
        moved = np.tile(lines, (2, 1))
        moved[:, 1:-1] += self.limit / self.cells * (2 * rng.random((2, self.cells - 1)) - 1)
        return frame.bent(LineBend(frame.size, lines, moved), self.outside(None))


@dataclass(frozen=True, eq=False)
class CubicBend:
    """Displacements at the nodes of a grid over a frame, bicubic between them.

    Keys' cubic convolution, a = -1/2 (IEEE Trans. ASSP 29, 1981); beyond the edges as at them.
    """

    size: Size
    moves: np.ndarray  # (2, rows, columns), pixels: x, y

    def __call__(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = self.size
        if len(x) == 1 and y.shape[1] == 1:
            across, down = self._on_grid(x[0], y[:, 0])
            across += x
            down += y
            return across, down
        # Exact on a lattice and linear between: off by a thousandth of the displacements.
        share = np.linspace(0, 1, _LATTICE, dtype=np.float32)
        field = np.stack(self._between(share[None], share[:, None]), axis=-1)
        columns, rows = np.broadcast_arrays(x / width * (_LATTICE - 1), y / height * (_LATTICE - 1))
        moved = cv2.remap(
            field,
            np.ascontiguousarray(columns, np.float32),
            np.ascontiguousarray(rows, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return x + moved[..., 0], y + moved[..., 1]

    def _on_grid(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """The displacements where columns and rows lie at equal distances."""
        height, width = self.size
        nodes_down, nodes_across = (n - 1 for n in self.moves.shape[1:])
        # What moves so slowly may be sampled at every fourth pixel: right to a tenth of a pixel.
        is_slow = len(x) > 1 < len(y) and all(
            length / nodes >= _SLOW * abs(at[1] - at[0])
            for length, nodes, at in ((width, nodes_across, x), (height, nodes_down, y))
        )
        if not is_slow:
            return self._between(x[None] / width, y[:, None] / height)
        columns, rows = _cells(x), _cells(y)
        whole = (_CELL * len(columns), _CELL * len(rows))
        return [
            cv2.resize(moves, whole)[_CELL : _CELL + len(y), _CELL : _CELL + len(x)]
            for moves in self._between(columns[None] / width, rows[:, None] / height)
        ]

    def _between(self, across: np.ndarray, down: np.ndarray) -> list[np.ndarray]:
        """X and y displacements at shares of the width (1, n) and of the height (m, 1)."""
        padded = np.pad(self.moves, ((0, 0), (1, 1), (1, 1)), mode="edge")
        by_column = _cubic_weights(across, self.moves.shape[2])
        by_row = _cubic_weights(down, self.moves.shape[1])
        return [_interpolated(by_row, nodes, by_column) for nodes in padded]


@dataclass(frozen=True, eq=False)
class LineBend:
    """Lines moved along each axis, linear between them."""

    size: Size
    lines: np.ndarray  # as shares of a side
    moved: np.ndarray  # (2, lines): x, y

    def __call__(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = self.size
        across, down = self.moved
        return _bent(x, self.lines * width, across * width), _bent(
            y, self.lines * height, down * height
        )


def _cells(at: np.ndarray) -> np.ndarray:
    """The middles of cells of pixels (at equal distances), with one more cell at either end."""
    numbers = np.arange(-1, -(-len(at) // _CELL) + 1, dtype=np.float32)
    middles: np.ndarray = at[0] + (at[1] - at[0]) * (_CELL * numbers + (_CELL - 1) / 2)
    return middles.astype(np.float32)


def _interpolated(by_row: np.ndarray, nodes: np.ndarray, by_column: np.ndarray) -> np.ndarray:
    """Weighted sums over nodes. No matrix product: threads of BLAS wait for those of pipelines."""
    rows = (by_row[:, 0, :, None] * nodes).sum(1)  # (height, columns)
    total = rows[:, :1] * by_column[0, :, 0]
    term = np.empty_like(total)  # fresh memory for each term would cost more than its numbers
    for j in range(1, nodes.shape[1]):
        np.multiply(rows[:, j : j + 1], by_column[0, :, j], out=term)
        total += term
    return total


def _bent(at: np.ndarray, lines: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Piecewise linear; what lies beyond the edges is shifted with them, that is, not at all."""
    bent = np.interp(at, lines, moved).astype(at.dtype)
    return np.where((at < 0) | (at > lines[-1]), at, bent)


def _cubic_weights(share: np.ndarray, nodes: int) -> np.ndarray:
    """(..., nodes + 2) weights of the nodes, one more on each side, at shares of a length."""
    at = (share.clip(0, 1) * (nodes - 1)).astype(np.float32)
    away = np.abs(at[..., None] - np.arange(-1, nodes + 1, dtype=np.float32))
    near = (1.5 * away - 2.5) * away * away + 1
    far = ((2.5 - 0.5 * away) * away - 4) * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)
