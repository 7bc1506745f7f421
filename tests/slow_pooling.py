"""Pooling with indices and its inverse, one window after the other: slow and hard to get wrong."""

import numpy as np


def pool(x, p):
    """The maximum of each p x p window, cut off at the border, and its place; NaN wins."""
    batch, height, width, channels = x.shape
    rows, columns = -(-height // p), -(-width // p)
    values = np.zeros((batch, rows, columns, channels), x.dtype)
    places = np.zeros(values.shape, np.uint8)
    for n, row, column, c in np.ndindex(values.shape):
        best, place = None, None
        for dy, dx in np.ndindex(p, p):
            y, x_ = row * p + dy, column * p + dx
            if y >= height or x_ >= width:
                continue
            value = x[n, y, x_, c]
            if best is None or (value != value and best == best) or value > best:
                best, place = value, dy * p + dx
        values[n, row, column, c], places[n, row, column, c] = best, place
    return values, places


def unpool(values, places, p, height, width):
    """Each value at its place in a picture of zeros."""
    batch, _, _, channels = values.shape
    picture = np.zeros((batch, height, width, channels), values.dtype)
    for n, row, column, c in np.ndindex(values.shape):
        dy, dx = divmod(int(places[n, row, column, c]), p)
        y, x = row * p + dy, column * p + dx
        if y < height and x < width:
            picture[n, y, x, c] = values[n, row, column, c]
    return picture


def take(picture, places, p):
    """The value at each place: what flows back through `unpool`."""
    taken = np.zeros(places.shape, picture.dtype)
    _, height, width, _ = picture.shape
    for n, row, column, c in np.ndindex(places.shape):
        dy, dx = divmod(int(places[n, row, column, c]), p)
        y, x = row * p + dy, column * p + dx
        if y < height and x < width:
            taken[n, row, column, c] = picture[n, y, x, c]
    return taken
