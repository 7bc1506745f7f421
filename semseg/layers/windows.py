"""Max pooling in non-overlapping windows that remembers where each maximum was, on arrays.

A position is the row-major place inside the window, 0 .. p * p - 1, in one byte. Sizes that the
window does not divide are rounded up, as in Caffe's pooling and PyTorch's `ceil_mode=True`.

Two rules of the code below come from the exporters. Positions are computed in int32 and only
stored as uint8, because LiteRT has no built-in comparison of uint8. Sizes are rounded up as
`(n + p - 1) // p`, because tf2onnx truncates the floor division of a negative number.
"""

from typing import Any

from keras import ops


def cells(length: Any, p: int) -> Any:
    """Number of windows of length `p` that cover `length`; the last may stick out."""
    return (length + (p - 1)) // p


def pool(x: Any, p: int) -> tuple[Any, Any]:
    """The maximum of each window and its position; the first maximum wins, a NaN wins over all."""
    candidates = _planes(x, p, float("-inf"))
    best = candidates[0]
    position = ops.zeros_like(best, dtype="int32")
    for place, candidate in enumerate(candidates[1:], start=1):
        is_nan = candidate != candidate
        wins = ops.logical_or(candidate > best, ops.logical_and(is_nan, best == best))
        position = ops.where(wins, place, position)
        # A plain `where(wins, ...)` would be written as a sum of products in ONNX, where the
        # padding's infinity turns into NaN; the maximum of the values is the same and stays.
        best = ops.where(is_nan, candidate, ops.maximum(best, candidate))
    return best, ops.cast(position, "uint8")


def unpool(x: Any, positions: Any, p: int, height: Any, width: Any) -> Any:
    """Each value at its position in a picture of `height` x `width`, zero elsewhere."""
    positions = ops.cast(positions, "int32")
    shape, channels = ops.shape(x), x.shape[3]
    zero = ops.zeros_like(x)
    rows = [
        ops.stack([ops.where(positions == r * p + c, x, zero) for c in range(p)], axis=3)
        for r in range(p)
    ]
    whole = ops.reshape(ops.stack(rows, axis=2), (shape[0], shape[1] * p, shape[2] * p, channels))
    return whole[:, :height, :width]


def take(x: Any, positions: Any, p: int) -> Any:
    """The value at each window's position: what `unpool` scattered, gathered again."""
    positions = ops.cast(positions, "int32")
    planes = _planes(x, p, 0.0)
    taken = ops.zeros_like(planes[0])
    for place, plane in enumerate(planes):
        taken = ops.where(positions == place, plane, taken)
    return taken


def _planes(x: Any, p: int, fill: float) -> list[Any]:
    """The p * p pictures that hold one position of every window, in row-major order."""
    shape, channels = ops.shape(x), x.shape[3]
    places = [divmod(place, p) for place in range(p * p)]
    if _divides(x.shape[1], p) and _divides(x.shape[2], p):
        blocks = ops.reshape(x, (shape[0], shape[1] // p, p, shape[2] // p, p, channels))
        return [blocks[:, :, row, :, column] for row, column in places]
    rows, columns = cells(shape[1], p), cells(shape[2], p)
    planes = []
    for row, column in places:
        plane = x[:, row::p, column::p]
        missing = [[0, rows - ops.shape(plane)[1]], [0, columns - ops.shape(plane)[2]]]
        plane = ops.pad(plane, [[0, 0], *missing, [0, 0]], constant_values=fill)
        # Padding by a dynamic amount forgets the number of channels, which LiteRT needs.
        planes.append(ops.reshape(plane, (shape[0], rows, columns, channels)))
    return planes


def _divides(length: int | None, p: int) -> bool:
    return length is not None and length % p == 0
