"""How a mask steps from one value to another: at once, or through the values between."""

from typing import NamedTuple

import numpy as np

_PLATEAU = 3  # so many equal pixels in a row are an area, not a border
_LONGEST = 4  # so many steps a border may take


class Edges(NamedTuple):
    """Borders between two areas along the rows, by how their values change.

    Only borders between values that differ by two or more count: between 0 and 1 there is nothing.
    """

    direct: int  # from one pixel to the next
    ramps: int  # through one to four steps, all up or all down

    def plus(self, other: "Edges") -> "Edges":
        """The borders of both."""
        return Edges(self.direct + other.direct, self.ramps + other.ramps)

    @property
    def ramp_share(self) -> float:
        """Which part of the borders are ramps."""
        return self.ramps / max(1, self.direct + self.ramps)


def edges(mask: np.ndarray) -> Edges:
    """Counts the borders in the rows of a (height, width) mask.

    Interpolation turns nearly every border into a ramp; in a drawn mask a ramp is a thin object
    that by chance has an id between those of its neighbours.
    """
    values = mask.astype(np.int64) if mask.dtype.kind in "bui" else mask.astype(np.float64)
    starts = np.ones(values.shape, bool)
    starts[:, 1:] = values[:, 1:] != values[:, :-1]
    places = np.flatnonzero(starts)
    run_values = values.ravel()[places]
    lengths = np.diff(places, append=values.size)
    rows = places // values.shape[1]
    areas = np.flatnonzero(lengths >= _PLATEAU)
    if len(areas) < 2:
        return Edges(0, 0)
    left, right = areas[:-1], areas[1:]
    climbed = np.concatenate([[0], np.cumsum(np.abs(np.diff(run_values)))])
    rise = np.abs(run_values[right] - run_values[left])
    counts = (rows[left] == rows[right]) & (rise >= 2)
    steps = right - left
    monotone = np.isclose(climbed[right] - climbed[left], rise)
    direct = np.count_nonzero(counts & (steps == 1))
    ramps = np.count_nonzero(counts & (steps > 1) & (steps <= _LONGEST + 1) & monotone)
    return Edges(int(direct), int(ramps))


def within(mask: np.ndarray) -> np.ndarray:
    """Where all 3x3 pixels of a mask are equal; False along the picture's border."""
    equal = np.zeros(mask.shape, bool)
    if min(mask.shape) < 3:
        return equal
    rows = (mask[:, 1:-1] == mask[:, :-2]) & (mask[:, 1:-1] == mask[:, 2:])
    middle = mask[1:-1, 1:-1]
    columns = (middle == mask[:-2, 1:-1]) & (middle == mask[2:, 1:-1])
    equal[1:-1, 1:-1] = rows[:-2] & rows[1:-1] & rows[2:] & columns
    return equal
