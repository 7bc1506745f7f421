"""Where the windows of a tiled picture lie, along one axis: whole numbers, no pixels."""

from collections.abc import Callable
from itertools import count, pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """A part of one axis that the model sees at once, and what is kept of its output.

    Attributes:
        start, stop: what the model sees; outside the picture it is mirrored.
        kept_from, kept_to: the pixels of the picture whose output is kept.
        skip: how many pixels of the window's output lie before `kept_from`.
    """

    start: int
    stop: int
    kept_from: int
    kept_to: int
    skip: int


class Axis(NamedTuple):
    """What tiles have to respect along one axis, in pixels.

    Attributes:
        before, after: how far an output pixel sees.
        stride: windows begin at multiples of it, as the network pools in fixed windows.
        shrinks_by: how many pixels fewer come out than go in; 0 for a padded network.
        offset: input pixel of output pixel 0.
        takes: the largest size up to a given one that the network takes, 0 if there is none.
    """

    before: int
    after: int
    stride: int
    shrinks_by: int = 0
    offset: int = 0
    takes: Callable[[int], int] = lambda size: size

    @property
    def margins(self) -> tuple[int, int]:
        """The reach, rounded up to the stride."""
        return _up(self.before, self.stride), _up(self.after, self.stride)

    @property
    def least_tile(self) -> int:
        """The smallest window that keeps some of its output."""
        if not self.shrinks_by:
            return sum(self.margins) + self.stride
        least = self.shrinks_by + self.stride
        return next(tile for tile in count(least) if self.takes(tile) >= least)


def exact_windows(length: int, tile: int, axis: Axis) -> list[Window]:
    """Windows whose kept outputs are those of the whole, for a padded network.

    At the borders of the picture a window ends where the picture does, so that the network pads
    it as it pads the whole.
    """
    if length <= tile:
        return [Window(0, length, 0, length, 0)]
    before, after = axis.margins
    tile = tile // axis.stride * axis.stride
    found: list[Window] = []
    kept_from = 0
    while kept_from < length:
        start = max(0, kept_from - before)
        stop = start + tile
        last = stop >= length
        kept_to = length if last else stop - after
        found.append(Window(start, min(stop, length), kept_from, kept_to, kept_from - start))
        kept_from = kept_to
    return found


def unpadded_windows(length: int, tile: int, axis: Axis) -> list[Window]:
    """Windows for a network without padding, on a picture that is mirrored at its border.

    All have one size, which the network takes; what a window yields beyond a multiple of the
    stride is left to the next one.
    """
    seen = axis.takes(tile)
    given = seen - axis.shrinks_by
    kept = given if length <= given else given // axis.stride * axis.stride
    starts = range(0, length, kept)
    return [
        Window(s - axis.offset, s - axis.offset + seen, s, min(s + kept, length), 0) for s in starts
    ]


def overlapping_windows(length: int, tile: int, overlap: int) -> list[Window]:
    """Windows of one size with a fixed overlap, the last moved back to end with the picture.

    What is kept runs to where the next window begins: the pixels before have all their windows.
    """
    if length <= tile:
        return [Window(0, length, 0, length, 0)]
    starts = list(range(0, length - tile, tile - overlap)) + [length - tile]
    ends = [*starts[1:], length]
    return [Window(s, s + tile, s, end, 0) for s, end in zip(starts, ends, strict=True)]


def cropped_windows(length: int, tile: int, overlap: int) -> list[Window]:
    """The same windows, each keeping its part up to the middle of the overlap."""
    windows = overlapping_windows(length, tile, overlap)
    cuts = [(a.stop + b.start) // 2 for a, b in pairwise(windows)]
    edges = [0, *cuts, length]
    return [
        Window(w.start, w.stop, edges[i], edges[i + 1], edges[i] - w.start)
        for i, w in enumerate(windows)
    ]


def _up(value: int, stride: int) -> int:
    return -(-value // stride) * stride
