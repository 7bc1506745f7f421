"""Image files in memory and on disk, written by Pillow, which is not what reads them."""

import io
import struct
import zlib

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


def saved(path, array, **options):
    """Written by Pillow, which is not what reads it."""
    Image.fromarray(array).save(path, **options)
    return path


def grey_png(ids, bits):
    """A grey PNG of few bits a pixel, by hand: no library here writes it."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    height, width = ids.shape
    rows = (np.unpackbits(ids[..., None], axis=-1)[..., -bits:]).reshape(height, width * bits)
    lines = b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
