"""Image files in memory and on disk, written by Pillow, which is not what reads them."""

import io

import numpy as np
from PIL import Image

COLOURS = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)


def smooth(height=24, width=32):
    """A picture that JPEG hardly changes."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([4 * rows, 4 * columns, 2 * (rows + columns)], axis=-1).astype(np.uint8)


def saved_palette(path, ids, colours=COLOURS, **options):
    image = Image.fromarray(ids)
    image.putpalette(colours[: options.pop("size", 256)].tobytes())
    image.save(path, **options)
    return path


def encoded(array, kind, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()
